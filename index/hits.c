#include "index/hits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/column_test.h"
#include "index/exact.h"
#include "index/facet.h"
#include "index/relevance.h"
#include "index/search.h"
#include "index/segment_bits.h"
#include "index/view.h"

/* Hits are walked, rather than the column, while they are fewer than this part of the documents. */
#define WALK_PART 8

/* --- Making and ending --- */

/* Only the first LIMIT documents in the query's order stay. */
static int
apply_limit(struct index_hits *hits, uint64_t limit, const struct index_budget *budget)
{
	roaring_bitmap_t *first;
	uint32_t last;
	int r;

	hits->count = roaring_bitmap_get_cardinality(hits->docs);
	if (limit == 0 || limit >= hits->count)
		return 0;

	if (sorter_is_natural(&hits->paged->sorter)) {
		(void)roaring_bitmap_select(hits->docs, (uint32_t)limit, &last);
		roaring_bitmap_remove_range_closed(hits->docs, last, UINT32_MAX);
	} else {
		r = hits_order(hits, hits->paged, limit, budget);
		if (r < 0)
			return r;
		first = roaring_bitmap_of_ptr(limit, hits->paged->order);
		if (!first)
			return -ENOMEM;
		roaring_bitmap_free(hits->docs);
		hits->docs = first;
		hits->paged->n_ordered = limit;
	}
	hits->count = limit;
	return 0;
}

/* A query without an order is listed by row, and its pages are those of the most relevant first. */
static int
choose_orderings(struct index_hits *hits, const struct query *query)
{
	hits->listed = hits->paged = &hits->orderings[0];
	sorter_init(&hits->listed->sorter, hits->view, query);
	if (query->n_sorts == 0 && relevance_tells(query)) {
		hits->paged = &hits->orderings[1];
		sorter_init_relevance(&hits->paged->sorter, hits->view);
	}
	return sorter_wants_scores(&hits->paged->sorter) ? query_copy(query, &hits->query) : 0;
}

int
hits_new(struct index_view *view, const struct query *query, const struct query_key *key,
	 roaring_bitmap_t *docs, const struct index_budget *budget, struct index_hits **ret_hits)
{
	CLEANUP(index_hits) struct index_hits *hits = calloc(1, sizeof(*hits));
	int r;

	if (!hits) {
		roaring_bitmap_free(docs);
		return -ENOMEM;
	}
	atomic_init(&hits->references, 1);
	(void)pthread_mutex_init(&hits->lock, NULL);
	hits->view = index_view_ref(view);
	hits->key = *key;
	hits->docs = docs;
	r = choose_orderings(hits, query);
	if (r == 0)
		r = apply_limit(hits, query->limit, budget);
	if (r < 0)
		return r;
	atomic_fetch_add(&hits->bytes,
			 sizeof(*hits) + roaring_bitmap_portable_size_in_bytes(hits->docs));
	*ret_hits = STEAL(hits);
	return 0;
}

struct index_hits *
index_hits_ref(struct index_hits *hits)
{
	atomic_fetch_add(&hits->references, 1);
	return hits;
}

void
index_hits_put(struct index_hits *hits)
{
	if (!hits || atomic_fetch_sub(&hits->references, 1) != 1)
		return;
	roaring_bitmap_free(hits->docs);
	for (size_t i = 0; i < ARRAY_SIZE(hits->orderings); i++) {
		sorter_done(&hits->orderings[i].sorter);
		free(hits->orderings[i].order);
	}
	query_free(hits->query);
	scores_free(hits->scores);
	if (hits->scored)
		roaring_bitmap_free(hits->scored);
	facet_set_free(hits->facets);
	for (size_t i = 0; i < HITS_LONE_FACETS; i++)
		index_facet_free(hits->lone[i]);
	(void)pthread_mutex_destroy(&hits->lock);
	index_view_put(hits->view);
	free(hits);
}

struct index_view *
index_hits_view(const struct index_hits *hits)
{
	return hits->view;
}

struct query_key
index_hits_key(const struct index_hits *hits)
{
	return hits->key;
}

uint64_t
index_hits_count(const struct index_hits *hits)
{
	return hits->count;
}

bool
index_hits_contains(const struct index_hits *hits, uint32_t doc)
{
	return roaring_bitmap_contains(hits->docs, doc);
}

/* A version has its number for as long as the index is open. */
int
index_hits_except(const struct index_hits *hits, const struct index_hits *other, uint32_t *docs,
		  size_t n, size_t *ret_n)
{
	roaring_bitmap_t *rest = roaring_bitmap_andnot(hits->docs, other->docs);
	uint64_t count;

	if (!rest)
		return -ENOMEM;
	count = roaring_bitmap_get_cardinality(rest);
	if (count <= n) {
		roaring_bitmap_to_uint32_array(rest, docs);
		*ret_n = count;
	}
	roaring_bitmap_free(rest);
	return count <= n ? 0 : -E2BIG;
}

/* --- By one value --- */

struct equal {
	struct column_test test; /* its limits are the one code */
	struct column_slice slice;
	uint32_t segment; /* of the slice */
	int (*each)(void *context, uint32_t doc);
	void *context;
	int result;
};

