#include "index/ingest/ingest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "index/index.h"
#include "index/ingest/catalogue.h"
#include "index/ingest/job.h"
#include "index/ingest/live.h"
#include "index/ingest/mime.h"
#include "index/ingest/place.h"
#include "index/ingest/sources.h"

/* Jobs that ended, of which the status can be asked. */
#define ENDED_MAX 64

struct ingest {
	struct index *index;
	struct catalogue catalogue;
	struct mime *mime;
	struct job_tools tools;
	pthread_t thread;
	bool started;
	atomic_bool stop;

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct job *jobs; /* by number; this and what they point to: under mutex */
	uint64_t last_number;
	struct live *live; /* NULL: not asked for; set once, under mutex */
};

/* --- The list of jobs; with the mutex held --- */

static struct job *
first_queued(struct ingest *ingest)
{
	struct job *job = ingest->jobs;

	while (job && job->state != INGEST_QUEUED)
		job = job->next;
	return job;
}

/* Ended jobs are the first in the list, as jobs are done in its order. */
static void
forget_old(struct ingest *ingest)
{
	size_t n = 0;

	for (const struct job *job = ingest->jobs; job && job->ended_ns; job = job->next)
		n++;
	for (; n > ENDED_MAX; n--) {
		struct job *oldest = ingest->jobs;

		ingest->jobs = oldest->next;
		job_free(oldest);
	}
}

static struct job *
find_queued(struct ingest *ingest, const char *path, bool forget)
{
	for (struct job *job = ingest->jobs; job; job = job->next)
		if (job->state == INGEST_QUEUED && job->forget == forget &&
		    !strcmp(job->path, path))
			return job;
	return NULL;
}

/* Takes PATH. */
static int
append(struct ingest *ingest, char *path, const struct ingest_request *request, uint64_t *ret_job)
{
	struct job *job = find_queued(ingest, path, request->forget);
	struct job **end = &ingest->jobs;

	if (job) {
		job->allow_mass_removal |= request->allow_mass_removal;
		free(path);
	} else {
		job = job_new(path, request);
		if (!job)
			return -ENOMEM;
		job->number = ++ingest->last_number;
		while (*end)
			end = &(*end)->next;
		*end = job;
		(void)pthread_cond_signal(&ingest->changed);
	}
	*ret_job = job->number;
	return 0;
}

/* Jobs for all sources; without the mutex. */
static int
submit_all(struct ingest *ingest)
{
	CLEANUP(sources) struct sources sources = { 0 };
	uint64_t job;
	int r = index_source_list(ingest->index, &sources.items, &sources.n);

	for (size_t i = 0; i < sources.n && r == 0; i++) {
		const struct ingest_request request = { .path = sources.items[i].path };
		char *path = strdup(request.path);

		(void)pthread_mutex_lock(&ingest->mutex);
		r = path ? append(ingest, path, &request, &job) : -ENOMEM;
		(void)pthread_mutex_unlock(&ingest->mutex);
	}
	return r;
}

/* --- The thread --- */

/* Until there is something to do: the next job, now running, or, if *RET_JOB is NULL, a look at
 * what changed. False: it is time to end. With the mutex held. */
static bool
wait_for_work(struct ingest *ingest, struct job **ret_job)
{
	struct job *job = NULL;

	while (!atomic_load(&ingest->stop) && !(job = first_queued(ingest))) {
		int64_t due_ns = ingest->live ? live_due_ns(ingest->live) : INT64_MAX;

		if (due_ns <= pxs_clock_steady_ns())
			break;
		if (due_ns == INT64_MAX)
			(void)pthread_cond_wait(&ingest->changed, &ingest->mutex);
		else
			(void)pxs_cond_wait_until(&ingest->changed, &ingest->mutex, due_ns);
	}
	if (job) {
		job->state = INGEST_RUNNING;
		job->started_ns = pxs_clock_steady_ns();
	}
	*ret_job = job;
	return !atomic_load(&ingest->stop);
}

static void
end_job(struct ingest *ingest, struct job *job, int r, const struct pxs_error *err)
{
	(void)pthread_mutex_lock(&ingest->mutex);
	job->state = r == 0 ? INGEST_DONE : r == -ECANCELED ? INGEST_STOPPED : INGEST_FAILED;
	if (job->state == INGEST_FAILED)
		job->err = *err;
	job->ended_ns = pxs_clock_steady_ns();
	forget_old(ingest);
	(void)pthread_mutex_unlock(&ingest->mutex);
}

static void
run_job(struct ingest *ingest, struct job *job)
{
	struct pxs_error err = { 0 };
	int r;

	/* Before the first look, so that nothing is missed between both. */
	if (ingest->live)
		live_follow(ingest->live, job->forget ? NULL : job->path);
	r = job_run(job, &ingest->tools, &err);
	end_job(ingest, job, r, &err);
}

static void
look(struct ingest *ingest)
{
	bool scan_all = false;

	live_look(ingest->live, &scan_all);
	if (scan_all)
		(void)submit_all(ingest);
}

