/* interval.h - values of one property as half-open intervals [start, end).
 *
 * Every ordered type is a line of single values, each with a next one: 5 and 6, an instant and the
 * next nanosecond, 1.5 and the next double, "abc" and "abc\x01" (no string holds a zero byte). So
 * equality, comparisons and ranges of any kind are half-open intervals between two edges, and those
 * that match the same values become the same node. */
#ifndef PXS_QUERY_INTERVAL_H
#define PXS_QUERY_INTERVAL_H

#include "query/query.h"

struct query_draft;

/* A place between two values of a type. */
struct query_edge {
	int beyond; /* -1: below every value; 1: above every value; 0: right below VALUE */
	struct query_value value;
	const char *relative; /* where it is right below an expression of now instead, else NULL */
};

struct query_span {
	struct query_edge start, end;
};

/* The edge right below, right above VALUE. */
struct query_edge query_edge_before(const struct query_value *value);
struct query_edge query_edge_after(struct query_draft *draft, const struct query_value *value);

/* The edge right below the whole number N, which may lie outside of TYPE's values. */
struct query_edge query_edge_whole(enum query_type type, __int128 n);

/* The canonical node for the values of PROPERTY within SPAN: NONE, EQUALS, RANGE or EXISTS. */
struct query_node *query_interval_node(struct query_draft *draft,
				       const struct query_property *property,
				       const struct query_span *span);

/* Whether none of the bounds of NODE, an interval or a list of them, is relative to now: only then
 * can it be told how it lies to others. */
bool query_interval_is_fixed(const struct query_node *node);

/* The canonical node for what NODE, an interval, is where now is NOW_NS. */
struct query_node *query_interval_resolve(struct query_draft *draft, const struct query_node *node,
					  int64_t now_ns);

/* Whether NODE is such a node: EQUALS, RANGE (not folded) or EXISTS of a property, not boosted. */
bool query_interval_is(const struct query_node *node);

/* NODE, an interval of whatever form, in its canonical one. */
struct query_node *query_interval_canon(struct query_draft *draft, const struct query_node *node);

/* What holds where both do: both are intervals of one property. The draft fails where it cannot be
 * told which of two ends counts, as one is relative to now. */
struct query_node *query_interval_meet(struct query_draft *draft, const struct query_node *a,
				       const struct query_node *b);

/* The property of which ANY, a BOOL of SHOULDs alone, lists single values and ranges; of a single
 * value or range as well. NULL: it is something else. */
const struct query_property *query_interval_list(const struct query_node *any);

#endif
