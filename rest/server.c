/* A door: libmicrohttpd with a few threads that wait for many connections at once (epoll), so that
 * whoever is idle or slow costs nothing but memory.
 *
 * A request is taken in whole. What is answered quickly is answered by the thread that read it;
 * anything else is suspended and goes to threads of its own (work.h), so that a slow search delays
 * nobody else, and comes back here when there is an answer to send. */
#include "rest/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "rest/answer.h"
#include "rest/certificate.h"
#include "rest/listener.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/watch.h"

/* More connections wait to be accepted. */
#define CONNECTIONS_MAX 4096
/* Threads that read requests; the work is done by others. */
#define THREADS_MAX 4
/* Memory of a connection: it must hold a URL, the header, and the reply's. Longer ones are answered
 * with 414 or 431 by libmicrohttpd itself. All of it is cleared for every request, so it is no
 * larger than it must be. */
#define CONNECTION_BYTES ((size_t)REQUEST_URL_MAX + REQUEST_HEADER_MAX + 16384)

#define OPTIONS_MAX 4
/* TLS 1.2 and 1.3, with what GnuTLS holds to be strong. */
#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"

static struct watched *
watched_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* --- libmicrohttpd calls these --- */

static void
on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
	      enum MHD_ConnectionNotificationCode code)
{
	struct server *server = context;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_STARTED && info) {
		*socket_context = watch_add(server->rest->watch, server, info->connect_fd);
	} else if (code == MHD_CONNECTION_NOTIFY_CLOSED && *socket_context) {
		watch_remove(server->rest->watch, *socket_context);
		*socket_context = NULL;
	}
}

/* The request line is there. */
static void *
on_url(void *context, const char *url, struct MHD_Connection *connection)
{
	struct server *server = context;
	struct rest *rest = server->rest;
	struct watched *watched = watched_of(connection);
	struct request *request = NULL;

	if (!watched || request_new(rest, url, &request) < 0)
		return NULL;
	request->server = server;
	request->watched = watched;
	request->connection = connection;
	watch_allow(watched, WATCH_HEADER_S);
	(void)pthread_mutex_lock(&rest->lock);
	rest->in_flight++;
	(void)pthread_mutex_unlock(&rest->lock);
	return request;
}

static enum MHD_Result
send_reply(struct request *request)
{
	uint64_t len = request->reply.body.len + request->reply.file_len;
	int r;

	metrics_count(&request->rest->metrics, request->route, request->reply.status,
		      pxs_clock_steady_ns() - request->begun_ns);

	watch_allow(request->watched, WATCH_TAKE_S + (int64_t)(len / WATCH_TAKE_BYTES_PER_S));
	r = reply_send(&request->reply, request);
	if (r < 0)
		pxs_log(PXS_LOG_ERROR, "%s %s: cannot answer: %s", request->method, request->url,
			strerror(-r));
	return r < 0 ? MHD_NO : MHD_YES;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *bytes, size_t *n_bytes, void **request_slot)
{
	struct request *request = *request_slot;

	(void)context;
	(void)version;
	if (!request) /* on_url() found no memory */
		return MHD_NO;
	switch (request->stage) {
	case REQUEST_NEW:
		request->stage = REQUEST_COMING;
		request->method = method;
		request->url = url;
		if (answer_early(request))
			return send_reply(request);
		watch_allow(request->watched, WATCH_BODY_S);
		return MHD_YES;
	case REQUEST_COMING:
		if (*n_bytes) {
			request_add_body(request, bytes, *n_bytes);
			*n_bytes = 0;
			return MHD_YES;
		}
		watch_allow(request->watched, -1);
		request->begun_ns = pxs_clock_steady_ns();
		request->stage = REQUEST_ANSWERED;
		if (answer(request))
			return send_reply(request);
		MHD_suspend_connection(connection);
		answer_later(request);
		return MHD_YES;
	case REQUEST_ANSWERED:
		break;
	}
	*n_bytes = 0;
	return send_reply(request);
}

static void
on_end(void *context, struct MHD_Connection *connection, void **request_slot,
       enum MHD_RequestTerminationCode code)
{
	struct server *server = context;
	struct rest *rest = server->rest;
	struct request *request = *request_slot;

	(void)connection;
	(void)code;
	if (!request)
		return;
	watch_allow(request->watched, WATCH_IDLE_S);
	request_free(request);
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

/* A handshake begins. SESSION leads to its connection, which libmicrohttpd puts there. */
static int
on_handshake(gnutls_session_t session, const gnutls_datum_t *issuers, int n_issuers,
	     const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **ret_chain,
	     unsigned int *ret_len, gnutls_privkey_t *ret_key)
{
	struct watched *watched = watched_of(gnutls_session_get_ptr(session));

	(void)issuers;
	(void)n_issuers;
	(void)algorithms;
	(void)n_algorithms;
	if (!watched)
		return -1;
	certificate_current(watched->server->rest->certificate, ret_chain, ret_len, ret_key);
	return 0;
}

/* --- Open and close --- */

static unsigned int
count_threads(const struct server *server)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (server->local || server->only_logins || cores < 2)
		return 1;
	return (unsigned int)MIN(cores, (long)THREADS_MAX);
}

/* Only what this server needs; the end is marked by an empty one. */
static void
choose_options(const struct server *server, struct MHD_OptionItem options[OPTIONS_MAX])
{
	unsigned int threads = count_threads(server);
	int n = 0;

	if (threads > 1)
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE,
							(intptr_t)threads, NULL };
	if (server->tls) {
		/* A function as a pointer to data, which POSIX allows. */
		int (*callback)(gnutls_session_t, const gnutls_datum_t *, int,
				const gnutls_pk_algorithm_t *, int, gnutls_pcert_st **,
				unsigned int *, gnutls_privkey_t *) = on_handshake;

		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
							*(void **)&callback };
		options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
							(void *)PRIORITIES };
	}
	options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

int
server_open(struct server *server, struct pxs_error *err)
{
	struct MHD_OptionItem options[OPTIONS_MAX];
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_ERROR_LOG | (server->tls ? MHD_USE_TLS : 0);

	choose_options(server, options);
	server->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, listener_fd(server->listener),
		MHD_OPTION_URI_LOG_CALLBACK, on_url, server, MHD_OPTION_NOTIFY_COMPLETED, on_end,
		server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, options,
		MHD_OPTION_END);
	if (server->daemon)
		return 0;
	return pxs_error_set(err, -EIO, -1, "cannot start the HTTP server at %s",
			     listener_path(server->listener));
}

void
server_quiesce(struct server *server)
{
	listener_withdraw(server->listener);
	if (server->daemon)
		(void)MHD_quiesce_daemon(server->daemon); /* the listener closes the descriptor */
}

void
server_close(struct server *server)
{
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	listener_close(server->listener);
}
