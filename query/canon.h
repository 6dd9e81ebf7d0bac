/* canon.h - one tree for all that mean the same. */
#ifndef PXS_QUERY_CANON_H
#define PXS_QUERY_CANON_H

struct query_draft;
struct query_node;

/* The canonical form of NODE, which is taken apart for it. NULL: the draft has failed. */
struct query_node *query_canon(struct query_draft *draft, struct query_node *node);

/* The order in which children stand: <0, 0 (they are equal), >0. What they are to their parent does
 * not count. */
int query_node_compare(const struct query_node *a, const struct query_node *b);

#endif
