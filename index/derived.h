/* derived.h - what readers work out from a column when they first need it, kept beside it. */
#ifndef PXS_INDEX_DERIVED_H
#define PXS_INDEX_DERIVED_H

#include "index/bins.h"
#include "index/ranks.h"

struct column;

/* Thread-safe, each part by a lock of its own. */
struct derived {
	struct ranks_slot ranks; /* of strings */
	struct bins bins;	 /* of numbers */
};

/* Lent as long as COLUMN. */
struct derived *column_derived(const struct column *column);

static inline void
derived_init(struct derived *derived)
{
	ranks_slot_init(&derived->ranks);
	bins_init(&derived->bins);
}

static inline void
derived_done(struct derived *derived)
{
	ranks_slot_done(&derived->ranks);
	bins_done(&derived->bins);
}

#endif
