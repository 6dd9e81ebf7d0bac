/* measure.h - two numbers about each distinct value of a property, made when first asked for: how
 * many words it has, for relevance, and how long it is, for patterns. */
#ifndef PXS_INDEX_MEASURE_H
#define PXS_INDEX_MEASURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
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
	_Atomic(uint8_t) occurs[256]; /* whether any is of so many `bytes` */

	/* Of documents, by segment (NULL: of none) and place: 1 and the length code of all their
	 * words, 0 while nobody asked (field_lengths()). */
	_Atomic(atomic_uchar *) *known;
};

static inline const struct measure *
measure_at(const struct measure_table *table, uint32_t code)
{
	return stable_at(&table->measures, code - 1);
}

/* Whether the table has a value of MEASURE_ANY or of SHORTEST to LONGEST bytes, more than a word.
 */
static inline bool
measures_reach(const struct measure_table *table, size_t shortest, size_t longest)
{
	size_t bytes = shortest > MEASURE_ONE_WORD ? shortest : MEASURE_ONE_WORD + 1;

	for (; bytes <= longest && bytes < MEASURE_ANY; bytes++)
		if (table->occurs[bytes])
			return true;
	return table->occurs[MEASURE_ANY];
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

#endif
