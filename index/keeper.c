/* What is done behind the back of those who write: full segments are sealed, and the index is
 * compacted, as soon as it is due; words are merged when nobody has written for a while. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "index/column_slice.h"
#include "index/index.h"
#include "index/parts.h"
#include "index/seal.h"

/* After a failure (a full disk), how long until the next attempt. */
#define PAUSE_S 30
/* For how long nobody has written when words are merged: it takes turns from writers, and reads
 * and writes all of the text index. */
#define IDLE_NS PXS_NS_PER_S

enum work { NONE, SEAL, COMPACT, MERGE, END };

struct keeper {
	struct index *index;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t asked;
	bool runs;
	bool stopping;
	uint32_t full;	    /* segments that are full */
	uint32_t sealed;    /* segments that need nothing more */
	bool compact;	    /* compaction is due */
	bool merge;	    /* merging is due */
	int64_t written_ns; /* when somebody wrote (steady) */
};

/* For how long nobody may write until that is long enough. With the lock held. */
static int64_t
until_idle_ns(const struct keeper *keeper)
{
	return keeper->written_ns + IDLE_NS - pxs_clock_steady_ns();
}

/* With the lock held. */
static enum work
work_now(const struct keeper *keeper)
{
	if (keeper->stopping)
		return END;
	if (keeper->compact)
		return COMPACT;
	if (keeper->full > keeper->sealed)
		return SEAL;
	return keeper->merge && until_idle_ns(keeper) <= 0 ? MERGE : NONE;
}

static enum work
wait_for_work(struct keeper *keeper)
{
	enum work work;

	(void)pthread_mutex_lock(&keeper->lock);
	while ((work = work_now(keeper)) == NONE)
		if (keeper->merge) {
			const struct timespec until = pxs_clock_timespec(pxs_clock_now_ns() +
									 until_idle_ns(keeper));

			(void)pthread_cond_timedwait(&keeper->asked, &keeper->lock, &until);
		} else {
			(void)pthread_cond_wait(&keeper->asked, &keeper->lock);
		}
	(void)pthread_mutex_unlock(&keeper->lock);
	return work;
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

static enum work
look_again(struct keeper *keeper)
{
	enum work work;

	(void)pthread_mutex_lock(&keeper->lock);
	work = work_now(keeper);
	(void)pthread_mutex_unlock(&keeper->lock);
	return work;
}

/* Until there is something else to do. Whoever held the turn while it was waited for has written:
 * a bulk load, whose transactions take longer than we call idle. All that FTS5 has would be merged
 * between any two of them, and by them, as FTS5 goes on with a merge once it has begun. */
static int
merge(struct keeper *keeper)
{
	struct index *index = keeper->index;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		turn_take(&index->write_turn);
		if (look_again(keeper) != MERGE) {
			turn_end(&index->write_turn);
			return 0;
		}
		r = fts_merge(index->tables->fts, &more);
		turn_end(&index->write_turn);
	}
	(void)pthread_mutex_lock(&keeper->lock);
	if (r == 0 && work_now(keeper) == MERGE)
		keeper->merge = false;
	(void)pthread_mutex_unlock(&keeper->lock);
	return r;
}

static int
work_at(struct keeper *keeper, enum work work)
{
	switch (work) {
	case SEAL:
		return seal(keeper);
	case COMPACT:
		return compact(keeper);
	default:
		return merge(keeper);
	}
}

static void *
keep(void *context)
{
	struct keeper *keeper = context;
	enum work work;

	while ((work = wait_for_work(keeper)) != END)
		if (work_at(keeper, work) < 0)
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
	bool due = keeper->full > keeper->sealed || keeper->compact || keeper->merge;

	if (due && !keeper->runs)
		keeper->runs = pthread_create(&keeper->thread, NULL, keep, keeper) == 0;
	(void)pthread_cond_broadcast(&keeper->asked);
}

void
keeper_ask(struct keeper *keeper)
{
	const struct index *index = keeper->index;
	uint64_t n = (uint64_t)index->view->max_doc + 1;
	uint32_t full = (uint32_t)(n >> COLUMN_SEGMENT_SHIFT);
	bool due = compact_is_due(index);
	bool merge_due = fts_merge_is_due(index->tables->fts);

	(void)pthread_mutex_lock(&keeper->lock);
	keeper->written_ns = pxs_clock_steady_ns();
	if (full > keeper->full || due > keeper->compact || merge_due > keeper->merge) {
		keeper->full = full;
		keeper->compact |= due;
		keeper->merge |= merge_due;
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
