/* doclist.h - the documents of a bitmap, decoded once and cut by segment, to walk over columns. */
#ifndef PXS_INDEX_DOCLIST_H
#define PXS_INDEX_DOCLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"

/* The documents of one segment. */
struct doclist_slice {
	uint32_t segment;
	bool run; /* their numbers are consecutive: no need to look at each */
	size_t n;
	const uint32_t *docs; /* ascending */
};

struct doclist {
	uint32_t *docs; /* ascending */
	size_t n;
	struct doclist_slice *slices;
	size_t n_slices;
	uint64_t *bits; /* one for each document up to the last; NULL until asked for */
};

/* -ENOMEM. */
int doclist_init(struct doclist *list, const roaring_bitmap_t *bitmap);
int doclist_set_bits(struct doclist *list);
void doclist_done(struct doclist *list);
static inline void
doclist_cleanup(struct doclist *list)
{
	doclist_done(list);
}

#endif
