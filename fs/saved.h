/* saved.h - saved searches: /saved/NAME is a name for a path below /query. */
#ifndef PXS_FS_SAVED_H
#define PXS_FS_SAVED_H

#include <stdint.h>

struct fs_request;
struct pxs_buf;
struct query;

/* Names from the root to a saved search: saved, NAME. */
#define FS_SAVED_DEPTH 2

/* PATH below /query (segments, also through facet folders) as a query. -EINVAL: the request has the
 * sentence. */
int fs_saved_parse(struct fs_request *request, const char *path, struct query **ret_query);

/* Adds the target that the LINK node shows. -ESTALE. */
int fs_saved_read_link(struct fs_request *request, uint64_t id, struct pxs_buf *target);

#endif
