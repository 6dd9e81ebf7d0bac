/* The plan of a crawl: parts that come and go, and its note in the index. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h> /* before cmocka.h */

#include <cmocka.h>

#include "base/macros.h"
#include "index/index.h"
#include "index/sync/plan.h"

#define URL "https://core.example/api"

static int
open_index(void **state)
{
	static char dir[] = "/tmp/pxs-plan-XXXXXX";

	assert_non_null(mkdtemp(dir));
	return index_open(dir, INDEX_CREATE, (struct index **)state, NULL);
}

static int
close_index(void **state)
{
	CLEANUP(free) char *dir = strdup(index_dir(*state));
	char command[128];

	index_close(*state);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

static void
split(struct plan *plan, size_t i)
{
	struct partition parts[PARTITION_SPLIT_MAX];
	size_t n;

	partition_split(&plan->parts[i].range, parts, &n);
	assert_int_equal(plan_replace(plan, i, parts, n), 0);
}

static void
test_joining(void **state)
{
	struct plan plan = { 0 };

	(void)state;
	assert_int_equal(plan_begin(&plan), 0);
	split(&plan, 0);
	assert_int_equal(plan.n, 3);
	split(&plan, 2);
	for (int i = 0; i < 10; i++)
		split(&plan, plan.n - 1);
	for (size_t i = 0; i < plan.n; i++)
		plan.parts[i].hits = 100;
	plan_join(&plan);
	/* What has no time; all but the last range, which must stay: one open at both ends is no
	 * part. */
	assert_int_equal(plan.n, 3);
	assert_int_equal(plan.parts[1].hits, 1200);
	assert_int_equal(plan.parts[2].hits, 100);
	plan_done(&plan);
}

static void
test_parts_that_stay(void **state)
{
	struct plan plan = { 0 };

	(void)state;
	assert_int_equal(plan_begin(&plan), 0);
	split(&plan, 0);
	split(&plan, 2);
	plan.parts[2].hits = 10;
	plan.parts[3].hits = PLAN_PART_MAX;
	plan_join(&plan);
	assert_int_equal(plan.n, 4);
	plan.parts[3].hits = -1;
	plan_join(&plan);
	assert_int_equal(plan.n, 4);
	plan_done(&plan);
}

static void
test_the_note(void **state)
{
	struct plan plan = { 0 };
	struct plan again = { 0 };

	assert_int_equal(plan_read(&again, *state, URL), -ENOENT);
	assert_int_equal(plan_begin(&plan), 0);
	split(&plan, 0);
	split(&plan, 2);
	plan.newest_ns = 12345;
	plan.listed_ns = 67;
	plan.parts[1].hits = 4711;
	assert_int_equal(plan_write(&plan, *state, URL), 0);
	assert_int_equal(plan_read(&again, *state, URL), 0);
	assert_int_equal(again.n, plan.n);
	assert_int_equal(again.newest_ns, 12345);
	assert_int_equal(again.listed_ns, 67);
	for (size_t i = 0; i < plan.n; i++) {
		assert_int_equal(partition_compare(&again.parts[i].range, &plan.parts[i].range), 0);
		assert_int_equal(again.parts[i].hits, plan.parts[i].hits);
		assert_int_equal(again.parts[i].state, PLAN_TODO);
	}
	assert_int_equal(plan_read(&again, *state, "https://core.example"), -ENOENT);
	assert_int_equal(plan_forget(*state), 0);
	assert_int_equal(plan_read(&again, *state, URL), -ENOENT);
	plan_done(&plan);
	plan_done(&again);
}

static void
test_a_note_that_is_none(void **state)
{
	static const char *const NOTES[] = {
		URL " 1",	 URL " 1 2",	    URL " 1 2\n",      URL " 1 2\n*",
		URL " 1 2\n* x", URL " 1 2\n* 5\n", URL " 1 2\n* 5 6", URL " 1 2 * 5",
	};
	struct plan plan = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(NOTES); i++) {
		assert_int_equal(index_note_put(*state, "sync.plan", NOTES[i]), 0);
		assert_int_equal(plan_read(&plan, *state, URL), -ENOENT);
		assert_int_equal(plan.n, 0);
	}
	assert_int_equal(index_note_put(*state, "sync.plan", URL " 1 2\n* 5"), 0);
	assert_int_equal(plan_read(&plan, *state, URL), 0);
	plan_done(&plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_parts_that_stay),
		cmocka_unit_test(test_the_note),
		cmocka_unit_test(test_a_note_that_is_none),
	};

	return cmocka_run_group_tests_name("plan", tests, open_index, close_index);
}
