/* session.h - the connection to the kernel, and the threads that serve it. */
#ifndef PXS_FS_SESSION_H
#define PXS_FS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct fs;
struct fs_session;
struct fuse_conn_info;
struct pxs_error;

/* Mount for FS and serve; returns when the kernel has greeted. */
int fs_session_open(struct fs *fs, struct fs_session **ret_session, struct pxs_error *err);

/* Whether requests are still served. */
bool fs_session_is_alive(struct fs_session *session);

/* The kernel asks again for the attributes of NODE, if it has them; from a thread that serves none
 * of its requests. */
void fs_session_forget_attributes(struct fs_session *session, uint64_t node);

/* Unmount, if need be lazily, and end all threads. */
void fs_session_close(struct fs_session *session);
DEFINE_CLEANUP(fs_session, struct fs_session *, fs_session_close)

/* The kernel's greeting: what each can do. For the table of handlers. */
void fs_session_init(void *fs, struct fuse_conn_info *conn);

#endif
