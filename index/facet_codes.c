/* Codes are counted as they are stored: a segment whose codes take one byte is counted in a table
 * of 256, which is added to that of all codes afterwards. Where hits are few beside the strings
 * there are, each code is listed when it is counted for the first time, so that nobody needs to
 * look at all counters; and those of very few hits are sorted, so that there need be no counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/doclist.h"
#include "index/facet.h"
#include "index/number_order.h"
#include "index/radix.h"
#include "index/ranks.h"

/* Counters for each stored byte, used in turn: equal bytes in a row would wait for their one. */
#define LANES 4
#define BYTES 256

/* Counters for all lanes, where codes take more than a byte, as far as there are so many. */
#define LANES_MAX 65536u

/* And from so many hits on: fewer are not worth clearing them. */
#define LANES_MIN 4096

/* Codes that are read together. */
#define BLOCK 1024

/* Codes are listed while there are so many times more of them than hits. */
#define LISTED_TIMES 2

/* Codes of so few hits are sorted. */
#define SORTED_MAX 512

/* So many hits tell whether nearly all strings differ. */
#define SAMPLE 4096

static int
reserve(uint32_t **array, size_t *room, size_t n)
{
	if (n <= *room)
		return 0;
	free(*array);
	*array = calloc(n, sizeof(**array));
	*room = *array ? n : 0;
	return *array ? 0 : -ENOMEM;
}

/* Counters, and room to list so many codes and one that is written and not kept. */
static int
reserve_counts(struct facet_scratch *scratch, size_t n, size_t n_listed)
{
	int r = reserve(&scratch->counts, &scratch->n_counts, n);

	return r < 0 ? r : reserve(&scratch->codes, &scratch->codes_room, n_listed + 1);
}

/* --- As they are stored --- */

static inline void
count_bytes_at(uint32_t lanes[LANES][BYTES], const uint8_t *stored,
	       const struct doclist_slice *docs, bool run)
{
	size_t i = 0;

	for (; i + LANES <= docs->n; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane][stored[doclist_place(docs, i + lane, run)]]++;
	for (; i < docs->n; i++)
		lanes[0][stored[doclist_place(docs, i, run)]]++;
}

/* Of few documents: counters of their own would cost more than the counting. */
static void
count_few_bytes(uint32_t *counts, const struct column_slice *slice,
		const struct doclist_slice *docs)
{
	const uint8_t *values = slice->values;

	for (size_t i = 0; i < docs->n; i++) {
		uint8_t stored = values[doclist_place(docs, i, docs->run)];

		counts[stored ? (size_t)slice->base + stored : 0]++;
	}
}

static void
count_bytes(uint32_t *counts, const struct column_slice *slice, const struct doclist_slice *docs)
{
	uint32_t lanes[LANES][BYTES] = { 0 };

	if (docs->run)
		count_bytes_at(lanes, slice->values, docs, true);
	else
		count_bytes_at(lanes, slice->values, docs, false);
	for (size_t lane = 0; lane < LANES; lane++) {
		counts[0] += lanes[lane][0];
		for (size_t stored = 1; stored < BYTES; stored++)
			if (lanes[lane][stored])
				counts[(size_t)slice->base + stored] += lanes[lane][stored];
	}
}

/* Codes that take two or four bytes, in N counters for each lane. What is stored as 0 has no value,
 * but is counted where code `base` is. */
#define DEFINE_COUNTER(name, type)                                                                 \
	static inline void name(uint32_t *counts, size_t n, const struct column_slice *slice,      \
				const struct doclist_slice *docs, bool run)                        \
	{                                                                                          \
		const type *stored = slice->values;                                                \
		size_t i = 0;                                                                      \
                                                                                                   \
		counts += slice->base;                                                             \
		for (; i + LANES <= docs->n; i += LANES)                                           \
			for (size_t lane = 0; lane < LANES; lane++)                                \
				counts[lane * n + stored[doclist_place(docs, i + lane, run)]]++;   \
		for (; i < docs->n; i++)                                                           \
			counts[stored[doclist_place(docs, i, run)]]++;                             \
	}

