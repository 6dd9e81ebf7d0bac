/* encoded.h - items as they were written last, so that who is shown often is not written anew. */
#ifndef PXS_REST_ENCODED_H
#define PXS_REST_ENCODED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct pxs_buf;
struct encoded;

/* Longer ones are not kept, so that all together are never more than
 * ENCODED_ITEMS * ENCODED_BYTES_MAX. */
#define ENCODED_ITEMS 4096
#define ENCODED_BYTES_MAX 8192

/* Any thread may use it at any time. -ENOMEM. */
int encoded_open(struct encoded **ret_encoded);
void encoded_close(struct encoded *encoded);
DEFINE_CLEANUP(encoded, struct encoded *, encoded_close)

/* ETAG stands for one version of one document, N_PROPERTIES for the schema that it was written by;
 * what may be seen of it is the same for everybody who may see it at all.
 *
 * Adds the text to BUF if it is kept. */
bool encoded_find(struct encoded *encoded, const char *etag, size_t n_properties,
		  struct pxs_buf *buf);

/* Takes the text out of BUF, which is empty afterwards, unless it is too long to be kept. It
 * replaces another one. */
void encoded_keep(struct encoded *encoded, const char *etag, size_t n_properties,
		  struct pxs_buf *buf);

#endif
