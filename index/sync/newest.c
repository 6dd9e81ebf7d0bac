/* What a core updated last, newest first. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/sync/crawl.h"
#include "index/sync/follow.h"
#include "index/sync/plan.h"

#define FIRST_PAGE "/files?where={}&sort=-_updated&max_results=100"
/* A document may become visible so much later than it says. */
#define OVERLAP_NS (120 * PXS_NS_PER_S)
/* Pages of known documents that may still hide such a one. */
#define KNOWN_PAGES 5

/* The parts in which a new document lies are listed again: another may have gone there, so that
 * their numbers are what they were. */
static void
mark_parts(struct plan *plan, const struct crawler_page *page)
{
	const json_t *item;
	size_t i;

	json_array_foreach (page->items, i, item) {
		for (size_t k = 0; k < plan->n && page->added[i]; k++)
			if (partition_has(&plan->parts[k].range, item))
				plan->parts[k].hits = -1;
	}
}

/* The first and the last time in PAGE; false: they are not told, or not in order. */
static bool
read_times(const struct crawler_page *page, int64_t *ret_first_ns, int64_t *ret_last_ns)
{
	const json_t *item;
	int64_t last = INT64_MAX;
	size_t i;

	json_array_foreach (page->items, i, item) {
		int64_t ns = reader_time(item, "_updated");

		if (ns == 0 || ns > last)
			return false;
		if (i == 0)
			*ret_first_ns = ns;
		last = ns;
	}
	*ret_last_ns = last;
	return true;
}

static bool
has_fresh(const struct crawler_page *page)
{
	for (size_t i = 0; i < json_array_size(page->items); i++)
		if (page->fresh[i])
			return true;
	return false;
}

struct newest {
	struct pxs_buf href;
	struct crawler_page page;
	int64_t first_ns; /* of all */
	int64_t told;
	int known; /* pages in a row without anything new */
};

static inline void
newest_cleanup(struct newest *newest)
{
	pxs_buf_done(&newest->href);
	crawler_page_done(&newest->page);
}

/* 1: it goes on; 0: all is here; -ENODATA: not this way. */
static int
take(struct follower *follower, struct newest *newest, struct pxs_error *err)
{
	struct plan *plan = &follower->crawl.plan;
	struct crawler_page *page = &newest->page;
	const struct crawler_question question = { .href = pxs_buf_text(&newest->href) };
	struct pxs_error why = { 0 };
	int64_t first_ns = INT64_MIN;
	int64_t last_ns;
	const char *next;
	int r = crawler_take(&follower->crawl.crew[0], &question, page, &why);

	if (r == -EINVAL)
		return -ENODATA;
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
	mark_parts(plan, page);
	if (!read_times(page, &first_ns, &last_ns))
		return -ENODATA;
	newest->first_ns = MAX(newest->first_ns, first_ns);
	newest->told += (int64_t)json_array_size(page->items);
	newest->known = has_fresh(page) ? 0 : newest->known + 1;
	if (plan->newest_ns == INT64_MIN || last_ns < plan->newest_ns - OVERLAP_NS ||
	    (newest->known >= KNOWN_PAGES && last_ns <= plan->newest_ns))
		return 0;
	next = reader_link(page->answer, "next");
	/* Some are beyond the window, hidden from us, or were lost on the way. */
	if (!next)
		return page->hits > newest->told ? -ENODATA : 0;
	if (strcmp(next, question.href) == 0)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's pages go round in a circle");
	pxs_buf_clear(&newest->href);
	pxs_buf_add_str(&newest->href, next);
	return newest->href.error ? newest->href.error : 1;
}

int
crawl_newest(struct follower *follower, int64_t *ret_newest_ns, bool *ret_all,
	     struct pxs_error *err)
{
	CLEANUP(newest) struct newest newest = { .first_ns = INT64_MIN };
	int r = 1;

	*ret_newest_ns = follower->crawl.plan.newest_ns;
	*ret_all = false;
	pxs_buf_add_str(&newest.href, FIRST_PAGE);
	if (newest.href.error)
		return newest.href.error;
	for (int pages = 0; r == 1; pages++)
		r = pages < PLAN_WINDOW ? take(follower, &newest, err) : -ENODATA;
	*ret_newest_ns = MAX(*ret_newest_ns, newest.first_ns);
	*ret_all = r == -ENODATA;
	return r == -ENODATA ? 0 : r;
}