DEFINE_COUNTER(count_shorts, uint16_t)
DEFINE_COUNTER(count_words, uint32_t)

/* The counters of code `base` in all lanes. */
static uint32_t
take_base(const struct facet_scratch *scratch, size_t base)
{
	uint32_t count = 0;

	for (size_t lane = 0; lane < scratch->lanes; lane++) {
		count += scratch->counts[lane * scratch->lane_room + base];
		scratch->counts[lane * scratch->lane_room + base] = 0;
	}
	return count;
}

static void
count_wide(struct facet_scratch *scratch, const struct column_slice *slice,
	   const struct doclist_slice *docs)
{
	uint32_t *counts = scratch->counts;
	size_t n = scratch->lane_room, base = (size_t)slice->base;
	uint32_t before = base ? take_base(scratch, base) : 0;

	if (slice->width == 2 && docs->run)
		count_shorts(counts, n, slice, docs, true);
	else if (slice->width == 2)
		count_shorts(counts, n, slice, docs, false);
	else if (docs->run)
		count_words(counts, n, slice, docs, true);
	else
		count_words(counts, n, slice, docs, false);
	if (base) {
		counts[0] += take_base(scratch, base);
		counts[base] = before;
	}
}

static void
count_sparse(uint32_t *counts, const struct column_slice *slice, const struct doclist_slice *docs)
{
	uint32_t first = docs->docs[0] & COLUMN_PLACE_MASK, at = 0, found = 0;
	uint32_t last = docs->docs[docs->n - 1] & COLUMN_PLACE_MASK;

	/* A run goes through all that are listed. */
	if (docs->run) {
		(void)column_slice_find(slice, first, &at);
		for (; at < slice->n && slice->places[at] <= last; at++, found++)
			counts[column_list_code_at(slice, slice->values, at)]++;
	}
	for (size_t i = 0; !docs->run && i < docs->n; i++)
		if (column_slice_find(slice, docs->docs[i] & COLUMN_PLACE_MASK, &at)) {
			counts[column_list_code_at(slice, slice->values, at)]++;
			found++;
		}
	counts[0] += (uint32_t)docs->n - found;
}

static void
count_slice(struct facet_scratch *scratch, const struct column_slice *slice,
	    const struct doclist_slice *docs)
{
	uint32_t *counts = scratch->counts;

	switch (slice->form) {
	case COLUMN_CONSTANT:
		counts[slice->base] += (uint32_t)docs->n;
		break;
	case COLUMN_SPARSE:
		count_sparse(counts, slice, docs);
		break;
	case COLUMN_DENSE:
		if (slice->width == 1 && docs->n < BYTES)
			count_few_bytes(counts, slice, docs);
		else if (slice->width == 1)
			count_bytes(counts, slice, docs);
		else
			count_wide(scratch, slice, docs);
		break;
	default:
		counts[0] += (uint32_t)docs->n;
	}
}

/* --- Listed --- */

static inline void
count_listed(struct facet_scratch *scratch, uint32_t code)
{
	/* Written always, kept only the first time: a branch would cost more than the write. */
	scratch->codes[scratch->n_codes] = code;
	scratch->n_codes += scratch->counts[code]++ == 0;
}

static void
list_slice(struct facet_scratch *scratch, const struct column_slice *slice,
	   const struct doclist_slice *docs)
{
	uint32_t codes[BLOCK];

	for (size_t from = 0, n; from < docs->n; from += n) {
		n = MIN(docs->n - from, (size_t)BLOCK);
		column_slice_codes(slice, docs, from, n, codes);
		for (size_t i = 0; i < n; i++)
			count_listed(scratch, codes[i]);
	}
}

