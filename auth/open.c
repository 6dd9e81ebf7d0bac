/* Opening a file with somebody else's rights.
 *
 * The kernel checks a path with the fsuid, fsgid and groups of the calling thread. glibc's wrappers
 * for identities change all threads of a process, so the system calls are made directly: only this
 * thread becomes the caller, for the time of one openat2(). Leaving fsuid 0 also drops the
 * capabilities that override file permissions, and coming back raises them again (credentials(7),
 * capabilities(7), "Effect of user ID changes on capabilities"). */
#include "auth/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macros.h"

/* 32-bit architectures have an older setgroups with 16-bit numbers. */
#ifdef SYS_setgroups32
#define SET_GROUPS SYS_setgroups32
#else
#define SET_GROUPS SYS_setgroups
#endif

/* What the kernel calls a directory that it lets us pass, read or not. */
#define WAYPOINT (O_PATH | O_DIRECTORY)

static bool
set_groups(const gid_t *groups, size_t n)
{
	return syscall(SET_GROUPS, n, groups) == 0;
}

/* These calls report no failure; asking with an invalid number tells what holds now. */
static bool
set_file_user(uid_t uid)
{
	(void)syscall(SYS_setfsuid, uid);
	return (uid_t)syscall(SYS_setfsuid, -1) == uid;
}

static bool
set_file_group(gid_t gid)
{
	(void)syscall(SYS_setfsgid, gid);
	return (gid_t)syscall(SYS_setfsgid, -1) == gid;
}

/* A thread that is still somebody else must serve nobody. */
static void
restore(const gid_t *groups, size_t n)
{
	if (!set_file_user(geteuid()) || !set_file_group(getegid()) || !set_groups(groups, n))
		abort();
}

static int
open_piece(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* PATH may be longer than the kernel takes at once (a deep tree): then it is opened piece by piece,
 * each ending at a directory. */
static int
open_path(const char *path, int flags)
{
	CLEANUP(close) int dir = AT_FDCWD;
	char piece[PATH_MAX];
	size_t len;
	int next;

	while (strlen(path) >= sizeof(piece)) {
		len = sizeof(piece) - 1;
		while (len > 0 && path[len] != '/')
			len--;
		if (!len)
			return -ENAMETOOLONG;
		memcpy(piece, path, len);
		piece[len] = '\0';

		next = open_piece(dir, piece, WAYPOINT);
		if (next < 0)
			return next;
		if (dir >= 0)
			(void)close(dir);
		dir = next;
		path += len + 1;
	}
	return open_piece(dir, path, flags | O_NOFOLLOW | O_NOCTTY);
}

static int
open_as_other(const struct auth_caller *caller, const char *path, int flags)
{
	gid_t own[AUTH_GROUPS_MAX];
	int n_own = getgroups(ARRAY_SIZE(own), own);
	int fd = -EACCES;

	if (n_own < 0)
		return -errno;
	if (set_groups(caller->groups, caller->n_groups) && set_file_group(caller->gid) &&
	    set_file_user(caller->uid))
		fd = open_path(path, flags);
	restore(own, (size_t)n_own);
	return fd;
}

int
auth_open_as(const struct auth_caller *caller, const char *path, int flags)
{
	if (path[0] != '/')
		return -EINVAL;
	if (caller->uid == geteuid() || caller->uid == 0)
		return open_path(path, flags);
	if (geteuid() != 0)
		return -EACCES;
	return open_as_other(caller, path, flags);
}
