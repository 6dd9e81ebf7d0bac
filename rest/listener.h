/* listener.h - where clients connect: a Unix socket, or an address of TCP. */
#ifndef PXS_REST_LISTENER_H
#define PXS_REST_LISTENER_H

#include <stdbool.h>

#include "base/cleanup.h"

struct listener;
struct pxs_error;

/* Listen at PATH, for everybody if PUBLIC_READERS, else for root and our own user. A socket that
 * nobody answers at any more is replaced.
 *
 * -EADDRINUSE: somebody answers there; -ENAMETOOLONG: longer than a socket's path can be; -EEXIST:
 * something else than a socket is there; ERR has the sentence. */
int listener_open(const char *path, bool public_readers, struct listener **ret_listener,
		  struct pxs_error *err);
/* Listen at ADDRESS: "HOST:PORT", "[IPV6]:PORT" or ":PORT" (of all addresses); port 0 is a free
 * one.
 *
 * -EINVAL: that is no address; -EADDRINUSE: somebody listens there; -EADDRNOTAVAIL: it is not one
 * of this machine; ERR has the sentence. */
int listener_open_tcp(const char *address, struct listener **ret_listener, struct pxs_error *err);
/* Whether only this machine can reach it: a Unix socket, or a loopback address. */
bool listener_is_near(const struct listener *listener);
/* Remove the socket from its folder, unless another one took its place: it is not found any more.
 */
void listener_withdraw(struct listener *listener);
void listener_close(struct listener *listener);
DEFINE_CLEANUP(listener, struct listener *, listener_close)

int listener_fd(const struct listener *listener);
/* Where it is, for people: a path, or HOST:PORT with the port that it has. Lent. */
const char *listener_path(const struct listener *listener);

#endif
