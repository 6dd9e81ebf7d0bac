#include "index/sync/crawler.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/pace.h"
#include "index/sync/partition.h"
#include "index/sync/plan.h"
#include "index/sync/suspects.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

/* More new documents than this on a page are asked for together. */
#define ALONE_MAX 20

void
crawler_done(struct crawler *crawler)
{
	upstream_close(crawler->upstream);
	intake_done(&crawler->intake);
}

int
crawler_get(struct crawler *crawler, const char *href, json_t **ret_answer, struct pxs_error *err)
{
	struct follower *follower = crawler->follower;
	int r = crawler->upstream ? 0
				  : upstream_open(follower->options, follower->stop,
						  &follower->pace, &crawler->upstream, err);

	if (r == 0)
		pace_wait(&follower->pace, PACE_PER_S, follower->stop);
	if (r == 0)
		r = atomic_load(follower->stop) ? -ECANCELED : 0;
	if (r == 0)
		r = upstream_get(crawler->upstream, href, ret_answer, err);
	if (r == 0)
		atomic_fetch_add(&follower->pages, 1);
	return r;
}

/* --- A page --- */

void
crawler_page_done(struct crawler_page *page)
{
	json_decref(page->answer);
	page->answer = NULL;
}

static int
get_page(struct crawler *crawler, const char *href, struct crawler_page *page,
	 struct pxs_error *err)
{
	int r;

	crawler_page_done(page);
	r = crawler_get(crawler, href, &page->answer, err);
	if (r == 0)
		r = reader_page(page->answer, INTAKE_MAX, &page->items, &page->hits, err);
	if (r < 0)
		return r;
	if (reader_number(page->answer, "hidden", &page->hidden) < 0 || page->hidden < 0)
		page->hidden = 0;
	atomic_fetch_add(&crawler->follower->received, json_array_size(page->items));
	return 0;
}

/* Which of its documents are not here; *RET_N of them. */
static int
compare(const struct crawler *crawler, struct crawler_page *page, size_t *ret_n,
	struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(crawler->follower->index);
	const json_t *item;
	size_t i;

	*ret_n = 0;
	json_array_foreach (page->items, i, item) {
		const char *etag = "";
		int64_t *id = &page->ids[i];
		int r = reader_identity(item, id, &etag, err);

		if (r < 0)
			return r;
		page->added[i] = !follow_has(crawler->follower, view, *id);
		page->fresh[i] = !follow_has_version(crawler->follower, view, *id, etag);
		*ret_n += page->fresh[i];
	}
	return 0;
}

/* What is gone meanwhile, or not for us to see, makes the page incomplete. */
static int
put_alone(struct crawler *crawler, const json_t *item, struct crawler_page *page,
	  struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	const json_t *items = NULL;
	struct pxs_error why = { 0 };
	char href[48];
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" JSON_INTEGER_FORMAT,
		       json_integer_value(reader_value(item, "_id")));
	r = crawler_get(crawler, href, &answer, &why);
	if (r == -ENOENT) {
		page->complete = false;
		return 0;
	}
	if (r == 0)
		r = reader_items(answer, &items, &why);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
	if (!json_equal(reader_value(json_array_get(items, 0), "_id"), reader_value(item, "_id")))
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream answers %s with another document", href);
	return intake_put(&crawler->intake, &crawler->follower->reader, json_array_get(items, 0),
			  err);
}

/* Make ready what is to be kept. */
static int
prepare(struct crawler *crawler, const struct crawler_question *question, struct crawler_page *page,
	struct pxs_error *err)
{
	const struct crawler_question whole = { .href = question->whole };
	const json_t *item;
	size_t n = 0;
	size_t i;
	int r = get_page(crawler, question->href, page, err);

