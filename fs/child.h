/* child.h - what a name means in a folder. */
#ifndef PXS_FS_CHILD_H
#define PXS_FS_CHILD_H

struct fs_node;
struct fs_request;

/* NAME in PARENT as a new node without a number. -ENOENT: it means nothing here, though a result
 * may bear it; -EINVAL: REQUEST has the sentence; -ENOMEM and what searching may answer. */
int fs_child_derive(struct fs_request *request, struct fs_node *parent, const char *name,
		    struct fs_node **ret_node);

#endif
