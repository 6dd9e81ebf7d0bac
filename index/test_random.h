/* test_random.h - random(3) from a seed that is printed. */
#ifndef PXS_INDEX_TEST_RANDOM_H
#define PXS_INDEX_TEST_RANDOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* The seed is $PXS_SEED, else of this second. */
static inline void
start_random(void)
{
	const char *given = getenv("PXS_SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10)
				  : (unsigned int)time(NULL);

	print_message("PXS_SEED=%u\n", seed);
	srandom(seed);
}

static inline uint32_t
random_below(uint32_t n)
{
	return (uint32_t)random() % n;
}

#endif
