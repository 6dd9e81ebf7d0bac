/* auth.h - who someone is and what he may do; knows no HTTP and no FUSE. */
#ifndef PXS_AUTH_H
#define PXS_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* More supplementary groups than this are ignored (which only takes access away). */
#define AUTH_GROUPS_MAX 256

/* Somebody on this machine, as the kernel names him. */
struct auth_caller {
	uid_t uid;
	gid_t gid;
	gid_t groups[AUTH_GROUPS_MAX];
	size_t n_groups;
};

/* The process at the other end of the Unix socket FD (SO_PEERCRED, SO_PEERGROUPS). -errno. */
int auth_caller_from_peer(int fd, struct auth_caller *ret_caller);

/* UID and GID with the groups that process PID has now; none where they cannot be read. */
void auth_caller_from_process(uid_t uid, gid_t gid, pid_t pid, struct auth_caller *ret_caller);

/* Root or the user this daemon runs as: may ingest, mount and see everything. */
bool auth_caller_is_operator(const struct auth_caller *caller);

/* openat2(2) of PATH (absolute), checked by the kernel with CALLER's identity, never following a
 * symlink at the end; the daemon's own identity is restored before it returns. The descriptor, or
 * -errno. Root and the daemon's own user are served with the daemon's identity. Where the daemon is
 * not root it can serve nobody else: -EACCES. */
int auth_open_as(const struct auth_caller *caller, const char *path, int flags);

#endif