static bool
has_code(const struct equal *equal, uint32_t place)
{
	const void *values;
	size_t n;

	if (!column_property(equal->test.column)->multi)
		return column_slice_code(&equal->slice, place) == equal->test.low;
	n = column_slice_list(&equal->slice, place, &values);
	while (n > 0 && column_list_code_at(&equal->slice, values, n - 1) != equal->test.low)
		n--;
	return n > 0;
}

static bool
visit(uint32_t doc, void *context)
{
	struct equal *equal = context;

	if (doc >> COLUMN_SEGMENT_SHIFT != equal->segment) {
		equal->segment = doc >> COLUMN_SEGMENT_SHIFT;
		column_slice(equal->test.column, equal->segment, &equal->slice);
	}
	if (has_code(equal, doc & COLUMN_PLACE_MASK))
		equal->result = equal->each(equal->context, doc);
	return equal->result == 0;
}

/* Every place of one segment up to the last document, hits or not. */
static void
scan_segment(const struct index_hits *hits, struct equal *equal, uint32_t segment)
{
	uint32_t first = segment << COLUMN_SEGMENT_SHIFT;
	uint32_t last = MIN(hits->view->max_doc - first, COLUMN_PLACE_MASK);
	uint64_t bits[SEGMENT_WORDS];

	column_test_segment(&equal->test, segment, last + 1, bits);
	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		for (uint64_t word = bits[i]; word && equal->result == 0; word &= word - 1) {
			uint32_t doc = first + i * 64 + (uint32_t)__builtin_ctzll(word);

			if (roaring_bitmap_contains(hits->docs, doc))
				equal->result = equal->each(equal->context, doc);
		}
}

static int
scan_all(const struct index_hits *hits, struct equal *equal)
{
	uint32_t last = hits->view->max_doc >> COLUMN_SEGMENT_SHIFT;

	for (uint32_t segment = 0; segment <= last && equal->result == 0; segment++)
		scan_segment(hits, equal, segment);
	return equal->result;
}

int
index_hits_equal(struct index_hits *hits, const struct query_property *property, const char *value,
		 int (*each)(void *context, uint32_t doc), void *context)
{
	struct equal equal = {
		.test.column = view_column(hits->view, property),
		.segment = UINT32_MAX,
		.each = each,
		.context = context,
	};
	CLEANUP(bitmap) roaring_bitmap_t *candidates = NULL;

	if (!equal.test.column || !column_dict(equal.test.column))
		return 0;
	equal.test.low = dict_find(column_dict(equal.test.column), value, strlen(value));
	equal.test.high = equal.test.low;
	if (!equal.test.low)
		return 0;

	candidates = exact_candidates(hits->view, property, value, hits->docs, NULL);
	if (!candidates && hits->count >= hits->view->max_doc / WALK_PART)
		return scan_all(hits, &equal);
	(void)roaring_iterate(candidates ? candidates : hits->docs, visit, &equal);
	return equal.result;
}

/* --- Facets --- */

int
index_hits_facets(struct index_hits *hits, const struct index_budget *budget,
		  const struct index_facets **ret_facets, struct pxs_error *err)
{
	int64_t started_ns = pxs_clock_steady_ns();
	int r = budget_lock(budget, &hits->lock);

	if (r < 0)
		return budget_explain(budget, started_ns, r, err);
	if (!hits->facets) {
		r = facet_set_new(hits->view, hits->docs, budget, &hits->facets);
		if (r == 0)
			atomic_fetch_add(&hits->bytes, facet_set_bytes(hits->facets));
	}
	if (r == 0)
		*ret_facets = &hits->facets->facets;
	(void)pthread_mutex_unlock(&hits->lock);
	hits_cache_trim(index_hits_cache(hits->view->index));
	return budget_explain(budget, started_ns, r, err);
}

/* With the lock held. */
static int
lone_facet(struct index_hits *hits, const struct query_property *property, size_t max_values,
	   const struct index_budget *budget, struct index_facet **ret_facet)
{
	struct index_facet **place = &hits->lone[hits->next_lone], *facet;
	int r;

	for (size_t i = 0; i < HITS_LONE_FACETS; i++)
		if (hits->lone[i] && facet_answers(hits->lone[i], property, max_values)) {
			*ret_facet = facet_ref(hits->lone[i]);
			return 0;
		}
	r = facet_new(hits->view, hits->docs, property, max_values, budget, &facet);
	if (r < 0)
		return r;
	if (*place)
		atomic_fetch_sub(&hits->bytes, facet_bytes(*place));
	atomic_fetch_add(&hits->bytes, facet_bytes(facet));
	index_facet_free(*place);
	*place = facet;
	hits->next_lone = (hits->next_lone + 1) % HITS_LONE_FACETS;
	*ret_facet = facet_ref(facet);
	return 0;
}

int
index_hits_facet(struct index_hits *hits, const struct query_property *property, size_t max_values,
		 const struct index_budget *budget, struct index_facet **ret_facet,
		 struct pxs_error *err)
{
	int64_t started_ns = pxs_clock_steady_ns();
	int r = budget_lock(budget, &hits->lock);

	if (r == 0) {
		r = lone_facet(hits, property, max_values, budget, ret_facet);
		(void)pthread_mutex_unlock(&hits->lock);
		hits_cache_trim(index_hits_cache(hits->view->index));
	}
	return budget_explain(budget, started_ns, r, err);
}
