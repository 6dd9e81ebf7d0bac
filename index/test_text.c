/* Searches for words through a whole index: what they match, and how that is explained. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/test_catalogue.h"

enum { NAME, TITLE, TAGS, SIZE, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[NAME] = { .name = "core.filename", .type = QUERY_TYPE_STRING },
	[TITLE] = { .name = "t.title", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG },
};

static const struct query_property *property[PROPERTIES];

static int
setup(void **state)
{
	(void)state;
	return open_catalogue(DECLARED, property, PROPERTIES);
}

/* Document ID with one value of PROPERTY, or with several where TEXT has '|' between them. */
static void
put(int64_t id, int at, const char *text)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;
	size_t len;

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	for (; *text; text += len + (text[len] == '|')) {
		len = strcspn(text, "|");
		assert_int_equal(index_document_add_string(document, property[at], text, len), 0);
	}
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_put(write, document), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static struct query *
query_of(struct query_node *root)
{
	struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	query->root = root;
	return query;
}

/* --- Explaining --- */

static void
tell_leaf(void *context, const struct index_answer *answer)
{
	pxs_buf_addf(context, "%s %" PRIu64 " of %" PRIu64 " words;", answer->from, answer->found,
		     answer->n_terms);
}

static void
each_leaf_is_explained(void **state)
{
	struct query_node size = { .kind = QUERY_EXISTS, .property = property[SIZE] };
	struct query_node cats = {
		.kind = QUERY_WORDS, .occur = QUERY_MUST, .text = "cats dogs", .next = &size
	};
	struct query_node both = { .kind = QUERY_BOOL, .first_child = &cats };
	CLEANUP(query) struct query *query = query_of(&both);
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(pxs_buf) struct pxs_buf told = PXS_BUF_INIT;
	struct index_trace trace = { .leaf = tell_leaf, .context = &told };

	(void)state;
	put(1, TITLE, "two cats");
	put(2, TITLE, "no pets");
	view = index_view_get(catalogue);
	assert_int_equal(index_explain(view, query, NULL, &trace, &hits, &err), 0);
	assert_string_equal(pxs_buf_text(&told), "words 1 of 1 words;columns 0 of 0 words;");
	assert_int_equal(index_hits_count(hits), 0);
}

/* --- What is found --- */

static void
add_id(struct index_hits *hits, uint32_t doc, struct pxs_buf *ids)
{
	pxs_buf_addf(ids, " %" PRId64, index_doc_id(index_hits_view(hits), doc));
}

/* The ids that NODE finds, in ascending order, each after a space; or the error. */
static void
find(struct query_node *node, struct pxs_buf *ids)
{
	CLEANUP(query) struct query *query = query_of(node);
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct pxs_error why = { 0 };
	uint32_t docs[100];
	size_t n;

	pxs_buf_clear(ids);
	if (index_search(view, query, NULL, &hits, &why) < 0) {
		pxs_buf_add_str(ids, why.text);
		return;
	}
	assert_int_equal(index_hits_after(hits, 0, NULL, docs, ARRAY_SIZE(docs), &n), 0);
	for (size_t i = 0; i < n; i++)
		add_id(hits, docs[i], ids);
}

/* Documents, for the rows below. */
static const struct {
	int64_t id;
	int at;
	const char *text;
} PUT[] = {
	{ 1, NAME, "cats-16.jpg" },
	{ 2, NAME, "caterpillar.png" },
	{ 3, TITLE, "The quick brown fox" },
	{ 4, TITLE, "fox, quick and brown" },
	{ 5, TAGS, "red cat|blue dog" },
	{ 6, TAGS, "dog|cat red" },
	{ 7, TITLE, "CAST of 12" },
	{ 8, NAME, "foo.tar.gz" },
	{ 9, TITLE, "\u00c9t\u00e9 \u6f22\u5b57" },
	{ 10, TITLE, "a*b?c" },
	{ 11, TITLE, "one two one" },
};

