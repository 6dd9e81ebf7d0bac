/* A first page needs the first documents in order and no others. They are found by a heap; whoever
 * goes on gets four times as many, and in the end all are sorted once and kept. A cursor beyond
 * what is sorted is served by one look at all hits, in the hope that its holder does not come back
 * to these: while documents are written, each page of a listing may be of another generation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/cursor.h"
#include "index/hits.h"
#include "index/relevance.h"
#include "index/view.h"

#define ORDERED_FIRST 256
#define ORDERED_GROWTH 4

#define ALL UINT64_MAX

/* Beyond this part of the hits, all are sorted. */
#define ORDERED_PART 64

/* So often hits are looked through for a cursor before they are sorted. */
#define SCANS_MAX 3

/* --- With the lock held --- */

static bool
has_score(const struct index_hits *hits, uint32_t doc)
{
	return hits->scores && (!hits->scored || roaring_bitmap_contains(hits->scored, doc));
}

/* The best N, or ALL, have scores, if any are needed. */
static bool
has_scores(const struct index_hits *hits, uint64_t n)
{
	return n == 0 || (hits->scores && (!hits->scored || n <= hits->n_scored));
}

static int
score(struct index_hits *hits, const struct sorter *sorter, uint64_t n,
      const struct index_budget *budget)
{
	roaring_bitmap_t *scored = NULL;
	struct scores *scores;
	int r;

	if (has_scores(hits, n))
		return 0;
	if (!sorter_is_relevance(sorter))
		n = ALL;
	r = relevance_scores(hits->view, hits->query, hits->docs, n, budget, &scores, &scored,
			     NULL);
	if (r < 0)
		return r;
	atomic_fetch_add(&hits->bytes, scores->bytes - (hits->scores ? hits->scores->bytes : 0));
	scores_free(hits->scores);
	if (hits->scored)
		roaring_bitmap_free(hits->scored);
	hits->scores = scores;
	hits->scored = scored;
	hits->n_scored = n;
	return 0;
}

/* For the first N in order; for ALL, any document may be asked for. */
static int
prepare(struct index_hits *hits, struct hits_ordering *ordering, uint64_t n,
	const struct index_budget *budget)
{
	if (sorter_wants_scores(&ordering->sorter)) {
		int r = score(hits, &ordering->sorter, n, budget);

		if (r < 0)
			return r;
		sorter_set_scores(&ordering->sorter, hits->scores);
	}
	return sorter_prepare(&ordering->sorter, budget);
}

/* The hits among which those are that ORDERING is prepared for. */
static const roaring_bitmap_t *
scored_of(const struct index_hits *hits, const struct hits_ordering *ordering)
{
	return sorter_wants_scores(&ordering->sorter) && hits->scored ? hits->scored : hits->docs;
}

int
hits_order(struct index_hits *hits, struct hits_ordering *ordering, uint64_t n,
	   const struct index_budget *budget)
{
	uint64_t more = MAX(ordering->n_ordered * ORDERED_GROWTH, (uint64_t)ORDERED_FIRST);
	uint64_t wanted = MAX(n, more);
	uint32_t *order = NULL;
	int r;

	if (ordering->n_ordered >= MIN(n, hits->count))
		return 0;
	if (wanted >= hits->count / ORDERED_PART)
		wanted = hits->count;
	r = prepare(hits, ordering, wanted < hits->count ? wanted : ALL, budget);
	if (r == 0)
		r = sorter_order(&ordering->sorter, scored_of(hits, ordering), wanted, budget,
				 &order);
	if (r < 0)
		return r;
	atomic_fetch_add(&hits->bytes, (wanted - ordering->n_ordered) * sizeof(*order));
	free(ordering->order);
	ordering->order = order;
	ordering->n_ordered = wanted;
	return 0;
}

/* How many of the documents in order come at or before PLACE. */
static uint64_t
told_before(const struct hits_ordering *ordering, const struct sort_place *place)
{
	uint64_t told = 0, untold = ordering->order ? ordering->n_ordered : 0;

	while (told < untold) {
		uint64_t mid = told + (untold - told) / 2;
		struct sort_place there;

		sorter_place(&ordering->sorter, ordering->order[mid], &there);
		if (sorter_compare(&ordering->sorter, &there, place) <= 0)
			told = mid + 1;
		else
			untold = mid;
	}
	return told;
}

static int
page_in_order(struct index_hits *hits, struct hits_ordering *ordering, uint64_t offset,
	      const struct index_budget *budget, uint32_t *docs, size_t n, size_t *ret_n)
{
	int r;

	n = offset < hits->count ? MIN((uint64_t)n, hits->count - offset) : 0;
	r = hits_order(hits, ordering, offset + n, budget);
	if (r < 0)
		return r;
	if (n > 0 && ordering->order)
		memcpy(docs, ordering->order + offset, n * sizeof(*docs));
	*ret_n = n;
	return 0;
}

