/* Orders and cursors against the model: every way to the same order, places that stay. */
#include "index/hits.h"
#include "index/test_model.h"

/* --- The first few --- */

static void
check_first(struct index_hits *hits, const int *ids, size_t n)
{
	size_t place = n ? (size_t)random() % n : 0, room = (size_t)random() % 40 + 1, found;
	const struct sorter *sorter = &hits->paged->sorter;
	uint32_t docs[DOCS_MAX], all[DOCS_MAX];
	struct sort_place after;

	assert_int_equal(sorter_prepare(&hits->paged->sorter, NULL), 0);
	assert_int_equal(sorter_first(sorter, hits->docs, NULL, room, NULL, docs, &found), 0);
	assert_int_equal(found, MIN(n, room));
	assert_ids(hits, docs, found, ids);
	if (n == 0)
		return;

	assert_int_equal(index_hits_page(hits, 0, NULL, all, DOCS_MAX, &found), 0);
	assert_int_equal(found, n);
	sorter_place(sorter, all[place], &after);
	assert_int_equal(sorter_first(sorter, hits->docs, &after, room, NULL, docs, &found), 0);
	assert_int_equal(found, MIN(n - place - 1, room));
	assert_ids(hits, docs, found, ids + place + 1);
}

static void
random_order(struct query *query)
{
	query->n_sorts = (size_t)random() % 4;
	for (size_t i = 0; i < query->n_sorts; i++)
		query->sorts[i] = (struct query_sort){ property[random() % PROPERTIES],
						       random() % 2 };
}

static void
random_orders_match_the_model(void **state)
{
	start_random();
	for (int round = 0; round < 3; round++) {
		assert_int_equal(setup(state), 0);
		put_random(round == 0 ? 5 : 500 << round);
		for (int i = 0; i < 100; i++) {
			CLEANUP(query) struct query *query = query_all();
			CLEANUP(index_hits) struct index_hits *hits = NULL;
			int ids[DOCS_MAX];
			size_t n;

			if (i % 2)
				query->root = random_tree(&query->arena, 2);
			random_order(query);
			hits = search(query);
			n = expected_ids(query, ids);
			check_first(hits, ids, n);
		}
		assert_int_equal(close_catalogue(state), 0);
	}
}

/* --- Cursors --- */

/* The cursor behind the last of N documents, or *CURSOR as it was. */
static void
take_cursor(struct index_hits *hits, const uint32_t *docs, size_t n, struct pxs_buf *cursor)
{
	if (n == 0)
		return;
	pxs_buf_clear(cursor);
	assert_int_equal(index_hits_cursor(hits, docs[n - 1], cursor), 0);
	assert_int_equal(strspn(pxs_buf_text(cursor), "0123456789abcdefnms-"), cursor->len);
}

static void
cursors_resume_everywhere(void **state)
{
	start_random();
	assert_int_equal(setup(state), 0);
	put_random(1500);
	for (int i = 0; i < 60; i++) {
		CLEANUP(query) struct query *query = query_all();
		CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		size_t told = 0, n, found, step = (size_t)random() % 200 + 50;
		int ids[DOCS_MAX];
		uint32_t docs[DOCS_MAX];

		if (i % 2)
			query->root = random_tree(&query->arena, 2);
		random_order(query);
		hits = search(query);
		n = expected_ids(query, ids);
		do {
			assert_int_equal(index_hits_resume(hits, pxs_buf_text(&cursor), NULL, docs,
							   step, &found, &err),
					 0);
			assert_int_equal(found, MIN(step, n - told));
			assert_ids(hits, docs, found, ids + told);
			take_cursor(hits, docs, found, &cursor);
			told += found;
		} while (found);
		assert_int_equal(told, n);
	}
	assert_int_equal(close_catalogue(state), 0);
}

