/* measure.h - two numbers about each distinct value of a property, made when first asked for: how
 * many words it has, for relevance, and how long it is, for patterns. */
#ifndef PXS_INDEX_MEASURE_H
#define PXS_INDEX_MEASURE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "index/stable.h"

struct column;
struct index_budget;

struct measure {
	uint8_t words; /* in length code (bm25.h) */
	uint8_t bytes; /* folded; or one of these */
};

#define MEASURE_ONE_WORD 0 /* the whole value is a word, so the lexicon has it */
#define MEASURE_ANY 255	   /* not ASCII, or as long or longer */

/* Of one property, by code - 1. Append-only. */
struct measure_table {
	struct stable measures;
};

static inline const struct measure *
measure_at(const struct measure_table *table, uint32_t code)
{
	return stable_at(&table->measures, code - 1);
}

/* The tables of an index; thread-safe. */
struct measures;

int measures_new(struct measures **ret_measures);
void measures_free(struct measures *measures);
DEFINE_CLEANUP(measures, struct measures *, measures_free)

/* The table of COLUMN (of strings), with all values that its dictionary had when this was called;
 * lent as long as MEASURES. New values take 0.2 us each. 0; budget_check()'s; -ENOMEM. */
int measures_of(struct measures *measures, const struct column *column,
		const struct index_budget *budget, const struct measure_table **ret_table);

uint64_t measures_bytes(struct measures *measures); /* of memory */

#endif
