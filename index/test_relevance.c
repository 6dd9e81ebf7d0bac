/* The order by relevance: the formula by rows, and random documents against a scorer that computes
 * it from the words themselves. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/bm25.h"
#include "index/index.h"
#include "index/test_catalogue.h"
#include "index/test_random.h"

enum { TITLE, TAGS, SIZE, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[TITLE] = { .name = "t.title", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG },
};

/* Words, of which the first are the more frequent; none is within one edit of another. */
static const char *const WORDS[] = { "alpha", "bravo", "charlie", "delta", "echo", "foxtrot" };

enum { DOCS = 400, VALUES_MAX = 3, LENGTH_MAX = 60 };

struct value {
	int words[LENGTH_MAX];
	int n;
};

/* What was put, by id - 1. */
static struct model {
	bool exists;
	struct value values[PROPERTIES][VALUES_MAX];
	int n[PROPERTIES];
	int64_t size;
} models[DOCS];

static const struct query_property *property[PROPERTIES];

static int
setup(void **state)
{
	(void)state;
	memset(models, 0, sizeof(models));
	return open_catalogue(DECLARED, property, PROPERTIES);
}

static int
below(int n)
{
	return (int)(random() % n);
}

/* --- Documents --- */

static void
draw_value(struct value *value)
{
	/* Lengths around where their codes get steps, too. */
	value->n = below(4) ? 1 + below(6) : 1 + below(LENGTH_MAX);
	for (int i = 0; i < value->n; i++)
		value->words[i] = below(1 + below((int)ARRAY_SIZE(WORDS)));
}

static void
add_value(struct index_document *document, int at, const struct value *value)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	for (int i = 0; i < value->n; i++)
		pxs_buf_addf(&text, "%s%s", i ? " " : "", WORDS[value->words[i]]);
	assert_int_equal(index_document_add_string(document, property[at], text.data, text.len), 0);
}

