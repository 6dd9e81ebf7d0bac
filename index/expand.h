/* expand.h - the words that a pattern matches. */
#ifndef PXS_INDEX_EXPAND_H
#define PXS_INDEX_EXPAND_H

#include <stddef.h>
#include <stdint.h>

#include "index/search.h"

struct pattern;

/* More words than this are an error for WILDCARD and REGEX; a PREFIX of more is left to FTS5. */
#define EXPAND_WORDS_MAX 4096
/* FUZZY: as many words in each property, the nearest, as in Lucene. */
#define EXPAND_FUZZY_MAX 50

struct expansion {
	uint32_t number;   /* of the term in the lexicon */
	uint32_t property; /* its number, or TERMS_NO_PROPERTY */
	uint32_t distance; /* FUZZY: edits; else 0 */
	uint32_t documents;
};

struct expansions {
	struct expansion *words; /* by property; FUZZY: then nearest, most frequent first */
	size_t n, room;
};

static inline void
expansions_cleanup(struct expansions *expansions)
{
	free(expansions->words);
}

/* The words of NODE's properties that PATTERN matches. -EINVAL: more than EXPAND_WORDS_MAX (FUZZY:
 * never), the search's error says so; budget_check()'s; -ENOMEM. */
int expand_words(struct search *search, const struct query_node *node, struct pattern *pattern,
		 struct expansions *ret_expansions);

#endif
