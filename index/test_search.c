/* Searches against a model: random documents and random trees; text; budgets. */
#include "index/test_model.h"

/* From every place, in steps of any size. */
static void
check_pages(struct index_hits *hits, const int *ids, size_t n)
{
	uint32_t docs[DOCS_MAX];
	size_t offset = (size_t)random() % (n + 1), step = (size_t)random() % DOCS_MAX, found;

	assert_int_equal(index_hits_page(hits, 0, NULL, docs, DOCS_MAX, &found), 0);
	assert_int_equal(found, n);
	assert_ids(hits, docs, n, ids);
	for (size_t i = 0; i < n; i++)
		assert_true(index_hits_contains(hits, docs[i]));

	assert_int_equal(index_hits_page(hits, offset, NULL, docs, step, &found), 0);
	assert_int_equal(found, MIN(step, n - offset));
	assert_ids(hits, docs, found, ids + offset);
	assert_int_equal(index_hits_page(hits, n + 5, NULL, docs, step, &found), 0);
	assert_int_equal(found, 0);
}

static void
check_resuming(struct index_hits *hits, const int *ids, size_t n)
{
	uint32_t docs[DOCS_MAX];
	size_t told = 0, found, step = (size_t)random() % 50 + 1;
	uint64_t row = 0;

	do {
		assert_int_equal(index_hits_after(hits, row, NULL, docs, step, &found), 0);
		assert_in_range(told + found, told, n);
		assert_ids(hits, docs, found, ids + told);
		told += found;
		if (found)
			row = index_doc_row(index_hits_view(hits), docs[found - 1]);
	} while (found);
	assert_int_equal(told, n);
}

static void
check_query(const struct query *query)
{
	CLEANUP(index_hits) struct index_hits *hits = search(query);
	int ids[DOCS_MAX];
	size_t n = expected_ids(query, ids);

	if (index_hits_count(hits) != n) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		(void)query_print_text(query, &text);
		fail_msg("%s: %" PRIu64 " hits instead of %zu", pxs_buf_text(&text),
			 index_hits_count(hits), n);
	}
	check_pages(hits, ids, n);
	check_resuming(hits, ids, n);
}

static void
random_order(struct query *query)
{
	query->n_sorts = (size_t)random() % 4;
	for (size_t i = 0; i < query->n_sorts; i++)
		query->sorts[i] = (struct query_sort){ property[random() % PROPERTIES],
						       random() % 2 };
	query->limit = random() % 2 ? 0 : (uint64_t)(random() % (random() % 2 ? 10 : 1500));
}

/* What `name=a,b,c` asks for: texts side by side, most of them of one property. */
static struct query_node *
random_list(struct pxs_arena *arena)
{
	struct query_node *list = pxs_arena_alloc(arena, sizeof(*list));
	struct query_node **at;
	int of;

	assert_non_null(list);
	do
		of = (int)(random() % PROPERTIES);
	while (DECLARED[of].type != QUERY_TYPE_STRING);
	list->kind = QUERY_BOOL;
	at = &list->first_child;
	for (long n = random() % 7 + 1; n-- > 0; at = &(*at)->next) {
		*at = random() % 8 ? pxs_arena_alloc(arena, sizeof(**at)) : random_leaf(arena);
		assert_non_null(*at);
		if (!(*at)->property)
			**at = (struct query_node){ .kind = QUERY_EQUALS,
						    .property = property[of],
						    .value = random_operand(of) };
		(*at)->occur = random() % 8 ? QUERY_SHOULD : QUERY_MUST_NOT;
	}
	return list;
}

static void
random_trees_match_the_model(void **state)
{
	start_random();
	for (int round = 0; round < 4; round++) {
		assert_int_equal(setup(state), 0);
		put_random(round == 0 ? 3 : 400 << round % 3);
		for (int i = 0; i < 150; i++) {
			CLEANUP(query) struct query *query = NULL;

			assert_int_equal(query_new(&query), 0);
			if (i > 0)
				query->root = i % 3 ? random_tree(&query->arena, 3)
						    : random_list(&query->arena);
			random_order(query);
			check_query(query);
		}
		assert_int_equal(close_catalogue(state), 0);
	}
}