	intake_clear(&crawler->intake);
	page->complete = true;
	if (r == 0)
		r = compare(crawler, page, &n, err);
	if (r == 0 && question->whole && n > ALONE_MAX)
		return prepare(crawler, &whole, page, err);
	if (r < 0)
		return r;
	json_array_foreach (page->items, i, item) {
		if (!page->fresh[i])
			continue;
		r = question->brief
			    ? put_alone(crawler, item, page, err)
			    : intake_put(&crawler->intake, &crawler->follower->reader, item, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
commit(struct crawler *crawler, struct pxs_error *err)
{
	struct follower *follower = crawler->follower;
	int r = intake_commit(&crawler->intake, follower->index, err);

	if (r == 0)
		atomic_fetch_add(&follower->written, crawler->intake.n_documents);
	return r;
}

int
crawler_take(struct crawler *crawler, const struct crawler_question *question,
	     struct crawler_page *page, struct pxs_error *err)
{
	struct turn *turn = crawler->follower->turn;
	uint64_t urgent = turn_count_urgent(turn);
	int r = prepare(crawler, question, page, err);

	if (r < 0)
		return r;
	turn_take(turn, false);
	/* Somebody has written since: what was read may be older. */
	if (turn_count_urgent(turn) != urgent)
		r = prepare(crawler, question, page, err);
	if (r == 0)
		r = commit(crawler, err);
	turn_end(turn);
	return r;
}

/* --- A part --- */

/* The first page of PART in its order, with N documents. BRIEF: without most values. */
static int
print_href(const struct partition *part, int n, bool brief, struct pxs_buf *href)
{
	pxs_buf_clear(href);
	pxs_buf_add_str(href, "/files?where=");
	partition_print_where(part, href);
	if (n > 1)
		pxs_buf_addf(href, "&sort=%s", partition_sort());
	if (brief)
		pxs_buf_add_str(href, "&projection={\"core.modificationtime\":1,\"core.inode\":1,"
				      "\"core.size\":1}");
	pxs_buf_addf(href, "&max_results=%d", n);
	return href->error;
}

int
crawler_count(struct crawler *crawler, const struct partition *part, int64_t *ret_hits,
	      struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(crawler_page) struct crawler_page page = { 0 };
	int r = print_href(part, 1, true, &href);

	if (r == 0)
		r = get_page(crawler, pxs_buf_text(&href), &page, err);
	if (r == 0)
		*ret_hits = page.hits;
	return r;
}

/* Where PAGE stands in order, all before its last document was told, so the next question is for
 * what comes from there on: whatever moves meanwhile, nothing is left out. False: it is told in no
 * order, or nothing but one value; its next page must do. */
static bool
advance(struct partition *rest, const struct crawler_page *page)
{
	struct partition from = *rest;
	const json_t *item;
	size_t n = json_array_size(page->items);
	size_t i;

	if (n == 0 || !partition_advance(&from, json_array_get(page->items, n - 1)))
		return false;
	json_array_foreach (page->items, i, item) {
		struct partition beyond = from;

		if (partition_advance(&beyond, item))
			return false;
	}
	*rest = from;
	return true;
}

struct walk {
	struct partition rest; /* of the part, from the first page of this question on */
	bool brief;
	struct pxs_buf href;  /* of the next page; empty: that was the last */
	struct pxs_buf whole; /* the same with all values; empty: there is none */
	int pages;	      /* since the question */
};

static inline void
walk_cleanup(struct walk *walk)
{
	pxs_buf_done(&walk->href);
	pxs_buf_done(&walk->whole);
}

static int
ask_anew(struct walk *walk)
{
	int r = print_href(&walk->rest, CRAWLER_PAGE, walk->brief, &walk->href);

	walk->pages = 0;
	pxs_buf_clear(&walk->whole);
	return r == 0 && walk->brief ? print_href(&walk->rest, CRAWLER_PAGE, false, &walk->whole)
				     : r;
}

/* Short and empty pages are not the end, only the lack of a next one is. */
static int
go_on(struct walk *walk, const struct crawler_page *page, struct pxs_error *err)
{
	const char *next = reader_link(page->answer, "next");

	if (!next && page->hits > PLAN_WINDOW)
		return pxs_error_set(err, -EAGAIN, -1, "the upstream changes while it is listed");
	if (!next) {
		pxs_buf_clear(&walk->href);
		return walk->href.error;
	}
	if (advance(&walk->rest, page))
		return ask_anew(walk);
	if (strcmp(next, pxs_buf_text(&walk->href)) == 0 || ++walk->pages > PLAN_WINDOW)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's pages go round in a circle");
	pxs_buf_clear(&walk->href);
	pxs_buf_clear(&walk->whole);
	pxs_buf_add_str(&walk->href, next);
	return walk->href.error;
}

int
crawler_list(struct crawler *crawler, const struct partition *part, bool brief,
	     struct crawler_listing *listing, struct pxs_error *err)
{
	CLEANUP(crawler_page) struct crawler_page page = { 0 };
	CLEANUP(walk) struct walk walk = { .rest = *part, .brief = brief };
	bool first = true;
	int r = ask_anew(&walk);

	listing->complete = true;
	while (r == 0 && walk.href.len > 0) {
		const struct crawler_question question = { pxs_buf_text(&walk.href), brief,
							   walk.whole.len
								   ? pxs_buf_text(&walk.whole)
								   : NULL };

		r = crawler_take(crawler, &question, &page, err);
		if (r < 0)
			break;
		suspects_mark_seen(crawler->follower->index, page.ids, json_array_size(page.items),
				   listing->seen);
		listing->complete = listing->complete && page.complete;
		listing->hidden += page.hidden;
		if (first)
			listing->hits = page.hits;
		first = false;
		r = go_on(&walk, &page, err);
	}
	listing->complete = listing->complete &&
			    (int64_t)roaring_bitmap_get_cardinality(listing->seen) +
					    listing->hidden ==
				    listing->hits;
	return r;
}
