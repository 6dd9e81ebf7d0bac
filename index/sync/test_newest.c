/* What a core updated last: read until it is certain that all of it is here, or that it cannot be
 * told this way. */
#include "base/clock.h"
#include "index/sync/test_core.h"

#define FIRST "/files?where={}&sort=-_updated&max_results=100"
#define NOON "2020-01-01T12:00:00"
#define NOON_NS (INT64_C(1577880000) * PXS_NS_PER_S)

static int64_t newest_ns;
static bool all;

static int
start(void **state)
{
	if (start_following(state) < 0)
		return -1;
	if (plan_begin(&follower.crawl.plan) < 0)
		return -1;
	follower.crawl.plan.newest_ns = NOON_NS;
	return 0;
}

/* Takes ITEMS; NEXT may be NULL. */
static json_t *
make_page(json_t *items, int64_t hits, const char *next)
{
	json_t *page = make_answer(items);

	add_property(page, "hits", json_integer(hits));
	if (next)
		(void)json_array_append_new(
			json_object_get(json_object_get(page, "collection"), "links"),
			json_pack("{s:s,s:s}", "rel", "next", "href", next));
	return page;
}

/* A page with one document. */
static json_t *
make_one(int64_t id, const char *updated, int64_t hits, const char *next)
{
	return make_page(json_pack("[o]", make_item(id, "v1", updated)), hits, next);
}

static int
look(void)
{
	int r;

	err = (struct pxs_error){ 0 };
	r = crawl_newest(&follower, &newest_ns, &all, &err);
	assert_int_equal(n_asked, n_answers);
	n_asked = n_answers = 0;
	return r;
}

static void
test_it_reads_until_what_was_there_before(void **state)
{
	(void)state;
	expect(FIRST, 0, make_one(1, "2020-01-01T12:00:09", 900, "/2"));
	expect("/2", 0, make_one(2, NOON, 900, "/3"));
	expect("/3", 0, make_one(3, "2020-01-01T11:58:00", 900, "/4"));
	expect("/4", 0, make_one(4, "2020-01-01T11:57:59", 900, "/5"));
	assert_int_equal(look(), 0);
	assert_false(all);
	assert_int_equal(newest_ns, NOON_NS + 9 * PXS_NS_PER_S);
	for (int64_t id = 1; id <= 4; id++)
		assert_true(has_version(id, "v1"));
}

/* So many pages of what is known end it, but not one too few. */
static void
test_among_equal_times_it_reads_as_long_as_there_is_something_new(void **state)
{
	static const char *const PAGES[] = { FIRST, "/2", "/3", "/4",  "/5", "/6",
					     "/7",  "/8", "/9", "/10", "/11" };

	(void)state;
	for (int64_t id = 1; id <= 10; id++)
		if (id != 5)
			keep(id, "v1");
	commit();
	for (int64_t id = 1; id <= 10; id++)
		expect(PAGES[id - 1], 0, make_one(id, NOON, 900, PAGES[id]));
	assert_int_equal(look(), 0);
	assert_false(all);
	assert_int_equal(newest_ns, NOON_NS);
	assert_true(has(5));
}

static void
test_what_is_later_than_the_newest_is_read_though_it_is_known(void **state)
{
	static const char *const PAGES[] = { FIRST, "/2", "/3", "/4", "/5", "/6", "/7", NULL };

	(void)state;
	for (int64_t id = 1; id <= 7; id++)
		keep(id, "v1");
	commit();
	for (int64_t id = 1; id <= 7; id++)
		expect(PAGES[id - 1], 0, make_one(id, "2020-01-01T12:00:01", 7, PAGES[id]));
	assert_int_equal(look(), 0);
	assert_false(all);
}

static void
test_the_first_time_one_page_tells_where_we_are(void **state)
{
	(void)state;
	follower.crawl.plan.newest_ns = INT64_MIN;
	expect(FIRST, 0, make_one(1, NOON, 900, "/2"));
	assert_int_equal(look(), 0);
	assert_false(all);
	assert_int_equal(newest_ns, NOON_NS);
}

static void
test_an_empty_page_is_not_the_end(void **state)
{
	(void)state;
	expect(FIRST, 0, make_page(json_array(), 1, "/2"));
	expect("/2", 0, make_one(1, NOON, 1, NULL));
	assert_int_equal(look(), 0);
	assert_false(all);
	assert_true(has(1));
	assert_int_equal(newest_ns, NOON_NS);
	expect(FIRST, 0, make_page(json_array(), 0, NULL));
	assert_int_equal(look(), 0);
	assert_false(all);
	assert_int_equal(newest_ns, NOON_NS);
}

/* Then all parts are listed, and the newest time stays. */
static void
assert_not_this_way(json_t *page)
{
	expect(FIRST, page ? 0 : -EINVAL, page);
	assert_int_equal(look(), 0);
	assert_true(all);
	assert_int_equal(err.code, 0);
}

static void
test_where_the_order_does_not_tell_all_is_listed(void **state)
{
	(void)state;
	assert_not_this_way(NULL); /* it cannot sort by that */
	assert_not_this_way(make_one(1, NULL, 1, NULL));
	assert_not_this_way(make_one(1, "yesterday", 1, NULL));
	assert_not_this_way(make_page(json_pack("[o,o]", make_item(1, "v1", NOON),
						make_item(2, "v1", "2020-01-01T12:00:01")),
				      2, NULL));
	assert_int_equal(newest_ns, NOON_NS);
	assert_not_this_way(make_one(1, "2020-01-01T12:00:01", 2, NULL)); /* one is lacking */
	assert_int_equal(newest_ns, NOON_NS + PXS_NS_PER_S);
}

static void
test_a_failure_is_one(void **state)
{
	(void)state;
	expect(FIRST, -EAGAIN, NULL);
	assert_int_equal(look(), -EAGAIN);
	expect(FIRST, 0, make_one(1, "2020-01-01T12:00:01", 9, FIRST));
	assert_int_equal(look(), -EPROTO);
	assert_non_null(strstr(err.text, "in a circle"));
}

/* As many as before may be others. */
static void
test_the_part_of_a_new_document_is_listed_again(void **state)
{
	struct plan_part *part = follower.crawl.plan.parts;

	(void)state;
	keep(1, "v1");
	commit();
	part->hits = 5;
	expect(FIRST, 0, make_page(json_pack("[o]", make_item(1, "v2", NOON)), 1, NULL));
	assert_int_equal(look(), 0);
	assert_true(has_version(1, "v2"));
	assert_int_equal(part->hits, 5);
	expect(FIRST, 0, make_one(2, NOON, 1, NULL));
	assert_int_equal(look(), 0);
	assert_int_equal(part->hits, -1);
}

#define NEWEST_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop_following)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NEWEST_TEST(test_it_reads_until_what_was_there_before),
		NEWEST_TEST(test_among_equal_times_it_reads_as_long_as_there_is_something_new),
		NEWEST_TEST(test_what_is_later_than_the_newest_is_read_though_it_is_known),
		NEWEST_TEST(test_the_first_time_one_page_tells_where_we_are),
		NEWEST_TEST(test_an_empty_page_is_not_the_end),
		NEWEST_TEST(test_where_the_order_does_not_tell_all_is_listed),
		NEWEST_TEST(test_a_failure_is_one),
		NEWEST_TEST(test_the_part_of_a_new_document_is_listed_again),
	};

	return cmocka_run_group_tests_name("newest", tests, NULL, NULL);
}
