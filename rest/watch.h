/* watch.h - every connection, and until when it may go on as it does.
 *
 * libmicrohttpd's own timeout counts from the last byte, so a byte now and then holds a connection
 * for ever. These deadlines are by the clock on the wall. */
#ifndef PXS_REST_WATCH_H
#define PXS_REST_WATCH_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/cleanup.h"

/* How long a client may take, in seconds. */
#define WATCH_HEADER_S 10 /* to send a request's header, a TLS handshake included */
#define WATCH_BODY_S 60	  /* then its body */
#define WATCH_IDLE_S 15	  /* to begin another request */
/* To take an answer: so long, and a second for each so many bytes. */
#define WATCH_TAKE_S 30
#define WATCH_TAKE_BYTES_PER_S 16384

struct server;
struct watch;

/* One connection. */
struct watched {
	struct watched *prev; /* in the list; under its lock */
	struct watched *next;
	struct server *server; /* lent to whom the connection leads to */
	int fd;
	_Atomic int64_t deadline_ns; /* steady; INT64_MAX: none */
};

/* Starts the thread that cuts. -errno. */
int watch_open(struct watch **ret_watch);
/* After the last connection is gone. */
void watch_close(struct watch *watch);
DEFINE_CLEANUP(watch, struct watch *, watch_close)

/* From here on FD is watched, with WATCH_HEADER_S to go. NULL: no memory. */
struct watched *watch_add(struct watch *watch, struct server *server, int fd);
/* Before FD is closed. */
void watch_remove(struct watch *watch, struct watched *watched);

/* SECONDS from now; -1: no deadline. Any thread. */
void watch_allow(struct watched *watched, int64_t seconds);

/* Cut whoever is not being answered, now and from now on: the end is near. */
void watch_drain(struct watch *watch);

/* How many connections there are. */
unsigned int watch_count(struct watch *watch);

#endif
