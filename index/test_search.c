/* Searches against a model: random documents and random trees, every order, resuming, keeping. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"

#define DOCS_MAX 2000
#define LIST_MAX 3

enum { NAME, TAGS, SIZE, RATIO, FLAG, SIZES, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[NAME] = { .name = "t.name", .type = QUERY_TYPE_STRING, .filter = true },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true, .filter = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG, .filter = true },
	[RATIO] = { .name = "t.ratio", .type = QUERY_TYPE_DOUBLE, .filter = true },
	[FLAG] = { .name = "t.flag", .type = QUERY_TYPE_BOOLEAN, .filter = true },
	[SIZES] = { .name = "t.sizes", .type = QUERY_TYPE_LONG, .multi = true, .filter = true },
};

/* What was put, by id - 1. */
struct model {
	bool exists;
	size_t n[PROPERTIES];
	struct query_value values[PROPERTIES][LIST_MAX];
	char texts[PROPERTIES][LIST_MAX][32];
};

static char dir[64];
static struct index *catalogue;
static const struct query_property *property[PROPERTIES];
static struct model models[DOCS_MAX];
static int n_models;
static struct pxs_error err;

static void
start_random(void)
{
	const char *given = getenv("PXS_SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10)
				  : (unsigned int)time(NULL);

	print_message("PXS_SEED=%u\n", seed);
	srandom(seed);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pxs-test-search-XXXXXX");
	memset(&err, 0, sizeof(err));
	memset(models, 0, sizeof(models));
	if (!mkdtemp(dir) || index_open(dir, INDEX_CREATE, &catalogue, &err) < 0)
		return -1;
	for (size_t i = 0; i < PROPERTIES; i++) {
		struct query_property declared = DECLARED[i];

		declared.prompt = declared.name;
		if (index_property_add(catalogue, &declared, &property[i], &err) < 0)
			return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	index_close(STEAL(catalogue));
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* --- Random documents --- */

static const char *const WORDS[] = { "Alpha", "alpha", "beta", "Gamma delta",  "beta gamma",
				     "a",     "",      "z.z",  "\xc3\x84ther", "delta-16.jpg" };

static void
random_value(struct model *model, int at)
{
	struct query_value *value = &model->values[at][model->n[at]];
	char *text = model->texts[at][model->n[at]++];

	value->type = DECLARED[at].type;
	switch (DECLARED[at].type) {
	case QUERY_TYPE_STRING:
		(void)snprintf(text, 32, "%s%ld", WORDS[random() % (long)ARRAY_SIZE(WORDS)],
			       random() % 4);
		value->string = text;
		break;
	case QUERY_TYPE_DOUBLE:
		value->real = (double)(random() % 100 - 50) / 8;
		break;
	case QUERY_TYPE_BOOLEAN:
		value->integer = random() % 2;
		break;
	default:
		value->integer = random() % 20 ? random() % 60 - 30
					       : (random() % 2 ? INT64_MAX : INT64_MIN + 1);
	}
}

static void
put_model(struct index_write *write, struct index_document *document, int id)
{
	struct model *model = &models[id - 1];

	memset(model, 0, sizeof(*model));
	model->exists = true;
	index_document_clear(document);
	index_document_set_id(document, id);
	for (int at = 0; at < PROPERTIES; at++) {
		long n = DECLARED[at].multi ? random() % (LIST_MAX + 1) : random() % 5 > 0;

		while (n-- > 0) {
			random_value(model, at);
			assert_int_equal(index_document_add(document, property[at],
							    &model->values[at][model->n[at] - 1]),
					 0);
		}
	}
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

static void
put_random(int n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	n_models = n;
	assert_int_equal(index_document_new(&document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	for (int id = 1; id <= n; id++)
		put_model(write, document, id);
	for (int i = 0; i < n / 4; i++)
		put_model(write, document, (int)(random() % n) + 1);
	for (int i = 0; i < n / 10; i++) {
		int id = (int)(random() % n) + 1;

		if (index_write_remove(write, id) == 0)
			models[id - 1].exists = false;
	}
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

/* --- Random trees --- */

static struct query_value
random_operand(int at)
{
	static struct model model;
	static char text[8][32];
	static unsigned int next;

	model.n[at] = 0;
	random_value(&model, at);
	if (DECLARED[at].type != QUERY_TYPE_STRING)
		return model.values[at][0];
	next = (next + 1) % 8;
	memcpy(text[next], model.texts[at][0], sizeof(text[next]));
	return (struct query_value){ .type = QUERY_TYPE_STRING, .string = text[next] };
}

static struct query_node *
random_leaf(struct pxs_arena *arena)
{
	struct query_node *node = pxs_arena_alloc(arena, sizeof(*node));
	int at = (int)(random() % PROPERTIES);

	assert_non_null(node);
	node->property = property[at];
	node->kind = (enum query_kind[]){ QUERY_EQUALS, QUERY_RANGE, QUERY_EXISTS }[random() % 3];
	if (node->kind == QUERY_EQUALS)
		node->value = random_operand(at);
	if (node->kind == QUERY_RANGE) {
		node->low.set = random() % 3 > 0;
		node->high.set = !node->low.set || random() % 2;
		node->low.inclusive = random() % 2;
		node->high.inclusive = random() % 2;
		node->low.value = random_operand(at);
		node->high.value = random_operand(at);
	}
	if (node->value.type == QUERY_TYPE_STRING && node->value.string)
		node->value.string = pxs_arena_strdup(arena, node->value.string);
	return node;
}

static struct query_node *
random_tree(struct pxs_arena *arena, int depth)
{
	struct query_node *node;
	struct query_node **at;

	if (depth == 0 || random() % 4 == 0)
		return random_leaf(arena);
	node = pxs_arena_alloc(arena, sizeof(*node));
	assert_non_null(node);
	node->kind = QUERY_BOOL;
	at = &node->first_child;
	for (long n = random() % 3 + 1; n-- > 0; at = &(*at)->next) {
		*at = random_tree(arena, depth - 1);
		(*at)->occur = (enum query_occur)(random() % 3);
	}
	return node;
}

static bool
in_range(const struct query_node *node, const struct query_value *value)
{
	int low = node->low.set ? query_value_compare(value, &node->low.value) : 1;
	int high = node->high.set ? query_value_compare(value, &node->high.value) : -1;

	return (low > 0 || (low == 0 && node->low.inclusive)) &&
	       (high < 0 || (high == 0 && node->high.inclusive));
}

static bool
leaf_matches(const struct query_node *node, const struct model *model)
{
	int at = 0;

	while (property[at] != node->property)
		at++;
	if (node->kind == QUERY_EXISTS)
		return model->n[at] > 0;
	for (size_t i = 0; i < model->n[at]; i++)
		if (node->kind == QUERY_RANGE
			    ? in_range(node, &model->values[at][i])
			    : query_value_compare(&model->values[at][i], &node->value) == 0)
			return true;
	return false;
}

static bool
matches(const struct query_node *node, const struct model *model)
{
	bool must = false, should = false, any = false;

	if (node->kind != QUERY_BOOL)
		return node->kind == QUERY_ALL ||
		       (node->kind != QUERY_NONE && leaf_matches(node, model));
	for (const struct query_node *child = node->first_child; child; child = child->next) {
		bool match = matches(child, model);

		must |= child->occur == QUERY_MUST;
		should |= child->occur == QUERY_SHOULD;
		any |= child->occur == QUERY_SHOULD && match;
		if (child->occur == (match ? QUERY_MUST_NOT : QUERY_MUST))
			return false;
	}
	return must || !should || any;
}

/* --- Orders --- */

static const struct query *ordered_by;

/* The one of its values that counts in this direction. */
static const struct query_value *
sort_value(const struct model *model, int at, bool descending)
{
	const struct query_value *best = NULL;

	for (size_t i = 0; i < model->n[at]; i++) {
		const struct query_value *value = &model->values[at][i];
		int order = best ? query_value_compare(value, best) : 0;

		if (!best || (descending ? order > 0 : order < 0))
			best = value;
	}
	return best;
}

static int
compare_by_key(const struct query_sort *sort, int a, int b)
{
	const struct query_value *left, *right;
	int at = 0, order;

	while (property[at] != sort->property)
		at++;
	left = sort_value(&models[a - 1], at, sort->descending);
	right = sort_value(&models[b - 1], at, sort->descending);
	if (!left || !right)
		return !left - !right;
	order = query_value_compare(left, right);
	return sort->descending ? -order : order;
}

/* Ids were given in order of rows. */
static int
compare_ids(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	for (size_t i = 0; i < ordered_by->n_sorts; i++) {
		int order = compare_by_key(&ordered_by->sorts[i], left, right);

		if (order != 0)
			return order;
	}
	return left - right;
}

static size_t
expected_ids(const struct query *query, int *ids)
{
	size_t n = 0;

	for (int id = 1; id <= n_models; id++)
		if (models[id - 1].exists && matches(query->root, &models[id - 1]))
			ids[n++] = id;
	ordered_by = query;
	qsort(ids, n, sizeof(*ids), compare_ids);
	return query->limit && query->limit < n ? query->limit : n;
}

/* --- Comparing --- */

static struct index_hits *
search(const struct query *query)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	struct index_hits *hits = NULL;

	if (index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return hits;
}

static void
assert_ids(struct index_hits *hits, const uint32_t *docs, size_t n, const int *ids)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(index_doc_id(index_hits_view(hits), docs[i]), ids[i]);
}

/* From every place, in steps of any size. */
static void
check_pages(struct index_hits *hits, const int *ids, size_t n)
{
	uint32_t docs[DOCS_MAX];
	size_t offset = (size_t)random() % (n + 1), step = (size_t)random() % DOCS_MAX, found;

	assert_int_equal(index_hits_page(hits, 0, docs, DOCS_MAX, &found), 0);
	assert_int_equal(found, n);
	assert_ids(hits, docs, n, ids);
	for (size_t i = 0; i < n; i++)
		assert_true(index_hits_contains(hits, docs[i]));

	assert_int_equal(index_hits_page(hits, offset, docs, step, &found), 0);
	assert_int_equal(found, MIN(step, n - offset));
	assert_ids(hits, docs, found, ids + offset);
	assert_int_equal(index_hits_page(hits, n + 5, docs, step, &found), 0);
	assert_int_equal(found, 0);
}

static void
check_resuming(struct index_hits *hits, const int *ids, size_t n)
{
	uint32_t docs[DOCS_MAX];
	size_t told = 0, found, step = (size_t)random() % 50 + 1;
	uint64_t row = 0;

	do {
		assert_int_equal(index_hits_after(hits, row, docs, step, &found), 0);
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
				query->root = random_tree(&query->arena, 3);
			random_order(query);
			check_query(query);
		}
		assert_int_equal(teardown(state), 0);
	}
}

static struct query *
query_all(void)
{
	struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	return query;
}

/* --- Text --- */

static void
put_named(int64_t id, const char *name, int64_t size)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	assert_int_equal(index_document_add_string(document, property[NAME], name, strlen(name)),
			 0);
	assert_int_equal(index_document_add_string(document, property[TAGS], "tagged", 6), 0);
	assert_int_equal(index_document_add_int(document, property[SIZE], size), 0);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_put(write, document), 0);
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

/* The ids found, in order: "1 3". */
static char *
ids_of(struct index_hits *hits)
{
	struct pxs_buf text = PXS_BUF_INIT;
	uint32_t docs[16];
	size_t n;

	assert_int_equal(index_hits_page(hits, 0, docs, ARRAY_SIZE(docs), &n), 0);
	for (size_t i = 0; i < n; i++)
		pxs_buf_addf(&text, "%s%" PRId64, i ? " " : "",
			     index_doc_id(index_hits_view(hits), docs[i]));
	return pxs_buf_steal(&text);
}

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

/* Trees as no parser of ours makes them, but others may. */
static void
clauses_without_words_are_skipped(void **state)
{
	struct query_node cats = { .kind = QUERY_WORDS, .text = "cats" };
	struct query_node comma = { .kind = QUERY_WORDS, .text = ",", .next = &cats };
	struct query_node both = { .kind = QUERY_BOOL, .first_child = &comma };
	struct query_node dash = { .kind = QUERY_PHRASE, .text = "-" };
	struct query_node group = { .kind = QUERY_BOOL, .first_child = &dash };
	struct query_node *const roots[] = { &both, &dash, &group };
	static const char *const EXPECTED[] = { "1", "", "" };

	(void)state;
	put_named(1, "cats", 1);
	put_named(2, "dogs", 2);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		CLEANUP(query) struct query *query = query_all();
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		CLEANUP(free) char *ids = NULL;

		query->root = roots[i];
		hits = search(query);
		ids = ids_of(hits);
		assert_string_equal(ids, EXPECTED[i]);
	}
}

static void
a_long_beginning_is_refused(void **state)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(query) struct query *query = NULL;
	struct index_hits *hits = NULL;
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 300, "*", 2);
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, text, index_view_schema(view), &err), 0);
	assert_int_equal(index_search(view, query, NULL, &hits, &err), -EINVAL);
	assert_non_null(strstr(err.text, "255 bytes"));
}

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
	assert_int_equal(index_hits_after(before, 0, docs, 2, &n), 0);
	row = index_doc_row(index_hits_view(before), docs[1]);

	/* What was told goes, what was not told changes. */
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_remove(write, 2), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
	put_named(3, "changed", 3);
	after = search(query);
	assert_int_equal(index_hits_after(after, row, docs, 8, &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(index_doc_id(index_hits_view(after), docs[i]), i + 3);

	/* In an order by values the place of what has gone is lost, and that is said. */
	query->sorts[0] = (struct query_sort){ property[SIZE], true };
	query->n_sorts = 1;
	index_hits_put(STEAL(after));
	after = search(query);
	assert_int_equal(index_hits_after(after, row, docs, 8, &n), -ESTALE);
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
		    index_hits_page(hits, 0, docs, 4, &n) == 0 &&
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(random_trees_match_the_model),
		TEST(text_finds_words_phrases_and_beginnings),
		TEST(clauses_without_words_are_skipped),
		TEST(a_long_beginning_is_refused),
		TEST(hits_stay_as_they_were),
		TEST(resuming_over_generations),
		TEST(recent_hits_are_kept),
		TEST(an_old_view_finds_what_it_shows),
		TEST(a_limit_without_an_order_takes_the_first),
		TEST(old_hits_make_room),
		TEST(threads_ask_the_same),
		TEST(hits_by_one_value),
		TEST(a_budget_ends_a_search),
	};

	return cmocka_run_group_tests_name("index/search", TESTS, NULL, NULL);
}
