/* The parts of a core's documents, several at a time. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/sync/crawl.h"
#include "index/sync/follow.h"
#include "index/sync/suspects.h"

struct work {
	struct follower *follower;
	const struct crawl_order *order;
	struct plan *plan;

	pthread_mutex_t mutex; /* of the plan, the suspects and all below */
	pthread_cond_t ended;  /* somebody's part, or split */
	size_t busy;
	int r; /* the first failure, which ends the work */
	struct pxs_error err;
};

struct worker {
	struct work *work;
	struct crawler *crawler;
	pthread_t thread;
	bool started;
};

/* --- Who does what --- */

static struct plan_part *
find_todo(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->parts[i].state == PLAN_TODO)
			return &plan->parts[i];
	return NULL;
}

/* False: nothing is left. */
static bool
take(struct work *work, size_t *ret_i, struct plan_part *ret_part)
{
	struct plan_part *part = NULL;

	(void)pthread_mutex_lock(&work->mutex);
	while (work->r == 0 && !(part = find_todo(work->plan)) && work->busy > 0)
		(void)pthread_cond_wait(&work->ended, &work->mutex);
	if (work->r < 0)
		part = NULL;
	if (part) {
		part->state = PLAN_BUSY;
		work->busy++;
		*ret_i = (size_t)(part - work->plan->parts);
		*ret_part = *part;
	}
	(void)pthread_mutex_unlock(&work->mutex);
	return part != NULL;
}

static void
end(struct work *work, int r, const struct pxs_error *err)
{
	(void)pthread_mutex_lock(&work->mutex);
	work->busy--;
	if (r < 0 && work->r == 0) {
		work->r = r;
		work->err = *err;
	}
	(void)pthread_cond_broadcast(&work->ended);
	(void)pthread_mutex_unlock(&work->mutex);
}

/* --- A part --- */

/* 1: it cannot be split, but listed. */
static int
split(struct work *work, size_t i, const struct partition *range, int64_t hits,
      struct pxs_error *err)
{
	struct partition parts[PARTITION_SPLIT_MAX];
	size_t n;
	int r;

	partition_split(range, parts, &n);
	if (n == 0 && hits <= PLAN_WINDOW)
		return 1;
	if (n == 0)
		return pxs_error_set(err, -E2BIG, -1,
				     "the upstream has %" PRId64
				     " documents that core.modificationtime, core.inode and "
				     "core.size do not tell apart; it lists %d at most",
				     hits, PLAN_WINDOW);
	(void)pthread_mutex_lock(&work->mutex);
	r = plan_replace(work->plan, i, parts, n);
	(void)pthread_mutex_unlock(&work->mutex);
	return r;
}

/* The documents of RANGE that are here. */
static int
find_here(struct follower *follower, const struct partition *range, struct index_view *view,
	  struct index_hits **ret_hits, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	CLEANUP(query) struct query *query = NULL;
	int r = follow_query(follower, &query);

	partition_print_where(range, &where);
	if (r == 0)
		r = where.error;
	if (r == 0)
		r = query_add_where(query, pxs_buf_text(&where), index_view_schema(view), err);
	return r < 0 ? r : index_search(view, query, NULL, ret_hits, err);
}

/* Under the mutex. */
static int
suspect(struct work *work, const struct partition *range, const roaring_bitmap_t *seen,
	struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(work->follower->index);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r = find_here(work->follower, range, view, &hits, err);

	return r < 0 ? r : suspects_collect(work->order->suspects, hits, seen);
}

/* Under the mutex: it is here. Noted at once where nothing of it has to go. */
static int
note(struct work *work, size_t i, const struct crawler_listing *listing, struct pxs_error *err)
{
	struct plan_part *part = &work->plan->parts[i];
	size_t before = work->order->suspects->n;
	int r = work->order->again ? suspect(work, &part->range, listing->seen, err) : 0;

	if (r < 0)
		return r;
	part->state = PLAN_DONE;
	part->listed = listing->complete ? listing->hits : -1;
	part->hits = work->order->suspects->n == before ? part->listed : -1;
	return plan_write(work->plan, work->follower->index, work->follower->url);
}

static int
list(struct worker *worker, size_t i, const struct partition *range, struct pxs_error *err)
{
	struct work *work = worker->work;
	struct crawler_listing listing = { .seen = roaring_bitmap_create() };
	int r = listing.seen
			? crawler_list(worker->crawler, range, work->order->brief, &listing, err)
			: -ENOMEM;

	if (r == 0) {
		(void)pthread_mutex_lock(&work->mutex);
		r = note(work, i, &listing, err);
		(void)pthread_mutex_unlock(&work->mutex);
	}
	if (listing.seen)
		roaring_bitmap_free(listing.seen);
	return r;
}

static int
bring(struct worker *worker, size_t i, const struct plan_part *part, struct pxs_error *err)
{
	struct work *work = worker->work;
	int64_t hits = 0;
	int r = crawler_count(worker->crawler, &part->range, &hits, err);

	if (r < 0)
		return r;
	if (part->range.n == 0)
		atomic_store(&work->follower->expected, (uint64_t)hits);
	if (hits > PLAN_PART_MAX) {
		r = split(work, i, &part->range, hits, err);
		if (r <= 0)
			return r;
	}
	if (hits != part->hits || work->order->all)
		return list(worker, i, &part->range, err);
	(void)pthread_mutex_lock(&work->mutex);
	work->plan->parts[i].state = PLAN_DONE;
	work->plan->parts[i].listed = hits;
	(void)pthread_mutex_unlock(&work->mutex);
	return 0;
}

static void *
run(void *context)
{
	struct worker *worker = context;
	struct plan_part part;
	size_t i;

	while (take(worker->work, &i, &part)) {
		struct pxs_error err = { 0 };
		int r = bring(worker, i, &part, &err);

		end(worker->work, r, &err);
	}
	return NULL;
}

/* --- All of them --- */

static void
work_together(struct work *work, struct crawl *crawl)
{
	struct worker crew[CRAWL_CREW];

	for (size_t i = 0; i < CRAWL_CREW; i++) {
		crew[i] = (struct worker){ .work = work, .crawler = &crawl->crew[i] };
		crew[i].started = pthread_create(&crew[i].thread, NULL, run, &crew[i]) == 0;
	}
	if (!crew[0].started)
		(void)run(&crew[0]);
	for (size_t i = 0; i < CRAWL_CREW; i++)
		if (crew[i].started)
			(void)pthread_join(crew[i].thread, NULL);
}

int
crawl_parts(struct follower *follower, const struct crawl_order *order, struct pxs_error *err)
{
	struct plan *plan = &follower->crawl.plan;
	struct work work = { .follower = follower, .order = order, .plan = plan };

	for (size_t i = 0; i < plan->n; i++) {
		plan->parts[i].state = PLAN_TODO;
		plan->parts[i].listed = -1;
	}
	(void)pthread_mutex_init(&work.mutex, NULL);
	(void)pthread_cond_init(&work.ended, NULL);
	work_together(&work, &follower->crawl);
	(void)pthread_cond_destroy(&work.ended);
	(void)pthread_mutex_destroy(&work.mutex);
	return work.r < 0 ? pxs_error_set(err, work.r, -1, "%s", pxs_error_text(&work.err, work.r))
			  : 0;
}
