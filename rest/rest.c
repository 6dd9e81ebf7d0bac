/* The server: libmicrohttpd with a thread for each connection, so a slow search delays nobody else.
 * A request is taken in whole, then dispatched by the table in route.c, in the order of checks of
 * spec/pixstor.md 1.2. */
#include "rest/rest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "rest/door.h"
#include "rest/listener.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/route.h"
#include "rest/server.h"

/* More connections wait to be accepted. */
#define CONNECTIONS_MAX 128
#define IDLE_S 120
/* Memory of a connection: it must hold a URL, its parsed copy and the header. Longer ones are
 * answered with 414 by libmicrohttpd itself. */
#define CONNECTION_BYTES ((size_t)4 * REQUEST_URL_MAX)
/* What rest_close() waits for requests that are being answered. */
#define CLOSE_WAIT_S (REQUEST_TIME_MAX_S + 2)

/* A failure of ours or of the system is logged, here and nowhere else; a client's fault is not. */
static void
log_failure(const struct request *request, const char *url, unsigned int status, int r,
	    const struct pxs_error *err)
{
	enum pxs_log_level level = status == 500 || status == 507 ? PXS_LOG_ERROR : PXS_LOG_DEBUG;

	pxs_log(level, "%s %s: %s", request->method, url, pxs_error_text(err, r));
}

static void
answer_route(struct request *request, const struct route *route, const char *url,
	     struct reply *reply)
{
	struct pxs_error err = { 0 };
	int r = door_admit(request, route->rights, reply, &err);

	if (r == 0)
		r = request_check(request, &err);
	if (r == 0)
		r = route->handle(request, reply, &err);
	if (r == -ETIMEDOUT || r == -ECANCELED)
		(void)pxs_error_set(&err, r, -1,
				    "the search took more than %d s; narrow it, or try again",
				    REQUEST_TIME_MAX_S);
	if (r == 0)
		return;
	reply_fail(reply, request, url, reply->refusal, r, &err);
	log_failure(request, url, reply->status, r, &err);
}

static void
answer_no_route(struct request *request, const char *url, struct reply *reply, int r,
		const struct pxs_buf *allowed)
{
	struct pxs_error err = { 0 };

	if (r == -EOPNOTSUPP)
		reply->allow = pxs_buf_text(allowed);
	if (r == -EOPNOTSUPP && strcmp(request->method, "OPTIONS") == 0) {
		reply->status = MHD_HTTP_NO_CONTENT;
		return;
	}
	if (r == -EOPNOTSUPP)
		(void)pxs_error_set(&err, r, -1, "%s is not possible here, only %s",
				    request->method, reply->allow);
	else
		(void)pxs_error_set(&err, r, -1, "there is nothing at this path");
	reply_fail(reply, request, url,
		   r == -EOPNOTSUPP ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND, r, &err);
}

static enum MHD_Result
answer(struct request *request, const char *url)
{
	CLEANUP(pxs_buf) struct pxs_buf allowed = PXS_BUF_INIT;
	CLEANUP(reply) struct reply reply;
	const struct route *route;
	int r = route_find(request->method, url, &route, &request->tail, &allowed);

	reply_init(&reply);
	if (r == 0)
		answer_route(request, route, url, &reply);
	else
		answer_no_route(request, url, &reply, r, &allowed);

	/* The time that an answer took is not idleness: start to count anew. */
	(void)MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	(void)MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
					(unsigned int)IDLE_S);
	r = reply_send(&reply, request);
	if (r < 0)
		pxs_log(PXS_LOG_ERROR, "%s %s: cannot answer: %s", request->method, url,
			strerror(-r));
	return r < 0 ? MHD_NO : MHD_YES;
}

/* --- libmicrohttpd calls these, in this order --- */

