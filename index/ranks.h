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

/* Immutable, counted references. */
struct ranks {
	atomic_uint references;
	uint32_t n;	 /* codes 1 .. n have a rank, from 1 */
	uint32_t *ranks; /* by code; 0 for code 0 */
	uint32_t *codes; /* by rank */
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

/* How many of the ranked strings are less than TEXT; with EQUAL, not greater. */
uint32_t ranks_less(const struct ranks *ranks, const struct dict *dict, const char *text);
uint32_t ranks_limit(const struct ranks *ranks, const struct dict *dict, const char *text,
		     bool equal);

#endif
