#include "index/sync/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/url.h"
#include "index/sync/content.h"
#include "index/sync/follow.h"
#include "index/sync/pace.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"
#include "index/sync/writer.h"

/* After the first failure; twice as long after each that follows. */
#define PAUSE_FIRST_NS (PXS_NS_PER_S / 2)
#define PAUSE_MAX_NS (300 * PXS_NS_PER_S)
/* Between two cycles of asking a core that tells no changes: as many times what one took, */
#define CYCLE_FACTOR 20
#define CYCLE_MIN_NS (10 * PXS_NS_PER_S)
#define CYCLE_MAX_NS (300 * PXS_NS_PER_S)

struct sync {
	char *texts[6]; /* of options */
	struct sync_options options;
	struct follower follower;
	struct writer writer;
	struct turn turn; /* of the two */
	struct contents contents;
	struct upstream *upstream;
	atomic_bool stop;
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* of all below */
	pthread_cond_t wake;
	bool hurry; /* do not wait */
	struct pxs_error err;
	int64_t attempt_ns; /* when the pause ends */
	uint64_t faults[SYNC_FAULTS];
};

const char *
sync_state_name(enum sync_state state)
{
	static const char *const NAMES[] = {
		[SYNC_STARTING] = "starting",	   [SYNC_READING] = "reading",
		[SYNC_COMPARING] = "comparing",	   [SYNC_CATCHING_UP] = "catching up",
		[SYNC_FOLLOWING] = "following",	   [SYNC_AWAY] = "away",
		[SYNC_REFUSED] = "not authorised", [SYNC_HELD] = "held",
	};

	return NAMES[state];
}

const char *
sync_fault_name(enum sync_fault fault)
{
	static const char *const NAMES[] = {
		[SYNC_FAULT_CONNECTION] = "connection",
		[SYNC_FAULT_AUTHORISATION] = "authorisation",
		[SYNC_FAULT_SERVER] = "server",
		[SYNC_FAULT_ANSWER] = "answer",
		[SYNC_FAULT_LOCAL] = "local",
		[SYNC_FAULT_VALUE] = "value",
	};

	return NAMES[fault];
}

/* --- Failures --- */

static enum sync_fault
fault_of(int r)
{
	switch (r) {
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
		return SYNC_FAULT_CONNECTION;
	case -EACCES:
		return SYNC_FAULT_AUTHORISATION;
	case -EAGAIN:
		return SYNC_FAULT_SERVER;
	case -ENOSPC:
	case -ENOMEM:
	case -EIO:
		return SYNC_FAULT_LOCAL;
	default:
		return SYNC_FAULT_ANSWER;
	}
}

static enum sync_state
state_after(int r)
{
	return r == -EACCES ? SYNC_REFUSED : r == -EPERM ? SYNC_HELD : SYNC_AWAY;
}

/* Between half of it and all: so that many who failed together do not come back together. */
static int64_t
pause_ns(unsigned int failures)
{
	int64_t whole = PAUSE_FIRST_NS << MIN(failures, 10u);

	whole = MIN(whole, PAUSE_MAX_NS);
	return whole / 2 +
	       arc4random_uniform((uint32_t)(whole / 2 / PXS_NS_PER_MS) + 1) * PXS_NS_PER_MS;
}

/* Under the mutex. What is held waits for somebody's word alone. */
static void
wait_pause(struct sync *sync, int64_t ns, bool held)
{
	struct timespec until;
	int rc = 0;

	sync->attempt_ns = held ? 0 : pxs_clock_now_ns() + ns;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	ns += until.tv_nsec;
	until.tv_sec += ns / PXS_NS_PER_S;
	until.tv_nsec = ns % PXS_NS_PER_S;
	while (!sync->hurry && !atomic_load(&sync->stop) && rc != ETIMEDOUT)
		rc = held ? pthread_cond_wait(&sync->wake, &sync->mutex)
			  : pthread_cond_timedwait(&sync->wake, &sync->mutex, &until);
	sync->hurry = false;
	sync->attempt_ns = 0;
}

static void
note_failure(struct sync *sync, int r, const struct pxs_error *err, unsigned int failures)
{
	bool is_news;

	(void)pthread_mutex_lock(&sync->mutex);
	is_news = strcmp(sync->err.text, err->text) != 0 || sync->err.code != err->code;
	sync->err = *err;
	if (!err->code)
		(void)pxs_error_set(&sync->err, r, -1, "%s", strerror(-r));
	if (r != -EPERM)
		sync->faults[fault_of(r)]++;
	atomic_store(&sync->follower.state, state_after(r));
	/* Once, not at each attempt. */
	if (is_news)
		pxs_log(PXS_LOG_INFO, "upstream: %s", sync->err.text);
	wait_pause(sync, MAX(pause_ns(failures), pace_deferred_ns(&sync->follower.pace)),
		   r == -EPERM);
	(void)pthread_mutex_unlock(&sync->mutex);
}

