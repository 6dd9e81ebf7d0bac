/* Sums of lengths that are carried over from one view to the next, against those added up anew. */
#include "index/field_stats.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/doclist.h"
#include "index/index.h"
#include "index/measure.h"
#include "index/relevance.h"
#include "index/test_catalogue.h"
#include "index/test_random.h"
#include "index/view.h"

enum { TITLE, TAGS, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[TITLE] = { .name = "t.title", .prompt = "Title", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .prompt = "Tags", .type = QUERY_TYPE_STRING, .multi = true },
};

enum { DOCS = 400 };

static const struct query_property *property[PROPERTIES];

static int
setup(void **state)
{
	(void)state;
	return open_catalogue(DECLARED, property, PROPERTIES);
}

/* --- Documents --- */

static void
add_words(struct index_document *document, int at, int n)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	for (int i = 0; i < n; i++)
		pxs_buf_addf(&text, "w%ld ", random() % 1000);
	pxs_buf_add_str(&text, "-");
	assert_int_equal(index_document_add_string(document, property[at], text.data, text.len), 0);
}

static void
put(struct index_write *write, int64_t id)
{
	CLEANUP(index_document) struct index_document *document = NULL;

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	for (int at = TITLE; at <= TAGS; at++)
		for (long n = random() % (at == TITLE ? 2 : 4); n > 0; n--)
			add_words(document, at, (int)(random() % 50));
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

/* Put FIRST to LAST, and remove REMOVED (0: none), if it is there. */
static void
change(int64_t first, int64_t last, int64_t removed)
{
	struct index_write *write;
	int r;

	assert_int_equal(index_write_begin(catalogue, &write), 0);
	for (int64_t id = first; id <= last; id++)
		put(write, id);
	if (removed) {
		r = index_write_remove(write, removed);
		assert_true(r == 0 || r == -ENOENT);
	}
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

/* --- Lengths --- */

/* Of every STEP-th document of the first segment, as TABLE and the column tell them. */
static void
check_lengths(const struct index_view *view, int at, const struct measure_table *table,
	      uint32_t step, const uint8_t *expected)
{
	uint32_t docs[2 * DOCS];
	uint8_t lengths[2 * DOCS];
	struct doclist_slice slice = { .run = step == 1, .docs = docs };

	for (uint32_t doc = 1; doc <= view->max_doc; doc += step)
		docs[slice.n++] = doc;
	field_lengths(view_column(view, property[at]), table, &slice, lengths);
	for (size_t i = 0; i < slice.n; i++)
		assert_int_equal(lengths[i], expected[docs[i]]);
}

/* Single documents are always new to a table of their own. */
static void
lengths_are_what_they_were(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	uint8_t expected[2 * DOCS] = { 0 };

	(void)state;
	start_random();
	change(1, DOCS, 0);
	view = index_view_get(catalogue);
	for (int at = TITLE; at <= TAGS; at++) {
		const struct column *column = view_column(view, property[at]);
		CLEANUP(measures) struct measures *measures = NULL;
		const struct measure_table *table;

		assert_int_equal(measures_new(&measures), 0);
		assert_int_equal(measures_of(measures, column, NULL, &table), 0);
		for (uint32_t doc = 1; doc <= view->max_doc; doc++) {
			struct doclist_slice one = { .n = 1, .docs = &doc };

			field_lengths(column, table, &one, &expected[doc]);
		}
		assert_int_equal(
			measures_of(view->tables->relevance.measures, column, NULL, &table), 0);
		check_lengths(view, at, table, 2, expected);
		check_lengths(view, at, table, 1, expected);
		check_lengths(view, at, table, 3, expected);
	}
}

/* --- Sums --- */

static int
stats_of(struct field_stats_cache *cache, const struct index_view *view, int at,
	 const struct index_budget *budget, struct field_stats *ret_stats)
{
	const struct column *column = view_column(view, property[at]);
	const struct measure_table *table;

	assert_int_equal(measures_of(view->tables->relevance.measures, column, NULL, &table), 0);
	return field_stats_get(cache, view, column, table, budget, ret_stats);
}

static bool
always(void *context)
{
	(void)context;
	return true;
}

/* Adding up anew asks the budget after each segment, so whoever has no time left gets sums only if
 * they are known or carried over. */
static const struct index_budget NO_TIME = { .cancelled = always };

static bool
same_as_anew(struct field_stats_cache *cache, const struct index_view *view, int at,
	     const struct index_budget *budget)
{
	CLEANUP(field_stats_cache) struct field_stats_cache *fresh = NULL;
	struct field_stats anew = { 0 };
	struct field_stats stats = { 0 };

	return field_stats_cache_new(&fresh) == 0 && stats_of(fresh, view, at, NULL, &anew) == 0 &&
	       stats_of(cache, view, at, budget, &stats) == 0 &&
	       stats.documents == anew.documents && stats.words == anew.words;
}

/* Old views, too, which somebody may still hold. */
static void
few_changes_are_carried_over(void **state)
{
	enum { VIEWS = 12 };
	CLEANUP(field_stats_cache) struct field_stats_cache *cache = NULL;
	struct index_view *views[VIEWS];
	struct field_stats stats;

	(void)state;
	start_random();
	assert_int_equal(field_stats_cache_new(&cache), 0);
	change(1, DOCS, 0);
	for (size_t i = 0; i < VIEWS; i++) {
		int64_t id = 1 + random() % DOCS;

		views[i] = index_view_get(catalogue);
		for (int at = TITLE; at <= TAGS; at++)
			assert_int_equal(stats_of(cache, views[i], at, i ? &NO_TIME : NULL, &stats),
					 0);
		change(id, id + random() % 10, 1 + random() % DOCS);
	}
	/* One view back or on at a time: fewer changes than are added up anew. */
	for (size_t i = 0; i < 200; i++) {
		size_t at = i % (2 * (VIEWS - 1));

		at = at < VIEWS ? VIEWS - 1 - at : at - (VIEWS - 1);
		assert_true(same_as_anew(cache, views[at], i % 2 ? TITLE : TAGS, &NO_TIME));
	}
	for (size_t i = 0; i < VIEWS; i++)
		index_view_put(views[i]);
}

static void
many_changes_are_added_up_anew(void **state)
{
	CLEANUP(field_stats_cache) struct field_stats_cache *cache = NULL;
	CLEANUP(index_view) struct index_view *before = NULL;
	CLEANUP(index_view) struct index_view *after = NULL;
	struct field_stats stats;

	(void)state;
	start_random();
	assert_int_equal(field_stats_cache_new(&cache), 0);
	change(1, DOCS, 0);
	before = index_view_get(catalogue);
	assert_true(same_as_anew(cache, before, TITLE, NULL));
	change(1, DOCS / 2, 0);
	after = index_view_get(catalogue);
	assert_int_equal(stats_of(cache, after, TITLE, &NO_TIME, &stats), -ECANCELED);
	/* What was broken off is not taken for sums. */
	assert_true(same_as_anew(cache, after, TITLE, NULL));
	assert_true(same_as_anew(cache, before, TITLE, NULL));
}

/* Of one generation there are as many views as viewers. */
static void
each_viewer_has_sums_of_his_own(void **state)
{
	CLEANUP(field_stats_cache) struct field_stats_cache *cache = NULL;
	CLEANUP(index_view) struct index_view *view = NULL;
	struct index_view restricted;

	(void)state;
	start_random();
	assert_int_equal(field_stats_cache_new(&cache), 0);
	change(1, DOCS, 0);
	view = index_view_get(catalogue);
	restricted = *view;
	restricted.viewer = 1;
	restricted.live = roaring_bitmap_from_range(1, DOCS - 10, 1);
	assert_non_null(restricted.live);
	restricted.count = roaring_bitmap_get_cardinality(restricted.live);
	for (int i = 0; i < 3; i++) {
		assert_true(same_as_anew(cache, view, TITLE, NULL));
		assert_true(same_as_anew(cache, &restricted, TITLE, &NO_TIME));
	}
	roaring_bitmap_free(restricted.live);
}

/* --- Threads --- */

static atomic_bool ended;

static void *
read_on(void *context)
{
	bool same = true;

	while (same && !atomic_load(&ended)) {
		struct index_view *view = index_view_get(catalogue);

		same = view && same_as_anew(context, view, TITLE, NULL);
		index_view_put(view);
	}
	return same ? NULL : context;
}

static void
readers_share_the_sums_beside_a_writer(void **state)
{
	CLEANUP(field_stats_cache) struct field_stats_cache *cache = NULL;
	pthread_t readers[2];
	void *wrong;

	(void)state;
	start_random();
	assert_int_equal(field_stats_cache_new(&cache), 0);
	atomic_store(&ended, false);
	change(1, DOCS, 0);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_on, cache), 0);
	for (int i = 0; i < 50; i++)
		change(i + 1, i + 5, i + 100);
	atomic_store(&ended, true);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		assert_int_equal(pthread_join(readers[i], &wrong), 0);
		assert_null(wrong);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_catalogue)
	static const struct CMUnitTest TESTS[] = {
		TEST(lengths_are_what_they_were),
		TEST(few_changes_are_carried_over),
		TEST(many_changes_are_added_up_anew),
		TEST(each_viewer_has_sums_of_his_own),
		TEST(readers_share_the_sums_beside_a_writer),
	};

	return cmocka_run_group_tests_name("field_stats", TESTS, NULL, NULL);
}
