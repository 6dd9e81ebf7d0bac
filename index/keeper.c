#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "index/column_slice.h"
#include "index/index.h"
#include "index/seal.h"

/* After a failure (a full disk), how long until the next attempt. */
#define PAUSE_S 30

struct keeper {
	struct index *index;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t asked;
	bool runs;
	bool stopping;
	uint32_t full;	 /* segments that are full */
	uint32_t sealed; /* segments that need nothing more */
	bool compact;	 /* compaction is due */
};

/* Until there is something to do, compaction or else sealing; false: it is to end. */
static bool
wait_for_work(struct keeper *keeper, bool *ret_compact)
{
	bool stopping;

	(void)pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping && keeper->full <= keeper->sealed && !keeper->compact)
		(void)pthread_cond_wait(&keeper->asked, &keeper->lock);
	stopping = keeper->stopping;
	*ret_compact = keeper->compact;
	(void)pthread_mutex_unlock(&keeper->lock);
	return !stopping;
}

static void
pause_after_failure(struct keeper *keeper)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PAUSE_S;
	(void)pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping &&
	       pthread_cond_timedwait(&keeper->asked, &keeper->lock, &until) != ETIMEDOUT)
		continue;
	(void)pthread_mutex_unlock(&keeper->lock);
}

/* Whoever starts over meanwhile is not overheard. */
static int
seal(struct keeper *keeper)
{
	bool more;
	int r;

	(void)pthread_mutex_lock(&keeper->lock);
	keeper->sealed = keeper->full;
	(void)pthread_mutex_unlock(&keeper->lock);
	r = seal_segments(keeper->index, &more);
	if (r < 0 || more)
		keeper_start_over(keeper);
	return r;
}

static bool
is_stopping(void *context)
{
	struct keeper *keeper = context;
	bool stopping;

	(void)pthread_mutex_lock(&keeper->lock);
	stopping = keeper->stopping;
	(void)pthread_mutex_unlock(&keeper->lock);
	return stopping;
}

static int
compact(struct keeper *keeper)
{
	const struct index_budget budget = { .cancelled = is_stopping, .context = keeper };
	int r = index_compact(keeper->index, &budget);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&keeper->lock);
	keeper->compact = false;
	(void)pthread_mutex_unlock(&keeper->lock);
	return 0;
}

static void *
keep(void *context)
{
	struct keeper *keeper = context;
	bool due;

	while (wait_for_work(keeper, &due))
		if ((due ? compact(keeper) : seal(keeper)) < 0)
			pause_after_failure(keeper);
	return NULL;
}

int
keeper_new(struct index *index, struct keeper **ret_keeper)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return -ENOMEM;
	keeper->index = index;
	(void)pthread_mutex_init(&keeper->lock, NULL);
	(void)pthread_cond_init(&keeper->asked, NULL);
	*ret_keeper = keeper;
	return 0;
}

void
keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	(void)pthread_mutex_lock(&keeper->lock);
	keeper->stopping = true;
	(void)pthread_cond_broadcast(&keeper->asked);
	(void)pthread_mutex_unlock(&keeper->lock);
	if (keeper->runs)
		(void)pthread_join(keeper->thread, NULL);
	(void)pthread_cond_destroy(&keeper->asked);
	(void)pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

/* With the lock held. A thread that cannot be made now is tried again the next time. */
static void
wake(struct keeper *keeper)
{
	if ((keeper->full > keeper->sealed || keeper->compact) && !keeper->runs)
		keeper->runs = pthread_create(&keeper->thread, NULL, keep, keeper) == 0;
	(void)pthread_cond_broadcast(&keeper->asked);
}

void
keeper_ask(struct keeper *keeper, uint32_t max_doc, bool compact)
{
	uint32_t full = (uint32_t)(((uint64_t)max_doc + 1) >> COLUMN_SEGMENT_SHIFT);

	(void)pthread_mutex_lock(&keeper->lock);
	if (full > keeper->full || compact > keeper->compact) {
		keeper->full = full;
		keeper->compact |= compact;
		wake(keeper);
	}
	(void)pthread_mutex_unlock(&keeper->lock);
}

void
keeper_start_over(struct keeper *keeper)
{
	(void)pthread_mutex_lock(&keeper->lock);
	keeper->sealed = 0;
	wake(keeper);
	(void)pthread_mutex_unlock(&keeper->lock);
}