static void
put_drawn(struct index_write *write, struct index_document *document, int id)
{
	struct model *model = &models[id - 1];

	memset(model, 0, sizeof(*model));
	model->exists = true;
	model->size = below(5);
	index_document_clear(document);
	index_document_set_id(document, id);
	assert_int_equal(index_document_add_int(document, property[SIZE], model->size), 0);
	for (int at = TITLE; at <= TAGS; at++) {
		model->n[at] = below(at == TITLE ? 2 : VALUES_MAX + 1);
		for (int i = 0; i < model->n[at]; i++) {
			draw_value(&model->values[at][i]);
			/* A list has each value once; make them differ. */
			model->values[at][i].words[0] = i % (int)ARRAY_SIZE(WORDS);
			add_value(document, at, &model->values[at][i]);
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

	assert_int_equal(index_document_new(&document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	for (int i = 0; i < n; i++) {
		int id = 1 + below(DOCS);

		if (below(8)) {
			put_drawn(write, document, id);
		} else if (index_write_remove(write, id) == 0) {
			models[id - 1].exists = false;
		}
	}
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

/* --- The formula --- */

static double
length_of(const struct model *model, int at)
{
	uint32_t n = 0;

	for (int i = 0; i < model->n[at]; i++)
		n += bm25_length(bm25_length_code((uint32_t)model->values[at][i].n));
	return bm25_length(bm25_length_code(n));
}

/* How often the N words stand one after the other in one value. */
static int
times_of(const struct model *model, int at, const int *words, int n)
{
	int times = 0;

	for (int i = 0; i < model->n[at]; i++)
		for (int k = 0; k + n <= model->values[at][i].n; k++)
			times += !memcmp(&model->values[at][i].words[k], words,
					 (size_t)n * sizeof(*words));
	return times;
}

struct counts {
	double all, words;
	double with; /* one word */
};

static struct counts
count(int at, int word)
{
	struct counts counts = { 0 };

	for (int i = 0; i < DOCS; i++) {
		const struct model *model = &models[i];

		if (!model->exists || model->n[at] == 0)
			continue;
		counts.all++;
		counts.words += length_of(model, at);
		counts.with += times_of(model, at, &word, 1) > 0;
	}
	return counts;
}

static double
score_in(const struct model *model, int at, const int *words, int n)
{
	double times = times_of(model, at, words, n);
	struct counts counts = count(at, words[0]);
	double idf = 0, norm;

	if (times == 0)
		return 0;
	for (int i = 0; i < n; i++) {
		double with = count(at, words[i]).with;

		idf += log(1 + (counts.all - with + 0.5) / (with + 0.5));
	}
	norm = 1.2 * (1 - 0.75 + 0.75 * length_of(model, at) / (counts.words / counts.all));
	return idf * times / (times + norm);
}

static double
best_score(const struct model *model, const struct query_node *node, const int *words, int n)
{
	double best = 0;

	for (int at = TITLE; n > 0 && at <= TAGS; at++)
		if (!node->property || node->property == property[at])
			best = fmax(best, score_in(model, at, words, n));
	return best;
}

static int
words_of(const char *text, int *words)
{
	int n = 0;

	for (const char *at = text; *at; at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' '))
		for (int word = 0; word < (int)ARRAY_SIZE(WORDS); word++)
			if (!strncmp(at, WORDS[word], strlen(WORDS[word])))
				words[n++] = word;
	return n;
}

static bool model_score(const struct model *model, const struct query_node *node, double boost,
			double *score);

static bool
score_words(const struct model *model, const struct query_node *node, double boost, double *score)
{
	int words[4] = { 0 };
	int n = words_of(node->text, words);
	bool found = false;

	for (int i = 0; i < n; i++) {
		double one = best_score(model, node, &words[i], 1);

		found |= one > 0;
		*score += boost * one;
	}
	return found;
}

static bool
score_phrase(const struct model *model, const struct query_node *node, double boost, double *score)
{
	int words[4] = { 0 };
	double one = best_score(model, node, words, words_of(node->text, words));

	*score += boost * one;
	return one > 0;
}

static bool
score_group(const struct model *model, const struct query_node *group, double boost, double *score)
{
	bool musts = false, must = true, should = false, must_not = false;
	double sum = 0;

	for (const struct query_node *child = group->first_child; child; child = child->next) {
		double one = 0;
		bool found = model_score(model, child, boost, &one);

		musts |= child->occur == QUERY_MUST;
		must &= child->occur != QUERY_MUST || found;
		should |= child->occur == QUERY_SHOULD && found;
		must_not |= child->occur == QUERY_MUST_NOT && found;
		if (child->occur != QUERY_MUST_NOT && found)
			sum += one;
	}
	if (must_not || (musts ? !must : !should))
		return false;
	*score += sum;
	return true;
}

/* Adds what NODE adds, if it matches. */
static bool
model_score(const struct model *model, const struct query_node *node, double boost, double *score)
{
	boost *= node->boosted ? node->boost : 1;
	if (node->kind == QUERY_WORDS)
		return score_words(model, node, boost, score);
	if (node->kind == QUERY_PHRASE)
		return score_phrase(model, node, boost, score);
	if (node->kind == QUERY_BOOL)
		return score_group(model, node, boost, score);
	/* EQUALS */
	if (model->size != node->value.integer)
		return false;
	*score += boost;
	return true;
}

/* --- Random queries --- */

static const char *const TEXTS[] = { "alpha",	     "bravo",	    "charlie",
				     "echo foxtrot", "alpha bravo", "bravo charlie",
				     "alpha alpha",  "foxtrot",	    "nowhere" };

static struct query_node *
random_node(struct pxs_arena *arena, int depth)
{
	struct query_node *node = pxs_arena_alloc(arena, sizeof(*node));
	int kind = below(depth > 0 ? 6 : 4);

	assert_non_null(node);
	*node = (struct query_node){ .kind = QUERY_WORDS };
	node->boosted = below(3) == 0;
	node->boost = below(5) * 0.75;
	node->text = TEXTS[below((int)ARRAY_SIZE(TEXTS))];
	node->property = below(2) ? NULL : property[below(2)];
	if (kind == 2)
		node->kind = QUERY_PHRASE;
	if (kind == 3) {
		node->kind = QUERY_EQUALS;
		node->text = NULL;
		node->property = property[SIZE];
		node->value = (struct query_value){ .type = QUERY_TYPE_LONG, .integer = below(5) };
	}
	if (kind > 3) {
		struct query_node **at = &node->first_child;

		node->kind = QUERY_BOOL;
		for (int n = 2 + below(3); n > 0; n--, at = &(*at)->next) {
			*at = random_node(arena, depth - 1);
			(*at)->occur = (enum query_occur)below(3);
			if (n == 1)
				(*at)->occur = (enum query_occur)below(2);
		}
	}
	return node;
}

/* --- Comparing --- */

static double
score_of(const struct query *query, struct index_hits *hits, uint32_t doc)
{
	double score = 0;
	int64_t id = index_doc_id(index_hits_view(hits), doc);

	assert_true(model_score(&models[id - 1], query->root, 1, &score));
	return score;
}

static bool
is_same_value(const struct value *a, const struct value *b)
{
	return a->n == b->n && !memcmp(a->words, b->words, (size_t)a->n * sizeof(a->words[0]));
}

static bool
is_same(const struct model *a, const struct model *b)
{
	if (a->size != b->size)
		return false;
	for (int at = 0; at < PROPERTIES; at++) {
		if (a->n[at] != b->n[at])
			return false;
		for (int i = 0; i < a->n[at]; i++)
			if (!is_same_value(&a->values[at][i], &b->values[at][i]))
				return false;
	}
	return true;
}

/* Floats have seven digits; sums of them a little less. */
static bool
is_above(double a, double b)
{
	return a > b + 1e-4 * (fabs(a) + fabs(b)) + 1e-6;
}

static void
check_order(const struct query *query, struct index_hits *hits)
{
	uint32_t docs[DOCS];
	size_t n;

	assert_int_equal(index_hits_page(hits, 0, NULL, docs, DOCS, &n), 0);
	assert_int_equal(n, index_hits_count(hits));
	for (size_t i = 1; i < n; i++) {
		double before = score_of(query, hits, docs[i - 1]);
		double here = score_of(query, hits, docs[i]);
		int64_t id_before = index_doc_id(index_hits_view(hits), docs[i - 1]);
		int64_t id = index_doc_id(index_hits_view(hits), docs[i]);

		if (is_above(here, before))
			fail_msg("place %zu: %.9g after %.9g", i, here, before);
		/* Of equal documents: sums that are equal may be rounded apart. */
		if (id < id_before && is_same(&models[id - 1], &models[id_before - 1]))
			fail_msg("place %zu: %" PRId64 " after %" PRId64 ", both %.9g", i, id,
				 id_before, here);
	}
}

static void
check_count(const struct query *query, const struct index_hits *hits)
{
	uint64_t n = 0;

	for (int i = 0; i < DOCS; i++) {
		double score = 0;

		n += models[i].exists && model_score(&models[i], query->root, 1, &score);
	}
	if (index_hits_count(hits) != n) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		(void)query_print_text(query, &text);
		fail_msg("%s: %" PRIu64 " hits instead of %" PRIu64, pxs_buf_text(&text),
			 index_hits_count(hits), n);
	}
}

static struct index_hits *
search(const struct query *query)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	struct index_hits *hits = NULL;

	if (index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return hits;
}

/* Sorted by relevance, even where no words are asked for. */
static struct query *
ranked(void)
{
	struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	query->sorts[0] = (struct query_sort){ NULL, true };
	query->n_sorts = 1;
	return query;
}

static void
random_queries_are_ranked_as_the_formula_says(void **state)
{
	(void)state;
	start_random();
	for (int round = 0; round < 4; round++) {
		put_random(round ? 40 : DOCS);
		for (int i = 0; i < 60; i++) {
			CLEANUP(query) struct query *query = ranked();
			CLEANUP(index_hits) struct index_hits *hits = NULL;

			query->root = random_node(&query->arena, 2);
			hits = search(query);
			check_count(query, hits);
			check_order(query, hits);
		}
	}
}

/* --- Rows of orders --- */

static void
put_title(int64_t id, const char *title, int64_t size)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	assert_int_equal(index_document_add_string(document, property[TITLE], title, strlen(title)),
			 0);
	assert_int_equal(index_document_add_int(document, property[SIZE], size), 0);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_put(write, document), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static void
page_ids(struct index_hits *hits, struct pxs_buf *ids)
{
	uint32_t docs[16];
	size_t n;

	pxs_buf_clear(ids);
	assert_int_equal(index_hits_page(hits, 0, NULL, docs, ARRAY_SIZE(docs), &n), 0);
	for (size_t i = 0; i < n; i++)
		pxs_buf_addf(ids, " %" PRId64, index_doc_id(index_hits_view(hits), docs[i]));
}

static void
listed_ids(struct index_hits *hits, struct pxs_buf *ids)
{
	uint32_t docs[16];
	size_t n;

	pxs_buf_clear(ids);
	assert_int_equal(index_hits_after(hits, 0, NULL, docs, ARRAY_SIZE(docs), &n), 0);
	for (size_t i = 0; i < n; i++)
		pxs_buf_addf(ids, " %" PRId64, index_doc_id(index_hits_view(hits), docs[i]));
}

static const struct row {
	const char *name;
	const char *text; /* a query string */
	const char *sort;
	uint64_t limit;
	const char *page, *listed;
} ROWS[] = {
	{ "words are ranked, listings not", "alpha", "", 0, " 3 2 1 4", " 1 2 3 4" },
	{ "a limit keeps the most relevant", "alpha", "", 2, " 3 2", " 2 3" },
	{ "conditions without words are not ranked", "t.size:>0", "", 0, " 1 2 3 4 5",
	  " 1 2 3 4 5" },
	{ "-_score is the same, in listings, too", "alpha", "-_score", 0, " 3 2 1 4", " 3 2 1 4" },
	{ "_score turns it round", "alpha", "_score", 0, " 4 1 2 3", " 4 1 2 3" },
	{ "equal scores stand by the next key", "alpha*", "-_score,-t.size", 0, " 4 3 2 1",
	  " 4 3 2 1" },
	{ "another order is what was asked", "alpha", "-t.size", 0, " 4 3 2 1", " 4 3 2 1" },
	{ "a boost counts", "bravo OR echo^4", "", 0, " 5 4 2 1", " 1 2 4 5" },
	{ "a clause that should hold adds", "+alpha echo", "", 0, " 4 3 2 1", " 1 2 3 4" },
	{ "a wildcard adds one", "alpha OR ech*", "", 0, " 4 5 3 2 1", " 1 2 3 4 5" },
	{ "no boost, no order", "alpha^0", "", 0, " 1 2 3 4", " 1 2 3 4" },
};

static int
setup_rows(void **state)
{
	if (setup(state) < 0)
		return -1;
	put_title(1, "alpha bravo charlie delta foxtrot", 1);
	put_title(2, "alpha bravo", 2);
	put_title(3, "alpha alpha", 3);
	put_title(4, "alpha bravo charlie delta foxtrot golf echo", 4);
	put_title(5, "echo", 5);
	return 0;
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf ids = PXS_BUF_INIT;

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, row->text, index_view_schema(view), &err), 0);
	assert_int_equal(query_set_sort(query, row->sort, index_view_schema(view), &err), 0);
	query->limit = row->limit;
	hits = search(query);
	page_ids(hits, &ids);
	assert_string_equal(pxs_buf_text(&ids), row->page);
	listed_ids(hits, &ids);
	assert_string_equal(pxs_buf_text(&ids), row->listed);
}

/* How many hits of TEXT a listing by SORT has left after the document ID. */
static size_t
count_after(const char *text, const char *sort, int64_t id)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(query) struct query *query = NULL;
	uint32_t doc, docs[16];
	size_t n;

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, text, index_view_schema(view), &err), 0);
	assert_int_equal(query_set_sort(query, sort, index_view_schema(view), &err), 0);
	hits = search(query);
	assert_int_equal(index_doc_find(view, id, &doc), 0);
	assert_int_equal(
		index_hits_after(hits, index_doc_row(view, doc), NULL, docs, ARRAY_SIZE(docs), &n),
		0);
	return n;
}

