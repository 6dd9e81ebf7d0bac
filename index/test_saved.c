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

static char dir[64];
static struct pxs_error err;

static struct index *
open_index(void)
{
	struct index *index = NULL;

	memset(&err, 0, sizeof(err));
	if (index_open(dir, INDEX_CREATE, &index, &err) < 0)
		fail_msg("%s", err.text);
	return index;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pxs-test-index-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* --- Saved searches --- */

static void
saved_searches_survive(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct index *index = open_index();
	struct index_saved *saved;
	size_t n;

	(void)state;
	assert_int_equal(index_saved_put(index, "py", "_all=python", false, &err), 0);
	assert_int_equal(index_saved_put(index, "py", "_all=other", false, NULL), -EEXIST);
	assert_int_equal(index_saved_put(index, "a", "core.size=1", false, &err), 0);
	assert_int_equal(index_saved_rename(index, "py", "a", NULL), -EEXIST);
	assert_int_equal(index_saved_rename(index, "none", "b", NULL), -ENOENT);
	assert_int_equal(index_saved_rename(index, "py", "snake", &err), 0);
	assert_int_equal(index_saved_remove(index, "a", &err), 0);
	assert_int_equal(index_saved_remove(index, "a", NULL), -ENOENT);
	index_close(index);

	index = open_index();
	assert_int_equal(index_saved_list(index, &saved, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(saved[0].name, "snake");
	index_saved_free(saved, n);
	assert_int_equal(index_saved_get(index, "snake", &path), 0);
	assert_string_equal(path.data, "_all=python");
	index_close(index);
}

/* In groups: made with what lies in them, moved with it, removed when empty. */
static void
saved_searches_lie_in_groups(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct pxs_error why = { 0 };
	char long_name[600];

	(void)state;
	assert_int_equal(index_saved_put(index, "g/h/x", "_all=x", false, &err), 0);
	assert_int_equal(index_saved_get(index, "g/h", &path), 0);
	assert_int_equal(path.len, 0);
	assert_int_equal(index_saved_put(index, "g/h-2", "_all=y", false, &err), 0);
	assert_int_equal(index_saved_put(index, "g/h/x/y", "_all=y", false, &why), -ENOTDIR);
	assert_non_null(strstr(why.text, "'g/h/x' is a saved search, no group"));
	assert_int_equal(index_saved_get(index, "g/h/x/y", &path), -ENOENT);
	assert_int_equal(index_saved_put(index, "g/h", "", false, NULL), -EEXIST);
	assert_int_equal(index_saved_put(index, "g/h", "_all=y", true, NULL), -EEXIST);
	assert_int_equal(index_saved_put(index, "g/h/x", "", true, NULL), -EEXIST);
	assert_int_equal(index_saved_put(index, "g/h/x", "_all=z", true, &err), 0);

	assert_int_equal(index_saved_remove(index, "g/h", NULL), -ENOTEMPTY);
	assert_int_equal(index_saved_rename(index, "g/h", "g/h/i", NULL), -EINVAL);
	assert_int_equal(index_saved_rename(index, "g/h", "new/k", &err), 0);
	assert_int_equal(index_saved_get(index, "new/k/x", &path), 0);
	assert_string_equal(path.data, "_all=z");
	assert_int_equal(index_saved_get(index, "g/h/x", &path), -ENOENT);
	assert_int_equal(index_saved_get(index, "g/h-2", &path), 0);

	memset(long_name, 'n', sizeof(long_name));
	for (size_t i = 200; i < sizeof(long_name); i += 200)
		long_name[i] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(index_saved_put(index, long_name, "", false, &err), 0);
	assert_int_equal(index_saved_rename(index, "new", "new2", &err), 0);
	long_name[450] = '\0';
	assert_int_equal(index_saved_rename(index, "new2", long_name, &err), 0);
	long_name[200] = '\0';
	assert_int_equal(index_saved_put(index, long_name, "", false, NULL), -EEXIST);
	assert_int_equal(index_saved_remove(index, "g/h-2", &err), 0);
	assert_int_equal(index_saved_remove(index, "g", &err), 0);
}

static void
names_of_saved_searches_are_checked(void **state)
{
	static const char *const BAD[] = { "", "/", "a/", "/a", "a//b", ".", "a/..", "\xff" };
	CLEANUP(index) struct index *index = open_index();
	char name_256[257];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		struct pxs_error why = { 0 };

		assert_int_equal(index_saved_put(index, BAD[i], "_all=x", false, &why), -EINVAL);
		assert_int_not_equal(why.text[0], '\0');
	}
	memset(name_256, 'n', 256);
	name_256[256] = '\0';
	assert_int_equal(index_saved_put(index, name_256, "_all=x", false, NULL), -ENAMETOOLONG);
}

/* --- Recent queries --- */

static void
add_recent(struct index *index, uint32_t uid, const char *prefix, int from, int to)
{
	char query[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(query, sizeof(query), "%s%d", prefix, i);
		assert_int_equal(index_recent_note(index, uid, query), 0);
	}
}

static void
recent_queries_are_each_users_own(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
	struct index *index = open_index();
	size_t n = 0;

	(void)state;
	assert_int_equal(index_recent_list(index, 7, &names), 0);
	assert_int_equal(names.len, 0);
	add_recent(index, 7, "a", 0, INDEX_RECENT_MAX + 5);
	add_recent(index, 70, "b", 0, 1);
	index_close(index);

	index = open_index();
	assert_int_equal(index_recent_list(index, 70, &names), 0);
	assert_int_equal(names.len, sizeof("b0"));
	pxs_buf_clear(&names);
	/* One in the older half comes to the front, one in the newer half stays. */
	assert_int_equal(index_recent_note(index, 7, "a5"), 0);
	assert_int_equal(index_recent_note(index, 7, "a24"), 0);
	assert_int_equal(index_recent_list(index, 7, &names), 0);
	assert_string_equal(names.data, "a5");
	assert_string_equal(names.data + sizeof("a5"), "a24");
	for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
		n++;
	assert_int_equal(n, INDEX_RECENT_MAX);
	index_close(index);
}

/* Also where the index was closed before the thread that writes them had begun. */
static void
recent_queries_are_written_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
		struct index *index = open_index();

		add_recent(index, 7, "q", i, i + 1);
		index_close(index);
		index = open_index();
		assert_int_equal(index_recent_list(index, 7, &names), 0);
		assert_int_equal(atoi(names.data + 1), i);
		index_close(index);
	}
}

static void
recent_queries_are_of_so_many_users(void **state)
{
	struct index *index = open_index();
	size_t n = 0;

	(void)state;
	for (uint32_t uid = 0; uid < INDEX_RECENT_USERS + 10; uid++)
		add_recent(index, uid, "q", 0, 1);
	for (uint32_t uid = 0; uid < INDEX_RECENT_USERS + 10; uid++) {
		CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;

		assert_int_equal(index_recent_list(index, uid, &names), 0);
		n += names.len > 0;
	}
	assert_int_equal(n, INDEX_RECENT_USERS);
	index_close(index);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
