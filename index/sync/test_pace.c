/* How many requests a core gets in a second, and that it is left alone when it wants to be. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/macros.h"
#include "index/sync/pace.h"

#define PER_S 1000u
#define THREADS 4
#define EACH 20

static atomic_bool stop;

static int
setup(void **state)
{
	(void)state;
	atomic_store(&stop, false);
	return 0;
}

/* Returns how long N requests took. */
static int64_t
ask(struct pace *pace, int n)
{
	int64_t start = pxs_clock_steady_ns();

	for (int i = 0; i < n; i++)
		pace_wait(pace, PER_S, &stop);
	return pxs_clock_steady_ns() - start;
}

static void *
ask_each(void *pace)
{
	(void)ask(pace, EACH);
	return NULL;
}

static void
test_all_threads_together_keep_the_pace(void **state)
{
	struct pace pace = { 0 };
	pthread_t threads[THREADS];
	int64_t start = pxs_clock_steady_ns();

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_each, &pace), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* The first goes at once. */
	assert_true(pxs_clock_steady_ns() - start >= (THREADS * EACH - 1) * (PXS_NS_PER_S / PER_S));
}

/* Whoever did not ask for long has not saved up any requests. */
static void
test_after_a_rest_there_is_no_burst(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	(void)ask(&pace, 1);
	atomic_fetch_sub(&pace.next_ns, 3600 * PXS_NS_PER_S);
	assert_true(ask(&pace, 21) >= 20 * (PXS_NS_PER_S / PER_S));
}

static void
test_who_must_stop_does_not_wait(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	atomic_store(&pace.next_ns, pxs_clock_steady_ns() + 3600 * PXS_NS_PER_S);
	atomic_store(&stop, true);
	assert_true(ask(&pace, 10) < 60 * PXS_NS_PER_S);
}

static void
test_a_core_is_left_alone_as_long_as_it_wants(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	assert_int_equal(pace_deferred_ns(&pace), 0);
	pace_defer(&pace, 300);
	assert_in_range(pace_deferred_ns(&pace), 240 * PXS_NS_PER_S, 300 * PXS_NS_PER_S);
	pace_defer(&pace, 10); /* the last word counts */
	assert_in_range(pace_deferred_ns(&pace), 1, 10 * PXS_NS_PER_S);
	pace_defer(&pace, 0);
	assert_int_equal(pace_deferred_ns(&pace), 0);
	atomic_fetch_sub(&pace.until_ns, 3600 * PXS_NS_PER_S); /* long ago */
	assert_int_equal(pace_deferred_ns(&pace), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_threads_together_keep_the_pace, setup),
		cmocka_unit_test_setup(test_after_a_rest_there_is_no_burst, setup),
		cmocka_unit_test_setup(test_who_must_stop_does_not_wait, setup),
		cmocka_unit_test_setup(test_a_core_is_left_alone_as_long_as_it_wants, setup),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
