/* The changes of a core: what an answer says is done, and one that cannot be right does nothing. */
#include "index/sync/test_core.h"

#define IDENTITY "index-1"

/* Follows from change 10 on. */
static int
start(void **state)
{
	if (start_following(state) < 0)
		return -1;
	follower.has_kind = true;
	follower.is_pxs = true;
	follower.has_bookmark = true;
	follower.bookmark = (struct bookmark){ .since = 10, .identity = strdup(IDENTITY) };
	return bookmark_write(&follower.bookmark, catalogue, URL);
}

static json_t *
make_change(int64_t id, const char *etag)
{
	json_t *item = make_item(id, etag, NULL);

	add_value(json_object_get(item, "data"), "_deleted", json_boolean(!*etag));
	return item;
}

/* Takes ITEMS. */
static json_t *
make_feed(json_t *items, int64_t seq, int64_t newest)
{
	json_t *answer = make_answer(items);

	add_property(answer, "changes", json_integer((json_int_t)json_array_size(items)));
	add_property(answer, "index", json_string(IDENTITY));
	add_property(answer, "seq", json_integer(seq));
	add_property(answer, "newest", json_integer(newest));
	return answer;
}

#define SINCE(seq, wait) "/changes?since=" #seq "&max_results=1000&wait=" #wait

static int
take(bool *wait)
{
	int r = feed_take(&follower, wait, &err);

	assert_int_equal(n_asked, n_answers);
	return r;
}

/* As it would be read by one who begins now. */
static void
assert_noted(uint64_t since)
{
	struct bookmark bookmark = { 0 };

	assert_int_equal(follower.bookmark.since, since);
	assert_int_equal(bookmark_read(&bookmark, catalogue, URL), 0);
	assert_int_equal(bookmark.since, since);
	bookmark_done(&bookmark);
}

static void
test_changes_are_taken(void **state)
{
	bool wait = true;

	(void)state;
	keep(2, "v1");
	keep(3, "v1");
	commit();
	expect(SINCE(10, 25), 0,
	       make_feed(json_pack("[o,o,o,o]", make_change(1, "v1"), make_change(2, "v2"),
				   make_change(3, ""), make_change(4, "")),
			 14, 20));
	expect_document("/files/1", 1, "v1");
	expect_document("/files/2", 2, "v2");
	assert_int_equal(take(&wait), 0);
	assert_false(wait);
	assert_true(has_version(1, "v1") && has_version(2, "v2"));
	assert_false(has(3));
	assert_noted(14);
	expect(SINCE(14, 0), 0, make_feed(json_array(), 20, 20));
	assert_int_equal(take(&wait), 0);
	assert_true(wait);
	assert_noted(20);
}

static void
test_what_is_told_again_is_not_asked_for(void **state)
{
	bool wait = false;

	(void)state;
	expect(SINCE(10, 0), 0, make_feed(json_pack("[o]", make_change(1, "v1")), 11, 11));
	expect_document("/files/1", 1, "v1");
	assert_int_equal(take(&wait), 0);
	follower.bookmark.since = 10; /* as after a crash before it was noted */
	expect(SINCE(10, 25), 0, make_feed(json_pack("[o]", make_change(1, "v1")), 11, 11));
	assert_int_equal(take(&wait), 0);
	assert_int_equal(atomic_load(&follower.written), 1);
	assert_noted(11);
}

static void
test_nothing_new_is_waited_for(void **state)
{
	bool wait = true;

	(void)state;
	expect(SINCE(10, 25), 0, make_feed(json_array(), 10, 10));
	assert_int_equal(take(&wait), 0);
	assert_true(wait);
	assert_noted(10);
}

/* It changed once more, or went, after the feed told of it. */
static void
test_a_document_that_moves_on_is_told_anew(void **state)
{
	bool wait = false;

	(void)state;
	expect(SINCE(10, 0), 0, make_feed(json_pack("[o]", make_change(1, "v1")), 11, 11));
	expect_document("/files/1", 1, "v2");
	expect(SINCE(10, 0), 0, make_feed(json_pack("[o]", make_change(1, "v2")), 12, 12));
	assert_int_equal(take(&wait), 0);
	assert_true(has_version(1, "v2"));
	assert_noted(12);
	expect(SINCE(12, 25), 0, make_feed(json_pack("[o]", make_change(1, "v3")), 13, 13));
	expect("/files/1", -ENOENT, NULL);
	expect(SINCE(12, 0), 0, make_feed(json_pack("[o]", make_change(1, "")), 14, 14));
	assert_int_equal(take(&wait), 0);
	assert_false(has(1));
	assert_noted(14);
}

