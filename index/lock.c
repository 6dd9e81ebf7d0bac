#include "index/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

/* "123 pxs": who owns it, for people; the lock itself is the kernel's. */
#define OWNER_MAX 64

static void
write_owner(int fd)
{
	char owner[OWNER_MAX];
	int len = snprintf(owner, sizeof(owner), "%d\n", (int)getpid());

	/* Only a courtesy to whoever comes second. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, owner, (size_t)len, 0) < 0)
		return;
}

/* OWNER (OWNER_MAX bytes) is what stands there; "" if nothing does. */
static void
read_owner(int fd, char *owner)
{
	ssize_t n = pread(fd, owner, OWNER_MAX - 1, 0);

	if (n < 0)
		n = 0;
	owner[n] = '\0';
	owner[strcspn(owner, "\n")] = '\0';
}

static int
refuse(const char *dir, int fd, struct pxs_error *err)
{
	char owner[OWNER_MAX];

	read_owner(fd, owner);
	return pxs_error_set(err, -EBUSY, -1,
			     "the index in %s is in use by process %s; ask that one (see pxs "
			     "status) or stop it",
			     dir, *owner ? owner : "unknown");
}

int
lock_take(const char *dir, int *ret_fd, struct pxs_error *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP(close) int fd = -1;
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/lock", dir) >= (int)sizeof(path))
		return pxs_error_set(err, -ENAMETOOLONG, -1, "the path of the index is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return pxs_error_set(err, -errno, -1, "cannot open %s: %s", path, strerror(errno));
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
		return errno == EAGAIN || errno == EACCES
			       ? refuse(dir, fd, err)
			       : pxs_error_set(err, -errno, -1, "cannot lock %s: %s", path,
					       strerror(errno));
	write_owner(fd);
	*ret_fd = STEAL_FD(fd);
	return 0;
}

int
lock_owner(const char *dir, int *ret_pid)
{
	struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	CLEANUP(close) int fd = -1;
	char path[4096];
	char owner[OWNER_MAX];

	if (snprintf(path, sizeof(path), "%s/lock", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_GETLK, &whole) < 0)
		return -errno;
	*ret_pid = 0;
	if (whole.l_type == F_UNLCK)
		return 0;
	read_owner(fd, owner);
	*ret_pid = (int)strtol(owner, NULL, 10);
	return 0;
}
