#include "rest/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"

#define BACKLOG 128
/* Of strangers more come at once; the kernel cuts it to net.core.somaxconn. */
#define BACKLOG_TCP 4096

struct listener {
	int fd;
	char *path; /* or HOST:PORT */
	bool near;
	dev_t dev; /* with ino: which socket in the file system is ours */
	ino_t ino; /* 0: none is */
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
	listener->near = true;
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

/* --- TCP --- */

/* ADDRESS in two parts; *RET_HOST is empty for all addresses. */
static int
split_address(const char *address, char **ret_host, const char **ret_port, struct pxs_error *err)
{
	const char *colon = strrchr(address, ':');
	const char *port = colon ? colon + 1 : "";
	const char *host = address;
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (!*port || port[strspn(port, "0123456789")] || strtoul(port, NULL, 10) > UINT16_MAX)
		return pxs_error_set(err, -EINVAL, -1,
				     "%s is no address to listen at; it is HOST:PORT, as "
				     "localhost:5000, or [IPV6]:PORT",
				     address);
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(host, ':', len)) {
		return pxs_error_set(err, -EINVAL, -1,
				     "the address %s has more than one ':'; one of IPv6 stands in "
				     "brackets, as [::1]:5000",
				     address);
	}
	*ret_host = strndup(host, len);
	*ret_port = port;
	return *ret_host ? 0 : -ENOMEM;
}

static bool
is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;

	if (address->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Where it listens really: the port may have been 0. */
static int
name_listener(struct listener *listener)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} address = { 0 };
	socklen_t len = sizeof(address);
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];

	if (getsockname(listener->fd, &address.any, &len) < 0)
		return -errno;
	if (getnameinfo(&address.any, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return -EIO;
	listener->near = is_loopback(&address.any);
	pxs_buf_addf(&text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	free(listener->path);
	listener->path = pxs_buf_steal(&text);
	return listener->path ? 0 : -ENOMEM;
}

static int
try_address(struct listener *listener, const struct addrinfo *info)
{
	static const int ON = 1;
	CLEANUP(close)
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* A daemon that is started again must not wait for old connections of the last one. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &ON, sizeof(ON)) < 0 ||
	    bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG_TCP) < 0)
		return -errno;
	listener->fd = STEAL_FD(fd);
	return name_listener(listener);
}

int
listener_open_tcp(const char *address, struct listener **ret_listener, struct pxs_error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	CLEANUP(listener) struct listener *listener = calloc(1, sizeof(*listener));
	CLEANUP(free) char *host = NULL;
	struct addrinfo *found = NULL;
	const char *port = NULL;
	int r;

	if (!listener)
		return -ENOMEM;
	listener->fd = -1;
	r = split_address(address, &host, &port, err);
	if (r < 0 || !host)
		return r;
	r = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (r)
		return pxs_error_set(err, -EINVAL, -1, "cannot listen at %s: %s", address,
				     gai_strerror(r));
	r = -EADDRNOTAVAIL;
	for (const struct addrinfo *info = found; info && listener->fd < 0; info = info->ai_next)
		r = try_address(listener, info);
	freeaddrinfo(found);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot listen at %s: %s", address, strerror(-r));
	*ret_listener = STEAL(listener);
	return 0;
}

bool
listener_is_near(const struct listener *listener)
{
	return listener->near;
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
