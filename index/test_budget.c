/* What a search may cost, asked by who waits for his turn. */
#include "index/budget.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "index/index.h"

static sem_t turns;

static int
setup(void **state)
{
	(void)state;
	return sem_init(&turns, 0, 0);
}

static int
teardown(void **state)
{
	(void)state;
	return sem_destroy(&turns);
}

/* True when it is asked for the third time. */
static bool
gives_up(void *context)
{
	return ++*(int *)context == 3;
}

static void
a_turn_that_is_free_is_taken_at_once(void **state)
{
	int asked = 0;
	const struct index_budget budget = { .cancelled = gives_up, .context = &asked };

	(void)state;
	(void)sem_post(&turns);
	assert_int_equal(index_budget_wait(&budget, &turns), 0);
	assert_int_equal(asked, 0);
	assert_int_equal(sem_trywait(&turns), -1);
}

static void *
free_a_turn(void *context)
{
	const struct timespec nap = { .tv_nsec = 20 * PXS_NS_PER_MS };

	(void)context;
	(void)nanosleep(&nap, NULL);
	(void)sem_post(&turns);
	return NULL;
}

static void
one_that_becomes_free_is_waited_for(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, free_a_turn, NULL), 0);
	assert_int_equal(index_budget_wait(NULL, &turns), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void
who_gives_up_does_not_wait(void **state)
{
	int asked = 0;
	const struct index_budget cancelled = { .cancelled = gives_up, .context = &asked };
	const struct index_budget late = { .deadline_ns = pxs_clock_steady_ns() };

	(void)state;
	assert_int_equal(index_budget_wait(&cancelled, &turns), -ECANCELED);
	assert_int_equal(asked, 3);
	assert_int_equal(index_budget_wait(&late, &turns), -ETIMEDOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(a_turn_that_is_free_is_taken_at_once),
		TEST(one_that_becomes_free_is_waited_for),
		TEST(who_gives_up_does_not_wait),
	};

	return cmocka_run_group_tests_name("budget", TESTS, NULL, NULL);
}
