/* What users keep in an index: searches with a name, and the queries they asked lately. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/test_catalogue.h"

static int
setup(void **state)
{
	(void)state;
	return open_catalogue(NULL, NULL, 0);
}

static void
reopen(void)
{
	reopen_catalogue(NULL, NULL, 0);
}

/* --- Saved searches --- */

static void
saved_searches_survive(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct index_saved *saved;
	size_t n;

	(void)state;
	assert_int_equal(index_saved_put(catalogue, "py", "_all=python", false, &err), 0);
	assert_int_equal(index_saved_put(catalogue, "py", "_all=other", false, NULL), -EEXIST);
	assert_int_equal(index_saved_put(catalogue, "a", "core.size=1", false, &err), 0);
	assert_int_equal(index_saved_rename(catalogue, "py", "a", NULL), -EEXIST);
	assert_int_equal(index_saved_rename(catalogue, "none", "b", NULL), -ENOENT);
	assert_int_equal(index_saved_rename(catalogue, "py", "snake", &err), 0);
	assert_int_equal(index_saved_remove(catalogue, "a", &err), 0);
	assert_int_equal(index_saved_remove(catalogue, "a", NULL), -ENOENT);

	reopen();
	assert_int_equal(index_saved_list(catalogue, &saved, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(saved[0].name, "snake");
	index_saved_free(saved, n);
	assert_int_equal(index_saved_get(catalogue, "snake", &path), 0);
	assert_string_equal(path.data, "_all=python");
}

/* In groups: made with what lies in them, moved with it, removed when empty. */
static void
saved_searches_lie_in_groups(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct pxs_error why = { 0 };
	char long_name[600];

	(void)state;
	assert_int_equal(index_saved_put(catalogue, "g/h/x", "_all=x", false, &err), 0);
	assert_int_equal(index_saved_get(catalogue, "g/h", &path), 0);
	assert_int_equal(path.len, 0);
	assert_int_equal(index_saved_put(catalogue, "g/h-2", "_all=y", false, &err), 0);
	assert_int_equal(index_saved_put(catalogue, "g/h/x/y", "_all=y", false, &why), -ENOTDIR);
	assert_non_null(strstr(why.text, "'g/h/x' is a saved search, no group"));
	assert_int_equal(index_saved_get(catalogue, "g/h/x/y", &path), -ENOENT);
	assert_int_equal(index_saved_put(catalogue, "g/h", "", false, NULL), -EEXIST);
	assert_int_equal(index_saved_put(catalogue, "g/h", "_all=y", true, NULL), -EEXIST);
	assert_int_equal(index_saved_put(catalogue, "g/h/x", "", true, NULL), -EEXIST);
	assert_int_equal(index_saved_put(catalogue, "g/h/x", "_all=z", true, &err), 0);

	assert_int_equal(index_saved_remove(catalogue, "g/h", NULL), -ENOTEMPTY);
	assert_int_equal(index_saved_rename(catalogue, "g/h", "g/h/i", NULL), -EINVAL);
	assert_int_equal(index_saved_rename(catalogue, "g/h", "new/k", &err), 0);
	assert_int_equal(index_saved_get(catalogue, "new/k/x", &path), 0);
	assert_string_equal(path.data, "_all=z");
	assert_int_equal(index_saved_get(catalogue, "g/h/x", &path), -ENOENT);
	assert_int_equal(index_saved_get(catalogue, "g/h-2", &path), 0);

	memset(long_name, 'n', sizeof(long_name));
	for (size_t i = 200; i < sizeof(long_name); i += 200)
		long_name[i] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(index_saved_put(catalogue, long_name, "", false, &err), 0);
	assert_int_equal(index_saved_rename(catalogue, "new", "new2", &err), 0);
	long_name[450] = '\0';
	assert_int_equal(index_saved_rename(catalogue, "new2", long_name, &err), 0);
	long_name[200] = '\0';
	assert_int_equal(index_saved_put(catalogue, long_name, "", false, NULL), -EEXIST);
	assert_int_equal(index_saved_remove(catalogue, "g/h-2", &err), 0);
	assert_int_equal(index_saved_remove(catalogue, "g", &err), 0);
}

static void
names_of_saved_searches_are_checked(void **state)
{
	static const char *const BAD[] = { "", "/", "a/", "/a", "a//b", ".", "a/..", "\xff" };
	char name_256[257];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		struct pxs_error why = { 0 };

		assert_int_equal(index_saved_put(catalogue, BAD[i], "_all=x", false, &why),
				 -EINVAL);
		assert_int_not_equal(why.text[0], '\0');
	}
	memset(name_256, 'n', 256);
	name_256[256] = '\0';
	assert_int_equal(index_saved_put(catalogue, name_256, "_all=x", false, NULL),
			 -ENAMETOOLONG);
}

/* --- Recent queries --- */

static void
add_recent(uint32_t uid, const char *prefix, int from, int to)
{
	char query[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(query, sizeof(query), "%s%d", prefix, i);
		assert_int_equal(index_recent_note(catalogue, uid, query), 0);
	}
}

static void
recent_queries_are_each_users_own(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
	size_t n = 0;

	(void)state;
	assert_int_equal(index_recent_list(catalogue, 7, &names), 0);
	assert_int_equal(names.len, 0);
	add_recent(7, "a", 0, INDEX_RECENT_MAX + 5);
	add_recent(70, "b", 0, 1);

	reopen();
	assert_int_equal(index_recent_list(catalogue, 70, &names), 0);
	assert_int_equal(names.len, sizeof("b0"));
	pxs_buf_clear(&names);
	/* One in the older half comes to the front, one in the newer half stays. */
	assert_int_equal(index_recent_note(catalogue, 7, "a5"), 0);
	assert_int_equal(index_recent_note(catalogue, 7, "a24"), 0);
	assert_int_equal(index_recent_list(catalogue, 7, &names), 0);
	assert_string_equal(names.data, "a5");
	assert_string_equal(names.data + sizeof("a5"), "a24");
	for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
		n++;
	assert_int_equal(n, INDEX_RECENT_MAX);
}

/* Also where the index was closed before the thread that writes them had begun. */
static void
recent_queries_are_written_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;

		reopen();
		add_recent(7, "q", i, i + 1);
		reopen();
		assert_int_equal(index_recent_list(catalogue, 7, &names), 0);
		assert_int_equal(atoi(names.data + 1), i);
	}
}

static void
recent_queries_are_of_so_many_users(void **state)
{
	size_t n = 0;

	(void)state;
	for (uint32_t uid = 0; uid < INDEX_RECENT_USERS + 10; uid++)
		add_recent(uid, "q", 0, 1);
	for (uint32_t uid = 0; uid < INDEX_RECENT_USERS + 10; uid++) {
		CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;

		assert_int_equal(index_recent_list(catalogue, uid, &names), 0);
		n += names.len > 0;
	}
	assert_int_equal(n, INDEX_RECENT_USERS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, close_catalogue)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(saved_searches_survive),
		TEST(saved_searches_lie_in_groups),
		TEST(names_of_saved_searches_are_checked),
		TEST(recent_queries_are_each_users_own),
		TEST(recent_queries_are_written_at_the_end),
		TEST(recent_queries_are_of_so_many_users),
	};

	return cmocka_run_group_tests_name("index/saved", TESTS, NULL, NULL);
}
