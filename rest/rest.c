/* Opening and closing all doors. */
#include "rest/rest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/buf.h"
#include "index/index.h"
#include "rest/certificate.h"
#include "rest/listener.h"
#include "rest/request.h"
#include "rest/server.h"
#include "rest/watch.h"
#include "rest/work.h"

/* What rest_close() waits for requests that are being answered. */
#define CLOSE_WAIT_S (REQUEST_TIME_MAX_S + 2)

/* Searches at a time: research/reliability.md 2.5. */
#define THREADS_PER_CORE 4
#define THREADS_MIN 16
#define RUNNING_PER_USER 8
#define WAITING_PER_USER 64
#define WAITING_MAX 512
/* Whoever opens a file, or reads it at the upstream, which may take long to answer. */
#define READERS_MAX 32
/* Followers of changes at a time; each holds a thread that sleeps. */
#define FOLLOWERS_MAX 64
/* Passwords that are looked at together: each takes 10 ms of a processor, or waits for PAM. */
#define LOGINS_MAX 8
/* Of one address: PAM works on one more (auth/pam.h), so that no address keeps all others out. */
#define LOGINS_PER_ADDRESS 3

static int
open_work(struct rest *rest)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct work_limits limits = {
		.threads = (unsigned int)MAX(cores * THREADS_PER_CORE, (long)THREADS_MIN),
		.running_per_user = RUNNING_PER_USER,
		.waiting_per_user = WAITING_PER_USER,
		.waiting = WAITING_MAX,
	};
	int r = work_open(&limits, &rest->searches);

	limits.threads = READERS_MAX;
	if (r == 0)
		r = work_open(&limits, &rest->readers);
	limits.threads = FOLLOWERS_MAX;
	if (r == 0)
		r = work_open(&limits, &rest->waits);
	limits.threads = LOGINS_MAX;
	limits.running_per_user = LOGINS_PER_ADDRESS;
	return r < 0 ? r : work_open(&limits, &rest->logins);
}

static struct server *
add_server(struct rest *rest)
{
	struct server *server = &rest->servers[rest->n_servers++];

	server->rest = rest;
	return server;
}

static int
open_local(struct rest *rest, const struct rest_options *options, struct pxs_error *err)
{
	struct server *server = add_server(rest);
	int r;

	server->local = true;
	server->secure = true;
	r = listener_open(options->socket_path, options->public_readers, &server->listener, err);
	return r < 0 ? r : server_open(server, err);
}

static bool
wants_tls(const struct rest_options *options, const struct listener *listener)
{
	if (options->search_tls == REST_TLS_AUTO)
		return !listener_is_near(listener);
	return options->search_tls == REST_TLS_ALWAYS;
}

static int
need_certificate(struct rest *rest, const struct rest_options *options, struct pxs_error *err)
{
	const struct certificate_options files = {
		.dir = index_dir(rest->index),
		.cert_path = options->certificate_path,
		.key_path = options->certificate_key_path,
	};

	return rest->certificate ? 0 : certificate_open(&files, &rest->certificate, err);
}

static int
open_tcp(struct server *server, const struct rest_options *options, bool tls, struct pxs_error *err)
{
	int r = tls ? need_certificate(server->rest, options, err) : 0;

	server->tls = tls;
	server->secure = tls || (options->plain_logins && listener_is_near(server->listener));
	return r < 0 ? r : server_open(server, err);
}

static int
open_search(struct rest *rest, const struct rest_options *options, struct pxs_error *err)
{
	struct server *server = add_server(rest);
	int r = listener_open_tcp(options->search_address, &server->listener, err);

	return r < 0 ? r : open_tcp(server, options, wants_tls(options, server->listener), err);
}

static int
open_logins(struct rest *rest, const struct rest_options *options, struct pxs_error *err)
{
	struct server *server = add_server(rest);
	int r = listener_open_tcp(options->auth_address, &server->listener, err);

	server->only_logins = true;
	if (r == 0 && options->plain_logins && !listener_is_near(server->listener))
		return pxs_error_set(err, -EINVAL, -1,
				     "passwords over plain HTTP are possible on a loopback address "
				     "only, not at %s",
				     options->auth_address);
	return r < 0 ? r : open_tcp(server, options, !options->plain_logins, err);
}

static int
open_doors(struct rest *rest, const struct rest_options *options, struct pxs_error *err)
{
	int r = open_local(rest, options, err);

	if (r == 0 && options->search_address)
		r = open_search(rest, options, err);
	if (r == 0 && options->auth_address)
		r = open_logins(rest, options, err);
	return r;
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
	rest->sync = options->sync;
	rest->auth = options->auth;
	rest->control = options->control;
	rest->public_readers = options->public_readers;
	rest->rfc6750 = options->rfc6750;
	rest->started_ns = pxs_clock_steady_ns();
	r = collection_cache_init(&rest->fields);
	if (r < 0)
		return r;
	r = watch_open(&rest->watch);
	if (r == 0)
		r = open_work(rest);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot start threads: %s", strerror(-r));
	r = open_doors(rest, options, err);
	if (r < 0)
		return r;
	*ret_rest = STEAL(rest);
	return 0;
}

bool
rest_door(const struct rest *rest, unsigned int i, struct pxs_buf *url, const char **ret_what)
{
	const struct server *server = &rest->servers[1 + i]; /* the first is the Unix socket */

	if (1 + i >= rest->n_servers)
		return false;
	pxs_buf_addf(url, "%s://%s", server->tls ? "https" : "http",
		     listener_path(server->listener));
	*ret_what = server->only_logins ? "log-ins" : "the catalogue";
	return true;
}

int
rest_reload(struct rest *rest, struct pxs_error *err)
{
	return rest->certificate ? certificate_reload(rest->certificate, err) : 0;
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

/* Nobody new, then the answers, then the threads that make them (which resume what waits for them),
 * then the doors. */
void
rest_close(struct rest *rest)
{
	if (!rest)
		return;
	atomic_store(&rest->closing, true);
	for (unsigned int i = 0; i < rest->n_servers; i++)
		if (rest->servers[i].listener)
			server_quiesce(&rest->servers[i]);
	if (rest->logins)
		work_hurry(rest->logins); /* who guesses passwords must not keep us */
	wait_until_answered(rest);
	if (rest->watch)
		watch_drain(rest->watch);
	work_close(rest->searches);
	work_close(rest->readers);
	work_close(rest->waits);
	work_close(rest->logins);
	for (unsigned int i = 0; i < rest->n_servers; i++)
		server_close(&rest->servers[i]);
	watch_close(rest->watch);
	certificate_close(rest->certificate);
	collection_cache_done(&rest->fields);
	(void)pthread_cond_destroy(&rest->idle);
	(void)pthread_mutex_destroy(&rest->lock);
	free(rest);
}