static const struct row {
	const char *name;
	struct query_node node;
	int at; /* the property, or -1: any */
	const char *found;
} ROWS[] = {
	{ "a wildcard matches words", { .kind = QUERY_WILDCARD, .text = "cat?" }, -1, " 1" },
	{ "a wildcard matches whole values",
	  { .kind = QUERY_WILDCARD, .text = "cats-*" },
	  -1,
	  " 1" },
	{ "a wildcard may begin with a star",
	  { .kind = QUERY_WILDCARD, .text = "*.png" },
	  -1,
	  " 2" },
	{ "an infix", { .kind = QUERY_WILDCARD, .text = "*AT*" }, -1, " 1 2 5 6" },
	{ "an infix of one property", { .kind = QUERY_WILDCARD, .text = "*at*" }, TAGS, " 5 6" },
	{ "a wildcard over words of one value",
	  { .kind = QUERY_WILDCARD, .text = "the*fox" },
	  -1,
	  " 3" },
	{ "a question mark is one character",
	  { .kind = QUERY_WILDCARD, .text = "?t\u00c9" },
	  -1,
	  " 9" },
	{ "an escaped star is a star", { .kind = QUERY_WILDCARD, .text = "a\\*b\\??" }, -1, " 10" },
	{ "numbers are words of all", { .kind = QUERY_WILDCARD, .text = "1?" }, TITLE, " 7" },
	{ "a beginning of a word", { .kind = QUERY_PREFIX, .text = "CAT" }, -1, " 1 2 5 6" },
	{ "a beginning of a value", { .kind = QUERY_PREFIX, .text = "red c" }, -1, " 5" },
	{ "a beginning with a dot", { .kind = QUERY_PREFIX, .text = "foo.tar" }, NAME, " 8" },
	{ "a transposition is one edit",
	  { .kind = QUERY_FUZZY, .text = "cats", .edits = 1 },
	  TITLE,
	  " 7" },
	{ "no edits is the word itself", { .kind = QUERY_FUZZY, .text = "cast" }, -1, " 7" },
	{ "two edits", { .kind = QUERY_FUZZY, .text = "brwnn", .edits = 2 }, -1, " 3 4" },
	{ "edits are characters",
	  { .kind = QUERY_FUZZY, .text = "\u00e9te", .edits = 1 },
	  -1,
	  " 9" },
	{ "edits of a whole value",
	  { .kind = QUERY_FUZZY, .text = "cats_16.jpg", .edits = 1 },
	  NAME,
	  " 1" },
	{ "an expression", { .kind = QUERY_REGEX, .text = "ca(t|s).*" }, -1, " 1 2 5 6 7" },
	{ "an expression is for the whole word", { .kind = QUERY_REGEX, .text = "ca" }, -1, "" },
	{ "an expression on a value",
	  { .kind = QUERY_REGEX, .text = "cats-[0-9]{2}\\.jpg" },
	  -1,
	  " 1" },
	{ "text in quotes is as is", { .kind = QUERY_REGEX, .text = "\"a*b?c\"" }, -1, " 10" },
	{ "a phrase", { .kind = QUERY_PHRASE, .text = "brown fox" }, -1, " 3" },
	{ "a phrase stays in its value", { .kind = QUERY_PHRASE, .text = "cat blue" }, -1, "" },
	{ "slop 1 allows one word between",
	  { .kind = QUERY_PHRASE, .text = "quick fox", .slop = 1 },
	  -1,
	  " 3" },
	{ "swapping two words costs 2",
	  { .kind = QUERY_PHRASE, .text = "quick fox", .slop = 2 },
	  -1,
	  " 3 4" },
	{ "swapping two words costs 2 and not 1",
	  { .kind = QUERY_PHRASE, .text = "red cat", .slop = 1 },
	  -1,
	  " 5" },
	{ "slop stays in its value",
	  { .kind = QUERY_PHRASE, .text = "cat dog", .slop = 5 },
	  -1,
	  "" },
	{ "a word said twice stands twice",
	  { .kind = QUERY_PHRASE, .text = "one one", .slop = 1 },
	  -1,
	  " 11" },
	{ "a word said twice is not there thrice",
	  { .kind = QUERY_PHRASE, .text = "two two", .slop = 9 },
	  -1,
	  "" },
	{ "parts of a name do not share a place",
	  { .kind = QUERY_PHRASE, .text = "foo tar", .slop = 9 },
	  -1,
	  "" },
	{ "a regular expression's operators are refused",
	  { .kind = QUERY_REGEX, .text = "a~b" },
	  -1,
	  "the regular expression /a~b/ uses one of ~ & # <, which are not supported; write \\ "
	  "before it "
	  "to mean the character (at its byte 2)" },
	{ "a bad regular expression is refused",
	  { .kind = QUERY_REGEX, .text = "a)" },
	  -1,
	  "the regular expression /a)/ is none: unmatched closing parenthesis" },
};

static int
setup_rows(void **state)
{
	if (setup(state) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(PUT); i++)
		put(PUT[i].id, PUT[i].at, PUT[i].text);
	return 0;
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf found = PXS_BUF_INIT;
	struct query_node node = row->node;

	node.property = row->at < 0 ? NULL : property[row->at];
	find(&node, &found);
	assert_string_equal(pxs_buf_text(&found), row->found);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, close_catalogue)

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		TEST(each_leaf_is_explained),
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
	failed = cmocka_run_group_tests_name("text rows", rows, setup_rows, close_catalogue);
	return failed + cmocka_run_group_tests_name("text", OTHERS, NULL, NULL);
}
