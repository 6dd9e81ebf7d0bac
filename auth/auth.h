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

/* What somebody may do, as bits. The names that people write stand in rights.c. */
#define AUTH_READ 1u   /* read: search, and read what is found */
#define AUTH_UPDATE 2u /* update_search_metadata: change documents */
#define AUTH_DELETE 4u /* delete_search_metadata: remove documents */
#define AUTH_BYPASS                                                                                \
	8u /* bypass_file_access_security: see documents whose files he could not stat */
#define AUTH_OPERATE 16u /* operate: ingest, mount, check; users and tokens */
#define AUTH_EVERYTHING (AUTH_READ | AUTH_UPDATE | AUTH_DELETE | AUTH_BYPASS | AUTH_OPERATE)

/* How somebody showed who he is. */
enum auth_means {
	AUTH_BY_NOTHING, /* he did not: no rights */
	AUTH_BY_SOCKET,	 /* the kernel named the process at the other end of a Unix socket */
	AUTH_BY_TOKEN,
};

#define AUTH_USER_MAX 64 /* bytes of a user's name; more than any system has */

/* Whoever asks for something. */
struct auth_principal {
	char user[AUTH_USER_MAX + 1]; /* his name; the number of a uid without one */
	enum auth_means means;
	unsigned int rights;	   /* AUTH_* */
	struct auth_caller caller; /* whose permissions on files are his */
};

/* The name of one AUTH_* bit; NULL if it is none. */
const char *auth_right_name(unsigned int right);

/* The process at the other end of the Unix socket FD (SO_PEERCRED, SO_PEERGROUPS). -errno. */
int auth_caller_from_peer(int fd, struct auth_caller *ret_caller);

/* UID and GID with the groups that process PID has now; none where they cannot be read. */
void auth_caller_from_process(uid_t uid, gid_t gid, pid_t pid, struct auth_caller *ret_caller);

/* Root or the user this daemon runs as: may ingest, mount and see everything. */
bool auth_caller_is_operator(const struct auth_caller *caller);

/* Who asks, from whom the kernel named: root and the user that this process runs as may do
 * everything, others what OTHERS has. */
void auth_principal_from_caller(const struct auth_caller *caller, unsigned int others,
				struct auth_principal *ret_principal);

/* openat2(2) of PATH (absolute), checked by the kernel with CALLER's identity, never following a
 * symlink at the end; the daemon's own identity is restored before it returns. The descriptor, or
 * -errno. Root and the daemon's own user are served with the daemon's identity. Where the daemon is
 * not root it can serve nobody else: -EACCES. */
int auth_open_as(const struct auth_caller *caller, const char *path, int flags);

#endif