/* --- Text --- */

static void
text_finds_words_phrases_and_beginnings(void **state)
{
	static const struct {
		const char *query, *expected;
	} ROWS[] = {
		{ "cats", "1 2 4" },
		{ "CATS", "1 2 4" },
		{ "cats dogs", "1 2 3 4" },
		{ "cats AND NOT black", "1 4" },
		{ "cats AND black", "2" },
		{ "\"black cats\"", "2" },
		{ "\"cats black\"", "" },
		{ "\"cats-16.jpg\"", "1" },
		{ "cats-16.jpg", "1 2 4" },
		{ "cats-*", "1" },
		{ "cat*", "1 2 4 5" },
		{ "t.name:cats", "1 2 4" },
		{ "t.tags:cats", "" },
		{ "t.name:cat*", "1 2 4 5" },
		{ "t.tags:tag*", "1 2 3 4 5" },
		{ "tagged", "1 2 3 4 5" },
		{ "cats AND t.size:>=20", "2 4" },
		{ "dogs OR t.size:50", "3 5" },
		{ "30", "3" }, /* a number is a word of _all */
		{ "NOT cats", "3 5" },
		{ ", AND cats", "1 2 4" }, /* no word is in "," */
		{ "(, \\-) OR dogs", "3" },
		{ ",", "" },
		{ "NOT ,", "" },
		{ "", "" },
		{ "nowhere", "" },
		{ "\x01*", "" }, /* no mark of the index's own terms is a beginning */
		{ "t.name:[black TO cats}", "2 5" },
		{ "t.name:[BLACK TO CATT}", "1 2 4 5" },
		{ "cats … AND black", "2" },
		{ "… || NOT cats", "3 5" },
		{ "…", "" },
	};

	(void)state;
	put_named(1, "cats-16.jpg", 10);
	put_named(2, "Black Cats", 20);
	put_named(3, "dogs", 30);
	put_named(4, "Cats and dogma", 40);
	put_named(5, "caterpillar", 50);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
		CLEANUP(query) struct query *query = NULL;
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		CLEANUP(free) char *ids = NULL;

		print_message("%s\n", ROWS[i].query);
		assert_int_equal(query_new(&query), 0);
		if (query_add_string(query, ROWS[i].query, index_view_schema(view), &err) < 0)
			fail_msg("%s", err.text);
		hits = search(query);
		ids = ids_of(hits);
		assert_string_equal(ids, ROWS[i].expected);
	}
}

/* --- Budgets --- */

static bool
always(void *context)
{
	(void)context;
	return true;
}

static void
a_budget_ends_a_search(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(query) struct query *query = query_all();
	const struct index_budget late = { .deadline_ns = 1 };
	const struct index_budget cancelled = { .cancelled = always };
	const struct index_budget plenty = { .deadline_ns = pxs_clock_steady_ns() +
							    60 * PXS_NS_PER_S };
	struct index_hits *hits = NULL;

	(void)state;
	put_named(1, "a", 1);
	view = index_view_get(catalogue);
	assert_int_equal(index_search(view, query, &late, &hits, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "longer than 0 ms"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(index_search(view, query, &cancelled, &hits, &err), -ECANCELED);
	memset(&err, 0, sizeof(err));
	/* Neither was kept. */
	assert_int_equal(index_search(view, query, &plenty, &hits, &err), 0);
	assert_int_equal(index_hits_count(hits), 1);
	index_hits_put(hits);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(random_trees_match_the_model),
		TEST(text_finds_words_phrases_and_beginnings),
		TEST(a_budget_ends_a_search),
	};

	return cmocka_run_group_tests_name("index/search", TESTS, NULL, NULL);
}
