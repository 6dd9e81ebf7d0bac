/* route.h - which request goes to which handler, and who may ask it. */
#ifndef PXS_REST_ROUTE_H
#define PXS_REST_ROUTE_H

#include <stdbool.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "rest/handlers.h"

/* How long an answer takes, and so which thread makes it. */
enum route_pace {
	ROUTE_WORKS,   /* it searches, reads or writes */
	ROUTE_QUICK,   /* the thread that reads requests: nothing in it waits or takes long */
	ROUTE_READS,   /* it opens a file, which may lie at the upstream */
	ROUTE_WAITS,   /* it waits for something to happen */
	ROUTE_LOGS_IN, /* it looks at a password */
};

/* A row is the router's, the documentation's (openapi.c) and the statistics' (metrics.c). */
struct route {
	const char *method;
	const char *path;    /* "{name}" stands for one part of it, the request's tail */
	unsigned int rights; /* AUTH_*: all of them are needed; 0: open to everybody */
	enum route_pace pace;
	handler handle;
	const char *summary;	/* for people */
	const char *parameters; /* that it knows, by name, separated by blanks; NULL: none */
	const char *body;	/* the kind of body that it takes; NULL: none */
	const char *statuses;	/* of its answers, beside those that any may have, and 429 and 503
				 * of those that are not quick */
};

/* The I-th of all; NULL behind the last. */
const struct route *route_at(size_t i);

/* Whether the authorisation server serves it, which serves nothing else. */
bool route_is_for_logins(const struct route *route);

/* The route for METHOD (HEAD is GET) and PATH (from an URL, decoded; below /api/ as well, with or
 * without a slash at the end). What stood for {name} is added to TAIL.
 *
 * -ENOENT: no such path; -EOPNOTSUPP: no such method there, and ALLOWED (empty before) gets those
 * that are, as the header Allow has them. */
int route_find(const char *method, const char *path, const struct route **ret_route,
	       struct pxs_buf *tail, struct pxs_buf *allowed);

#endif
