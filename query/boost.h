/* boost.h - how much more a condition counts for the score.
 *
 * The score of a BOOL is the sum of what its children add, so its boost is theirs. A canonical tree
 * has boosts at leaves alone: not of 1, not on what must not hold, which adds nothing, and not on
 * ALL and NONE. */
#ifndef PXS_QUERY_BOOST_H
#define PXS_QUERY_BOOST_H

struct pxs_buf;
struct query_node;

/* CHILD, one of GROUP, takes over GROUP's boost. */
void query_boost_hand_down(const struct query_node *group, struct query_node *child);

/* The canonical LEAF that was made of NODE has NODE's boost. LEAF may be NODE, or NULL. */
void query_boost_keep(const struct query_node *node, struct query_node *leaf);

/* Of trees that are the same but for their boosts: <0, 0, >0. */
int query_boost_compare(const struct query_node *a, const struct query_node *b);

/* Adds "^2.5", nothing where NODE has no boost. */
void query_boost_print(const struct query_node *node, struct pxs_buf *buf);

#endif
