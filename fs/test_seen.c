/* What was shown to whom. */
#include "fs/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fs/fuse.h"

static struct fs_seen *seen;
static const struct fuse_ctx ANN = { .uid = 1, .pid = 10 };
static const struct fuse_ctx ANNS_OTHER = { .uid = 1, .pid = 11 };
static const struct fuse_ctx BOB = { .uid = 2, .pid = 12 };

static int
setup(void **state)
{
	(void)state;
	return fs_seen_new(&seen);
}

static int
teardown(void **state)
{
	(void)state;
	fs_seen_free(seen);
	return 0;
}

/* '=': that is what he knows; '!': another one; '?': he knows none. */
static int
fits(const struct fuse_ctx *who, int64_t id, uint64_t seq)
{
	bool blind;
	bool fit = fs_seen_fits(seen, who, id, seq, &blind);

	if (blind)
		assert_true(fit);
	return blind ? '?' : fit ? '=' : '!';
}

static void
who_has_seen_nothing_is_blind(void **state)
{
	(void)state;
	assert_int_equal(fits(&ANN, 5, 7), '?');
	fs_seen_note(seen, &ANN, 5, 7);
	assert_int_equal(fits(&ANN, 6, 7), '?');
	assert_int_equal(fits(&BOB, 5, 7), '?');
}

static void
a_process_knows_what_its_user_saw_until_it_looks_itself(void **state)
{
	(void)state;
	fs_seen_note(seen, &ANN, 5, 7);
	assert_int_equal(fits(&ANNS_OTHER, 5, 7), '=');
	fs_seen_note(seen, &ANNS_OTHER, 5, 8);
	assert_int_equal(fits(&ANNS_OTHER, 5, 8), '=');
	assert_int_equal(fits(&ANN, 5, 8), '!');
	assert_int_equal(fits(&ANN, 5, 7), '=');
}

static void
a_name_means_what_was_told_last(void **state)
{
	(void)state;
	assert_false(fs_seen_name_fits(seen, 3, "cat", 5, 7));
	fs_seen_note_name(seen, 3, "cat", 5, 7);
	assert_true(fs_seen_name_fits(seen, 3, "cat", 5, 7));
	assert_true(fs_seen_name_fits(seen, 3, "cat", 5, 0));
	assert_false(fs_seen_name_fits(seen, 3, "cat", 5, 8));
	assert_false(fs_seen_name_fits(seen, 3, "cat", 6, 7));
	assert_false(fs_seen_name_fits(seen, 4, "cat", 5, 7));
	fs_seen_note_name(seen, 3, "cat", 6, 9);
	assert_false(fs_seen_name_fits(seen, 3, "cat", 5, 7));
}

/* Forgetting errs on the safe side for names; the newest are there. */
static void
much_is_forgotten_but_not_the_newest(void **state)
{
	char name[32];
	unsigned int kept = 0;

	(void)state;
	for (int i = 1; i <= FS_SEEN_NAMES * 2; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		fs_seen_note_name(seen, 3, name, i, (uint64_t)i);
		assert_true(fs_seen_name_fits(seen, 3, name, i, (uint64_t)i));
	}
	for (int i = 1; i <= FS_SEEN_NAMES * 2; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		kept += fs_seen_name_fits(seen, 3, name, i, (uint64_t)i);
	}
	assert_in_range(kept, FS_SEEN_NAMES / 2, FS_SEEN_NAMES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(who_has_seen_nothing_is_blind),
		TEST(a_process_knows_what_its_user_saw_until_it_looks_itself),
		TEST(a_name_means_what_was_told_last),
		TEST(much_is_forgotten_but_not_the_newest),
	};

	return cmocka_run_group_tests_name("fs_seen", tests, NULL, NULL);
}
