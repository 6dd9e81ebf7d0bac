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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
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

/* Run DO with the rights of CALLER on files. */
static int
as_other(const struct auth_caller *caller, int (*do_it)(void *context), void *context)
{
	gid_t own[AUTH_GROUPS_MAX];
	int n_own = getgroups(ARRAY_SIZE(own), own);
	int r = -EACCES;

	if (n_own < 0)
		return -errno;
	if (set_groups(caller->groups, caller->n_groups) && set_file_group(caller->gid) &&
	    set_file_user(caller->uid))
		r = do_it(context);
	restore(own, (size_t)n_own);
	return r;
}

struct opening {
	const char *path;
	int flags;
};

static int
open_it(void *context)
{
	const struct opening *opening = context;

	return open_path(opening->path, opening->flags);
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
	return as_other(caller, open_it, &(struct opening){ path, flags });
}

/* --- Entering directories --- */

struct entering {
	const char *const *directories;
	size_t n;
	uint8_t *entries;
};

static uint8_t
entry_of(int error)
{
	return error == ENOENT || error == ENOTDIR ? AUTH_ENTRY_GONE : AUTH_ENTRY_REFUSED;
}

/* AT_EACCESS: as whom we are now, not as who started us; that includes the fsuid. */
static int
ask_kernel(void *context)
{
	const struct entering *entering = context;

	for (size_t i = 0; i < entering->n; i++)
		entering->entries[i] = syscall(SYS_faccessat2, AT_FDCWD, entering->directories[i],
					       X_OK, AT_EACCESS) == 0
					       ? AUTH_ENTRY_GRANTED
					       : entry_of(errno);
	return 0;
}

static bool
is_member(const struct auth_caller *caller, gid_t group)
{
	for (size_t i = 0; i < caller->n_groups; i++)
		if (caller->groups[i] == group)
			return true;
	return caller->gid == group;
}

/* Whether the mode of PATH, a directory, lets CALLER search it. */
static uint8_t
ask_mode(const struct auth_caller *caller, const char *path)
{
	struct stat st;
	mode_t bit = S_IXOTH;

	if (lstat(path, &st) < 0)
		return entry_of(errno);
	if (!S_ISDIR(st.st_mode))
		return AUTH_ENTRY_GONE;
	if (st.st_uid == caller->uid)
		bit = S_IXUSR;
	else if (lgetxattr(path, "system.posix_acl_access", NULL, 0) > 0)
		return AUTH_ENTRY_REFUSED;
	else if (is_member(caller, st.st_gid))
		bit = S_IXGRP;
	return st.st_mode & bit ? AUTH_ENTRY_GRANTED : AUTH_ENTRY_REFUSED;
}

/* From the root down to DIRECTORY. */
static uint8_t
ask_modes(const struct auth_caller *caller, const char *directory)
{
	uint8_t entry = ask_mode(caller, "/");
	char path[PATH_MAX];
	size_t len = strlen(directory);

	if (len >= sizeof(path))
		return AUTH_ENTRY_REFUSED;
	memcpy(path, directory, len + 1);
	for (size_t i = 1; i <= len && len > 1 && entry == AUTH_ENTRY_GRANTED; i++) {
		if (path[i] != '/' && path[i])
			continue;
		path[i] = '\0';
		entry = ask_mode(caller, path);
		path[i] = directory[i];
	}
	return entry;
}

int
auth_enters(const struct auth_caller *caller, const char *const *directories, size_t n,
	    uint8_t *entries)
{
	struct entering entering = { directories, n, entries };

	if (caller->uid == geteuid() || caller->uid == 0)
		return ask_kernel(&entering);
	if (geteuid() == 0)
		return as_other(caller, ask_kernel, &entering);
	for (size_t i = 0; i < n; i++)
		entries[i] = ask_modes(caller, directories[i]);
	return 0;
}
