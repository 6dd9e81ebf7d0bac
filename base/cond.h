/* cond.h - condition variables that wait until a time of the steady clock, which nobody sets back.
 */
#ifndef PXS_COND_H
#define PXS_COND_H

#include <pthread.h>
#include <stdint.h>

#include "base/clock.h"

/* For pxs_cond_wait_until(). */
static inline void
pxs_cond_init_steady(pthread_cond_t *cond)
{
	pthread_condattr_t steady;

	(void)pthread_condattr_init(&steady);
	(void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &steady);
	(void)pthread_condattr_destroy(&steady);
}

/* pthread_cond_wait(), but until pxs_clock_steady_ns() is UNTIL_NS at most: ETIMEDOUT then. */
static inline int
pxs_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns)
{
	const struct timespec until = pxs_clock_timespec(until_ns);

	return pthread_cond_timedwait(cond, mutex, &until);
}

#endif
