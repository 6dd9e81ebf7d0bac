/* number_order.h - many numbers in order, sorted only where someone looks: exact ranks and
 * quantiles for less than the price of sorting. */
#ifndef PXS_INDEX_NUMBER_ORDER_H
#define PXS_INDEX_NUMBER_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Empty at first; filled any number of times, with one memory. */
struct number_order;

int number_order_new(struct number_order **ret_order);
void number_order_free(struct number_order *order);
DEFINE_CLEANUP(number_order, struct number_order *, number_order_free)

/* Room to write N numbers to, where those written since the last filling stay. NULL: no memory. */
int64_t *number_order_reserve(struct number_order *order, size_t n);

/* Order the first N of them. -ENOMEM; -E2BIG beyond 32 bits. */
int number_order_fill(struct number_order *order, size_t n);

size_t number_order_count(const struct number_order *order);

/* The number at RANK (from 0, smallest first; less than the count). */
int64_t number_order_at(struct number_order *order, size_t rank);

/* How many are less than VALUE, or not greater. */
size_t number_order_less(struct number_order *order, int64_t value);
size_t number_order_not_greater(struct number_order *order, int64_t value);

#endif
