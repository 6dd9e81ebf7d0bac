/* Hits over generations, kept for the next who asks, walked by one value. */
#include "index/test_model.h"

/* --- Generations --- */

static void
hits_stay_as_they_were(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_hits) struct index_hits *before = NULL;
	CLEANUP(index_hits) struct index_hits *after = NULL;
	CLEANUP(free) char *ids_before = NULL;
	CLEANUP(free) char *ids_after = NULL;

	(void)state;
	put_named(1, "a", 1);
	put_named(2, "b", 2);
	before = search(query);
	put_named(3, "c", 3);
	/* A document keeps its row, so its place, when it changes. */
	put_named(1, "changed", 1);
	after = search(query);
	ids_before = ids_of(before);
	ids_after = ids_of(after);
	assert_string_equal(ids_before, "1 2");
	assert_string_equal(ids_after, "1 2 3");
}

static void
resuming_over_generations(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_hits) struct index_hits *before = NULL;
	CLEANUP(index_hits) struct index_hits *after = NULL;
	struct index_write *write;
	uint64_t row;
	uint32_t docs[8];
	size_t n;

	(void)state;
	for (int id = 1; id <= 5; id++)
		put_named(id, "name", id);
	before = search(query);
	assert_int_equal(index_hits_after(before, 0, NULL, docs, 2, &n), 0);
	row = index_doc_row(index_hits_view(before), docs[1]);

	/* What was told goes, what was not told changes. */
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_remove(write, 2), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
	put_named(3, "changed", 3);
	after = search(query);
	assert_int_equal(index_hits_after(after, row, NULL, docs, 8, &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(index_doc_id(index_hits_view(after), docs[i]), i + 3);

	/* In an order by values the place of what has gone is lost, and that is said. */
	query->sorts[0] = (struct query_sort){ property[SIZE], true };
	query->n_sorts = 1;
	index_hits_put(STEAL(after));
	after = search(query);
	assert_int_equal(index_hits_after(after, row, NULL, docs, 8, &n), -ESTALE);
}

static void
what_came_and_went_between_two_generations(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_hits) struct index_hits *before = NULL;
	CLEANUP(index_hits) struct index_hits *after = NULL;
	struct index_write *write;
	uint32_t docs[2];
	size_t n = 7;

	(void)state;
	for (int id = 1; id <= 3; id++)
		put_named(id, "name", id);
	before = search(query);
	put_named(2, "changed", 2);
	put_named(4, "new", 4);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_remove(write, 3), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
	assert_int_equal(index_compact(catalogue, NULL), 0);
	after = search(query);

	assert_int_equal(index_hits_except(after, before, docs, 1, &n), -E2BIG);
	assert_int_equal(n, 7);
	assert_int_equal(index_hits_except(after, before, docs, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(index_doc_id(index_hits_view(after), docs[0]), 2);
	assert_int_equal(index_doc_id(index_hits_view(after), docs[1]), 4);
	assert_int_equal(index_hits_except(before, after, docs, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(index_doc_id(index_hits_view(before), docs[0]), 2);
	assert_int_equal(index_doc_id(index_hits_view(before), docs[1]), 3);
}

static void
a_document_needs_no_values(void **state)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(free) char *ids = NULL;
	struct index_write *write;

	(void)state;
	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, 7);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_put(write, document), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
	hits = search(query);
	ids = ids_of(hits);
	assert_string_equal(ids, "7");
}

static void
recent_hits_are_kept(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(index_hits) struct index_hits *first = NULL;
	CLEANUP(index_hits) struct index_hits *second = NULL;
	CLEANUP(index_hits) struct index_hits *third = NULL;

	(void)state;
	put_named(1, "a", 1);
	view = index_view_get(catalogue);
	assert_null(index_search_cached(view, query));
	first = search(query);
	second = index_search_cached(view, query);
	assert_ptr_equal(first, second);
	index_view_put(STEAL(view));

	put_named(2, "b", 2);
	view = index_view_get(catalogue);
	assert_null(index_search_cached(view, query));
	third = search(query);
	assert_int_equal(index_hits_count(third), 2);

	/* The order is part of what was asked. */
	query->sorts[0] = (struct query_sort){ property[SIZE], true };
	query->n_sorts = 1;
	assert_null(index_search_cached(view, query));
}

static void
an_old_view_finds_what_it_shows(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_view) struct index_view *old = NULL;
	CLEANUP(index_hits) struct index_hits *old_hits = NULL;
	CLEANUP(index_hits) struct index_hits *new_hits = NULL;

	(void)state;
	put_named(1, "a", 1);
	old = index_view_get(catalogue);
	put_named(2, "b", 2);
	assert_int_equal(index_search(old, query, NULL, &old_hits, &err), 0);
	new_hits = search(query);
	assert_int_equal(index_hits_count(old_hits), 1);
	assert_int_equal(index_hits_count(new_hits), 2);
}

static void
a_limit_without_an_order_takes_the_first(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(free) char *ids = NULL;
	const struct index_facets *facets;

	(void)state;
	for (int id = 1; id <= 5; id++)
		put_named(id, "name", id);
	query->limit = 3;
	hits = search(query);
	ids = ids_of(hits);
	assert_int_equal(index_hits_count(hits), 3);
	assert_string_equal(ids, "1 2 3");
	assert_int_equal(index_hits_facets(hits, NULL, &facets, &err), 0);
	assert_int_equal(facets->hits, 3);
}

static void
old_hits_make_room(void **state)
{
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(index_hits) struct index_hits *first = NULL;

	(void)state;
	put_named(1, "a", 1);
	view = index_view_get(catalogue);
	first = search(query);
	for (uint64_t limit = 1; limit <= 200; limit++) {
		CLEANUP(query) struct query *other = query_all();
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		CLEANUP(index_hits) struct index_hits *again = NULL;

		other->limit = limit;
		hits = search(other);
		assert_int_equal(index_hits_count(hits), 1);
		/* What is asked for now and then stays. */
		again = limit <= 100 ? index_search_cached(view, query) : NULL;
		assert_ptr_equal(again, limit <= 100 ? first : NULL);
	}
	assert_null(index_search_cached(view, query));
	assert_int_equal(index_hits_count(first), 1);
}

struct asker {
	pthread_t thread;
	struct index_view *view;
	uint64_t hits;
};

static void *
ask(void *context)
{
	struct asker *asker = context;

	for (uint64_t limit = 0; limit < 50; limit++) {
		CLEANUP(query) struct query *query = NULL;
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		const struct index_facets *facets;
		uint32_t docs[4];
		size_t n;

		if (query_new(&query) < 0)
			return NULL;
		query->limit = limit;
		query->sorts[0] = (struct query_sort){ property[NAME], limit % 2 };
		query->n_sorts = 1;
		if (index_search(asker->view, query, NULL, &hits, NULL) == 0 &&
		    index_hits_page(hits, 0, NULL, docs, 4, &n) == 0 &&
		    index_hits_facets(hits, NULL, &facets, NULL) == 0)
			asker->hits += index_hits_count(hits);
	}
	return asker;
}

static void
threads_ask_the_same(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	struct asker askers[4] = { 0 };

	(void)state;
	srandom(1);
	put_random(300);
	view = index_view_get(catalogue);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
		askers[i].view = view;
		assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
		void *result;

		assert_int_equal(pthread_join(askers[i].thread, &result), 0);
		assert_ptr_equal(result, &askers[i]);
		assert_int_equal(askers[i].hits, index_view_count(view) + 49 * 50 / 2);
	}
}

