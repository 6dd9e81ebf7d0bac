/* search.h - from a tree of conditions to a bitmap of documents. */
#ifndef PXS_INDEX_SEARCH_H
#define PXS_INDEX_SEARCH_H

#include <roaring/roaring.h>

#include "base/cleanup.h"
#include "index/index.h"

/* Roaring's own does not take NULL. */
static inline void
bitmap_cleanup(roaring_bitmap_t **bitmap)
{
	if (*bitmap)
		roaring_bitmap_free(*bitmap);
}

/* One search under way. */
struct search {
	const struct index_view *view;
	const struct index_budget *budget;
	struct pxs_error *err;
	const struct index_trace *trace; /* NULL: nobody asks */
	uint64_t n_terms;		 /* looked up so far */
};

/* The documents of WITHIN (all of which the view shows) that match NODE, a leaf; the caller frees
 * them. 0; budget_check()'s; -EINVAL (the error says why), -ENOMEM, -EIO. */

/* search_text.c: WORDS, PHRASE, PREFIX. */
int search_text(struct search *search, const struct query_node *node,
		const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

/* 1: the text holds a word; 0: none, so that there is nothing to look for; or -ENOMEM. */
int search_text_has_words(const char *text);

/* search_column.c: EQUALS, RANGE, EXISTS. */
int search_column(struct search *search, const struct query_node *node,
		  const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

#endif
