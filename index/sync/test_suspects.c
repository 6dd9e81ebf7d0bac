/* Documents that are here, but that the core does not list: each is asked for before it goes. */
#include "index/sync/suspects.h"
#include "index/sync/test_core.h"

/* More than one answer of index_hits_after(), and than a transaction takes. */
#define MANY (2 * INTAKE_MAX + 10)

static void
keep_many(int64_t n)
{
	for (int64_t id = 1; id <= n; id++) {
		keep(id, "v1");
		if (id % INTAKE_MAX == 0 || id == n)
			commit();
	}
}

static void
collect(struct suspects *suspects, const roaring_bitmap_t *seen)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	assert_int_equal(follow_find(&follower, view, &hits), 0);
	assert_int_equal(suspects_collect(suspects, hits, seen), 0);
}

/* Each third was listed, some of them twice, and some that are not here. */
static void
test_what_was_not_seen_is_suspect(void **state)
{
	CLEANUP(suspects) struct suspects suspects = { 0 };
	roaring_bitmap_t *seen = roaring_bitmap_create();

	(void)state;
	keep_many(MANY);
	for (int64_t id = 3; id <= MANY + 300; id += 3)
		suspects_mark_seen(catalogue, (int64_t[]){ id, 3, id }, 3, seen);
	assert_int_equal(roaring_bitmap_get_cardinality(seen), MANY / 3);
	collect(&suspects, seen);
	assert_int_equal(suspects.n, MANY - MANY / 3);
	for (size_t i = 0; i < suspects.n; i++)
		assert_int_equal(suspects.ids[i], i / 2 * 3 + i % 2 + 1);
	roaring_bitmap_free(seen);
}

static void
test_where_all_was_seen_nothing_is(void **state)
{
	CLEANUP(suspects) struct suspects suspects = { 0 };
	roaring_bitmap_t *seen = roaring_bitmap_create();

	(void)state;
	collect(&suspects, seen);
	assert_int_equal(suspects.n, 0);
	keep_many(5);
	suspects_mark_seen(catalogue, (int64_t[]){ 5, 4, 3, 2, 1 }, 5, seen);
	collect(&suspects, seen);
	assert_int_equal(suspects.n, 0);
	assert_int_equal(suspects_settle(&suspects, &follower, &err), 0);
	roaring_bitmap_free(seen);
}

static void
suspect(struct suspects *suspects)
{
	roaring_bitmap_t *seen = roaring_bitmap_create();

	collect(suspects, seen);
	roaring_bitmap_free(seen);
}

static void
test_gone_is_what_the_core_has_no_more(void **state)
{
	CLEANUP(suspects) struct suspects suspects = { 0 };

	(void)state;
	keep_many(3);
	suspect(&suspects);
	expect("/files/1", -ENOENT, NULL);
	expect_document("/files/2", 2, "v2");
	expect_document("/files/3", 3, "v1");
	assert_int_equal(suspects_settle(&suspects, &follower, &err), 0);
	assert_all_asked();
	assert_false(has(1));
	assert_true(has_version(2, "v2"));
	assert_true(has_version(3, "v1"));
}

/* A core that fails has not said that anything is gone. */
static void
test_without_an_answer_nothing_goes(void **state)
{
	static const int FAILURES[] = { -EAGAIN, -EACCES, -EHOSTUNREACH, -EPROTO, -ESTALE };

	(void)state;
	keep_many(2);
	for (size_t i = 0; i < ARRAY_SIZE(FAILURES); i++) {
		CLEANUP(suspects) struct suspects suspects = { 0 };

		suspect(&suspects);
		expect("/files/1", -ENOENT, NULL);
		expect("/files/2", FAILURES[i], NULL);
		assert_true(suspects_settle(&suspects, &follower, &err) < 0);
		assert_all_asked();
		assert_true(has(1) && has(2));
	}
}

static void
test_an_answer_about_another_is_none(void **state)
{
	CLEANUP(suspects) struct suspects suspects = { 0 };

	(void)state;
	keep_many(1);
	suspect(&suspects);
	expect_document("/files/1", 2, "v1");
	assert_int_equal(suspects_settle(&suspects, &follower, &err), -EPROTO);
	assert_true(has(1));
	assert_false(has(2));
}

static void
test_so_many_are_not_even_asked_for(void **state)
{
	CLEANUP(suspects) struct suspects suspects = { 0 };

	(void)state;
	keep_many(MANY);
	suspect(&suspects);
	assert_int_equal(suspects_settle(&suspects, &follower, &err), -EPERM);
	assert_int_equal(n_asked, 0);
	assert_non_null(strstr(err.text, "2010 of 2010 documents"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_not_seen_is_suspect),
		TEST(test_where_all_was_seen_nothing_is),
		TEST(test_gone_is_what_the_core_has_no_more),
		TEST(test_without_an_answer_nothing_goes),
		TEST(test_an_answer_about_another_is_none),
		TEST(test_so_many_are_not_even_asked_for),
	};

	return cmocka_run_group_tests_name("suspects", tests, NULL, NULL);
}
