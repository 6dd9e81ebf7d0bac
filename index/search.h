/* search.h - from a tree of conditions to a bitmap of documents. */
#ifndef PXS_INDEX_SEARCH_H
#define PXS_INDEX_SEARCH_H

#include <roaring/roaring.h>

#include "base/buf.h"
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
	const char *from;		 /* what answered the leaf that is traced */
	uint64_t n_terms;		 /* looked up so far */
};

/* The documents of WITHIN (all of which the view shows) that match NODE, a leaf; the caller frees
 * them. 0; budget_check()'s; -EINVAL (the error says why), -ENOMEM, -EIO. */

/* search.c: any NODE. */
int search_evaluate(struct search *search, const struct query_node *node,
		    const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

/* search_text.c: WORDS, PHRASE. */
int search_text(struct search *search, const struct query_node *node,
		const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

/* Calls EACH for each property in which NODE looks for words, then, where it looks in all, with
 * NULL for their numbers; until EACH returns non-zero, which is returned. */
typedef int search_each(void *context, const struct query_property *property);
int search_text_properties(const struct search *search, const struct query_node *node,
			   search_each *each, void *context);

/* Calls EACH for each property in which NODE looks for words and some document has WORD (NULL: as a
 * number), with the number of its term in the lexicon; until EACH returns non-zero, which is
 * returned. */
typedef int search_each_term(void *context, const struct query_property *property, uint32_t number);
int search_text_terms(const struct search *search, const struct query_node *node, const char *word,
		      size_t len, search_each_term *each, void *context);

/* Tell the trace that WORD of PROPERTY was looked up, and found DOCS. */
void search_tell_term(struct search *search, const struct query_property *property,
		      const char *word, size_t len, const roaring_bitmap_t *docs);

/* A phrase's words, and its terms in one property after the other. */
struct search_phrase {
	struct pxs_buf words; /* each with its NUL */
	struct pxs_buf *terms;
	size_t n;
};

int search_phrase_init(struct search_phrase *phrase, const char *text);
void search_phrase_done(struct search_phrase *phrase);
static inline void
search_phrase_cleanup(struct search_phrase *phrase)
{
	search_phrase_done(phrase);
}

/* Make `terms` those in PROPERTY (NULL: as numbers). 1; 0: it lacks one of them; or -ENOMEM. */
int search_phrase_terms(const struct search *search, struct search_phrase *phrase,
			const struct query_property *property);

/* The documents of NODE, a phrase whose terms in PROPERTY those are; the caller puts them. */
struct postings;
int search_phrase_postings(const struct search *search, const struct query_node *node,
			   const struct search_phrase *phrase,
			   const struct query_property *property, struct postings **ret_postings);

/* The property of this number; NULL: none. */
const struct query_property *search_property(const struct search *search, uint32_t number);

/* search_pattern.c: PREFIX, WILDCARD, FUZZY, REGEX. */
int search_pattern(struct search *search, const struct query_node *node,
		   const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

/* Refuses what search_pattern() would, and looks nothing up. */
int search_pattern_check(struct search *search, const struct query_node *node);

/* search_column.c: EQUALS, RANGE, EXISTS. */
int search_column(struct search *search, const struct query_node *node,
		  const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

/* Whether NODE is EQUALS of a text. */
bool search_is_text(const struct query_node *node);

/* The same for any of the texts FIRST up to END, of one property: one look at its column is for
 * all.
 */
int search_texts(struct search *search, const struct query_node *first,
		 const struct query_node *end, const roaring_bitmap_t *within,
		 roaring_bitmap_t **ret_hits);

/* Adds to HITS what of WITHIN has in COLUMN (of strings) a code of SET (a bit each; taken). */
struct column;
int search_code_set(struct search *search, const struct column *column, uint64_t *set,
		    const roaring_bitmap_t *within, roaring_bitmap_t *hits);

#endif
