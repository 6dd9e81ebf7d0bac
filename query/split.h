/* split.h - which parts of a query its segments and members say, and which a query string. */
#ifndef PXS_QUERY_SPLIT_H
#define PXS_QUERY_SPLIT_H

#include "query/query.h"

/* Copies of the root's children (their own children are lent by the query). */
struct query_split {
	struct pxs_arena arena;
	struct query_node *text;  /* for _all; NULL: there is none */
	struct query_node *musts; /* a value, a range, a list of them, or EXISTS of a property */
	struct query_node *must_nots; /* the same without lists; both in order of property */
};

/* ROOT is canonical. 0 or -ENOMEM; query_split_done() in any case. */
int query_split(const struct query_node *root, struct query_split *split);
void query_split_done(struct query_split *split);
static inline void
query_split_cleanup(struct query_split *split)
{
	query_split_done(split);
}

/* Whether ROOT, canonical, can be split: what is no condition on one property can be said as text.
 * True of all that the parsers make. */
bool query_has_language(const struct query_node *root);

#endif