static void *
work(void *argument)
{
	struct ingest *ingest = argument;
	struct job *job;
	bool goes_on;

	for (;;) {
		(void)pthread_mutex_lock(&ingest->mutex);
		goes_on = wait_for_work(ingest, &job);
		(void)pthread_mutex_unlock(&ingest->mutex);
		if (!goes_on)
			return NULL;
		if (job)
			run_job(ingest, job);
		else
			look(ingest);
	}
}

/* --- The face --- */

static int
start(struct ingest *ingest, struct pxs_error *err)
{
	int r;

	r = catalogue_declare(ingest->index, &ingest->catalogue, err);
	if (r >= 0)
		r = mime_open(MIME_DIR, &ingest->mime, err);
	if (r < 0)
		return r;
	ingest->tools = (struct job_tools){
		.index = ingest->index,
		.catalogue = &ingest->catalogue,
		.mime = ingest->mime,
		.stop = &ingest->stop,
	};
	r = -pthread_create(&ingest->thread, NULL, work, ingest);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot start a thread: %s", strerrordesc_np(-r));
	ingest->started = true;
	return 0;
}

int
ingest_open(struct index *index, struct ingest **ret_ingest, struct pxs_error *err)
{
	CLEANUP(ingest) struct ingest *ingest = calloc(1, sizeof(*ingest));
	int r;

	if (!ingest)
		return -ENOMEM;
	ingest->index = index;
	(void)pthread_mutex_init(&ingest->mutex, NULL);
	pxs_cond_init_steady(&ingest->changed);
	r = start(ingest, err);
	if (r < 0)
		return r;
	*ret_ingest = STEAL(ingest);
	return 0;
}

void
ingest_close(struct ingest *ingest)
{
	struct job *job;

	if (!ingest)
		return;
	(void)pthread_mutex_lock(&ingest->mutex);
	atomic_store(&ingest->stop, true);
	(void)pthread_cond_broadcast(&ingest->changed);
	(void)pthread_mutex_unlock(&ingest->mutex);
	if (ingest->started)
		(void)pthread_join(ingest->thread, NULL);
	live_free(ingest->live);

	while ((job = ingest->jobs)) {
		ingest->jobs = job->next;
		job_free(job);
	}
	mime_close(ingest->mime);
	(void)pthread_cond_destroy(&ingest->changed);
	(void)pthread_mutex_destroy(&ingest->mutex);
	free(ingest);
}

static void
wake(void *context)
{
	struct ingest *ingest = context;

	(void)pthread_mutex_lock(&ingest->mutex);
	(void)pthread_cond_signal(&ingest->changed);
	(void)pthread_mutex_unlock(&ingest->mutex);
}

int
ingest_watch(struct ingest *ingest, int64_t rescan_ns)
{
	const struct live_options options = {
		.tools = &ingest->tools,
		.rescan_ns = rescan_ns,
		.wake = wake,
		.context = ingest,
	};
	struct live *live;
	int r = live_new(&options, &live);

	if (r < 0)
		return r;
	live_follow(live, NULL);
	(void)pthread_mutex_lock(&ingest->mutex);
	ingest->live = live;
	(void)pthread_mutex_unlock(&ingest->mutex);
	return submit_all(ingest);
}

/* It is there for ever once it is there. */
static struct live *
live_of(struct ingest *ingest)
{
	struct live *live;

	(void)pthread_mutex_lock(&ingest->mutex);
	live = ingest->live;
	(void)pthread_mutex_unlock(&ingest->mutex);
	return live;
}

void
ingest_trouble(struct ingest *ingest, char trouble[INGEST_TROUBLE_SIZE])
{
	struct live *live = live_of(ingest);

	*trouble = '\0';
	if (live)
		live_trouble(live, trouble);
}

bool
ingest_is_watching(struct ingest *ingest)
{
	return live_of(ingest) != NULL;
}

int
ingest_submit(struct ingest *ingest, const struct ingest_request *request, uint64_t *ret_job,
	      struct pxs_error *err)
{
	CLEANUP(place) struct place place = { 0 };
	int r;

	r = place_find(ingest->index, request->path, request->forget, &place, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&ingest->mutex);
	r = append(ingest, STEAL(place.path), request, ret_job);
	(void)pthread_mutex_unlock(&ingest->mutex);
	return r;
}

int
ingest_status(struct ingest *ingest, uint64_t job, struct ingest_status *ret_status)
{
	const struct job *found;

	(void)pthread_mutex_lock(&ingest->mutex);
	for (found = ingest->jobs; found && found->number != job; found = found->next)
		;
	if (found)
		job_status(found, ret_status);
	(void)pthread_mutex_unlock(&ingest->mutex);
	return found ? 0 : -ENOENT;
}

int
ingest_current(struct ingest *ingest, struct ingest_status *ret_status)
{
	const struct job *found = NULL;

	(void)pthread_mutex_lock(&ingest->mutex);
	for (const struct job *job = ingest->jobs; job; job = job->next)
		if (!job->ended_ns)
			found = job;
	if (found)
		job_status(found, ret_status);
	(void)pthread_mutex_unlock(&ingest->mutex);
	return found ? 0 : -ENOENT;
}
