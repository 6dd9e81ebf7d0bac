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

enum { NAME, TITLE, TAGS, SIZE, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[NAME] = { .name = "core.filename", .type = QUERY_TYPE_STRING },
	[TITLE] = { .name = "t.title", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG },
};

static char dir[64];
static struct index *catalogue;
static const struct query_property *property[PROPERTIES];
static struct pxs_error err;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pxs-test-text-XXXXXX");
	memset(&err, 0, sizeof(err));
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
	assert_string_equal(pxs_buf_text(&told), "words 1 of 2 words;columns 0 of 0 words;");
	assert_int_equal(index_hits_count(hits), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_leaf_is_explained),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