static void *
on_url(void *context, const char *url, struct MHD_Connection *connection)
{
	struct rest *rest = context;
	struct request *request = NULL;

	if (request_new(rest, url, &request) < 0)
		return NULL;
	request->connection = connection;
	(void)pthread_mutex_lock(&rest->lock);
	rest->in_flight++;
	(void)pthread_mutex_unlock(&rest->lock);
	return request;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *bytes, size_t *n_bytes, void **request_slot)
{
	struct request *request = *request_slot;

	(void)context;
	(void)connection;
	(void)version;
	if (!request) /* on_url() found no memory */
		return MHD_NO;
	if (!request->begun) {
		request->begun = true;
		return MHD_YES;
	}
	if (*n_bytes) {
		request_add_body(request, bytes, *n_bytes);
		*n_bytes = 0;
		return MHD_YES;
	}
	request->method = method;
	return answer(request, url);
}

static void
on_end(void *context, struct MHD_Connection *connection, void **request_slot,
       enum MHD_RequestTerminationCode code)
{
	struct rest *rest = context;

	(void)connection;
	(void)code;
	if (!*request_slot)
		return;
	request_free(*request_slot);
	*request_slot = NULL;
	(void)pthread_mutex_lock(&rest->lock);
	if (--rest->in_flight == 0)
		(void)pthread_cond_broadcast(&rest->idle);
	(void)pthread_mutex_unlock(&rest->lock);
}

/* Faults of clients, mostly: broken requests and vanished peers. */
__attribute__((format(printf, 2, 0))) static void
on_log(void *context, const char *fmt, va_list args)
{
	char text[256];

	(void)context;
	(void)vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	pxs_log(PXS_LOG_DEBUG, "http: %s", text);
}

/* --- Open and close --- */

static int
start(struct rest *rest, struct pxs_error *err)
{
	rest->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
			MHD_USE_ITC | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, rest, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, listener_fd(rest->listener), MHD_OPTION_URI_LOG_CALLBACK,
		on_url, rest, MHD_OPTION_NOTIFY_COMPLETED, on_end, rest,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_END);
	if (rest->daemon)
		return 0;
	return pxs_error_set(err, -EIO, -1, "cannot start the HTTP server at %s",
			     listener_path(rest->listener));
}

int
rest_open(const struct rest_options *options, struct rest **ret_rest, struct pxs_error *err)
{
	CLEANUP(rest) struct rest *rest = calloc(1, sizeof(*rest));
	int r;

	if (!rest)
		return -ENOMEM;
	(void)pthread_mutex_init(&rest->lock, NULL);
	(void)pthread_cond_init(&rest->idle, NULL);
	rest->index = options->index;
	rest->ingest = options->ingest;
	rest->control = options->control;
	rest->public_readers = options->public_readers;
	rest->rfc6750 = options->rfc6750;
	rest->started_ns = pxs_clock_steady_ns();
	r = listener_open(options->socket_path, options->public_readers, &rest->listener, err);
	if (r < 0)
		return r;
	r = start(rest, err);
	if (r < 0)
		return r;
	*ret_rest = STEAL(rest);
	return 0;
}

/* Idle connections do not count, and a client that does not read must not hold us for ever. */
static void
wait_until_answered(struct rest *rest)
{
	struct timespec until;
	int r = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_WAIT_S;
	(void)pthread_mutex_lock(&rest->lock);
	while (rest->in_flight && r == 0)
		r = pthread_cond_timedwait(&rest->idle, &rest->lock, &until);
	(void)pthread_mutex_unlock(&rest->lock);
}

void
rest_close(struct rest *rest)
{
	if (!rest)
		return;
	if (rest->daemon) {
		atomic_store(&rest->closing, true);
		listener_withdraw(rest->listener);
		(void)MHD_quiesce_daemon(rest->daemon); /* the listener closes the descriptor */
		wait_until_answered(rest);
		MHD_stop_daemon(rest->daemon);
	}
	listener_close(rest->listener);
	(void)pthread_cond_destroy(&rest->idle);
	(void)pthread_mutex_destroy(&rest->lock);
	free(rest);
}
