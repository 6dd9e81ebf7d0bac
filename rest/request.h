/* request.h - one request: who asks, for what, with which parameters. */
#ifndef PXS_REST_REQUEST_H
#define PXS_REST_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "rest/reply.h"
#include "rest/work.h"

struct MHD_Connection;
struct index_budget;
struct pxs_error;
struct rest;
struct route;
struct server;
struct watched;

/* What a stranger may send; passing one is 414, 413 or 400 and the sentence names it. A URL is long
 * because a where may be. */
#define REQUEST_URL_MAX 65536
#define REQUEST_BODY_MAX 1048576
#define REQUEST_HEADER_MAX 16384 /* bytes of all header lines */
#define REQUEST_JSON_DEPTH_MAX 16
#define REQUEST_PARAMS_MAX 64

/* What one request may take; passing it is 503. */
#define REQUEST_TIME_MAX_S 10

enum request_stage {
	REQUEST_NEW,
	REQUEST_COMING,	  /* its header is there, its body may be coming */
	REQUEST_ANSWERED, /* all of it came; its reply is there, or is being made */
};

/* The client's X-Request-Id, if it is so short and of letters, digits and ._- only, else ours. */
#define REQUEST_ID_SIZE 65

struct request {
	struct rest *rest;
	struct server *server;
	struct watched *watched;
	struct MHD_Connection *connection;
	enum request_stage stage;
	int64_t begun_ns;	   /* pxs_clock_steady_ns() when all of it had come */
	_Atomic int64_t looked_ns; /* when it was last looked whether the client hung up */
	struct work_item work;
	const struct route *route;
	struct reply reply;
	int64_t hold_until_ns;	   /* the reply is not sent before (steady); 0: at once */
	struct auth_principal who; /* nobody until door_admit() */
	struct index_view *view;   /* what he may see, where that was at hand */
	char id[REQUEST_ID_SIZE];  /* in the log and in the reply */
	const char *method;
	const char *url;	/* decoded, without parameters */
	struct pxs_buf allowed; /* methods, where this one is not */
	struct pxs_buf tail;	/* what stands for {name} in its route's path */
	const char *faulty;	/* the parameter whose text an error's `at` counts in, or NULL */
	size_t url_len;
	struct pxs_buf body;
	bool body_too_long;
};

int request_new(struct rest *rest, const char *url, struct request **ret_request);
void request_free(struct request *request);
DEFINE_CLEANUP(request, struct request *, request_free)

/* Give it an id; when its header is there. */
void request_identify(struct request *request);

/* Take in a part of the body. */
void request_add_body(struct request *request, const char *bytes, size_t len);

/* What is wrong with the header alone, after which the connection cannot go on: -EOVERFLOW, -EINVAL
 * with ERR. */
int request_check_header(struct request *request, struct pxs_error *err);

/* Sizes, counts and bytes of what came: 0, or -E2BIG, -EMSGSIZE, -EINVAL with ERR. Comes first. */
int request_check(struct request *request, struct pxs_error *err);

/* The parameter called NAME, decoded, "" if it came without a value; NULL if it did not come. Lent
 * as long as the request. Of several with one name the first counts. */
const char *request_param(const struct request *request, const char *name);

/* Calls EACH with the rest of the name of every parameter whose name begins with PREFIX. */
void request_each_param(const struct request *request, const char *prefix,
			void (*each)(void *context, const char *rest), void *context);

/* As python-eve reads it: int(float(text)); the default if that is not positive; at most MAX. */
uint64_t request_param_count(const struct request *request, const char *name,
			     uint64_t default_count, uint64_t max);
/* The same, of TEXT, which may be NULL. */
uint64_t request_count(const char *text, uint64_t default_count, uint64_t max);

/* Whether what he may see is at hand, or would have to be found out first, which takes a while.
 * Remembers it. */
struct index_view;
bool request_sees_at_once(struct request *request);

/* The catalogue as whoever asks may see it; the caller's to put. -ENOMEM. */
int request_view(const struct request *request, struct index_view **ret_view);

/* How many documents there are for whoever asks. */
int request_count_documents(const struct request *request, uint64_t *ret_count);

/* A header's value, or NULL; lent. */
const char *request_header(const struct request *request, const char *name);

/* Whether the client would rather have MIME than Collection+JSON: its Accept names it, but neither
 * that nor a wildcard. */
bool request_prefers(const struct request *request, const char *mime);

/* Whether ACCEPT (a header's value, or NULL) prefers MIME in that sense. */
bool request_accept_prefers(const char *accept, const char *mime);

/* The body as a JSON object, the caller's to decref. -EINVAL: it is none. */
int request_json(const struct request *request, json_t **ret_object, struct pxs_error *err);

/* Adds the path that is OBJECT's member KEY, or KEY_escaped where JSON cannot carry its bytes, to
 * BUF; reply_path() writes the same. -EINVAL: neither is there. */
int request_json_path(const json_t *object, const char *key, struct pxs_buf *buf,
		      struct pxs_error *err);

/* Until now + REQUEST_TIME_MAX_S, or until the client hangs up. */
void request_budget(const struct request *request, struct index_budget *ret_budget);

static inline void
json_decref_cleanup(json_t **owned)
{
	json_decref(*owned);
}

#endif
