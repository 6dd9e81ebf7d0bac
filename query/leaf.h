/* leaf.h - the leaves of query strings, before they meet the types of properties. */
#ifndef PXS_QUERY_LEAF_H
#define PXS_QUERY_LEAF_H

#include "query/cond.h"
#include "query/query.h"

struct query_draft;
struct query_field;

struct query_leaf {
	enum query_kind kind; /* WORDS to REGEX; RANGE; EXISTS: "*" */
	const char *text;     /* as query.h has it for this kind */
	uint32_t slop;
	uint8_t edits;
	struct query_limit low, high; /* RANGE */
	long at;		      /* where it starts */
};

/* LEAF, looked for in FIELD. NULL: it has no words, or the draft has failed. */
struct query_node *query_leaf_node(struct query_draft *draft, const struct query_schema *schema,
				   const struct query_field *field, const struct query_leaf *leaf);

#endif
