#include "rest/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cond.h"
#include "base/macros.h"

#define THREADS_MAX 64u

struct work {
	struct work_limits limits;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct work_item *first; /* the line, with what is due later in it */
	struct work_item **end;
	unsigned int waiting;	       /* of those that are due at once */
	uint64_t running[THREADS_MAX]; /* each thread's user; 0: idle or nobody's */
	pthread_t threads[THREADS_MAX];
	unsigned int n_threads; /* begun; they stay */
	unsigned int n_idle;
	bool hurried;
	bool closing;
};

static unsigned int
count_running(const struct work *work, uint64_t user)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < work->n_threads; i++)
		n += work->running[i] == user;
	return n;
}

static unsigned int
count_waiting(const struct work *work, uint64_t user)
{
	unsigned int n = 0;

	for (const struct work_item *item = work->first; item; item = item->next)
		n += item->user == user && !item->due_ns;
	return n;
}

static bool
may_run(const struct work *work, const struct work_item *item, int64_t now_ns, int64_t *next_ns)
{
	if (work->closing || (work->hurried && item->due_ns))
		return true;
	if (item->due_ns > now_ns) {
		if (item->due_ns < *next_ns)
			*next_ns = item->due_ns;
		return false;
	}
	return !item->user || count_running(work, item->user) < work->limits.running_per_user;
}

/* The first that may run, out of the line; NULL: none before *NEXT_NS. Under lock. */
static struct work_item *
take(struct work *work, int64_t *next_ns)
{
	int64_t now_ns = pxs_clock_steady_ns();

	*next_ns = INT64_MAX;
	for (struct work_item **at = &work->first; *at; at = &(*at)->next) {
		struct work_item *item = *at;

		if (!may_run(work, item, now_ns, next_ns))
			continue;
		*at = item->next;
		if (!item->next)
			work->end = at;
		work->waiting -= !item->due_ns;
		return item;
	}
	return NULL;
}

static void
wait_for_change(struct work *work, int64_t until_ns)
{
	work->n_idle++;
	if (until_ns == INT64_MAX)
		(void)pthread_cond_wait(&work->changed, &work->lock);
	else
		(void)pxs_cond_wait_until(&work->changed, &work->lock, until_ns);
	work->n_idle--;
}

struct thread {
	struct work *work;
	unsigned int number;
};

static void *
serve(void *context)
{
	struct thread thread = *(struct thread *)context;
	struct work *work = thread.work;
	int64_t next_ns;

	free(context);
	(void)pthread_mutex_lock(&work->lock);
	for (;;) {
		struct work_item *item = take(work, &next_ns);

		if (!item && work->closing)
			break;
		if (!item) {
			wait_for_change(work, next_ns);
			continue;
		}
		work->running[thread.number] = item->user;
		(void)pthread_mutex_unlock(&work->lock);
		item->run(item); /* it may be gone afterwards */
		(void)pthread_mutex_lock(&work->lock);
		work->running[thread.number] = 0;
		if (work->first) /* one of this user's may have waited for this end */
			(void)pthread_cond_signal(&work->changed);
	}
	(void)pthread_mutex_unlock(&work->lock);
	return NULL;
}

/* One more, unless there are idle ones for all that wait and for what comes now. Under lock. */
static int
start_thread(struct work *work)
{
	struct thread *thread;
	int r;

	if (work->n_idle > work->waiting ||
	    work->n_threads == MIN(work->limits.threads, THREADS_MAX))
		return 0;
	thread = malloc(sizeof(*thread));
	if (!thread)
		return -ENOMEM;
	*thread = (struct thread){ work, work->n_threads };
	r = pthread_create(&work->threads[work->n_threads], NULL, serve, thread);
	if (r) {
		free(thread);
		return -r;
	}
	work->n_threads++;
	return 0;
}

int
work_open(const struct work_limits *limits, struct work **ret_work)
{
	CLEANUP(work) struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return -ENOMEM;
	work->limits = *limits;
	work->end = &work->first;
	(void)pthread_mutex_init(&work->lock, NULL);
	pxs_cond_init_steady(&work->changed);
	*ret_work = STEAL(work);
	return 0;
}

void
work_close(struct work *work)
{
	if (!work)
		return;
	(void)pthread_mutex_lock(&work->lock);
	work->closing = true;
	(void)pthread_cond_broadcast(&work->changed);
	(void)pthread_mutex_unlock(&work->lock);
	for (unsigned int i = 0; i < work->n_threads; i++)
		(void)pthread_join(work->threads[i], NULL);
	(void)pthread_cond_destroy(&work->changed);
	(void)pthread_mutex_destroy(&work->lock);
	free(work);
}

void
work_hurry(struct work *work)
{
	(void)pthread_mutex_lock(&work->lock);
	work->hurried = true;
	(void)pthread_cond_broadcast(&work->changed);
	(void)pthread_mutex_unlock(&work->lock);
}

int
work_submit(struct work *work, struct work_item *item)
{
	int r;

	(void)pthread_mutex_lock(&work->lock);
	r = start_thread(work);
	if (r < 0)
		r = work->n_threads ? 0 : -EAGAIN;
	if (!item->due_ns && work->waiting >= work->limits.waiting)
		r = -EAGAIN;
	else if (!item->due_ns && item->user &&
		 count_waiting(work, item->user) >= work->limits.waiting_per_user)
		r = -EBUSY;
	if (r == 0) {
		item->next = NULL;
		*work->end = item;
		work->end = &item->next;
		work->waiting += !item->due_ns;
		(void)pthread_cond_signal(&work->changed);
	}
	(void)pthread_mutex_unlock(&work->lock);
	return r;
}
