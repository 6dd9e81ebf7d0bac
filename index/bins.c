/* Of each segment there are two arrays beside its stored values: the bin of each, and their places
 * bin by bin. A segment that still grows has the second only for what was there when it was made;
 * the rest is looked through. */
#include "index/bins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/doclist.h"
#include "index/radix.h"

/* Values that bounds are chosen from; and bins aimed at: common numbers take two bounds. */
#define SAMPLE_MAX 32768
#define BINS_AIM (BINS_MAX / 2 - 1)

/* Places are put in order anew when this part of them is not. */
#define UNORDERED_PART 8

/* Counters that take turns, so that equal bins in a row do not wait for each other. */
#define LANES 2

struct bins_segment {
	struct column_slice of; /* what was binned */
	uint32_t n;		/* stored values that were binned */
	uint32_t n_ordered;	/* of them by bin, in `order` */
	uint32_t starts[BINS_MAX + 2];
	uint16_t order[COLUMN_SEGMENT_DOCS];
	uint16_t bins[COLUMN_SEGMENT_DOCS]; /* 1 + bin; 0: no value */
};

void
bins_init(struct bins *bins)
{
	(void)pthread_rwlock_init(&bins->lock, NULL);
	bins->n = 0;
	bins->segments = NULL;
	bins->n_segments = 0;
}

static void
forget_segments(struct bins *bins)
{
	for (uint32_t i = 0; i < bins->n_segments; i++)
		free(bins->segments[i]);
	free(bins->segments);
	bins->segments = NULL;
	bins->n_segments = 0;
}

void
bins_done(struct bins *bins)
{
	forget_segments(bins);
	(void)pthread_rwlock_destroy(&bins->lock);
}

/* The last bin that does not begin behind NUMBER; the first begins before all numbers. */
static uint32_t
bin_of(const struct bins *bins, int64_t number)
{
	const int64_t *low = bins->lows;
	uint32_t n = bins->n;

	while (n > 1) {
		uint32_t half = n / 2;

		low = low[half] <= number ? low + half : low;
		n -= half;
	}
	return (uint32_t)(low - bins->lows);
}

/* --- Choosing bounds --- */

static uint64_t
key_of(int64_t number)
{
	return (uint64_t)number ^ ((uint64_t)1 << 63);
}

/* Every so manieth value of the column's documents, as keys; their number. */
static size_t
take_sample(const struct column *column, uint32_t max_doc, uint64_t *keys)
{
	uint32_t step = max_doc / SAMPLE_MAX + 1;
	struct column_slice slice = { 0 };
	uint32_t segment = UINT32_MAX;
	size_t n = 0;

	for (uint64_t doc = 1; doc <= max_doc && n < SAMPLE_MAX; doc += step) {
		int64_t number;

		if (doc >> COLUMN_SEGMENT_SHIFT != segment) {
			segment = (uint32_t)(doc >> COLUMN_SEGMENT_SHIFT);
			column_slice(column, segment, &slice);
		}
		number = column_slice_number(&slice, doc & COLUMN_PLACE_MASK);
		keys[n] = key_of(number);
		n += number != COLUMN_MISSING;
	}
	return n;
}

static void
add_bound(struct bins *bins, uint64_t key)
{
	int64_t low = (int64_t)key_of((int64_t)key);

	if (bins->n < BINS_MAX && low > bins->lows[bins->n - 1])
		bins->lows[bins->n++] = low;
}

/* KEYS are sorted. */
static void
choose_bounds(struct bins *bins, const uint64_t *keys, size_t n)
{
	size_t depth = n / BINS_AIM + 1, since = 0, end;

	bins->lows[0] = INT64_MIN;
	bins->n = 1;
	for (size_t begin = 0; begin < n; begin = end) {
		end = begin + 1;
		while (end < n && keys[end] == keys[begin])
			end++;
		if (end - begin >= depth || since >= depth) {
			add_bound(bins, keys[begin]);
			since = 0;
		}
		if (end - begin >= depth && keys[begin] != UINT64_MAX)
			add_bound(bins, keys[begin] + 1);
		else
			since += end - begin;
	}
}

