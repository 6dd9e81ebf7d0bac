/* turn.h - a lock that is given in the order in which it was asked for. A mutex may go to the same
 * thread again and again while others wait; a scan that commits and begins anew would keep a
 * person's change out for minutes. */
#ifndef PXS_INDEX_TURN_H
#define PXS_INDEX_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	uint64_t next;	  /* the number that who comes now draws */
	uint64_t serving; /* whose turn it is */
};

static inline void
turn_init(struct turn *turn)
{
	(void)pthread_mutex_init(&turn->mutex, NULL);
	(void)pthread_cond_init(&turn->ended, NULL);
}

static inline void
turn_done(struct turn *turn)
{
	(void)pthread_cond_destroy(&turn->ended);
	(void)pthread_mutex_destroy(&turn->mutex);
}

static inline void
turn_take(struct turn *turn)
{
	uint64_t mine;

	(void)pthread_mutex_lock(&turn->mutex);
	mine = turn->next++;
	while (turn->serving != mine)
		(void)pthread_cond_wait(&turn->ended, &turn->mutex);
	(void)pthread_mutex_unlock(&turn->mutex);
}

static inline void
turn_end(struct turn *turn)
{
	(void)pthread_mutex_lock(&turn->mutex);
	turn->serving++;
	(void)pthread_cond_broadcast(&turn->ended);
	(void)pthread_mutex_unlock(&turn->mutex);
}

/* Whether somebody waits for the one whose turn it is. */
static inline bool
turn_is_awaited(struct turn *turn)
{
	bool awaited;

	(void)pthread_mutex_lock(&turn->mutex);
	awaited = turn->next - turn->serving > 1;
	(void)pthread_mutex_unlock(&turn->mutex);
	return awaited;
}

#endif