/* A catalogue that changes much has few documents with high numbers. A listing may go on from one
 * that is no hit any more, whose score is less than any. */
static void
numbers_may_be_high(void **state)
{
	char command[160];

	(void)state;
	index_close(STEAL(catalogue));
	(void)snprintf(
		command, sizeof(command),
		"sqlite3 %s/docs.db \"UPDATE meta SET value = 20000000 WHERE key = 'next_doc'\"",
		dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(start_catalogue(DECLARED, property, PROPERTIES), 0);
	put_title(6, "alpha alpha alpha", 6);
	check_row(&(void *){
		(void *)&(const struct row){ "", "alpha", "", 0, " 6 3 2 1 4", " 1 2 3 4 6" } });
	assert_int_equal(count_after("alpha", "-_score", 5), 0);
	assert_int_equal(count_after("alpha", "_score", 5), 5);
	assert_int_equal(count_after("echo", "-_score", 6), 0);
	assert_int_equal(count_after("echo", "_score", 6), 2);
}

static void
lengths_are_lucenes(void **state)
{
	/* SmallFloat.byte4ToInt(SmallFloat.intToByte4(n)) */
	static const struct {
		uint32_t n, kept;
	} LENGTHS[] = { { 0, 0 },    { 1, 1 },	    { 23, 23 },	   { 24, 24 },
			{ 39, 39 },  { 40, 40 },    { 41, 40 },	   { 42, 42 },
			{ 100, 96 }, { 1000, 984 }, { 5000, 4632 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(LENGTHS); i++)
		assert_int_equal(bm25_length(bm25_length_code(LENGTHS[i].n)), LENGTHS[i].kept);
	for (uint32_t n = 1; n < 100000; n++)
		assert_true(bm25_length_code(n) >= bm25_length_code(n - 1));
	for (unsigned int code = 0; code < 256; code++)
		if (bm25_length((uint8_t)code) < INT32_MAX)
			assert_int_equal(bm25_length_code(bm25_length((uint8_t)code)), code);
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(lengths_are_lucenes),
		cmocka_unit_test_setup_teardown(numbers_may_be_high, setup_rows, close_catalogue),
		cmocka_unit_test_setup_teardown(random_queries_are_ranked_as_the_formula_says,
						setup, close_catalogue),
	};
	struct CMUnitTest rows[ARRAY_SIZE(ROWS)];
	int failed;

	/* One named test for each row, so that a failure says which. */
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		rows[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	failed = cmocka_run_group_tests_name("relevance rows", rows, setup_rows, close_catalogue);
	return failed + cmocka_run_group_tests_name("relevance", OTHERS, NULL, NULL);
}