/* With the lock held for writing. */
static int
make_bounds(struct bins *bins, const struct column *column, uint32_t max_doc)
{
	CLEANUP(free) uint64_t *keys = malloc(2 * SAMPLE_MAX * sizeof(*keys));
	size_t n;

	if (!keys)
		return -ENOMEM;
	forget_segments(bins);
	n = take_sample(column, max_doc, keys);
	radix_sort_keys(keys, keys + SAMPLE_MAX, n);
	choose_bounds(bins, keys, n);
	bins->made_for = max_doc;
	return 0;
}

/* --- Bins of segments --- */

static bool
has_bins(const struct column_slice *slice)
{
	return slice->form == COLUMN_DENSE || slice->form == COLUMN_SPARSE;
}

/* How many stored values of SLICE are needed for DOCS. */
static uint32_t
needed(const struct column_slice *slice, const struct doclist_slice *docs)
{
	return slice->form == COLUMN_DENSE ? (docs->docs[docs->n - 1] & COLUMN_PLACE_MASK) + 1
					   : slice->n;
}

/* Put the stored values that are binned in order of their bins. */
static void
order_places(struct bins_segment *segment)
{
	uint32_t *starts = segment->starts;

	memset(starts, 0, sizeof(segment->starts));
	for (uint32_t i = 0; i < segment->n; i++)
		starts[segment->bins[i] + 1]++;
	for (uint32_t bin = 0; bin <= BINS_MAX; bin++)
		starts[bin + 1] += starts[bin];
	for (uint32_t i = 0; i < segment->n; i++)
		segment->order[starts[segment->bins[i]]++] = (uint16_t)i;
	/* Each start has moved to the next one's place. */
	memmove(starts + 1, starts, (BINS_MAX + 1) * sizeof(*starts));
	starts[0] = 0;
	segment->n_ordered = segment->n;
}

static void
bin_values(const struct bins *bins, const struct column_slice *slice, uint32_t n,
	   struct bins_segment *segment)
{
	for (uint32_t i = segment->n; i < n; i++) {
		int64_t number = column_list_number_at(slice, slice->values, i);

		segment->bins[i] = number == COLUMN_MISSING ? 0
							    : (uint16_t)(1 + bin_of(bins, number));
	}
	segment->n = n;
	if (n - segment->n_ordered > n / UNORDERED_PART)
		order_places(segment);
}

/* Whether that is what SLICE is, perhaps with fewer places. */
static bool
is_of(const struct bins_segment *segment, const struct column_slice *slice)
{
	return segment->of.values == slice->values && segment->of.form == slice->form &&
	       segment->of.width == slice->width && segment->of.n == slice->n &&
	       segment->of.base == slice->base && segment->of.scale == slice->scale;
}

static bool
is_current(const struct bins *bins, const struct column_slice *slice,
	   const struct doclist_slice *docs)
{
	const struct bins_segment *segment = docs->segment < bins->n_segments
						     ? bins->segments[docs->segment]
						     : NULL;

	return !has_bins(slice) ||
	       (segment && is_of(segment, slice) && segment->n >= needed(slice, docs));
}

