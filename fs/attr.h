/* attr.h - the attributes of nodes. */
#ifndef PXS_FS_ATTR_H
#define PXS_FS_ATTR_H

#include <stdint.h>

#include "fs/fuse.h"

struct fs_node;
struct fs_request;

/* How long the kernel may believe us, in seconds. Folders and symlinks stay what they are, but what
 * their attributes tell (count, last change) must not be old; results change with the files. */
#define FS_ENTRY_S 30.0
#define FS_FOLDER_ATTR_S 1.0
#define FS_DOCUMENT_S 5.0
/* Their attributes, of which the kernel hears when they change (notifier.h). */
#define FS_DOCUMENT_ATTR_S 30.0
/* Names that nothing has now; another document may come. */
#define FS_ABSENT_S 1.0

/* ENTRY of a folder with node number ID whose st_size is SIZE. */
void fs_attr_folder(struct fs_request *request, uint64_t id, uint64_t size,
		    struct fuse_entry_param *entry);

/* The same for saved/ and what is saved, which may be written to: moving a folder changes it. */
void fs_attr_saved(struct fs_request *request, uint64_t id, uint64_t size,
		   struct fuse_entry_param *entry);

/* ENTRY of a symlink whose target has LEN bytes. */
void fs_attr_symlink(struct fs_request *request, uint64_t id, size_t len,
		     struct fuse_entry_param *entry);

/* ENTRY of a file of ours with SIZE bytes, 0 if that is not known. */
void fs_attr_file(struct fs_request *request, uint64_t id, uint64_t size,
		  struct fuse_entry_param *entry);

/* ENTRY of a document of the request's view. */
void fs_attr_document(struct fs_request *request, uint32_t doc, struct fuse_entry_param *entry);

/* ENTRY of NODE. Runs no query. */
void fs_attr_node(struct fs_request *request, const struct fs_node *node,
		  struct fuse_entry_param *entry);

/* ENTRY of any node number. -ESTALE: there is none (any more). */
int fs_attr_id(struct fs_request *request, uint64_t id, struct fuse_entry_param *entry);

#endif
