/* exchange.h - one request to an upstream and its answer, over HTTP. */
#ifndef PXS_INDEX_SYNC_EXCHANGE_H
#define PXS_INDEX_SYNC_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <curl/curl.h>

#include "base/buf.h"

struct index_budget;
struct pace;
struct pxs_error;
struct sync_options;
struct upstream_request;

struct upstream {
	const struct sync_options *options;
	const atomic_bool *stop;
	struct pace *pace;
	const struct index_budget *budget; /* of the request; NULL: none but our own */
	CURL *curl;
	char *base;	   /* without a slash at its end */
	size_t origin_len; /* of scheme, host and port in it */
	char *token_url;
	char *token; /* NULL: not logged in */
};

/* What comes of one request. */
struct answer {
	struct pxs_buf body;
	long status;
	bool too_long;
};

static inline void
answer_cleanup(struct answer *answer)
{
	if (answer->body.data)
		explicit_bzero(answer->body.data, answer->body.len); /* it may be a token */
	pxs_buf_done(&answer->body);
}

/* FORM NULL: REQUEST to URL, with the token; else POST the form, without. 0 if there is a whole
 * answer, whatever it says; errors as upstream_ask() has them. */
int exchange(struct upstream *upstream, const char *url, const struct upstream_request *request,
	     const char *form, struct answer *answer, struct pxs_error *err);

/* upstream.c: REQUEST, with a token that is fresh if need be; whatever the answer's status. Errors
 * as upstream_ask(). */
int upstream_send(struct upstream *upstream, const struct upstream_request *request,
		  struct answer *answer, struct pxs_error *err);

/* login.c: a new token. -EACCES: there is none for this user. */
int log_in(struct upstream *upstream, struct pxs_error *err);
/* Nothing of it stays in memory. */
void upstream_forget_token(struct upstream *upstream);

#endif
