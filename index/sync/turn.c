#include "index/sync/turn.h"

void
turn_init(struct turn *turn)
{
	(void)pthread_mutex_init(&turn->mutex, NULL);
	(void)pthread_cond_init(&turn->ended, NULL);
	turn->taken = false;
	turn->urgent = 0;
	turn->n_urgent = 0;
}

void
turn_done(struct turn *turn)
{
	(void)pthread_cond_destroy(&turn->ended);
	(void)pthread_mutex_destroy(&turn->mutex);
}

void
turn_take(struct turn *turn, bool urgent)
{
	(void)pthread_mutex_lock(&turn->mutex);
	turn->urgent += urgent;
	while (turn->taken || (turn->urgent && !urgent))
		(void)pthread_cond_wait(&turn->ended, &turn->mutex);
	turn->urgent -= urgent;
	turn->taken = true;
	turn->is_urgent = urgent;
	(void)pthread_mutex_unlock(&turn->mutex);
}

void
turn_end(struct turn *turn)
{
	(void)pthread_mutex_lock(&turn->mutex);
	turn->taken = false;
	turn->n_urgent += turn->is_urgent;
	(void)pthread_cond_broadcast(&turn->ended);
	(void)pthread_mutex_unlock(&turn->mutex);
}

uint64_t
turn_count_urgent(struct turn *turn)
{
	uint64_t n;

	(void)pthread_mutex_lock(&turn->mutex);
	n = turn->n_urgent;
	(void)pthread_mutex_unlock(&turn->mutex);
	return n;
}