static int
make_room(struct bins *bins, uint32_t n_segments)
{
	struct bins_segment **segments;

	if (n_segments <= bins->n_segments)
		return 0;
	segments = realloc(bins->segments, n_segments * sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	memset(segments + bins->n_segments, 0, (n_segments - bins->n_segments) * sizeof(*segments));
	bins->segments = segments;
	bins->n_segments = n_segments;
	return 0;
}

static int
update_segment(struct bins *bins, const struct column_slice *slice,
	       const struct doclist_slice *docs)
{
	struct bins_segment *segment;
	int r = make_room(bins, docs->segment + 1);

	if (r < 0)
		return r;
	segment = bins->segments[docs->segment];
	if (!segment) {
		segment = malloc(sizeof(*segment));
		if (!segment)
			return -ENOMEM;
		segment->of = (struct column_slice){ 0 };
		bins->segments[docs->segment] = segment;
	}
	if (!is_of(segment, slice)) {
		segment->of = *slice;
		segment->n = segment->n_ordered = 0;
	}
	bin_values(bins, slice, needed(slice, docs), segment);
	return 0;
}

static bool
are_current(const struct bins *bins, const struct column *column, uint32_t max_doc,
	    const struct doclist *docs)
{
	if (bins->n == 0 || max_doc / 2 > bins->made_for)
		return false;
	for (size_t i = 0; i < docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, docs->slices[i].segment, &slice);
		if (!is_current(bins, &slice, &docs->slices[i]))
			return false;
	}
	return true;
}

/* With the lock held for writing. */
static int
update(struct bins *bins, const struct column *column, uint32_t max_doc, const struct doclist *docs,
       const struct index_budget *budget)
{
	int r = 0;

	if (bins->n == 0 || max_doc / 2 > bins->made_for)
		r = make_bounds(bins, column, max_doc);
	for (size_t i = 0; r == 0 && i < docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, docs->slices[i].segment, &slice);
		if (!is_current(bins, &slice, &docs->slices[i]))
			r = update_segment(bins, &slice, &docs->slices[i]);
		if (r == 0)
			r = budget_check(budget);
	}
	return r;
}

int
bins_hold(struct bins *bins, const struct column *column, uint32_t max_doc,
	  const struct doclist *docs, const struct index_budget *budget)
{
	int r = 0;

	(void)pthread_rwlock_rdlock(&bins->lock);
	/* Between the two locks another may change what we made, as a segment moves to a file. */
	while (!are_current(bins, column, max_doc, docs)) {
		(void)pthread_rwlock_unlock(&bins->lock);
		(void)pthread_rwlock_wrlock(&bins->lock);
		r = update(bins, column, max_doc, docs, budget);
		(void)pthread_rwlock_unlock(&bins->lock);
		if (r < 0)
			return r;
		(void)pthread_rwlock_rdlock(&bins->lock);
	}
	return 0;
}

void
bins_release(struct bins *bins)
{
	(void)pthread_rwlock_unlock(&bins->lock);
}

/* --- Counting --- */

/* The segment's slice, that which was binned if its form has bins: a writer may change the form
 * between two looks, from none to a first value behind our documents, or on its way to a file. */
static struct column_slice
slice_of(const struct bins *bins, const struct column *column, uint32_t segment)
{
	struct column_slice slice;

	column_slice(column, segment, &slice);
	if (!has_bins(&slice))
		return slice;
	if (segment >= bins->n_segments || !bins->segments[segment])
		return (struct column_slice){ .form = COLUMN_ABSENT };
	return bins->segments[segment]->of;
}

static void
count_run(const uint16_t *bins, size_t n, uint32_t lanes[LANES][BINS_MAX + 1])
{
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane][bins[i + lane]]++;
	for (; i < n; i++)
		lanes[0][bins[i]]++;
}

static void
count_places(const uint16_t *bins, const struct doclist_slice *docs,
	     uint32_t lanes[LANES][BINS_MAX + 1])
{
	size_t i = 0;

	for (; i + LANES <= docs->n; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane][bins[docs->docs[i + lane] & COLUMN_PLACE_MASK]]++;
	for (; i < docs->n; i++)
		lanes[0][bins[docs->docs[i] & COLUMN_PLACE_MASK]]++;
}

