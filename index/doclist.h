/* doclist.h - the documents of a bitmap, decoded once and cut by segment, to walk over columns. */
#ifndef PXS_INDEX_DOCLIST_H
#define PXS_INDEX_DOCLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"
#include "index/column_slice.h"

/* The documents of one segment. */
struct doclist_slice {
	uint32_t segment;
	bool run; /* their numbers are consecutive: no need to look at each */
	size_t n;
	const uint32_t *docs; /* ascending */
};

/* The place in its segment of the I-th. RUN is the slice's own: a loop that is made for one of both
 * asks once. */
static inline uint32_t
doclist_place(const struct doclist_slice *slice, size_t i, bool run)
{
	return (run ? slice->docs[0] + (uint32_t)i : slice->docs[i]) & COLUMN_PLACE_MASK;
}

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
