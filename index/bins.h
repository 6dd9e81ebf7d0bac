/* bins.h - the numbers of a column dealt into some thousand bins of about equal size, in order.
 *
 * Which bin a value is in takes two bytes, is worked out once, and is all that counting needs to
 * read. The exact place of a number is then found among the few hundred values of one bin. */
#ifndef PXS_INDEX_BINS_H
#define PXS_INDEX_BINS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct column;
struct doclist;
struct index_budget;

/* Bounds are chosen from this many values; common numbers get a bin of their own. */
#define BINS_MAX 4096

struct bins_segment;

/* Of one column that is no list. */
struct bins {
	pthread_rwlock_t lock;
	uint32_t n;		/* 0: not made yet */
	int64_t lows[BINS_MAX]; /* bin i holds lows[i] <= number < lows[i + 1] */
	uint32_t made_for;	/* documents there were when the bounds were chosen */
	struct bins_segment **segments;
	uint32_t n_segments;
};

void bins_init(struct bins *bins);
void bins_done(struct bins *bins);

/* Bring the bins up to date with DOCS (of a view with documents up to MAX_DOC) and hold them so,
 * until released. -ENOMEM; budget_check()'s: nothing is held. */
int bins_hold(struct bins *bins, const struct column *column, uint32_t max_doc,
	      const struct doclist *docs, const struct index_budget *budget);
void bins_release(struct bins *bins);

/* While held. How many of DOCS are in each bin, added to counts[1 + bin]; counts[0]: have no value.
 */
void bins_count(const struct bins *bins, const struct column *column, const struct doclist *docs,
		uint32_t counts[BINS_MAX + 1]);

/* While held. The numbers in BIN of those of DOCS that are set in BITS, in no order: N of them, as
 * they were counted. */
void bins_collect(const struct bins *bins, const struct column *column, const struct doclist *docs,
		  const uint64_t *bits, uint32_t bin, int64_t *numbers);

#endif
