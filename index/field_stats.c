/* Sums over all documents, kept for one view and carried over to the next by what changed: the two
 * bitmaps of living documents tell what that is. It works in either direction, so a reader who
 * holds an old view gets that one's sums. */
#include "index/field_stats.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <roaring/roaring.h>

#include "base/macros.h"
#include "index/bm25.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/doclist.h"
#include "index/measure.h"
#include "index/relevance.h"
#include "index/search.h"
#include "index/view.h"

/* More changes than this part of all documents are not carried over: adding up anew is as quick. */
#define CARRY_PART 8

struct sums {
	const struct column *column; /* NULL: not known */
	struct field_stats stats;
};

struct field_stats_cache {
	pthread_mutex_t lock;
	roaring_bitmap_t *live; /* the documents that were added up; NULL: none yet */
	uint64_t seq, viewer;	/* of their view */
	struct sums *sums;	/* by property number */
	uint32_t n;
};

int
field_stats_cache_new(struct field_stats_cache **ret_cache)
{
	struct field_stats_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	(void)pthread_mutex_init(&cache->lock, NULL);
	*ret_cache = cache;
	return 0;
}

void
field_stats_cache_free(struct field_stats_cache *cache)
{
	if (!cache)
		return;
	if (cache->live)
		roaring_bitmap_free(cache->live);
	free(cache->sums);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* --- Lengths --- */

static uint8_t
list_length(const struct column_slice *values, const struct measure_table *table, uint32_t place)
{
	const void *list;
	size_t n = column_slice_list(values, place, &list);
	uint32_t words = 0;

	for (size_t i = 0; i < n; i++)
		words += bm25_length(
			measure_at(table, column_list_code_at(values, list, i))->words);
	return bm25_length_code(words);
}

/* Codes on the way, as many at once. */
#define CODES_AT_ONCE 1024

static void
value_lengths(const struct column_slice *values, const struct measure_table *table,
	      const struct doclist_slice *slice, uint8_t *lengths)
{
	uint32_t codes[CODES_AT_ONCE];

	for (size_t from = 0; from < slice->n; from += CODES_AT_ONCE) {
		size_t n = MIN(slice->n - from, (size_t)CODES_AT_ONCE);

		column_slice_codes(values, slice, from, n, codes);
		for (size_t i = 0; i < n; i++)
			lengths[from + i] = codes[i] ? measure_at(table, codes[i])->words : 0;
	}
}

static void
find_lengths(const struct column *column, const struct measure_table *table,
	     const struct doclist_slice *slice, uint8_t *lengths)
{
	struct column_slice values;

	column_slice(column, slice->segment, &values);
	if (!column_property(column)->multi) {
		value_lengths(&values, table, slice, lengths);
		return;
	}
	for (size_t i = 0; i < slice->n; i++)
		lengths[i] = list_length(&values, table, doclist_place(slice, i, slice->run));
}

/* Where the lengths of SEGMENT are kept; NULL: out of memory. */
static atomic_uchar *
known_lengths(const struct measure_table *table, uint32_t segment)
{
	atomic_uchar *known = table->known[segment], *made;

	if (known)
		return known;
	made = calloc(COLUMN_SEGMENT_DOCS, sizeof(*made));
	if (made && !atomic_compare_exchange_strong(&table->known[segment], &known, made))
		free(made);
	return known ? known : made;
}

/* Whether all are known. */
static bool
recall_lengths(atomic_uchar *known, const struct doclist_slice *slice, uint8_t *lengths)
{
	bool all = true;

	for (size_t i = 0; i < slice->n; i++) {
		uint8_t one = atomic_load_explicit(&known[doclist_place(slice, i, slice->run)],
						   memory_order_relaxed);

		all &= one > 0;
		lengths[i] = one - 1;
	}
	return all;
}

/* From a document to its code to the length of that text is far, so where a document was once, its
 * length is kept beside it. Documents never change. */
void
field_lengths(const struct column *column, const struct measure_table *table,
	      const struct doclist_slice *slice, uint8_t *lengths)
{
	atomic_uchar *known = known_lengths(table, slice->segment);

	if (known && recall_lengths(known, slice, lengths))
		return;
	find_lengths(column, table, slice, lengths);
	for (size_t i = 0; known && i < slice->n; i++)
		atomic_store_explicit(&known[doclist_place(slice, i, slice->run)],
				      (uint8_t)(lengths[i] + 1), memory_order_relaxed);
}

/* --- Sums --- */

/* Add the documents of BITMAP to STATS, SIGN times. */
static int
add_up(const struct column *column, const struct measure_table *table,
       const roaring_bitmap_t *bitmap, uint64_t sign, const struct index_budget *budget,
       struct field_stats *stats)
{
	CLEANUP(doclist) struct doclist docs = { 0 };
	CLEANUP(free) uint8_t *lengths = malloc(COLUMN_SEGMENT_DOCS);
	int r = lengths ? doclist_init(&docs, bitmap) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < docs.n_slices; i++) {
		const struct doclist_slice *slice = &docs.slices[i];

		field_lengths(column, table, slice, lengths);
		for (size_t k = 0; k < slice->n; k++) {
			stats->documents += lengths[k] ? sign : 0;
			stats->words += sign * bm25_length(lengths[k]);
		}
		r = budget_check(budget);
	}
	return r;
}

