/* Many numbers are counted in the bins that are kept of their column, and only those of a few bins
 * are looked at. Few are gathered and put in order, as are lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/bins.h"
#include "index/column.h"
#include "index/counted_order.h"
#include "index/derived.h"
#include "index/doclist.h"
#include "index/facet.h"
#include "index/number_order.h"

/* --- Gathered --- */

/* Numbers as they are gathered. */
struct gathering {
	struct number_order *order;
	int64_t *room; /* of the order */
	size_t n;
	uint64_t present;
};

static int
gather_lists(const struct column_slice *slice, const struct doclist_slice *docs,
	     struct gathering *gathering)
{
	for (size_t i = 0; i < docs->n; i++) {
		const void *values;
		size_t n = column_slice_list(slice, docs->docs[i] & COLUMN_PLACE_MASK, &values);

		if (n == 0)
			continue;
		gathering->room = number_order_reserve(gathering->order, gathering->n + n);
		if (!gathering->room)
			return -ENOMEM;
		for (size_t j = 0; j < n; j++)
			gathering->room[gathering->n++] = column_list_number_at(slice, values, j);
		gathering->present++;
	}
	return 0;
}

static void
gather_slice(const struct column_slice *slice, const struct doclist_slice *docs,
	     struct gathering *gathering)
{
	int64_t *numbers = gathering->room + gathering->n;
	size_t n = 0;

	if (slice->form == COLUMN_ABSENT)
		return;
	column_slice_numbers(slice, docs, 0, docs->n, numbers);
	for (size_t i = 0; i < docs->n; i++) {
		numbers[n] = numbers[i];
		n += numbers[i] != COLUMN_MISSING;
	}
	gathering->n += n;
	gathering->present += n;
}

static int
gather(const struct column *column, const struct doclist *docs, struct facet_scratch *scratch,
       uint64_t *ret_present)
{
	struct gathering gathering = { .order = scratch->order };
	int r = 0;

	/* One for each hit, and one that is written and not kept. */
	gathering.room = number_order_reserve(scratch->order, docs->n + 1);
	if (!gathering.room)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, docs->slices[i].segment, &slice);
		if (column_property(column)->multi)
			r = gather_lists(&slice, &docs->slices[i], &gathering);
		else
			gather_slice(&slice, &docs->slices[i], &gathering);
	}
	if (r == 0)
		r = number_order_fill(scratch->order, gathering.n);
	if (r == 0)
		*ret_present = gathering.present;
	return r;
}

/* --- Counted --- */

/* What the order needs to collect a bin. */
struct facet_counted {
	uint32_t counts[BINS_MAX + 1];
	struct bins *bins; /* held, or NULL */
	const struct column *column;
	const struct doclist *docs;
};

static void
collect(void *context, size_t bin, int64_t *numbers)
{
	const struct facet_counted *counted = context;

	bins_collect(counted->bins, counted->column, counted->docs, counted->docs->bits,
		     (uint32_t)bin, numbers);
}

static int
count(const struct column *column, const struct doclist *docs, const struct facet_limits *limits,
      struct facet_scratch *scratch, uint64_t *ret_present)
{
	struct facet_counted *counted = scratch->counted;
	struct counted_bins order;
	int r;

	if (!counted)
		counted = scratch->counted = malloc(sizeof(*counted));
	if (!counted)
		return -ENOMEM;
	*counted = (struct facet_counted){ .column = column, .docs = docs };
	r = bins_hold(&column_derived(column)->bins, column, limits->max_doc, docs, limits->budget);
	if (r < 0)
		return r;
	counted->bins = &column_derived(column)->bins;
	bins_count(counted->bins, column, docs, counted->counts);
	*ret_present = docs->n - counted->counts[0];
	order = (struct counted_bins){
		.lows = counted->bins->lows,
		.counts = counted->counts + 1,
		.n = counted->bins->n,
		.collect = collect,
		.context = counted,
	};
	return number_order_fill_bins(scratch->order, &order);
}

void
facet_numbers_done(struct facet_scratch *scratch)
{
	if (!scratch->counted || !scratch->counted->bins)
		return;
	bins_release(scratch->counted->bins);
	scratch->counted->bins = NULL;
}

int
facet_order_numbers(const struct column *column, const struct doclist *docs,
		    const struct facet_limits *limits, struct facet_scratch *scratch,
		    uint64_t *ret_present)
{
	int r = 0;

	if (!scratch->order)
		r = number_order_new(&scratch->order);
	if (r < 0)
		return r;
	if (docs->bits && !column_property(column)->multi)
		return count(column, docs, limits, scratch, ret_present);
	return gather(column, docs, scratch, ret_present);
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
	return number_order_error(order);
}

/* --- Both --- */

void
facet_scratch_done(struct facet_scratch *scratch)
{
	facet_numbers_done(scratch);
	free(scratch->counts);
	free(scratch->codes);
	free(scratch->counted);
	number_order_free(scratch->order);
	*scratch = (struct facet_scratch){ 0 };
}

void
histogram_done(struct histogram *histogram)
{
	free(histogram->values);
	*histogram = (struct histogram){ 0 };
}
