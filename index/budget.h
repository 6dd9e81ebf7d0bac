/* budget.h - what a search may cost: asked often, so that none outlives its caller's patience. */
#ifndef PXS_INDEX_BUDGET_H
#define PXS_INDEX_BUDGET_H

#include <pthread.h>
#include <stdint.h>

struct index_budget;
struct pxs_error;

/* 0, -ETIMEDOUT or -ECANCELED. BUDGET may be NULL. Cheap enough for every segment of a column. */
int budget_check(const struct index_budget *budget);

/* Lock MUTEX, which another may hold for long, unless BUDGET ends first: budget_check()'s. */
int budget_lock(const struct index_budget *budget, pthread_mutex_t *mutex);

/* The sentence for CODE, if it is one of budget_check(), of work that began at STARTED_NS
 * (pxs_clock_steady_ns()). Returns CODE, whatever it is. */
int budget_explain(const struct index_budget *budget, int64_t started_ns, int code,
		   struct pxs_error *err);

#endif
