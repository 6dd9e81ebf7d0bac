/* upstream.h - asks a REST core over HTTP, and logs in there. For one thread. */
#ifndef PXS_INDEX_SYNC_UPSTREAM_H
#define PXS_INDEX_SYNC_UPSTREAM_H

#include <stdatomic.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "index/sync/sync.h"

struct pace;
struct pxs_error;
struct upstream;

static inline void
json_decref_cleanup(json_t **owned)
{
	json_decref(*owned);
}

/* OPTIONS, STOP and PACE are lent and outlive it; when STOP is set, requests end. PACE learns when
 * the core wants to be left alone. */
int upstream_open(const struct sync_options *options, const atomic_bool *stop, struct pace *pace,
		  struct upstream **ret_upstream, struct pxs_error *err);
void upstream_close(struct upstream *upstream);
DEFINE_CLEANUP(upstream, struct upstream *, upstream_close)

struct upstream_request {
	const char *method; /* GET, PATCH, DELETE, POST */
	const char *href;   /* a link of the core's */
	const char *etag;   /* If-Match; NULL: none */
	const char *body;   /* JSON; NULL: none */
	const char *range;  /* Range: a part of a file, not JSON; NULL */
	const char *known;  /* If-None-Match; NULL */
};

/* *RET_JSON is the caller's, NULL where the answer has no body. With ERR's sentence: -ENOENT (404),
 * -ESTALE (410), -EBUSY (412), -EEXIST (409), -EINVAL (400, 422, 428; the core's own sentence),
 * -EACCES: not authorised, even after a fresh log-in; -EAGAIN: busy or failed there (429, 5xx);
 * -EHOSTUNREACH: it never heard of the request; -ETIMEDOUT: no whole answer; -EPROTO: none that
 * can be understood, or a way that must not be taken; -ECANCELED; -ENOMEM. */
int upstream_ask(struct upstream *upstream, const struct upstream_request *request,
		 json_t **ret_json, struct pxs_error *err);
int upstream_get(struct upstream *upstream, const char *href, json_t **ret_json,
		 struct pxs_error *err);

#endif
