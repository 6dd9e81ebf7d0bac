/* sniff.h - what a file's first bytes tell about its type. */
#ifndef PXS_INDEX_INGEST_SNIFF_H
#define PXS_INDEX_INGEST_SNIFF_H

#include <stddef.h>

#include "base/cleanup.h"

struct mime;
struct pxs_error;
struct sniff;

/* For one thread, as libmagic's cookies are. Keeps MIME. ERR has the sentence. */
int sniff_open(const struct mime *mime, struct sniff **ret_sniff, struct pxs_error *err);
void sniff_close(struct sniff *sniff);
DEFINE_CLEANUP(sniff, struct sniff *, sniff_close)

/* The type of the file that begins with the LEN bytes BYTES, under shared-mime-info's name; never
 * NULL. Lent until the next call. */
const char *sniff_bytes(struct sniff *sniff, const char *bytes, size_t len);

/* The same of the regular file NAME in the folder FOLDER. -errno if it cannot be read. */
int sniff_file(struct sniff *sniff, int folder, const char *name, const char **ret_type);

#endif
