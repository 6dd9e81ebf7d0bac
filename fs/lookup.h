/* lookup.h - documents by their names. */
#ifndef PXS_FS_LOOKUP_H
#define PXS_FS_LOOKUP_H

#include "fs/fuse.h"

struct fs_node;
struct fs_request;

/* The document (in .pxs/meta, its sidecar) that NAME is in PARENT. -ENOENT; what searching may
 * answer. */
int fs_lookup_document(struct fs_request *request, struct fs_node *parent, const char *name,
		       struct fuse_entry_param *entry);

#endif
