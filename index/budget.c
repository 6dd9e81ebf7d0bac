#include "index/budget.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "index/index.h"

/* How often one who waits asks whether he still should. */
#define WAIT_NS (5 * PXS_NS_PER_MS)

int
budget_check(const struct index_budget *budget)
{
	if (!budget)
		return 0;
	if (budget->cancelled && budget->cancelled(budget->context))
		return -ECANCELED;
	if (budget->deadline_ns && pxs_clock_steady_ns() > budget->deadline_ns)
		return -ETIMEDOUT;
	return 0;
}

int
budget_lock(const struct index_budget *budget, pthread_mutex_t *mutex)
{
	int r;

	if (!budget) {
		(void)pthread_mutex_lock(mutex);
		return 0;
	}
	while (pthread_mutex_trylock(mutex) != 0) {
		const struct timespec until = pxs_clock_timespec(pxs_clock_now_ns() + WAIT_NS);

		r = budget_check(budget);
		if (r < 0)
			return r;
		if (pthread_mutex_timedlock(mutex, &until) == 0)
			break;
	}
	return 0;
}

int
index_budget_wait(const struct index_budget *budget, sem_t *turns)
{
	while (sem_trywait(turns) < 0) {
		const struct timespec until = pxs_clock_timespec(pxs_clock_steady_ns() + WAIT_NS);
		int r = budget_check(budget);

		if (r < 0)
			return r;
		if (sem_clockwait(turns, CLOCK_MONOTONIC, &until) == 0)
			break;
	}
	return 0;
}

int
budget_explain(const struct index_budget *budget, int64_t started_ns, int code,
	       struct pxs_error *err)
{
	if (code == -ETIMEDOUT && budget) {
		int64_t allowed_ns = budget->deadline_ns - started_ns;
		long long allowed_ms = (allowed_ns + PXS_NS_PER_MS - 1) / PXS_NS_PER_MS;

		return pxs_error_set(err, code, -1,
				     "the query took longer than %lld ms; add a condition that "
				     "narrows it",
				     allowed_ns > 0 ? allowed_ms : 0LL);
	}
	if (code == -ECANCELED)
		return pxs_error_set(err, code, -1, "the query was cancelled");
	return code;
}
