/* How far an upstream has been read: what is noted is read again, and nothing else is taken for it.
 */
#include <errno.h>

#include "index/sync/bookmark.h"
#include "index/test_catalogue.h"

#define URL "https://core.example/api"

static int
setup(void **state)
{
	(void)state;
	return open_catalogue(NULL, NULL, 0);
}

static void
note(const char *text)
{
	assert_int_equal(index_note_put(catalogue, "sync.bookmark", text), 0);
}

static void
assert_read(const struct bookmark *expected)
{
	struct bookmark bookmark = { 0 };

	assert_int_equal(bookmark_read(&bookmark, catalogue, URL), 0);
	assert_int_equal(bookmark.since, expected->since);
	assert_string_equal(bookmark.identity, expected->identity);
	assert_int_equal(bookmark.again, expected->again);
	assert_int_equal(bookmark.listed, expected->listed);
	assert_int_equal(!bookmark.next, !expected->next);
	if (expected->next)
		assert_string_equal(bookmark.next, expected->next);
	bookmark_done(&bookmark);
}

/* The longest identity that feed_position() takes, and links as others may write them. */
static void
test_what_is_written_is_read(void **state)
{
	static char longest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
	static char page[] = "/files?where={}&max_results=1000&after=a b\tc";
	const struct bookmark bookmarks[] = {
		{ .identity = (char[]){ "a" } },
		{ .since = INT64_MAX, .identity = longest, .listed = INT64_MAX, .again = true },
		{ .since = 5, .identity = longest, .next = page, .listed = 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bookmarks); i++) {
		assert_int_equal(bookmark_write(&bookmarks[i], catalogue, URL), 0);
		assert_read(&bookmarks[i]);
	}
	index_close(STEAL(catalogue));
	assert_int_equal(index_open(dir, 0, &catalogue, &err), 0);
	assert_read(&bookmarks[2]);
}

static void
assert_none(const char *url)
{
	struct bookmark bookmark = { 0 };

	assert_int_equal(bookmark_read(&bookmark, catalogue, url), -ENOENT);
	assert_null(bookmark.identity);
	assert_null(bookmark.next);
	assert_int_equal(bookmark.since, 0);
	assert_int_equal(bookmark.listed, 0);
}

static void
test_of_another_core_it_is_none(void **state)
{
	const struct bookmark bookmark = { .since = 5, .identity = (char[]){ "a" } };

	(void)state;
	assert_none(URL);
	assert_int_equal(bookmark_write(&bookmark, catalogue, URL), 0);
	assert_none("https://core.example");
	assert_none(URL "/v2");
	assert_none("https://core.example/apj");
	assert_read(&bookmark);
	note(URL "/5 6 7 0 8 ");
	assert_none(URL);
}

static void
test_a_damaged_one_is_none(void **state)
{
	static const char *const NOTES[] = {
		"",
		URL,
		URL " ",
		URL " 5",
		URL " 5 a",
		URL " 5 a 0",
		URL " 5 a 0 x",
		URL " x a 0 7 ",
		URL " -5 a 0 7 ",
		URL " 5 a 0 -7 ",
		URL " 99999999999999999999 a 0 7 ",
		URL " 5 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef 0 7 ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NOTES); i++) {
		note(NOTES[i]);
		assert_none(URL);
	}
	note(URL " 5 a 0 7 ");
	assert_read(&(struct bookmark){ .since = 5, .identity = (char[]){ "a" }, .listed = 7 });
}

static void
test_what_is_forgotten_is_nowhere(void **state)
{
	struct bookmark bookmark = { .since = 5, .identity = strdup("a"), .next = strdup("/b") };

	(void)state;
	assert_int_equal(bookmark_write(&bookmark, catalogue, URL), 0);
	assert_int_equal(bookmark_forget(&bookmark, catalogue), 0);
	assert_null(bookmark.identity);
	assert_null(bookmark.next);
	assert_none(URL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_catalogue)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_written_is_read),
		TEST(test_of_another_core_it_is_none),
		TEST(test_a_damaged_one_is_none),
		TEST(test_what_is_forgotten_is_nowhere),
	};

	return cmocka_run_group_tests_name("bookmark", tests, NULL, NULL);
}
