/* test_model.h - documents that a test made up and remembers, and what a query finds among them. */
#ifndef PXS_INDEX_TEST_MODEL_H
#define PXS_INDEX_TEST_MODEL_H

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
#include "index/test_catalogue.h"
#include "index/test_random.h"

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
	int row; /* rows ascend in some other order than ids */
	size_t n[PROPERTIES];
	struct query_value values[PROPERTIES][LIST_MAX];
	char texts[PROPERTIES][LIST_MAX][32];
};

static const struct query_property *property[PROPERTIES];
static struct model models[DOCS_MAX];
static int n_models, n_rows;

static inline int
setup(void **state)
{
	(void)state;
	memset(models, 0, sizeof(models));
	n_rows = 0;
	return open_catalogue(DECLARED, property, PROPERTIES);
}

/* --- Random documents --- */

static const char *const WORDS[] = { "Alpha", "alpha", "beta", "Gamma delta",  "beta gamma",
				     "a",     "",      "z.z",  "\xc3\x84ther", "delta-16.jpg" };

static inline void
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

static inline void
put_model(struct index_write *write, struct index_document *document, int id)
{
	struct model *model = &models[id - 1];
	int row = model->exists ? model->row : n_rows++;

	*model = (struct model){ .exists = true, .row = row };
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

static inline void
put_random(int n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	n_models = n;
	assert_int_equal(index_document_new(&document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	/* Odd ids ascending, then even ones descending. */
	for (int id = 1; id <= n; id += 2)
		put_model(write, document, id);
	for (int id = n - n % 2; id > 0; id -= 2)
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

static inline struct query_value
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

static inline struct query_node *
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

static inline struct query_node *
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

static inline bool
in_range(const struct query_node *node, const struct query_value *value)
{
	int low = node->low.set ? query_value_compare(value, &node->low.value) : 1;
	int high = node->high.set ? query_value_compare(value, &node->high.value) : -1;

	return (low > 0 || (low == 0 && node->low.inclusive)) &&
	       (high < 0 || (high == 0 && node->high.inclusive));
}

static inline bool
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

static inline bool
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
static inline const struct query_value *
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

static inline int
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

static inline int
compare_ids(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	for (size_t i = 0; i < ordered_by->n_sorts; i++) {
		int order = compare_by_key(&ordered_by->sorts[i], left, right);

		if (order != 0)
			return order;
	}
	return ordered_by->n_sorts ? left - right : models[left - 1].row - models[right - 1].row;
}

static inline size_t
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

static inline struct index_hits *
search(const struct query *query)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	struct index_hits *hits = NULL;

	if (index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return hits;
}

static inline void
assert_ids(struct index_hits *hits, const uint32_t *docs, size_t n, const int *ids)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(index_doc_id(index_hits_view(hits), docs[i]), ids[i]);
}

static inline struct query *
query_all(void)
{
	struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	return query;
}

/* --- Documents by hand --- */

static inline void
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
static inline char *
ids_of(struct index_hits *hits)
{
	struct pxs_buf text = PXS_BUF_INIT;
	uint32_t docs[16];
	size_t n;

	assert_int_equal(index_hits_after(hits, 0, NULL, docs, ARRAY_SIZE(docs), &n), 0);
	for (size_t i = 0; i < n; i++)
		pxs_buf_addf(&text, "%s%" PRId64, i ? " " : "",
			     index_doc_id(index_hits_view(hits), docs[i]));
	return pxs_buf_steal(&text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, close_catalogue)

#endif
