#include "index/sync/crawl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/suspects.h"

/* So long equal numbers are believed. */
#define LIST_ALL_NS (3600 * PXS_NS_PER_S)

void
crawl_done(struct crawl *crawl)
{
	for (size_t i = 0; i < CRAWL_CREW; i++)
		crawler_done(&crawl->crew[i]);
	plan_done(&crawl->plan);
}

int
crawl_forget(struct follower *follower)
{
	plan_done(&follower->crawl.plan);
	return plan_forget(follower->index);
}

/* Go on where it was, or begin. */
static int
find_plan(struct follower *follower, struct pxs_error *err)
{
	struct plan *plan = &follower->crawl.plan;
	struct pxs_error why = { 0 };
	int r = plan->n > 0 ? 0 : plan_read(plan, follower->index, follower->url);

	if (r == -ENOENT)
		r = plan_begin(plan);
	if (r < 0)
		return r;
	r = follow_read_schema(follower, &why);
	/* Then properties are what their prompts and values look like. */
	if (r == -ENOENT)
		return 0;
	return r < 0 ? pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r)) : 0;
}

/* A core that does not understand how its documents are divided would lose some. */
static int
check_sum(struct follower *follower, struct pxs_error *err)
{
	const struct plan *plan = &follower->crawl.plan;
	const struct partition whole = { 0 };
	uint64_t before = atomic_load(&follower->expected);
	int64_t now = 0;
	int64_t sum = 0;
	int r = crawler_count(&follower->crawl.crew[0], &whole, &now, err);

	for (size_t i = 0; i < plan->n; i++) {
		if (plan->parts[i].listed < 0)
			return r; /* it is listed once more */
		sum += plan->parts[i].listed;
	}
	if (r < 0 || (uint64_t)now != before || sum == now)
		return r;
	return pxs_error_set(err, -EPROTO, -1,
			     "the upstream has %" PRId64 " documents, but %" PRId64
			     " in all parts into which they were divided",
			     now, sum);
}

static int
bring_parts(struct follower *follower, bool all, struct pxs_error *err)
{
	CLEANUP(suspects) struct suspects suspects = { 0 };
	struct plan *plan = &follower->crawl.plan;
	bool first = plan->n == 1 && plan->parts[0].hits < 0;
	struct crawl_order order = { .all = all, .suspects = &suspects };
	uint64_t here = 0;
	int r = follow_count(follower, &here);

	order.again = here > 0;
	order.brief = here > 0 && plan->listed_ns != 0;
	if (r == 0)
		r = crawl_parts(follower, &order, err);
	if (r == 0 && first)
		r = check_sum(follower, err);
	if (r == 0 && suspects.n > 0)
		r = suspects_settle(&suspects, follower, err);
	for (size_t i = 0; i < plan->n && r == 0; i++)
		plan->parts[i].hits = plan->parts[i].listed;
	return r;
}

static void
end_cycle(struct follower *follower, bool first)
{
	follower->may_remove = false;
	atomic_store(&follower->expected, 0);
	/* What changed during the first listing comes with the second. */
	atomic_store(&follower->state, first ? SYNC_CATCHING_UP : SYNC_FOLLOWING);
	if (!first)
		atomic_store(&follower->success_ns, pxs_clock_now_ns());
}

int
crawl_cycle(struct follower *follower, struct pxs_error *err)
{
	struct crawl *crawl = &follower->crawl;
	struct plan *plan = &crawl->plan;
	int64_t start_ns = pxs_clock_now_ns();
	int64_t newest_ns = INT64_MIN;
	bool unordered = false;
	bool first;
	bool all;
	int r = find_plan(follower, err);

	if (r < 0)
		return r;
	first = plan->listed_ns == 0;
	if (atomic_load(&follower->state) != SYNC_FOLLOWING)
		atomic_store(&follower->state, first ? SYNC_READING : SYNC_CATCHING_UP);
	r = crawl_newest(follower, &newest_ns, &unordered, err);
	if (r < 0)
		return r;
	if (plan->newest_ns == INT64_MIN)
		plan->newest_ns = newest_ns;
	all = !first && (unordered || start_ns - plan->listed_ns > LIST_ALL_NS);
	r = bring_parts(follower, all, err);
	if (r < 0)
		return r;
	plan_join(plan);
	plan->newest_ns = first ? plan->newest_ns : newest_ns;
	if (first || all)
		plan->listed_ns = start_ns;
	r = plan_write(plan, follower->index, follower->url);
	if (r < 0)
		return r;
	end_cycle(follower, first);
	return first ? crawl_cycle(follower, err) : 0;
}