static void
count_sparse(const struct column_slice *slice, const uint16_t *bins,
	     const struct doclist_slice *docs, uint32_t *counts)
{
	uint32_t first = docs->docs[0] & COLUMN_PLACE_MASK, at = 0, found = 0;
	uint32_t last = docs->docs[docs->n - 1] & COLUMN_PLACE_MASK;

	if (docs->run) {
		(void)column_slice_find(slice, first, &at);
		for (; at < slice->n && slice->places[at] <= last; at++, found++)
			counts[bins[at]]++;
	}
	for (size_t i = 0; !docs->run && i < docs->n && at < slice->n; i++) {
		uint16_t place = docs->docs[i] & COLUMN_PLACE_MASK;

		if (column_slice_find(slice, place, &at)) {
			counts[bins[at]]++;
			found++;
		}
	}
	counts[0] += (uint32_t)docs->n - found;
}

void
bins_count(const struct bins *bins, const struct column *column, const struct doclist *docs,
	   uint32_t counts[BINS_MAX + 1])
{
	uint32_t lanes[LANES][BINS_MAX + 1] = { 0 };

	for (size_t i = 0; i < docs->n_slices; i++) {
		const struct doclist_slice *some = &docs->slices[i];
		struct column_slice slice = slice_of(bins, column, some->segment);

		if (slice.form == COLUMN_CONSTANT)
			counts[1 + bin_of(bins, slice.base)] += (uint32_t)some->n;
		else if (slice.form == COLUMN_SPARSE)
			count_sparse(&slice, bins->segments[some->segment]->bins, some, counts);
		else if (slice.form != COLUMN_DENSE)
			counts[0] += (uint32_t)some->n;
		else if (some->run)
			count_run(bins->segments[some->segment]->bins +
					  (some->docs[0] & COLUMN_PLACE_MASK),
				  some->n, lanes);
		else
			count_places(bins->segments[some->segment]->bins, some, lanes);
	}
	for (size_t lane = 0; lane < LANES; lane++)
		for (size_t bin = 0; bin <= bins->n; bin++)
			counts[bin] += lanes[lane][bin];
}

/* --- Collecting --- */

struct collecting {
	const struct bins_segment *segment;
	const struct column_slice *slice;
	const uint64_t *bits;
	uint32_t first_doc; /* of the segment */
	int64_t *numbers;
	size_t n;
};

/* Stored value I, if it is of one of the documents. */
static inline void
collect(struct collecting *collecting, uint32_t i)
{
	const struct column_slice *slice = collecting->slice;
	uint32_t place = slice->form == COLUMN_SPARSE ? slice->places[i] : i;
	uint32_t doc = collecting->first_doc + place;

	if (collecting->bits[doc / 64] >> (doc % 64) & 1)
		collecting->numbers[collecting->n++] = column_list_number_at(slice, slice->values,
									     i);
}

static void
collect_segment(struct collecting *collecting, uint32_t bin)
{
	const struct bins_segment *segment = collecting->segment;

	if (segment->n_ordered > 0)
		for (uint32_t i = segment->starts[1 + bin]; i < segment->starts[2 + bin]; i++)
			collect(collecting, segment->order[i]);
	for (uint32_t i = segment->n_ordered; i < segment->n; i++)
		if (segment->bins[i] == 1 + bin)
			collect(collecting, i);
}

void
bins_collect(const struct bins *bins, const struct column *column, const struct doclist *docs,
	     const uint64_t *bits, uint32_t bin, int64_t *numbers)
{
	struct collecting collecting = { .bits = bits, .numbers = numbers };

	for (size_t i = 0; i < docs->n_slices; i++) {
		const struct doclist_slice *some = &docs->slices[i];
		struct column_slice slice = slice_of(bins, column, some->segment);

		if (slice.form == COLUMN_CONSTANT && bin_of(bins, slice.base) == bin)
			for (size_t j = 0; j < some->n; j++)
				collecting.numbers[collecting.n++] = slice.base;
		if (!has_bins(&slice))
			continue;
		collecting.segment = bins->segments[some->segment];
		collecting.slice = &slice;
		collecting.first_doc = some->segment << COLUMN_SEGMENT_SHIFT;
		collect_segment(&collecting, bin);
	}
}
