/* text_order.h - strings of a dictionary in bytewise order, sorted only where someone looks. */
#ifndef PXS_INDEX_TEXT_ORDER_H
#define PXS_INDEX_TEXT_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct dict;
struct index_budget;
struct text_order;

/* N places for codes, each to be added once. -ENOMEM. */
int text_order_new(const struct dict *dict, size_t n, struct text_order **ret_order);
void text_order_free(struct text_order *order);
DEFINE_CLEANUP(text_order, struct text_order *, text_order_free)

size_t text_order_count(const struct text_order *order);

/* CODE, which counts WEIGHT times. All adding comes before all asking. */
void text_order_add(struct text_order *order, uint32_t code, uint32_t weight);

/* The place (0 .. n-1) of the string that covers rank RANK (less than all weights together). */
size_t text_order_find(struct text_order *order, uint64_t rank);

/* The weight of all strings before place AT, which may be n. AT, or the place before it, must come
 * from text_order_find(). */
uint64_t text_order_before(const struct text_order *order, size_t at);

/* Sort everything; then the code at each place is asked by text_order_code(). 0, or
 * budget_check()'s: some of it is not sorted. */
int text_order_sort(struct text_order *order, const struct index_budget *budget);

/* The code at place AT, which must come from text_order_find() or be sorted. */
uint32_t text_order_code(const struct text_order *order, size_t at);

#endif
