/* Sorting by numbers, of any amount: small amounts take shorter ways. */
#include "index/radix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/macros.h"

#define N_MAX 300

/* Keys of each kind differ in other bits. */
enum kind { EQUAL, LOW_BITS, HIGH_BITS, TWO_FAR, SKEWED, ANY, KINDS };

static uint64_t
next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state ^ *state >> 29;
}

static uint64_t
key_of(enum kind kind, uint64_t *state)
{
	uint64_t random = next(state);

	switch (kind) {
	case EQUAL:
		return 7;
	case LOW_BITS:
		return random % 50;
	case HIGH_BITS:
		return random << 56 | 1;
	case TWO_FAR:
		return (random & 1) << 63 | (random & 2);
	case SKEWED:
		return random >> (random % 64);
	default:
		return random;
	}
}

static void
fill(struct radix_item *items, uint64_t *keys, size_t n, enum kind kind)
{
	uint64_t state = n + 1000 * (uint64_t)kind;

	for (size_t i = 0; i < n; i++) {
		keys[i] = key_of(kind, &state);
		items[i] = (struct radix_item){ keys[i], (uint32_t)i, (uint32_t)(n - i) };
	}
}

static void
check(size_t n, enum kind kind)
{
	struct radix_item items[N_MAX], scratch[N_MAX];
	uint64_t keys[N_MAX], sorted[N_MAX], room[N_MAX];

	fill(items, keys, n, kind);
	for (size_t i = 0; i < n; i++)
		sorted[i] = keys[i];
	assert_int_equal(radix_sort(items, scratch, n, NULL), 0);
	radix_sort_keys(sorted, room, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(items[i].key == keys[items[i].value]);
		assert_int_equal(items[i].weight, n - items[i].value);
		assert_true(sorted[i] == items[i].key);
		if (i == 0)
			continue;
		assert_true(items[i - 1].key <= items[i].key);
		/* Equal keys keep their order; so nothing is there twice. */
		if (items[i - 1].key == items[i].key)
			assert_true(items[i - 1].value < items[i].value);
	}
}

static void
test_any_amount(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++)
		for (size_t n = 0; n <= N_MAX; n++)
			check(n, kind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_amount) };

	return cmocka_run_group_tests_name("radix", tests, NULL, NULL);
}
