/* pxs-announce: makes the calls by which the kernel tells watchers of the mount (inotify) what the
 * daemon knows already; started by it.
 *
 *	pxs-announce	what to announce on standard input, a socket (announce_wire.h)
 *
 * A process of its own, as whoever waits for the daemon's mount must not be the daemon: killed, it
 * could not end. Nobody may trace it and so make calls in its place. */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/announce_wire.h"

static int
announce(char what, const char *path)
{
	switch (what) {
	case ANNOUNCE_WIRE_CREATED: /* no open(2), which would tell of writing, too */
		return mknod(path, S_IFREG | 0444, 0);
	case ANNOUNCE_WIRE_REMOVED:
		return unlink(path);
	case ANNOUNCE_WIRE_CHANGED:
		return utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
	default:
		errno = EINVAL;
		return -1;
	}
}

int
main(void)
{
	char packet[ANNOUNCE_WIRE_MAX];
	ssize_t len;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NAME, "pxs-announce");
	if (chdir("/") < 0)
		return 1;
	while ((len = recv(STDIN_FILENO, packet, sizeof(packet), 0)) > 0) {
		int answer = EINVAL;

		if (len >= 2 && packet[len - 1] == '\0')
			answer = announce(packet[0], packet + 1) < 0 ? errno : 0;
		if (send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			return 1;
	}
	return 0;
}
