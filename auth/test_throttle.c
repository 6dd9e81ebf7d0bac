/* How often somebody may be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/throttle.h"
#include "base/clock.h"

#define HOUR_NS (3600 * PXS_NS_PER_S)

static bool
try(struct throttle *throttle, const char *account, const char *from, int64_t now_ns)
{
	int64_t delay_ms;

	return throttle_try(throttle, account, from, now_ns, &delay_ms);
}

static void
each_failure_costs_twice_the_time(void **state)
{
	static const int64_t DELAYS_MS[] = { 500, 1000, 2000, 4000, 8000, 8000 };
	CLEANUP(throttle) struct throttle *throttle = NULL;
	int64_t delay_ms;

	(void)state;
	assert_int_equal(throttle_new(&throttle), 0);
	for (int i = 0; i < 6; i++) {
		assert_true(throttle_try(throttle, "ann", "10.0.0.1", 1, &delay_ms));
		assert_int_equal(delay_ms, DELAYS_MS[i]);
	}
	throttle_succeeded(throttle, "ann", "10.0.0.1", 1);
	assert_true(throttle_try(throttle, "ann", "10.0.0.1", 1, &delay_ms));
	assert_int_equal(delay_ms, 500);
}

/* The most guesses of one account that are looked at in any hour. */
static void
an_account_has_at_most_a_hundred_an_hour(void **state)
{
	CLEANUP(throttle) struct throttle *throttle = NULL;
	int looked_at = 0;
	char from[32];

	(void)state;
	assert_int_equal(throttle_new(&throttle), 0);
	assert_true(try(throttle, "ann", "home", 0));
	throttle_succeeded(throttle, "ann", "home", 0);
	for (int64_t s = 0; s < 3600; s++) {
		(void)snprintf(from, sizeof(from), "10.0.%d.%d", (int)s / 256, (int)s % 256);
		looked_at += try(throttle, "ann", from, s * PXS_NS_PER_S);
		looked_at += try(throttle, "ann", "home", s * PXS_NS_PER_S);
	}
	assert_in_range(looked_at, 90, 100);
}

static void
a_guesser_does_not_lock_the_owner_out(void **state)
{
	CLEANUP(throttle) struct throttle *throttle = NULL;
	int looked_at = 0;

	(void)state;
	assert_int_equal(throttle_new(&throttle), 0);
	for (int i = 0; i < 1000; i++)
		looked_at += try(throttle, "ann", "10.0.0.66", HOUR_NS);
	assert_int_equal(looked_at, THROTTLE_PER_ADDRESS);
	assert_true(try(throttle, "ann", "10.0.0.1", HOUR_NS));
	throttle_succeeded(throttle, "ann", "10.0.0.1", HOUR_NS);

	/* Nor do many, where he was before. */
	for (int i = 0; i < 1000; i++) {
		char from[32];

		(void)snprintf(from, sizeof(from), "10.0.1.%d", i % 256);
		(void)try(throttle, "ann", from, HOUR_NS);
	}
	assert_false(try(throttle, "ann", "10.0.0.2", HOUR_NS));
	assert_true(try(throttle, "ann", "10.0.0.1", HOUR_NS));
	assert_true(try(throttle, "bob", "10.0.0.66", HOUR_NS));
}

static void
failures_are_forgotten_in_time(void **state)
{
	CLEANUP(throttle) struct throttle *throttle = NULL;

	(void)state;
	assert_int_equal(throttle_new(&throttle), 0);
	for (int i = 0; i < THROTTLE_PER_ADDRESS; i++)
		assert_true(try(throttle, "ann", "10.0.0.1", 0));
	assert_false(try(throttle, "ann", "10.0.0.1", 0));
	assert_true(try(throttle, "ann", "10.0.0.1", HOUR_NS / THROTTLE_PER_ADDRESS + 1000));
	assert_false(try(throttle, "ann", "10.0.0.1", HOUR_NS / THROTTLE_PER_ADDRESS + 1000));
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(each_failure_costs_twice_the_time),
		cmocka_unit_test(an_account_has_at_most_a_hundred_an_hour),
		cmocka_unit_test(a_guesser_does_not_lock_the_owner_out),
		cmocka_unit_test(failures_are_forgotten_in_time),
	};

	return cmocka_run_group_tests_name("throttle", TESTS, NULL, NULL);
}
