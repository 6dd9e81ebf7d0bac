#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "index/column_slice.h"
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
};

/* Until there is something to do; false: it is to end. */
static bool
wait_for_work(struct keeper *keeper)
{
	bool stopping;

	(void)pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping && keeper->full <= keeper->sealed)
		(void)pthread_cond_wait(&keeper->asked, &keeper->lock);
	stopping = keeper->stopping;
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

static void *
keep(void *context)
{
	struct keeper *keeper = context;
	uint32_t full;
	bool more;

	while (wait_for_work(keeper)) {
		(void)pthread_mutex_lock(&keeper->lock);
		full = keeper->full;
		(void)pthread_mutex_unlock(&keeper->lock);
		if (seal_segments(keeper->index, &more) < 0) {
			pause_after_failure(keeper);
			continue;
		}
		(void)pthread_mutex_lock(&keeper->lock);
		if (!more)
			keeper->sealed = full;
		(void)pthread_mutex_unlock(&keeper->lock);
	}
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

void
keeper_ask(struct keeper *keeper, uint32_t max_doc)
{
	uint32_t full = (uint32_t)(((uint64_t)max_doc + 1) >> COLUMN_SEGMENT_SHIFT);

	(void)pthread_mutex_lock(&keeper->lock);
	if (full > keeper->full) {
		keeper->full = full;
		/* A thread that cannot be made now is tried again with the next segment. */
		if (full > keeper->sealed && !keeper->runs)
			keeper->runs = pthread_create(&keeper->thread, NULL, keep, keeper) == 0;
		(void)pthread_cond_broadcast(&keeper->asked);
	}
	(void)pthread_mutex_unlock(&keeper->lock);
}
