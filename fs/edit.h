/* edit.h - changing documents through the mount. */
#ifndef PXS_FS_EDIT_H
#define PXS_FS_EDIT_H

#include <stdint.h>

struct fs_node;
struct fs_request;

/* Delete the document that NAME is in PARENT: the catalogue's, never the file. The request has the
 * sentence: -EPERM (not allowed here, or to this user), -EAGAIN (too many in this minute), -EBUSY
 * (it is no longer what the user was shown), -EROFS (an upstream's). */
int fs_edit_unlink(struct fs_request *request, struct fs_node *parent, const char *name);

#endif