/* counts[0] becomes the documents without a value. */
static void
count_lists(struct facet_scratch *scratch, const struct column_slice *slice,
	    const struct doclist_slice *docs)
{
	for (size_t i = 0; i < docs->n; i++) {
		const void *values;
		size_t n = column_slice_list(slice, doclist_place(docs, i, docs->run), &values);

		scratch->counts[0] += n == 0;
		for (size_t j = 0; j < n; j++)
			count_listed(scratch, column_list_code_at(slice, values, j));
	}
}

/* --- All --- */

/* The lanes become one. */
static void
join_lanes(struct facet_scratch *scratch, uint32_t n)
{
	for (size_t lane = 1; lane < scratch->lanes; lane++) {
		uint32_t *counts = scratch->counts + lane * scratch->lane_room;

		for (size_t code = 0; code < n; code++)
			scratch->counts[code] += counts[code];
		memset(counts, 0, n * sizeof(*counts));
	}
}

static void
list_used(struct facet_scratch *scratch, uint32_t n)
{
	for (uint32_t code = 1; code < n; code++) {
		scratch->codes[scratch->n_codes] = code;
		scratch->n_codes += scratch->counts[code] > 0;
	}
}

/* Counters become a histogram, and zero again. */
static int
take_counts(struct facet_scratch *scratch, struct histogram *histogram)
{
	size_t n = scratch->n_codes;

	histogram->values = malloc(MAX(n, (size_t)1) * sizeof(*histogram->values));
	if (!histogram->values)
		return -ENOMEM;
	histogram->n = n;
	histogram->mass = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t code = scratch->codes[i];

		histogram->values[i] = (struct facet_value){ code, scratch->counts[code] };
		histogram->mass += scratch->counts[code];
		scratch->counts[code] = 0;
	}
	return 0;
}

/* --- Sorted --- */

/* The codes of DOCS, which have one or none. Returns their number. */
static size_t
gather(const struct column *column, const struct doclist *docs, uint64_t keys[SORTED_MAX])
{
	uint32_t codes[SORTED_MAX];
	size_t n = 0;

	for (size_t i = 0; i < docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, docs->slices[i].segment, &slice);
		column_slice_codes(&slice, &docs->slices[i], 0, docs->slices[i].n, codes);
		for (size_t j = 0; j < docs->slices[i].n; j++)
			if (codes[j])
				keys[n++] = codes[j];
	}
	return n;
}

static int
count_sorted(const struct column *column, const struct doclist *docs, struct histogram *histogram)
{
	uint64_t keys[SORTED_MAX], scratch[SORTED_MAX];
	size_t n = gather(column, docs, keys);

	histogram->values = malloc(MAX(n, (size_t)1) * sizeof(*histogram->values));
	if (!histogram->values)
		return -ENOMEM;
	histogram->present = histogram->mass = n;
	histogram->n = 0;
	radix_sort_keys(keys, scratch, n);
	for (size_t i = 0; i < n; i++)
		if (i > 0 && keys[i] == keys[i - 1])
			histogram->values[histogram->n - 1].count++;
		else
			histogram->values[histogram->n++] = (struct facet_value){ (int64_t)keys[i],
										  1 };
	return 0;
}

/* --- Counting --- */

int
facet_count_codes(const struct column *column, const struct doclist *docs,
		  struct facet_scratch *scratch, struct histogram *histogram)
{
	uint32_t n = dict_count(column_dict(column)) + 1;
	bool multi = column_property(column)->multi;
	bool listed = multi || n / LISTED_TIMES > docs->n;
	int r;

	if (listed && !multi && docs->n <= SORTED_MAX)
		return count_sorted(column, docs, histogram);
	/* Where one would do for all, lane after lane is the first. */
	scratch->lanes = docs->n >= LANES_MIN && (size_t)n * LANES <= LANES_MAX ? LANES : 1;
	scratch->lane_room = scratch->lanes > 1 ? n : 0;
	r = reserve_counts(scratch, n * scratch->lanes, multi ? n : MIN(n, docs->n + 1));
	if (r < 0)
		return r;
	scratch->n_codes = 0;
	/* Code 0, no value, is never listed: as if it had been counted before. */
	scratch->counts[0] = 1;
	for (size_t i = 0; i < docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, docs->slices[i].segment, &slice);
		if (multi)
			count_lists(scratch, &slice, &docs->slices[i]);
		else if (listed)
			list_slice(scratch, &slice, &docs->slices[i]);
		else
			count_slice(scratch, &slice, &docs->slices[i]);
	}
	join_lanes(scratch, n);
	histogram->present = docs->n - (scratch->counts[0] - 1);
	scratch->counts[0] = 0;
	if (!listed)
		list_used(scratch, n);
	return take_counts(scratch, histogram);
}

