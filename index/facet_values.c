#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/facet.h"

static void
value_of(const struct column *column, int64_t code_or_number, struct query_value *ret_value)
{
	if (!column_dict(column)) {
		column_number_value(column_property(column), code_or_number, ret_value);
		return;
	}
	ret_value->type = QUERY_TYPE_STRING;
	ret_value->string = dict_text(column_dict(column), (uint32_t)code_or_number);
}

/* Commonest first, then by value, if COLUMN says what values are: <0 if A goes before B. */
static int
compare(const struct column *column, const struct facet_value *a, const struct facet_value *b)
{
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (!column)
		return 0;
	if (column_dict(column))
		return dict_compare(column_dict(column), (uint32_t)a->value, (uint32_t)b->value);
	return (a->value > b->value) - (a->value < b->value);
}

/* Restore the heap (its last in order on top) below AT. */
static void
sift_down(const struct column *column, struct facet_value *heap, size_t n, size_t at)
{
	struct facet_value moving = heap[at];
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && compare(column, &heap[child + 1], &heap[child]) > 0)
			child++;
		if (compare(column, &moving, &heap[child]) >= 0)
			break;
		heap[at] = heap[child];
	}
	heap[at] = moving;
}

/* Bring the first N in order to the front, sorted. */
static void
select_first(const struct column *column, struct facet_value *values, size_t n_values, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(column, values, n, i);
	for (size_t i = n; n > 0 && i < n_values; i++) {
		struct facet_value swap = values[i];

		if (compare(column, &swap, &values[0]) >= 0)
			continue;
		values[i] = values[0];
		values[0] = swap;
		sift_down(column, values, n, 0);
	}
	for (size_t left = n; left > 1; left--) {
		struct facet_value last = values[0];

		values[0] = values[left - 1];
		values[left - 1] = last;
		sift_down(column, values, left - 1, 0);
	}
}

/* Buckets of the first N of HISTOGRAM that have nothing but their counts. */
static int
count_buckets(struct pxs_arena *arena, const struct histogram *histogram, size_t n,
	      struct index_facet *facet)
{
	/* One more, for "(none)". */
	facet->buckets = pxs_arena_alloc(arena, (n + 1) * sizeof(*facet->buckets));
	if (!facet->buckets)
		return -ENOMEM;
	facet->n_buckets = n;
	facet->other = histogram->mass;
	for (size_t i = 0; i < n; i++) {
		facet->buckets[i].count = histogram->values[i].count;
		facet->other -= histogram->values[i].count;
	}
	return 0;
}

int
facet_by_counts(struct pxs_arena *arena, struct histogram *histogram, size_t max_values,
		struct index_facet *facet)
{
	size_t n = MIN(histogram->n, max_values);

	select_first(NULL, histogram->values, histogram->n, n);
	return count_buckets(arena, histogram, n, facet);
}

int
facet_by_values(struct pxs_arena *arena, const struct column *column, struct histogram *histogram,
		size_t max_values, struct index_facet *facet)
{
	size_t n = MIN(histogram->n, max_values);
	int r;

	select_first(column, histogram->values, histogram->n, n);
	r = count_buckets(arena, histogram, n, facet);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct index_bucket *bucket = &facet->buckets[i];

		bucket->kind = INDEX_BUCKET_VALUE;
		bucket->condition.kind = QUERY_EQUALS;
		bucket->condition.property = facet->property;
		value_of(column, histogram->values[i].value, &bucket->condition.value);
	}
	return r;
}
