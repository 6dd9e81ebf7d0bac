/* pace.h - how many requests a core gets from us in a second, and whether it has asked us to wait.
 * Shared by all threads that read from it. */
#ifndef PXS_INDEX_SYNC_PACE_H
#define PXS_INDEX_SYNC_PACE_H

#include <stdatomic.h>
#include <stdint.h>

/* So many requests a second a core gets from us that does not tell its changes. */
#define PACE_PER_S 250u

struct pace {
	_Atomic int64_t next_ns;  /* when the next request may go, steady; {0} at first */
	_Atomic int64_t until_ns; /* the core wants to be left alone until then, steady; 0: no */
};

/* Wait for our place among PER_S requests a second, or until STOP is set. */
void pace_wait(struct pace *pace, unsigned int per_s, const atomic_bool *stop);
/* The core wants us to wait so long: its Retry-After. */
void pace_defer(struct pace *pace, int64_t seconds);
/* How long it still does; 0. */
int64_t pace_deferred_ns(const struct pace *pace);

#endif
