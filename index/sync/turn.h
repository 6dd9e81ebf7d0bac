/* turn.h - who may read documents of the upstream and write them here: one at a time, so that no
 * older version is written over a newer one. Reading may come before the turn, too: see
 * turn_count_urgent(). */
#ifndef PXS_INDEX_SYNC_TURN_H
#define PXS_INDEX_SYNC_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	bool taken;
	unsigned int urgent; /* who wait and go first */
	bool is_urgent;	     /* the one that is taken */
	uint64_t n_urgent;   /* that ended so far */
};

void turn_init(struct turn *turn);
void turn_done(struct turn *turn);

/* Wait for it. URGENT: before all who are not, because somebody waits for the answer. */
void turn_take(struct turn *turn, bool urgent);
void turn_end(struct turn *turn);

/* How many urgent ones ended so far: whoever reads documents before his turn and finds another
 * number in it must read them again. */
uint64_t turn_count_urgent(struct turn *turn);

#endif
