#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/facet.h"
#include "index/number_order.h"

#define PLACE_MASK (COLUMN_SEGMENT_DOCS - 1)

/* Counters for each code where there are few, and for all codes then. */
#define LANES 4
#define LANES_MAX 16384

void
facet_scratch_done(struct facet_scratch *scratch)
{
	free(scratch->counts);
	free(scratch->codes);
	number_order_free(scratch->order);
	*scratch = (struct facet_scratch){ 0 };
}

void
histogram_done(struct histogram *histogram)
{
	free(histogram->values);
	*histogram = (struct histogram){ 0 };
}

/* A counter and a place in the list for every code there may be, and one of both to spare. */
static int
reserve_counts(struct facet_scratch *scratch, size_t n)
{
	if (n <= scratch->n_counts)
		return 0;
	free(scratch->counts);
	free(scratch->codes);
	scratch->n_counts = 0;
	scratch->counts = calloc(n, sizeof(*scratch->counts));
	scratch->codes = calloc(n + 1, sizeof(*scratch->codes));
	if (!scratch->counts || !scratch->codes)
		return -ENOMEM;
	scratch->n_counts = n;
	return 0;
}

/* RUN is the slice's own; as a constant it makes a loop for each case. */
static inline uint32_t
place_at(const struct doclist_slice *slice, size_t i, bool run)
{
	return (run ? slice->docs[0] + (uint32_t)i : slice->docs[i]) & PLACE_MASK;
}

/* --- Strings --- */

/* A code is listed when it is counted for the first time: written always, kept only then, because a
 * branch would cost more than the write. */
static inline void
count_places(struct facet_scratch *scratch, const uint32_t *places,
	     const struct doclist_slice *slice, bool run)
{
	uint32_t *counts = scratch->counts;
	uint32_t *codes = scratch->codes;
	size_t n_codes = scratch->n_codes;

	for (size_t i = 0; i < slice->n; i++) {
		uint32_t code = places[place_at(slice, i, run)];

		codes[n_codes] = code;
		n_codes += counts[code]++ == 0;
	}
	scratch->n_codes = n_codes;
}

static void
count_codes(struct facet_scratch *scratch, const uint32_t *places,
	    const struct doclist_slice *slice)
{
	if (slice->run)
		count_places(scratch, places, slice, true);
	else
		count_places(scratch, places, slice, false);
}

/* A column of plain strings: the number of documents without a value. */
static uint64_t
count_column(struct facet_scratch *scratch, const struct column *column, const struct doclist *docs)
{
	uint64_t missing = 0;

	scratch->counts[0] = 1; /* so that code 0, no value, is never listed */
	for (size_t i = 0; i < docs->n_slices; i++) {
		const struct doclist_slice *slice = &docs->slices[i];
		const uint32_t *places = column_codes(column, slice->segment);

		if (places)
			count_codes(scratch, places, slice);
		else
			missing += slice->n;
	}
	missing += scratch->counts[0] - 1;
	scratch->counts[0] = 0;
	return missing;
}

static inline void
count_places_in_lanes(uint32_t *lanes, size_t n, const uint32_t *places,
		      const struct doclist_slice *slice, bool run)
{
	size_t i = 0;

	for (; i + LANES <= slice->n; i += LANES)
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane * n + places[place_at(slice, i + lane, run)]]++;
	for (; i < slice->n; i++)
		lanes[places[place_at(slice, i, run)]]++;
}

/* The lanes become one, and the codes are listed; the number of documents that had code 0. */
static uint64_t
join_lanes(struct facet_scratch *scratch, size_t n)
{
	uint32_t *counts = scratch->counts;
	uint64_t none;

	for (size_t lane = 1; lane < LANES; lane++)
		for (size_t code = 0; code < n; code++) {
			counts[code] += counts[lane * n + code];
			counts[lane * n + code] = 0;
		}
	for (uint32_t code = 1; code < n; code++)
		if (counts[code])
			scratch->codes[scratch->n_codes++] = code;
	none = counts[0];
	counts[0] = 0;
	return none;
}

/* The same where there are few codes (less than N). Equal codes close to each other would wait for
 * their one counter, so each code has a few, used in turn. */
static uint64_t
count_column_in_lanes(struct facet_scratch *scratch, const struct column *column,
		      const struct doclist *docs, size_t n)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < docs->n_slices; i++) {
		const struct doclist_slice *slice = &docs->slices[i];
		const uint32_t *places = column_codes(column, slice->segment);

		if (!places)
			missing += slice->n;
		else if (slice->run)
			count_places_in_lanes(scratch->counts, n, places, slice, true);
		else
			count_places_in_lanes(scratch->counts, n, places, slice, false);
	}
	return missing + join_lanes(scratch, n);
}