/* A core that tells no changes is asked again after a time that keeps its load from us low. */
static void
wait_cycle(struct sync *sync, int64_t start_ns)
{
	int64_t pause = (pxs_clock_steady_ns() - start_ns) * CYCLE_FACTOR;

	pause = MIN(pause, CYCLE_MAX_NS);
	pause = MAX(pause, CYCLE_MIN_NS);
	(void)pthread_mutex_lock(&sync->mutex);
	wait_pause(sync, pause, false);
	(void)pthread_mutex_unlock(&sync->mutex);
}

static void *
work(void *context)
{
	struct sync *sync = context;
	unsigned int failures = 0;

	while (!atomic_load(&sync->stop)) {
		struct pxs_error err = { 0 };
		int64_t success_ns = atomic_load(&sync->follower.success_ns);
		int64_t start_ns = pxs_clock_steady_ns();
		int r = follow_run(&sync->follower, &err);

		if (r == -ECANCELED)
			break;
		if (r == 0) {
			failures = 0;
			wait_cycle(sync, start_ns);
			continue;
		}
		/* What got through in between begins the count anew. */
		failures = atomic_load(&sync->follower.success_ns) != success_ns ? 0 : failures + 1;
		note_failure(sync, r, &err, failures);
	}
	return NULL;
}

/* --- The face --- */

static int
check_url(const char *what, const char *url, struct pxs_error *err)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return pxs_error_set(err, -EINVAL, -1, "%s: %s is no https:// URL", what, url);
	if (strchr(strstr(url, "://") + 3, '@'))
		return pxs_error_set(err, -EINVAL, -1,
				     "%s: a URL is no place for a name and a password; use --user "
				     "and --password-file",
				     what);
	if (!pxs_url_is_safe(url))
		return pxs_error_set(err, -EINVAL, -1,
				     "%s: %s is no https:// URL; http:// is for this machine only",
				     what, url);
	return 0;
}

static int
check_options(const struct sync_options *options, struct pxs_error *err)
{
	int r = check_url("upstream", options->url, err);

	if (r == 0 && options->auth_url)
		r = check_url("auth-url", options->auth_url, err);
	if (r < 0)
		return r;
	if (!options->user != !options->password_file)
		return pxs_error_set(err, -EINVAL, -1,
				     "user and password-file belong together; one is missing");
	if ((options->cacert != NULL) + (options->fingerprint != NULL) + options->insecure > 1)
		return pxs_error_set(err, -EINVAL, -1,
				     "cacert, fingerprint and insecure exclude each other");
	if (options->fingerprint && strncmp(options->fingerprint, "sha256//", 8) != 0)
		return pxs_error_set(err, -EINVAL, -1,
				     "fingerprint is the pin of the key, sha256//..., as `pxs cert "
				     "show` prints it there");
	return 0;
}

static int
copy_options(struct sync *sync, const struct sync_options *options)
{
	const char *const from[] = {
		options->url,		options->auth_url, options->user,
		options->password_file, options->cacert,   options->fingerprint
	};

	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		sync->texts[i] = from[i] ? strdup(from[i]) : NULL;
		if (from[i] && !sync->texts[i])
			return -ENOMEM;
	}
	sync->options = (struct sync_options){
		.url = sync->texts[0],
		.auth_url = sync->texts[1],
		.user = sync->texts[2],
		.password_file = sync->texts[3],
		.cacert = sync->texts[4],
		.fingerprint = sync->texts[5],
		.insecure = options->insecure,
	};
	return 0;
}

static int
start(struct sync *sync, struct pxs_error *err)
{
	int r = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;

	if (r == 0)
		r = upstream_open(&sync->options, &sync->stop, &sync->follower.pace,
				  &sync->upstream, err);
	if (r < 0)
		return r;
	sync->follower.upstream = sync->upstream;
	sync->follower.url = sync->options.url;
	sync->follower.options = &sync->options;
	sync->follower.stop = &sync->stop;
	sync->follower.turn = &sync->turn;
	r = follow_init(&sync->follower, err);
	if (r < 0)
		return r;
	sync->writer = (struct writer){
		.index = sync->follower.index,
		.turn = &sync->turn,
		.stop = &sync->stop,
		.pace = &sync->follower.pace,
		.reader = { .index = sync->follower.index, .origin = sync->follower.reader.origin },
	};
	r = writer_open(&sync->writer, &sync->options, err);
	if (r < 0)
		return r;
	sync->contents = (struct contents){
		.options = &sync->options,
		.stop = &sync->stop,
		.pace = &sync->follower.pace,
	};
	r = contents_init(&sync->contents);
	if (r < 0)
		return r;
	r = -pthread_create(&sync->thread, NULL, work, sync);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot start a thread: %s", strerror(-r));
	sync->started = true;
	return 0;
}

