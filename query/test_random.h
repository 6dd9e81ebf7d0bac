/* test_random.h - random numbers from a seed that is printed. */
#ifndef PXS_QUERY_TEST_RANDOM_H
#define PXS_QUERY_TEST_RANDOM_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

struct test_random {
	uint64_t state;
};

/* The seed is $PXS_SEED, else of this moment. */
static inline struct test_random
test_random_new(const char *name)
{
	const char *given = getenv("PXS_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)pxs_clock_now_ns();

	printf("# %s: PXS_SEED=%" PRIu64 "\n", name, seed);
	return (struct test_random){ seed };
}

/* splitmix64 */
static inline uint64_t
test_random_next(struct test_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to N-1 */
static inline size_t
test_random_below(struct test_random *random, size_t n)
{
	return (size_t)(test_random_next(random) % n);
}

#endif
