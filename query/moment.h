/* moment.h - dates as queries may write them: also computed, and relative to now.
 *
 * A moment is a span of time, as a date is (date.c): "2024-02" its month, "now" the second we are
 * in, what was rounded ("now/d") the unit that it was rounded to. A moment that begins with "now"
 * stays an expression in the tree and in every text, until query_resolve(). */
#ifndef PXS_QUERY_MOMENT_H
#define PXS_QUERY_MOMENT_H

#include <stdint.h>

#include "query/civil.h"

struct pxs_arena;
struct pxs_error;

struct query_moment {
	const char *from, *to; /* of one relative to now: its start, and its end, which is no part
				  of it; else NULL, and */
	int64_t start_ns, end_ns;
};

/* The grammar stands at the head of moment.c; what it gives is in ARENA. 0; -EINVAL or -ERANGE: ERR
 * says why; -ENOMEM. */
int query_moment_parse(struct pxs_arena *arena, const char *text, struct query_moment *ret_moment,
		       struct pxs_error *err);

/* The start of EXPRESSION ("now-7d/d", as query_moment_parse() gave it) where now is NOW_NS. */
civil_ns query_moment_resolve(const char *expression, int64_t now_ns);

/* The end of the moment that EXPRESSION is, as an expression. NULL: out of memory. */
const char *query_moment_end(struct pxs_arena *arena, const char *expression);

#endif
