/* draft.h - trees in the making.
 *
 * Whatever is added to a query is built in a draft, which begins as a copy of the query and takes
 * its place at the end, so that a failure leaves the query as it was. The first failure is kept in
 * the draft; functions that make nodes return NULL after it. */
#ifndef PXS_QUERY_DRAFT_H
#define PXS_QUERY_DRAFT_H

#include "query/query.h"

struct query_draft {
	struct pxs_arena arena;
	struct query_node *root; /* a copy of the query's */
	size_t n_nodes;		 /* made so far */
	int error;		 /* 0 or the first failure, negative */
	struct pxs_error *err;	 /* NULL is allowed */
};

/* 0 or -ENOMEM. The draft is done with by query_draft_done() in any case. */
int query_draft_begin(struct query_draft *draft, const struct query *query, struct pxs_error *err);
void query_draft_done(struct query_draft *draft);
static inline void
query_draft_cleanup(struct query_draft *draft)
{
	query_draft_done(draft);
}

/* QUERY is from now on what it was and CONDITION, which is NULL after a failure: that failure is
 * returned, as is -EINVAL for a tree past the limits. */
int query_draft_finish(struct query_draft *draft, struct query_node *condition,
		       struct query *query);

/* Records a failure (CODE negative) unless there was one; returns NULL. */
__attribute__((format(printf, 4, 5))) void *query_draft_fail(struct query_draft *draft, int code,
							     long at, const char *fmt, ...);
void *query_draft_fail_memory(struct query_draft *draft);

/* A node without children. */
struct query_node *query_draft_node(struct query_draft *draft, enum query_kind kind,
				    const struct query_property *property);

/* A deep copy, without the siblings of NODE. */
struct query_node *query_draft_copy(struct query_draft *draft, const struct query_node *node);

/* NODE becomes a child of the BOOL GROUP; nothing happens if either is NULL. */
void query_draft_add(struct query_node *group, enum query_occur occur, struct query_node *node);

/* A BOOL that holds where NODE does not. */
struct query_node *query_draft_not(struct query_draft *draft, struct query_node *node);

/* A copy of TEXT (valid UTF-8) in NFC. */
const char *query_draft_text(struct query_draft *draft, const char *text, size_t len);

#endif
