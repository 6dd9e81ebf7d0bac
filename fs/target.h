/* target.h - where a symlink that is to be a saved search leads. */
#ifndef PXS_FS_TARGET_H
#define PXS_FS_TARGET_H

struct fs_request;
struct pxs_buf;

/* Adds the path below /query that TARGET means, as it is saved: "../query/..." from any depth or
 * the mount's absolute path, segments and ways through facet folders. -EINVAL: it is no search; the
 * request has the sentence. */
int fs_target_print(struct fs_request *request, const char *target, struct pxs_buf *path);

#endif