static void
forget(struct field_stats_cache *cache)
{
	if (cache->n)
		memset(cache->sums, 0, cache->n * sizeof(*cache->sums));
	if (cache->live)
		roaring_bitmap_free(STEAL(cache->live));
}

/* What the lengths of new values are is known by then: the table given last has them all. */
static int
carry_over(struct field_stats_cache *cache, const struct index_view *view)
{
	CLEANUP(bitmap) roaring_bitmap_t *came = roaring_bitmap_andnot(view->live, cache->live);
	CLEANUP(bitmap) roaring_bitmap_t *went = roaring_bitmap_andnot(cache->live, view->live);
	int r = 0;

	if (!came || !went)
		return -ENOMEM;
	if (roaring_bitmap_get_cardinality(came) + roaring_bitmap_get_cardinality(went) >
	    view->count / CARRY_PART)
		return -E2BIG;
	for (uint32_t i = 0; r == 0 && i < cache->n; i++) {
		struct sums *sums = &cache->sums[i];
		const struct measure_table *table;

		if (!sums->column)
			continue;
		r = measures_of(view->tables->relevance.measures, sums->column, NULL, &table);
		if (r == 0)
			r = add_up(sums->column, table, came, 1, NULL, &sums->stats);
		if (r == 0)
			r = add_up(sums->column, table, went, UINT64_MAX, NULL, &sums->stats);
	}
	return r;
}

/* Whether what is known is of VIEW. What somebody may see changes within one generation, too. */
static bool
is_of(const struct field_stats_cache *cache, const struct index_view *view)
{
	return cache->live && cache->seq == view->seq && cache->viewer == view->viewer &&
	       (!view->viewer || roaring_bitmap_equals(cache->live, view->live));
}

/* Make all that is known be of VIEW. */
static int
turn_to(struct field_stats_cache *cache, const struct index_view *view)
{
	if (is_of(cache, view))
		return 0;
	if (!cache->live || carry_over(cache, view) < 0)
		forget(cache);
	if (cache->live)
		roaring_bitmap_free(cache->live);
	cache->live = roaring_bitmap_copy(view->live);
	cache->seq = view->seq;
	cache->viewer = view->viewer;
	return cache->live ? 0 : -ENOMEM;
}

static int
make_room(struct field_stats_cache *cache, uint32_t number)
{
	struct sums *sums;

	if (number < cache->n)
		return 0;
	sums = realloc(cache->sums, (number + (size_t)1) * sizeof(*sums));
	if (!sums)
		return -ENOMEM;
	memset(sums + cache->n, 0, (number + (size_t)1 - cache->n) * sizeof(*sums));
	cache->sums = sums;
	cache->n = number + 1;
	return 0;
}

static int
get(struct field_stats_cache *cache, const struct index_view *view, const struct column *column,
    const struct measure_table *table, const struct index_budget *budget,
    struct field_stats *ret_stats)
{
	uint32_t number = column_property(column)->number;
	struct sums *sums;
	int r;

	r = make_room(cache, number);
	if (r == 0)
		r = turn_to(cache, view);
	if (r < 0)
		return r;
	sums = &cache->sums[number];
	if (!sums->column) {
		sums->stats = (struct field_stats){ 0 };
		r = add_up(column, table, view->live, 1, budget, &sums->stats);
		if (r < 0)
			return r;
		sums->column = column;
	}
	*ret_stats = sums->stats;
	return 0;
}

int
field_stats_get(struct field_stats_cache *cache, const struct index_view *view,
		const struct column *column, const struct measure_table *table,
		const struct index_budget *budget, struct field_stats *ret_stats)
{
	int r;

	(void)pthread_mutex_lock(&cache->lock);
	r = get(cache, view, column, table, budget, ret_stats);
	(void)pthread_mutex_unlock(&cache->lock);
	return r;
}
