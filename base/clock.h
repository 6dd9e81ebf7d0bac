/* clock.h - what time it is, in 64-bit nanoseconds. */
#ifndef PXS_CLOCK_H
#define PXS_CLOCK_H

#include <stdint.h>
#include <time.h>

#define PXS_NS_PER_S INT64_C(1000000000)
#define PXS_NS_PER_MS INT64_C(1000000)

/* Since 1970 UTC: for what people read and documents store. */
static inline int64_t
pxs_clock_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * PXS_NS_PER_S + now.tv_nsec;
}

/* Never goes back: for deadlines and durations. */
static inline int64_t
pxs_clock_steady_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * PXS_NS_PER_S + now.tv_nsec;
}

/* NS, of either clock and not negative, as system calls take it. */
static inline struct timespec
pxs_clock_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / PXS_NS_PER_S, .tv_nsec = ns % PXS_NS_PER_S };
}

#endif