/* --- By one value --- */

static int
count_doc(void *context, uint32_t doc)
{
	uint32_t *last = context;

	assert_true(doc > last[0]);
	last[0] = doc;
	last[1]++;
	return 0;
}

static int
stop_at_once(void *context, uint32_t doc)
{
	(void)context;
	(void)doc;
	return 7;
}

static void
check_equal(struct index_hits *hits, const struct query *query, int at, const char *value)
{
	uint32_t counted[2] = { 0 }, expected = 0;

	for (int id = 1; id <= n_models; id++) {
		const struct model *model = &models[id - 1];
		bool has = false;

		for (size_t i = 0; i < model->n[at]; i++)
			has |= strcmp(model->values[at][i].string, value) == 0;
		expected += model->exists && has && matches(query->root, model);
	}
	assert_int_equal(index_hits_equal(hits, property[at], value, count_doc, counted), 0);
	assert_int_equal(counted[1], expected);
}

static void
hits_by_one_value(void **state)
{
	CLEANUP(query) struct query *all = query_all();
	CLEANUP(query) struct query *few = query_all();
	CLEANUP(index_hits) struct index_hits *all_hits = NULL;
	CLEANUP(index_hits) struct index_hits *few_hits = NULL;
	struct query_node condition = { .kind = QUERY_EQUALS,
					.value = { .type = QUERY_TYPE_LONG, .integer = 7 } };

	(void)state;
	start_random();
	put_random(DOCS_MAX);
	condition.property = property[SIZE];
	assert_int_equal(query_add_condition(few, &condition), 0);
	all_hits = search(all);
	few_hits = search(few);
	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++) {
		char value[32];

		(void)snprintf(value, sizeof(value), "%s%zu", WORDS[i], i % 5);
		check_equal(all_hits, all, NAME, value);
		check_equal(all_hits, all, TAGS, value);
		check_equal(few_hits, few, NAME, value);
		check_equal(few_hits, few, TAGS, value);
	}
	assert_int_equal(index_hits_equal(all_hits, property[NAME], "beta1", stop_at_once, NULL),
			 7);
	assert_int_equal(index_hits_equal(all_hits, property[SIZE], "7", stop_at_once, NULL), 0);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(hits_stay_as_they_were),
		TEST(resuming_over_generations),
		TEST(what_came_and_went_between_two_generations),
		TEST(a_document_needs_no_values),
		TEST(recent_hits_are_kept),
		TEST(an_old_view_finds_what_it_shows),
		TEST(a_limit_without_an_order_takes_the_first),
		TEST(old_hits_make_room),
		TEST(threads_ask_the_same),
		TEST(hits_by_one_value),
	};

	return cmocka_run_group_tests_name("index/hits", TESTS, NULL, NULL);
}
