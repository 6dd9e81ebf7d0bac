/* handle.h - what is open. A mount that ends while others have files open never hears that they
 * close them, so it must know what to free. */
#ifndef PXS_FS_HANDLE_H
#define PXS_FS_HANDLE_H

struct fs_handles;

/* Stands first in whatever is opened. */
struct fs_handle {
	void (*free)(struct fs_handle *handle);
	struct fs_handle *previous, *next;
};

int fs_handles_new(struct fs_handles **ret_handles);
/* Frees what is still open. */
void fs_handles_free(struct fs_handles *handles);

/* Takes HANDLE, whose `free` is set. */
void fs_handle_open(struct fs_handles *handles, struct fs_handle *handle);
/* Frees it. */
void fs_handle_close(struct fs_handles *handles, struct fs_handle *handle);

#endif
