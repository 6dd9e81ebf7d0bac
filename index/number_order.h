/* number_order.h - many numbers in order, sorted only where someone looks: exact ranks and
 * quantiles for less than the price of sorting. */
#ifndef PXS_INDEX_NUMBER_ORDER_H
#define PXS_INDEX_NUMBER_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct counted_bins;

/* Empty at first; filled any number of times, with one memory. */
struct number_order;

int number_order_new(struct number_order **ret_order);
void number_order_free(struct number_order *order);
DEFINE_CLEANUP(number_order, struct number_order *, number_order_free)

/* Room to write N numbers to, where those written since the last filling stay. NULL: no memory. */
int64_t *number_order_reserve(struct number_order *order, size_t n);

/* Order the first N of them. -ENOMEM; -E2BIG beyond 32 bits. */
int number_order_fill(struct number_order *order, size_t n);

/* The same for numbers from 0 to MAX that are about equally frequent everywhere: quicker. */
int number_order_fill_even(struct number_order *order, size_t n, int64_t max);

/* Order numbers that were counted instead of gathered: as counted_order_fill(). */
int number_order_fill_bins(struct number_order *order, const struct counted_bins *bins);

/* 0, or -ENOMEM if an answer since the last filling was wrong for want of memory. */
int number_order_error(const struct number_order *order);

size_t number_order_count(const struct number_order *order);

/* Whether there are surely more than N different numbers; false if that takes more than a look. */
bool number_order_exceeds(const struct number_order *order, size_t n);

/* The number at RANK (from 0, smallest first; less than the count). */
int64_t number_order_at(struct number_order *order, size_t rank);

/* How many are less than VALUE, or not greater. */
size_t number_order_less(struct number_order *order, int64_t value);
size_t number_order_not_greater(struct number_order *order, int64_t value);

#endif
