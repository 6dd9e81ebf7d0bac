/* suffix.h - what may follow a leaf of a query string: "~2", "^1.5". */
#ifndef PXS_QUERY_SUFFIX_H
#define PXS_QUERY_SUFFIX_H

#include <stdbool.h>

#include "query/lex.h"

struct query_draft;
struct query_leaf;
struct query_node;

struct query_suffix {
	struct query_token fuzzy, boost; /* of length 0 where there is none */
};

/* LEAF becomes fuzzy or sloppy, as SUFFIX says. False: the draft has failed. */
bool query_suffix_apply(struct query_draft *draft, const struct query_suffix *suffix,
			struct query_leaf *leaf);

/* NODE, with the boost that SUFFIX says; NODE may be NULL. NULL also after a failure. */
struct query_node *query_suffix_boost(struct query_draft *draft, const struct query_suffix *suffix,
				      struct query_node *node);

#endif
