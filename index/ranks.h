/* ranks.h - the bytewise order of a dictionary's strings, as numbers that are compared instead. */
#ifndef PXS_INDEX_RANKS_H
#define PXS_INDEX_RANKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct dict;
struct index_budget;

/* The order of many strings, from 1. Immutable, counted references. */
struct ranks_base {
	atomic_uint references;
	uint32_t n;	 /* of codes 1 .. n */
	uint32_t *ranks; /* by code; 0 for code 0 */
	uint32_t *codes; /* by rank */
};

/* Those of the base and the few that came later, which have ranks between: a rank of the base
 * leaves SHIFT bits for them. Immutable, counted references. */
struct ranks {
	atomic_uint references;
	struct ranks_base *base;
	uint32_t n;	      /* codes 1 .. n have a rank */
	unsigned int shift;   /* 1 << shift is more than n - base->n */
	int64_t *late_ranks;  /* by code, from that after the base's on */
	uint32_t *late_codes; /* in order */
};

/* Where the newest ranks of one dictionary are kept for whoever asks next. */
struct ranks_slot {
	pthread_mutex_t lock;
	struct ranks *ranks; /* NULL: nobody has asked yet */
};

void ranks_slot_init(struct ranks_slot *slot);
void ranks_slot_done(struct ranks_slot *slot);

/* Ranks of all strings that DICT has now, made or brought up to date if need be; the caller puts
 * them. -ENOMEM, or budget_check()'s. */
int ranks_get(struct ranks_slot *slot, const struct dict *dict, const struct index_budget *budget,
	      struct ranks **ret_ranks);
void ranks_put(struct ranks *ranks);
DEFINE_CLEANUP(ranks, struct ranks *, ranks_put)

/* Whether they are at hand, at least for most strings. */
bool ranks_are_made(struct ranks_slot *slot);

/* The rank of CODE, which has one or is 0: that has 0, which is less than all. */
static inline int64_t
ranks_of(const struct ranks *ranks, uint32_t code)
{
	const struct ranks_base *base = ranks->base;

	return code <= base->n ? (int64_t)base->ranks[code] << ranks->shift
			       : ranks->late_ranks[code - base->n - 1];
}

/* The code whose rank is RANK. */
static inline uint32_t
ranks_code(const struct ranks *ranks, int64_t rank)
{
	uint32_t late = (uint32_t)(rank & ((INT64_C(1) << ranks->shift) - 1));

	return late ? ranks->late_codes[late - 1] : ranks->base->codes[rank >> ranks->shift];
}

/* No rank is greater. */
static inline int64_t
ranks_max(const struct ranks *ranks)
{
	return ((ranks->base->n + INT64_C(1)) << ranks->shift) - 1;
}

/* The greatest rank whose string is less than TEXT; with EQUAL, not greater. 0: there is none. */
int64_t ranks_less(const struct ranks *ranks, const struct dict *dict, const char *text);
int64_t ranks_limit(const struct ranks *ranks, const struct dict *dict, const char *text,
		    bool equal);

#endif
