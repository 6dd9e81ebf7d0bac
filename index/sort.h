/* sort.h - documents in a query's order: by its keys, then by row. */
#ifndef PXS_INDEX_SORT_H
#define PXS_INDEX_SORT_H

#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "index/index.h"

struct column;

/* The keys of an order, as columns. A plain value that keeps pointers into VIEW. */
struct sorter {
	const struct index_view *view;
	struct sort_key {
		const struct column *column;
		bool descending;
	} keys[QUERY_SORTS_MAX];
	size_t n; /* 0: by row alone */
};

void sorter_init(struct sorter *sorter, const struct index_view *view, const struct query *query);

/* Whether ascending document number is the order already. */
bool sorter_is_natural(const struct sorter *sorter);

/* <0 or >0: whether A comes before B; 0 only for the same document. Missing values come last in
 * both directions; of a list, the least value counts when ascending, else the greatest. */
int sorter_compare(const struct sorter *sorter, uint32_t a, uint32_t b);

/* The first N documents of BITMAP in order (all if there are no more); the caller frees them.
 * -ENOMEM. */
int sorter_order(const struct sorter *sorter, const roaring_bitmap_t *bitmap, uint64_t n,
		 uint32_t **ret_docs);

#endif
