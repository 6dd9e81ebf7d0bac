/* prune.h - the hits among which the best are, found without a look at the others. */
#ifndef PXS_INDEX_PRUNE_H
#define PXS_INDEX_PRUNE_H

#include <stdint.h>

#include <roaring/roaring.h>

struct index_budget;
struct index_view;
struct scorer;

/* Some of HITS, the first N by score and then by _id among them, for the caller to free; NULL where
 * it takes less to look at all hits: only one word or phrase can tell, of which they are a good
 * part. 0; budget_check()'s; -ENOMEM. */
int prune_hits(const struct index_view *view, const struct scorer *scorer,
	       const roaring_bitmap_t *hits, uint64_t n, const struct index_budget *budget,
	       roaring_bitmap_t **ret_best);

#endif
