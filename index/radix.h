/* radix.h - sorts many things by a 64-bit key, in time proportional to their number. */
#ifndef PXS_INDEX_RADIX_H
#define PXS_INDEX_RADIX_H

#include <stddef.h>
#include <stdint.h>

struct index_budget;

struct radix_item {
	uint64_t key;
	uint32_t value;	 /* what is sorted: a document, a code; the caller's */
	uint32_t weight; /* goes with it */
};

/* By ascending key; equal keys keep their order. SCRATCH has room for N items as well. 0, or
 * budget_check()'s: then ITEMS are all there in some order. BUDGET may be NULL. */
int radix_sort(struct radix_item *items, struct radix_item *scratch, size_t n,
	       const struct index_budget *budget);

/* The same for keys that stand for themselves: half the memory to move, and fewer passes. */
void radix_sort_keys(uint64_t *keys, uint64_t *scratch, size_t n);

#endif
