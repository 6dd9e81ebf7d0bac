/* cond.h - conditions on a property, from values as they were written. */
#ifndef PXS_QUERY_COND_H
#define PXS_QUERY_COND_H

#include <stdbool.h>

struct query_draft;
struct query_node;
struct query_property;

enum query_scalar_kind {
	QUERY_SCALAR_TEXT,   /* may stand for a value of any type */
	QUERY_SCALAR_NUMBER, /* a JSON number: milliseconds where a date is wanted */
	QUERY_SCALAR_BOOL,   /* a JSON true or false */
};

/* A value before it meets the type of its property. */
struct query_scalar {
	enum query_scalar_kind kind;
	const char *text; /* "27400", "true", "2024-02", "New York"; valid UTF-8 */
	long at;	  /* where it stands in what is being parsed, or -1 */
};

/* One end of a range; without a scalar it is open. A date of a day or a year is all of it: beyond
 * an exclusive low end comes its end, an inclusive high end lies there. */
struct query_limit {
	const struct query_scalar *scalar;
	bool inclusive;
};

/* PROPERTY may be NULL, unknown: the node is then NONE. NULL: the draft has failed, because the
 * value does not fit the property's type, or for want of memory. */
struct query_node *query_cond_equals(struct query_draft *draft,
				     const struct query_property *property,
				     const struct query_scalar *scalar);
struct query_node *query_cond_range(struct query_draft *draft,
				    const struct query_property *property, struct query_limit low,
				    struct query_limit high);
struct query_node *query_cond_exists(struct query_draft *draft,
				     const struct query_property *property);
/* A word or a whole value begins with TEXT. Strings only. */
struct query_node *query_cond_prefix(struct query_draft *draft,
				     const struct query_property *property, const char *text,
				     long at);

#endif