/* --- Without counting --- */

static int
compare_codes(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* The codes of some hits, evenly spaced, as far as they have any. */
static size_t
take_sample(const struct column *column, const struct doclist *docs, uint32_t codes[SAMPLE])
{
	struct column_slice slice = { 0 };
	uint32_t segment = UINT32_MAX;
	size_t n = 0;

	for (size_t i = 0; i < SAMPLE; i++) {
		uint32_t doc = docs->docs[i * docs->n / SAMPLE];

		if (doc >> COLUMN_SEGMENT_SHIFT != segment) {
			segment = doc >> COLUMN_SEGMENT_SHIFT;
			column_slice(column, segment, &slice);
		}
		codes[n] = column_slice_code(&slice, doc & COLUMN_PLACE_MASK);
		n += codes[n] != 0;
	}
	return n;
}

bool
facet_codes_differ(const struct column *column, const struct doclist *docs)
{
	uint32_t codes[SAMPLE + 1];
	size_t n, distinct = 0;

	if (column_property(column)->multi || docs->n < FACET_MANY ||
	    dict_count(column_dict(column)) < docs->n / 2)
		return false;
	n = take_sample(column, docs, codes);
	qsort(codes, n, sizeof(*codes), compare_codes);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || codes[i] != codes[i - 1];
	return 2 * distinct > n;
}

/* The ranks of DOCS behind those in ORDER, N of them so far. */
static int
add_ranks(const struct column_slice *slice, const struct doclist_slice *docs,
	  const struct ranks *ranks, struct number_order *order, size_t *n)
{
	/* One that is written and not kept. */
	int64_t *numbers = number_order_reserve(order, *n + docs->n + 1);
	uint32_t codes[BLOCK];

	if (!numbers)
		return -ENOMEM;
	for (size_t from = 0, some; from < docs->n; from += some) {
		some = MIN(docs->n - from, (size_t)BLOCK);
		column_slice_codes(slice, docs, from, some, codes);
		for (size_t i = 0; i < some; i++) {
			numbers[*n] = ranks_of(ranks, codes[i]);
			*n += codes[i] != 0;
		}
	}
	return 0;
}

int
facet_order_ranks(const struct column *column, const struct doclist *docs,
		  const struct ranks *ranks, struct facet_scratch *scratch)
{
	size_t n = 0;
	int r = 0;

	if (!scratch->order)
		r = number_order_new(&scratch->order);
	for (size_t i = 0; r == 0 && i < docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, docs->slices[i].segment, &slice);
		if (slice.form != COLUMN_ABSENT)
			r = add_ranks(&slice, &docs->slices[i], ranks, scratch->order, &n);
	}
	return r < 0 ? r : number_order_fill_even(scratch->order, n, ranks_max(ranks));
}

int
facet_order_histogram(const struct histogram *histogram, const struct ranks *ranks,
		      struct facet_scratch *scratch)
{
	int r = scratch->order ? 0 : number_order_new(&scratch->order);
	int64_t *numbers = r == 0 ? number_order_reserve(scratch->order, histogram->mass) : NULL;
	size_t n = 0;

	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < histogram->n; i++)
		for (uint64_t count = histogram->values[i].count; count > 0; count--)
			numbers[n++] = ranks_of(ranks, (uint32_t)histogram->values[i].value);
	return number_order_fill_even(scratch->order, n, ranks_max(ranks));
}