static int
page_after(struct index_hits *hits, struct hits_ordering *ordering, const struct sort_place *place,
	   const struct index_budget *budget, uint32_t *docs, size_t n, size_t *ret_n)
{
	uint64_t told = told_before(ordering, place);
	int r;

	if (told == ordering->n_ordered && told < hits->count) {
		r = prepare(hits, ordering, ALL, budget);
		if (r == 0 && (sorter_is_quick(&ordering->sorter) || ordering->scans++ < SCANS_MAX))
			return sorter_first(&ordering->sorter, hits->docs, place, n, budget, docs,
					    ret_n);
		if (r == 0)
			r = hits_order(hits, ordering, hits->count, budget);
		if (r < 0)
			return r;
		told = told_before(ordering, place);
	}
	return page_in_order(hits, ordering, told, budget, docs, n, ret_n);
}

/* --- Asking --- */

/* What was sorted stays, so that it counts. */
static void
give_back(struct index_hits *hits)
{
	(void)pthread_mutex_unlock(&hits->lock);
	hits_cache_trim(index_hits_cache(hits->view->index));
}

static int
page(struct index_hits *hits, struct hits_ordering *ordering, uint64_t offset,
     const struct index_budget *budget, uint32_t *docs, size_t n, size_t *ret_n)
{
	int r;

	if (sorter_is_natural(&ordering->sorter)) {
		*ret_n = sorter_standing(hits->docs, offset, n, docs);
		return 0;
	}
	r = budget_lock(budget, &hits->lock);
	if (r < 0)
		return r;
	r = page_in_order(hits, ordering, offset, budget, docs, n, ret_n);
	give_back(hits);
	return r;
}

int
index_hits_page(struct index_hits *hits, uint64_t offset, const struct index_budget *budget,
		uint32_t *docs, size_t n, size_t *ret_n)
{
	return page(hits, hits->paged, offset, budget, docs, n, ret_n);
}

/* The place of what has ROW; -ESTALE if that is needed and there is nothing. */
static int
place_of_row(const struct index_hits *hits, const struct hits_ordering *ordering, uint64_t row,
	     struct sort_place *ret_place)
{
	uint32_t doc;

	if (ordering->sorter.n == 0) {
		ret_place->levels[0] = row;
		return 0;
	}
	/* In an order by values, a place needs the values of the document that stood there. */
	if (index_doc_find_row(hits->view, row, &doc) < 0)
		return -ESTALE;
	sorter_place(&ordering->sorter, doc, ret_place);
	return 0;
}

int
index_hits_after(struct index_hits *hits, uint64_t row, const struct index_budget *budget,
		 uint32_t *docs, size_t n, size_t *ret_n)
{
	struct hits_ordering *ordering = hits->listed;
	struct sort_place place = { .levels[0] = row };
	int r;

	if (sorter_is_quick(&ordering->sorter))
		return sorter_first(&ordering->sorter, hits->docs, &place, n, budget, docs, ret_n);
	if (row == 0)
		return page(hits, ordering, 0, budget, docs, n, ret_n);
	r = budget_lock(budget, &hits->lock);
	if (r < 0)
		return r;
	r = prepare(hits, ordering, ALL, budget);
	if (r == 0)
		r = place_of_row(hits, ordering, row, &place);
	if (r == 0)
		r = page_after(hits, ordering, &place, budget, docs, n, ret_n);
	give_back(hits);
	return r;
}

int
index_hits_cursor(struct index_hits *hits, uint32_t doc, struct pxs_buf *cursor)
{
	struct hits_ordering *ordering = hits->paged;
	int r;

	(void)pthread_mutex_lock(&hits->lock);
	r = prepare(hits, ordering, has_score(hits, doc) ? 0 : ALL, NULL);
	if (r == 0)
		r = cursor_print(&ordering->sorter, doc, cursor);
	give_back(hits);
	return r;
}

/* With the lock held. */
static int
resume(struct index_hits *hits, const char *cursor, const struct index_budget *budget,
       uint32_t *docs, size_t n, size_t *ret_n)
{
	struct hits_ordering *ordering = hits->paged;
	struct sort_place place = { 0 };
	int r = prepare(hits, ordering, 0, budget);

	if (r == 0)
		r = cursor_parse(&ordering->sorter, cursor, &place);
	if (r < 0)
		return r;
	return page_after(hits, ordering, &place, budget, docs, n, ret_n);
}

int
index_hits_resume(struct index_hits *hits, const char *cursor, const struct index_budget *budget,
		  uint32_t *docs, size_t n, size_t *ret_n, struct pxs_error *err)
{
	int r;

	if (!*cursor)
		return index_hits_page(hits, 0, budget, docs, n, ret_n);
	r = budget_lock(budget, &hits->lock);
	if (r < 0)
		return r;
	r = resume(hits, cursor, budget, docs, n, ret_n);
	give_back(hits);
	if (r == -EINVAL)
		return pxs_error_set(
			err, r, -1,
			"this is not a cursor of a listing in this order; take it from "
			"the page before, or start again without one");
	return r;
}