/* The number of documents without a value. */
static uint64_t
count_list_slice(struct facet_scratch *scratch, const struct column *column, const uint32_t *slots,
		 const struct doclist_slice *slice)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < slice->n; i++) {
		uint32_t slot = slots[place_at(slice, i, slice->run)];
		const uint32_t *codes;
		size_t n;

		if (!slot) {
			missing++;
			continue;
		}
		n = column_list_codes(column, slot, &codes);
		for (size_t j = 0; j < n; j++) {
			scratch->codes[scratch->n_codes] = codes[j];
			scratch->n_codes += scratch->counts[codes[j]]++ == 0;
		}
	}
	return missing;
}

static uint64_t
count_lists(struct facet_scratch *scratch, const struct column *column, const struct doclist *docs)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < docs->n_slices; i++) {
		const struct doclist_slice *slice = &docs->slices[i];
		const uint32_t *slots = column_slots(column, slice->segment);

		missing += slots ? count_list_slice(scratch, column, slots, slice) : slice->n;
	}
	return missing;
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

int
facet_count_codes(const struct column *column, const struct doclist *docs,
		  struct facet_scratch *scratch, struct histogram *histogram)
{
	size_t n = (size_t)dict_count(column_dict(column)) + 1;
	uint64_t missing;
	int r;

	r = reserve_counts(scratch, MAX(n, (size_t)LANES_MAX));
	if (r < 0)
		return r;

	scratch->n_codes = 0;
	if (column_property(column)->multi)
		missing = count_lists(scratch, column, docs);
	else if (n * LANES <= MIN((size_t)LANES_MAX, docs->n))
		missing = count_column_in_lanes(scratch, column, docs, n);
	else
		missing = count_column(scratch, column, docs);
	histogram->present = docs->n - missing;
	return take_counts(scratch, histogram);
}

/* --- Numbers --- */

static inline size_t
gather_places(const int64_t *places, const struct doclist_slice *slice, int64_t *numbers, bool run)
{
	size_t n = 0;

	for (size_t i = 0; i < slice->n; i++) {
		numbers[n] = places[place_at(slice, i, run)];
		n += numbers[n] != COLUMN_MISSING;
	}
	return n;
}

static size_t
gather_numbers(const int64_t *places, const struct doclist_slice *slice, int64_t *numbers)
{
	return slice->run ? gather_places(places, slice, numbers, true)
			  : gather_places(places, slice, numbers, false);
}

/* Numbers as they are gathered. */
struct gathering {
	struct number_order *order;
	int64_t *room; /* of the order */
	size_t n;
	uint64_t present;
};

static int
gather_lists(const struct column *column, const struct doclist_slice *slice,
	     struct gathering *gathering)
{
	const uint32_t *slots = column_slots(column, slice->segment);

	for (size_t i = 0; slots && i < slice->n; i++) {
		uint32_t slot = slots[place_at(slice, i, slice->run)];
		const int64_t *numbers;
		size_t n = slot ? column_list_numbers(column, slot, &numbers) : 0;

		if (n == 0)
			continue;
		gathering->room = number_order_reserve(gathering->order, gathering->n + n);
		if (!gathering->room)
			return -ENOMEM;
		memcpy(gathering->room + gathering->n, numbers, n * sizeof(*numbers));
		gathering->n += n;
		gathering->present++;
	}
	return 0;
}

static int
gather_slice(const struct column *column, const struct doclist_slice *slice,
	     struct gathering *gathering)
{
	const int64_t *places;
	size_t n;

	if (column_property(column)->multi)
		return gather_lists(column, slice, gathering);

	places = column_numbers(column, slice->segment);
	if (!places)
		return 0;
	n = gather_numbers(places, slice, gathering->room + gathering->n);
	gathering->n += n;
	gathering->present += n;
	return 0;
}

int
facet_order_numbers(const struct column *column, const struct doclist *docs,
		    struct facet_scratch *scratch, uint64_t *ret_present)
{
	struct gathering gathering = { 0 };
	int r = 0;

	if (!scratch->order)
		r = number_order_new(&scratch->order);
	if (r < 0)
		return r;
	gathering.order = scratch->order;
	/* One for each hit, and one that is written and not kept. */
	gathering.room = number_order_reserve(scratch->order, docs->n + 1);
	if (!gathering.room)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < docs->n_slices; i++)
		r = gather_slice(column, &docs->slices[i], &gathering);
	if (r == 0)
		r = number_order_fill(scratch->order, gathering.n);
	if (r == 0)
		*ret_present = gathering.present;
	return r;
}

int
facet_count_numbers(struct number_order *order, uint64_t present, struct histogram *histogram)
{
	size_t total = number_order_count(order), room = 0, end;

	histogram->present = present;
	histogram->mass = total;
	for (size_t rank = 0; rank < total; rank = end) {
		int64_t number = number_order_at(order, rank);

		if (histogram->n == room) {
			struct facet_value *values;

			room = MAX(room * 2, (size_t)FACET_VALUES_FEW);
			values = realloc(histogram->values, room * sizeof(*values));
			if (!values)
				return -ENOMEM;
			histogram->values = values;
		}
		end = number_order_not_greater(order, number);
		histogram->values[histogram->n++] = (struct facet_value){ number, end - rank };
	}
	return 0;
}
