/* exact.h - the few documents that may have a text as their value, told by the rarest of its words.
 *
 * A column is not indexed: to find a value in it is to look at all of its codes, 0.1 ns each. But
 * whatever has the whole text has each of its words in that property, and the lexicon knows without
 * a look at the disk how many documents have a word, and which, if it is one. */
#ifndef PXS_INDEX_EXACT_H
#define PXS_INDEX_EXACT_H

#include <roaring/roaring.h>

struct index_budget;
struct index_view;
struct query_property;

/* The documents of WITHIN that have the rarest word of TEXT in PROPERTY, in memory for the caller
 * to free: all whose value TEXT is are among them, and others may be. NULL: a look at the column is
 * as quick, or the words cannot be told now. */
roaring_bitmap_t *exact_candidates(const struct index_view *view,
				   const struct query_property *property, const char *text,
				   const roaring_bitmap_t *within,
				   const struct index_budget *budget);

#endif
