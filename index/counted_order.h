/* counted_order.h - numbers that were counted in bins, in order: exact ranks from the few bins in
 * which someone looks. */
#ifndef PXS_INDEX_COUNTED_ORDER_H
#define PXS_INDEX_COUNTED_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct counted_order;

struct counted_bins {
	const int64_t *lows; /* ascending; bin i holds lows[i] <= number < lows[i + 1] */
	const uint32_t *counts;
	size_t n;
	bool single; /* every bin holds the one number lows[i] */
	/* Unless single: the counts[bin] numbers of a bin, in no order. */
	void (*collect)(void *context, size_t bin, int64_t *numbers);
	void *context;
};

int counted_order_new(struct counted_order **ret_order);
void counted_order_free(struct counted_order *order);
DEFINE_CLEANUP(counted_order, struct counted_order *, counted_order_free)

/* Everything in BINS is lent until the next filling. -ENOMEM. */
int counted_order_fill(struct counted_order *order, const struct counted_bins *bins);

/* As of number_order.h. */
size_t counted_order_count(const struct counted_order *order);
int64_t counted_order_at(struct counted_order *order, size_t rank);
size_t counted_order_less(struct counted_order *order, int64_t value);

/* Whether so many numbers are surely more than N different ones. */
bool counted_order_exceeds(const struct counted_order *order, size_t n);

/* 0, or -ENOMEM if an answer since the last filling was wrong for want of memory. */
int counted_order_error(const struct counted_order *order);

#endif
