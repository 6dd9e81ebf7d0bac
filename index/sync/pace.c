#include "index/sync/pace.h"

#include <time.h>

#include "base/clock.h"
#include "base/macros.h"

#define NAP_NS (50 * PXS_NS_PER_MS)

void
pace_wait(struct pace *pace, unsigned int per_s, const atomic_bool *stop)
{
	int64_t now = pxs_clock_steady_ns();
	int64_t next = atomic_load(&pace->next_ns);
	int64_t mine;

	do
		mine = MAX(next, now);
	while (!atomic_compare_exchange_weak(&pace->next_ns, &next, mine + PXS_NS_PER_S / per_s));
	for (; now < mine && !atomic_load(stop); now = pxs_clock_steady_ns()) {
		const struct timespec nap = { .tv_nsec = MIN(mine - now, NAP_NS) };

		(void)nanosleep(&nap, NULL);
	}
}

void
pace_defer(struct pace *pace, int64_t seconds)
{
	atomic_store(&pace->until_ns, pxs_clock_steady_ns() + seconds * PXS_NS_PER_S);
}

int64_t
pace_deferred_ns(const struct pace *pace)
{
	int64_t until = atomic_load(&pace->until_ns);

	return until ? MAX(until - pxs_clock_steady_ns(), INT64_C(0)) : 0;
}
