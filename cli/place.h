/* place.h - where things are when nobody says: the index, the socket; and what a path means. */
#ifndef PXS_CLI_PLACE_H
#define PXS_CLI_PLACE_H

#include <stdbool.h>

/* Where a client looks for a daemon, in this order. */
#define PLACE_SOCKETS_MAX 2
struct place_sockets {
	char *paths[PLACE_SOCKETS_MAX]; /* the caller's */
	int n;
	bool named; /* by the option or $PXS_SOCKET: there is no other */
};

/* The folder of the index: OPTION (NULL: not given), else $PXS_INDEX, else /var/lib/pxs for root,
 * else $XDG_DATA_HOME/pxs. Absolute; the caller's to free. *RET_NAMED: somebody named it. */
int place_index(const char *option, char **ret_path, bool *ret_named);

/* OPTION, else $PXS_SOCKET, else both $XDG_RUNTIME_DIR/pxs.sock and /run/pxs/pxs.sock. */
int place_sockets(const char *option, struct place_sockets *ret_sockets);
void place_sockets_done(struct place_sockets *sockets);
static inline void
place_sockets_cleanup(struct place_sockets *sockets)
{
	place_sockets_done(sockets);
}

/* Where a daemon listens: OPTION, else $PXS_SOCKET, else /run/pxs/pxs.sock for root, else
 * $XDG_RUNTIME_DIR/pxs.sock. -ENOENT: that variable is not set. The caller's to free. */
int place_daemon_socket(const char *option, char **ret_path);

/* PATH as an absolute one without symlinks in its folders. Its last name stays as it is: that may
 * be a symlink, a mount that died, or not there yet. The caller's to free. */
int place_absolute(const char *path, char **ret_path);

/* Make the folders above PATH that are missing. */
int place_make_parents(const char *path);

#endif
