#include "fs/mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fs/fs.h"

#define OUR_TYPE "fuse.pxs"

/* realpath() of the whole would ask a mount that may be dead. */
int
fs_mountpoint_resolve(const char *path, char **ret_path, struct pxs_error *err)
{
	CLEANUP(free) char *copy = strdup(path);
	CLEANUP(free) char *parent = NULL;
	char *name;

	if (!copy)
		return -ENOMEM;
	if (path[0] != '/' || !path[strspn(path, "/")])
		return pxs_error_set(err, -EINVAL, -1,
				     "%s is no absolute path of a folder to mount on", path);
	for (size_t len = strlen(copy); copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	name = strrchr(copy, '/');
	*name++ = '\0';
	parent = realpath(*copy ? copy : "/", NULL);
	if (!parent)
		return pxs_error_set(err, -errno, -1, "there is no folder %s: %s", path,
				     strerror(errno));
	if (asprintf(ret_path, "%s/%s", strcmp(parent, "/") ? parent : "", name) < 0)
		return -ENOMEM;
	return 0;
}

static void
endmntent_cleanup(FILE **file)
{
	if (*file)
		(void)endmntent(*file);
}

/* What is mounted on PATH, the last one if several are: its type in TYPE. False: nothing. */
static bool
find_mount(const char *path, char *type, size_t size)
{
	CLEANUP(endmntent) FILE *file = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;
	bool found = false;

	while (file && (entry = getmntent(file))) {
		if (strcmp(entry->mnt_dir, path) != 0)
			continue;
		found = true;
		(void)snprintf(type, size, "%s", entry->mnt_type);
	}
	return found;
}

static int
run_fusermount(const char *path)
{
	extern char **environ;
	char name[] = "fusermount3";
	char flags[] = "-uz";
	char dashes[] = "--";
	char *argv[] = { name, flags, dashes, (char *)path, NULL };
	int status;
	pid_t pid;
	int r = posix_spawnp(&pid, name, NULL, NULL, argv, environ);

	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

/* A daemon that was killed leaves its mount behind, on which every call fails with ENOTCONN. */
static int
clean_dead(const char *path, struct pxs_error *err)
{
	int r = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;

	if (r == -EPERM)
		r = run_fusermount(path);
	if (r < 0)
		return pxs_error_set(err, -EBUSY, -1,
				     "a dead mount is left on %s and cannot be removed; "
				     "try: umount -l %s",
				     path, path);
	return 0;
}

/* Whether nobody serves the mount any more; the kernel must not answer from what it remembers. */
static bool
is_dead(const char *path)
{
	struct statx stx;

	return statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &stx) < 0 &&
	       (errno == ENOTCONN || errno == ECONNABORTED);
}

static int
check_mounts(const char *path, struct pxs_error *err)
{
	char type[64] = "";

	if (!find_mount(path, type, sizeof(type)))
		return 0;
	if (!strcmp(type, OUR_TYPE) && is_dead(path))
		return clean_dead(path, err);
	return pxs_error_set(err, -EBUSY, -1,
			     "%s: something (%s) is mounted there already; unmount it or choose "
			     "another folder",
			     path, type);
}

static void
closedir_cleanup(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int
check_empty(const char *path, struct pxs_error *err)
{
	CLEANUP(closedir) DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return pxs_error_set(err, -errno, -1, "cannot read the folder %s: %s", path,
				     strerror(errno));
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return pxs_error_set(err, -ENOTEMPTY, -1,
					     "%s is not empty; choose an empty folder", path);
	return 0;
}

static int
check_folder(const char *path, struct pxs_error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return pxs_error_set(err, -errno, -1,
				     errno == ENOENT ? "there is no folder %s; make it first"
						     : "cannot look at %s",
				     path);
	if (!S_ISDIR(st.st_mode))
		return pxs_error_set(err, -ENOTDIR, -1, "%s is not a folder", path);
	if (geteuid() != 0 && access(path, W_OK) < 0)
		return pxs_error_set(
			err, -EACCES, -1,
			"only a folder that you may write to can be mounted on; %s is not", path);
	return check_empty(path, err);
}

static int
check_device(struct pxs_error *err)
{
	if (access("/dev/fuse", F_OK) == 0)
		return 0;
	return pxs_error_set(err, -ENODEV, -1,
			     "there is no /dev/fuse; load the kernel module with: modprobe fuse");
}

/* fusermount3 refuses allow_other to users unless root allowed it; its own message is lost. */
static int
check_sharing(const struct fs_options *options, struct pxs_error *err)
{
	CLEANUP(fclose) FILE *file = NULL;
	char line[256];

	if (!options->allow_other || geteuid() == 0)
		return 0;
	file = fopen("/etc/fuse.conf", "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "user_allow_other", 16))
			return 0;
	return pxs_error_set(
		err, -EACCES, -1,
		"allow_other needs the line user_allow_other in /etc/fuse.conf, or root");
}

int
fs_mountpoint_prepare(const struct fs_options *options, struct pxs_error *err)
{
	const char *path = options->mountpoint;
	int r;

	r = check_device(err);
	if (r == 0)
		r = check_mounts(path, err);
	if (r == 0)
		r = check_folder(path, err);
	return r < 0 ? r : check_sharing(options, err);
}