int
sync_open(struct index *index, const struct sync_options *options, struct sync **ret_sync,
	  struct pxs_error *err)
{
	CLEANUP(sync) struct sync *sync = NULL;
	int r = check_options(options, err);

	if (r < 0)
		return r;
	sync = calloc(1, sizeof(*sync));
	if (!sync)
		return -ENOMEM;
	(void)pthread_mutex_init(&sync->mutex, NULL);
	(void)pthread_cond_init(&sync->wake, NULL);
	turn_init(&sync->turn);
	sync->follower.index = index;
	r = copy_options(sync, options);
	if (r == 0)
		r = start(sync, err);
	if (r == 0)
		*ret_sync = STEAL(sync);
	return r;
}

void
sync_close(struct sync *sync)
{
	if (!sync)
		return;
	(void)pthread_mutex_lock(&sync->mutex);
	atomic_store(&sync->stop, true);
	(void)pthread_cond_broadcast(&sync->wake);
	(void)pthread_mutex_unlock(&sync->mutex);
	writer_close(&sync->writer);
	if (sync->started)
		(void)pthread_join(sync->thread, NULL);
	contents_done(&sync->contents);
	follow_done(&sync->follower);
	upstream_close(sync->upstream);
	for (size_t i = 0; i < ARRAY_SIZE(sync->texts); i++)
		free(sync->texts[i]);
	turn_done(&sync->turn);
	(void)pthread_cond_destroy(&sync->wake);
	(void)pthread_mutex_destroy(&sync->mutex);
	free(sync);
}

int
sync_content_open(struct sync *sync, int64_t id, const struct index_budget *budget,
		  struct sync_content **ret_content, struct pxs_error *err)
{
	const struct follower *follower = &sync->follower;

	if (atomic_load(&follower->has_kind) && !atomic_load(&follower->is_pxs))
		return pxs_error_set(err, -EREMOTEIO, -1, "%s is no pxs, so it gives no content",
				     sync->options.url);
	return contents_open(&sync->contents, id, budget, ret_content, err);
}

void
sync_now(struct sync *sync, bool confirm)
{
	(void)pthread_mutex_lock(&sync->mutex);
	if (confirm && atomic_load(&sync->follower.state) == SYNC_HELD)
		atomic_store(&sync->follower.confirmed, true);
	/* Who asks for all that there is does not take the last cycle for it. */
	if (sync->attempt_ns && atomic_load(&sync->follower.state) == SYNC_FOLLOWING)
		atomic_store(&sync->follower.state, SYNC_CATCHING_UP);
	sync->hurry = sync->attempt_ns || atomic_load(&sync->follower.state) == SYNC_HELD;
	(void)pthread_cond_broadcast(&sync->wake);
	(void)pthread_mutex_unlock(&sync->mutex);
}

void
sync_status(struct sync *sync, struct sync_status *ret_status)
{
	struct follower *follower = &sync->follower;
	struct sync_status status = {
		.state = atomic_load(&follower->state),
		.success_ns = atomic_load(&follower->success_ns),
		.expected = atomic_load(&follower->expected),
		.pages = atomic_load(&follower->pages),
		.received = atomic_load(&follower->received),
		.written = atomic_load(&follower->written),
		.removed = atomic_load(&follower->removed),
	};

	(void)snprintf(status.url, sizeof(status.url), "%s", sync->options.url);
	(void)follow_count(follower, &status.documents);
	(void)pthread_mutex_lock(&sync->mutex);
	if (status.state >= SYNC_AWAY)
		(void)snprintf(status.reason, sizeof(status.reason), "%s", sync->err.text);
	status.attempt_ns = sync->attempt_ns;
	(void)memcpy(status.faults, sync->faults, sizeof(status.faults));
	(void)pthread_mutex_unlock(&sync->mutex);
	status.faults[SYNC_FAULT_VALUE] = atomic_load(&follower->reader.faults);
	*ret_status = status;
}