/* Change and remove random documents; what keeps its values is marked in KEPT. */
static void
disturb(bool *kept)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	assert_int_equal(index_document_new(&document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	for (int i = 0; i < 30; i++) {
		int id = (int)(random() % n_models) + 1;

		/* What comes back stands at the end of rows: not too much of that. */
		if (!models[id - 1].exists && i % 10)
			continue;
		kept[id - 1] = false;
		if (i % 3)
			put_model(write, document, id);
		else if (index_write_remove(write, id) == 0)
			models[id - 1].exists = false;
	}
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

/* Every page is of another generation, and once of another process. */
static void
what_stays_is_told_once(void **state)
{
	start_random();
	assert_int_equal(setup(state), 0);
	put_random(1500);
	for (int i = 0; i < 12; i++) {
		CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
		bool kept[DOCS_MAX] = { 0 }, told[DOCS_MAX] = { 0 }, existed[DOCS_MAX] = { 0 };
		int at = (int)(random() % PROPERTIES);
		uint32_t docs[DOCS_MAX];
		size_t found, pages = 0;

		for (int id = 1; id <= n_models; id++)
			kept[id - 1] = existed[id - 1] = models[id - 1].exists;
		do {
			CLEANUP(query) struct query *query = query_all();
			CLEANUP(index_hits) struct index_hits *hits = NULL;

			found = 0;
			query->sorts[0] = (struct query_sort){ property[at], i % 2 };
			query->sorts[1] = (struct query_sort){ property[SIZE], false };
			query->n_sorts = i % 4 ? 2 : 0;
			hits = search(query);
			assert_int_equal(index_hits_resume(hits, pxs_buf_text(&cursor), NULL, docs,
							   200, &found, &err),
					 0);
			for (size_t j = 0; j < found; j++) {
				int64_t id = index_doc_id(index_hits_view(hits), docs[j]);

				assert_false(told[id - 1] && kept[id - 1]);
				told[id - 1] = true;
			}
			take_cursor(hits, docs, found, &cursor);
			if (++pages == 3 && i % 5 == 0) {
				index_hits_put(STEAL(hits));
				reopen_catalogue(DECLARED, property, PROPERTIES);
			}
			disturb(kept);
		} while (found);
		for (int id = 1; id <= n_models; id++)
			assert_true(told[id - 1] || !kept[id - 1] || !existed[id - 1]);
	}
	assert_int_equal(close_catalogue(state), 0);
}

static void
cursors_are_checked(void **state)
{
	static const char *const WRONG[] = {
		"x",
		"1-",
		"2-00000000-1",
		"1-00000000-1",
		"1--",
		"1-0-",
		"1-00000000-zz-1",
		"-",
		"1-%41",
		"1- 1",
		"1-0000000000000000000000000000-1",
	};
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(query) struct query *other = query_all();
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(index_hits) struct index_hits *other_hits = NULL;
	CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
	uint32_t docs[8];
	size_t n;

	(void)state;
	put_named(1, "one", 1);
	put_named(2, "two", 2);
	query->sorts[0] = (struct query_sort){ property[SIZE], false };
	query->n_sorts = 1;
	other->sorts[0] = (struct query_sort){ property[SIZE], true };
	other->n_sorts = 1;
	hits = search(query);
	other_hits = search(other);
	for (size_t i = 0; i < ARRAY_SIZE(WRONG); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(index_hits_resume(hits, WRONG[i], NULL, docs, 8, &n, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, "not a cursor"));
	}
	assert_int_equal(index_hits_page(hits, 0, NULL, docs, 1, &n), 0);
	take_cursor(hits, docs, n, &cursor);
	assert_int_equal(index_hits_resume(hits, pxs_buf_text(&cursor), NULL, docs, 8, &n, &err),
			 0);
	assert_int_equal(n, 1);
	/* Of another order. */
	assert_int_equal(
		index_hits_resume(other_hits, pxs_buf_text(&cursor), NULL, docs, 8, &n, &err),
		-EINVAL);
	/* With something behind it. */
	pxs_buf_add_char(&cursor, '-');
	assert_int_equal(index_hits_resume(hits, pxs_buf_text(&cursor), NULL, docs, 8, &n, &err),
			 -EINVAL);
}

static bool
always(void *context)
{
	(void)context;
	return true;
}

static void
a_budget_ends_sorting(void **state)
{
	const struct index_budget cancelled = { .cancelled = always };
	CLEANUP(query) struct query *query = query_all();
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	uint32_t docs[8];
	size_t n;

	(void)state;
	srandom(1);
	put_random(DOCS_MAX);
	query->sorts[0] = (struct query_sort){ property[NAME], false };
	query->n_sorts = 1;
	hits = search(query);
	assert_int_equal(index_hits_page(hits, 0, &cancelled, docs, 8, &n), -ECANCELED);
	/* That ended one asking, not the hits. */
	assert_int_equal(index_hits_page(hits, 0, NULL, docs, 8, &n), 0);
	assert_int_equal(n, 8);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(random_orders_match_the_model),
		cmocka_unit_test(cursors_resume_everywhere),
		cmocka_unit_test(what_stays_is_told_once),
		TEST(cursors_are_checked),
		TEST(a_budget_ends_sorting),
	};

	return cmocka_run_group_tests_name("index/sort", TESTS, NULL, NULL);
}