static void
test_one_that_is_never_shown_is_a_failure(void **state)
{
	bool wait = false;

	(void)state;
	for (int i = 0; i < 6; i++) {
		expect(SINCE(10, 0), 0, make_feed(json_pack("[o]", make_change(1, "v1")), 11, 11));
		expect("/files/1", -ENOENT, NULL);
	}
	assert_int_equal(take(&wait), -EAGAIN);
	assert_noted(10);
}

/* Nothing is done of an answer that is not whole. */
static void
assert_refused(json_t *answer, int r)
{
	bool wait = false;

	expect(SINCE(10, 0), 0, answer);
	assert_int_equal(take(&wait), r);
	assert_all_asked();
	assert_true(has_version(1, "v1"));
	assert_int_equal(atomic_load(&follower.removed), 0);
	assert_noted(10);
}

static json_t *
make_removal(int64_t seq, int64_t newest)
{
	return make_feed(json_pack("[o]", make_change(1, "")), seq, newest);
}

static json_t *
with_property(json_t *answer, const char *name, json_t *value)
{
	json_t *list = json_object_get(json_object_get(answer, "collection"), "properties");
	json_t *property;
	size_t i;

	json_array_foreach (list, i, property)
		if (strcmp(json_string_value(json_object_get(property, "name")), name) == 0)
			(void)json_object_set_new(property, "value", STEAL(value));
	return answer;
}

static void
test_an_answer_that_is_not_whole_does_nothing(void **state)
{
	static const struct {
		const char *name;
		const char *value;
	} ROWS[] = {
		{ "changes", "2" },
		{ "seq", "-11" },
		{ "seq", "null" },
		{ "seq", "\"11\"" },
		{ "index", "null" },
		{ "index", "\"\"" },
		{ "index", "\"index 1\"" },
		{ "index", "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"" },
	};

	(void)state;
	keep(1, "v1");
	commit();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_refused(with_property(make_removal(11, 11), ROWS[i].name,
					     json_loads(ROWS[i].value, JSON_DECODE_ANY, NULL)),
			       -EPROTO);
	assert_refused(make_feed(json_object(), 11, 11), -EPROTO);
	assert_refused(make_feed(json_pack("[o,{}]", make_change(1, "")), 11, 11), -EPROTO);
	assert_refused(
		make_feed(json_pack("[o,o]", make_change(1, ""), make_change(0, "v1")), 11, 11),
		-EPROTO);
	assert_refused(json_array(), -EPROTO);
}

static void
test_changes_of_another_index_are_not_taken(void **state)
{
	(void)state;
	keep(1, "v1");
	commit();
	assert_refused(with_property(make_removal(11, 11), "index", json_string("index-2")),
		       -ESTALE);
}

/* Else it would be asked for them without end. */
static void
test_changes_that_do_not_go_on_are_refused(void **state)
{
	(void)state;
	keep(1, "v1");
	commit();
	assert_refused(make_removal(9, 11), -EPROTO);
	assert_refused(make_removal(9, 9), -EPROTO);
	assert_refused(make_removal(10, 11), -EPROTO);
	assert_refused(with_property(make_removal(10, 10), "newest", json_null()), -EPROTO);
}

/* Each is counted in the answer, so that none of the same is lost. */
static void
test_too_many_are_refused(void **state)
{
	json_t *items = json_array();

	(void)state;
	keep(1, "v1");
	commit();
	for (int i = 0; i <= INTAKE_MAX; i++)
		assert_int_equal(json_array_append_new(items, make_change(1, "")), 0);
	assert_refused(make_feed(items, 11, 11), -EPROTO);
}

#define FEED_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop_following)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FEED_TEST(test_changes_are_taken),
		FEED_TEST(test_what_is_told_again_is_not_asked_for),
		FEED_TEST(test_nothing_new_is_waited_for),
		FEED_TEST(test_a_document_that_moves_on_is_told_anew),
		FEED_TEST(test_one_that_is_never_shown_is_a_failure),
		FEED_TEST(test_an_answer_that_is_not_whole_does_nothing),
		FEED_TEST(test_changes_of_another_index_are_not_taken),
		FEED_TEST(test_changes_that_do_not_go_on_are_refused),
		FEED_TEST(test_too_many_are_refused),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
