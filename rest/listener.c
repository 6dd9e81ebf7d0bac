#include "rest/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#define BACKLOG 128

struct listener {
	int fd;
	char *path;
	dev_t dev; /* with ino: which socket in the file system is ours */
	ino_t ino;
};

static int
address_of(const char *path, struct sockaddr_un *ret_address, struct pxs_error *err)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret_address->sun_path))
		return pxs_error_set(err, -ENAMETOOLONG, -1,
				     "the socket's path is longer than %zu bytes: %s",
				     sizeof(ret_address->sun_path) - 1, path);
	(void)stpcpy(ret_address->sun_path, path);
	return 0;
}

/* 0: nobody answers at ADDRESS; -EADDRINUSE: somebody does. */
static int
check_silent(const struct sockaddr_un *address)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return -EADDRINUSE;
	if (errno == ECONNREFUSED || errno == ENOENT)
		return 0;
	/* EAGAIN: alive, with a full backlog. */
	return errno == EAGAIN ? -EADDRINUSE : -errno;
}

/* Make room at ADDRESS: remove what a killed daemon left. */
static int
remove_stale(const struct sockaddr_un *address, struct pxs_error *err)
{
	const char *path = address->sun_path;
	struct stat st;
	int r;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (lstat(path, &st) < 0)
		return pxs_error_set(err, -errno, -1, "cannot look at %s: %m", path);
	if (!S_ISSOCK(st.st_mode))
		return pxs_error_set(err, -EEXIST, -1,
				     "%s exists and is not a socket; remove it or choose another "
				     "path with --socket",
				     path);
	r = check_silent(address);
	if (r == -EADDRINUSE)
		return pxs_error_set(err, r, -1, "a daemon already answers at %s", path);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot tell whether a daemon answers at %s: %s",
				     path, strerror(-r));
	if (unlink(path) < 0 && errno != ENOENT)
		return pxs_error_set(err, -errno, -1, "cannot replace the dead socket %s: %m",
				     path);
	return 0;
}

/* The socket is born closed to others: Linux takes its mode from the descriptor's. */
static int
bind_and_listen(struct listener *listener, const struct sockaddr_un *address, bool public_readers,
		struct pxs_error *err)
{
	struct stat st;

	if (fchmod(listener->fd, 0600) < 0 ||
	    bind(listener->fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return pxs_error_set(err, -errno, -1, "cannot make the socket %s: %m",
				     listener->path);
	if (stat(listener->path, &st) < 0 || (public_readers && chmod(listener->path, 0666) < 0) ||
	    listen(listener->fd, BACKLOG) < 0) {
		int r = pxs_error_set(err, -errno, -1, "cannot listen at %s: %m", listener->path);

		(void)unlink(listener->path);
		return r;
	}
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	return 0;
}

int
listener_open(const char *path, bool public_readers, struct listener **ret_listener,
	      struct pxs_error *err)
{
	CLEANUP(listener) struct listener *listener = calloc(1, sizeof(*listener));
	struct sockaddr_un address;
	int r;

	if (!listener)
		return -ENOMEM;
	listener->fd = -1;
	listener->path = strdup(path);
	if (!listener->path)
		return -ENOMEM;

	r = address_of(path, &address, err);
	if (r < 0)
		return r;
	r = remove_stale(&address, err);
	if (r < 0)
		return r;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return pxs_error_set(err, -errno, -1, "cannot make a socket: %m");
	r = bind_and_listen(listener, &address, public_readers, err);
	if (r < 0)
		return r;
	*ret_listener = STEAL(listener);
	return 0;
}

void
listener_withdraw(struct listener *listener)
{
	struct stat st;

	if (listener->ino && lstat(listener->path, &st) == 0 && st.st_dev == listener->dev &&
	    st.st_ino == listener->ino)
		(void)unlink(listener->path);
	listener->ino = 0;
}

void
listener_close(struct listener *listener)
{
	if (!listener)
		return;
	listener_withdraw(listener);
	if (listener->fd >= 0)
		(void)close(listener->fd);
	free(listener->path);
	free(listener);
}

int
listener_fd(const struct listener *listener)
{
	return listener->fd;
}

const char *
listener_path(const struct listener *listener)
{
	return listener->path;
}
