#include "index/ingest/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* PATH must be shorter than PATH_MAX. The new descriptor or -errno. */
static int
open_short(int folder, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (!(flags & O_PATH))
		how.flags |= O_NOATIME;
	fd = syscall(SYS_openat2, folder, *path ? path : ".", &how, sizeof(how));
	if (fd < 0 && errno == EPERM && (how.flags & O_NOATIME)) {
		/* Only its owner may read a file without leaving a trace. */
		how.flags &= ~(uint64_t)O_NOATIME;
		fd = syscall(SYS_openat2, folder, *path ? path : ".", &how, sizeof(how));
	}
	return fd < 0 ? -errno : (int)fd;
}

/* The length of the longest start of PATH that ends before a slash and that the kernel takes. */
static size_t
cut(const char *path)
{
	size_t len = PATH_MAX - 1;

	while (len > 0 && path[len] != '/')
		len--;
	return len;
}

int
beneath_open(int folder, const char *path, int flags, int *ret_fd)
{
	CLEANUP(close) int on_the_way = -1;
	char piece[PATH_MAX];
	int fd;

	while (strlen(path) >= PATH_MAX) {
		size_t len = cut(path);

		if (len == 0)
			return -ENAMETOOLONG;
		memcpy(piece, path, len);
		piece[len] = '\0';
		fd = open_short(on_the_way >= 0 ? on_the_way : folder, piece, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return fd;
		close_cleanup(&on_the_way);
		on_the_way = fd;
		path += len + 1;
	}

	fd = open_short(on_the_way >= 0 ? on_the_way : folder, path, flags);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}
