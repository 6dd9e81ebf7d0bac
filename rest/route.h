/* route.h - which request goes to which handler, and who may ask it. */
#ifndef PXS_REST_ROUTE_H
#define PXS_REST_ROUTE_H

#include "auth/auth.h"
#include "base/buf.h"
#include "rest/handlers.h"

struct route {
	const char *method;
	const char *path;    /* "{}" stands for one part of it, the request's tail */
	unsigned int rights; /* AUTH_*: all of them are needed; 0: open to everybody */
	handler handle;
};

/* The route for METHOD (HEAD is GET) and PATH (from an URL, decoded; below /api/ as well, with or
 * without a slash at the end). What stood for {} is added to TAIL.
 *
 * -ENOENT: no such path; -EOPNOTSUPP: no such method there, and ALLOWED (empty before) gets those
 * that are, as the header Allow has them. */
int route_find(const char *method, const char *path, const struct route **ret_route,
	       struct pxs_buf *tail, struct pxs_buf *allowed);

#endif
