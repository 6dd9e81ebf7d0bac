/* Exact texts are found the same whether a rare word leads to them or their column is looked
 * through: random texts, some of equal words, while documents change and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/fts.h"
#include "index/index.h"
#include "index/test_catalogue.h"
#include "index/test_random.h"
#include "index/view.h"

enum { NAME, TAGS, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[NAME] = { .name = "core.filename", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true },
};

enum { DOCS = 3000, TEXTS = 900, TAGS_MAX = 3, LEN_MAX = 640 };

static const struct query_property *property[PROPERTIES];

static char texts[TEXTS][LEN_MAX];

/* By id; texts by number. */
static struct {
	bool exists;
	int name;
	int tags[TAGS_MAX], n_tags;
} models[DOCS];

static int
setup(void **state)
{
	(void)state;
	memset(models, 0, sizeof(models));
	return open_catalogue(DECLARED, property, PROPERTIES);
}

/* --- Texts --- */

/* More words than are looked at, the rare one last. */
static void
make_long(char *text, int number)
{
	size_t len = 0;

	while (len < LEN_MAX - 40)
		len += (size_t)snprintf(text + len, LEN_MAX - len, "take ");
	(void)snprintf(text + len, LEN_MAX - len, "end%d", number);
}

static void
make_texts(void)
{
	static const char *const COMMON[] = { "Reel", "reel",	   "REEL!",	  "!",
					      "take", "take reel", "\xe2\x80\xa6" };

	for (int i = 0; i < TEXTS; i++) {
		if (i < (int)ARRAY_SIZE(COMMON))
			(void)snprintf(texts[i], LEN_MAX, "%s", COMMON[i]);
		else if (i % 8 == 0)
			make_long(texts[i], i);
		else if (i % 8 == 1) /* the words of the one before the last */
			(void)snprintf(texts[i], LEN_MAX, "Clip%04d reel: Take", i - 2);
		else if (i % 8 == 2) /* one word, which is split */
			(void)snprintf(texts[i], LEN_MAX, "%0300d", i);
		else
			(void)snprintf(texts[i], LEN_MAX, "clip%04d Reel take.tar.%d", i, i % 3);
	}
	for (int i = 9; i < TEXTS; i += 8)
		(void)snprintf(texts[i - 2], LEN_MAX, "clip%04d reel: take", i - 2);
}

/* The first are common. */
static int
draw_text(void)
{
	return (int)random_below(random_below(2) ? 7 : TEXTS * 2 / 3);
}

/* --- Documents --- */

static void
add(struct index_document *document, const struct query_property *of, int text)
{
	const struct query_value value = { .type = QUERY_TYPE_STRING, .string = texts[text] };

	assert_int_equal(index_document_add(document, of, &value), 0);
}

static void
put(struct index_write *write, struct index_document *document, int id)
{
	index_document_clear(document);
	index_document_set_id(document, id);
	models[id - 1].exists = true;
	models[id - 1].name = draw_text();
	add(document, property[NAME], models[id - 1].name);
	models[id - 1].n_tags = (int)random_below(TAGS_MAX + 1);
	for (int i = 0; i < models[id - 1].n_tags; i++) {
		models[id - 1].tags[i] = draw_text();
		add(document, property[TAGS], models[id - 1].tags[i]);
	}
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

/* N documents are put, the first time or anew, and some go. */
static void
change(int n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (int i = 0; i < n; i++)
		put(write, document, n == DOCS ? i + 1 : (int)random_below(DOCS) + 1);
	for (int i = 0; i < n / 10; i++) {
		int id = (int)random_below(DOCS) + 1;

		if (index_write_remove(write, id) == 0)
			models[id - 1].exists = false;
	}
	end(write);
}

/* --- Checks --- */

static bool
has(int id, int at, const char *text)
{
	if (!models[id - 1].exists)
		return false;
	if (at == NAME)
		return strcmp(texts[models[id - 1].name], text) == 0;
	for (int i = 0; i < models[id - 1].n_tags; i++)
		if (strcmp(texts[models[id - 1].tags[i]], text) == 0)
			return true;
	return false;
}

static void
keep_from(void *context, const struct index_answer *answer)
{
	*(const char **)context = answer->from;
}

static struct index_hits *
explain(const struct query *query, const char **ret_from)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	const struct index_trace trace = { .leaf = keep_from, .context = ret_from };
	struct index_hits *hits;

	if (index_explain(view, query, NULL, &trace, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return hits;
}

struct seen {
	struct index_view *view;
	int at;
	const char *text;
	int n;
};

static int
see(void *context, uint32_t doc)
{
	struct seen *seen = context;

	assert_true(has((int)index_doc_id(seen->view, doc), seen->at, seen->text));
	seen->n++;
	return 0;
}

/* What answered. */
static const char *
check(struct index_hits *all, int at, const char *text)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	const struct query_node condition = { .kind = QUERY_EQUALS,
					      .property = property[at],
					      .value = { .type = QUERY_TYPE_STRING,
							 .string = text } };
	struct seen seen = { .view = index_hits_view(all), .at = at, .text = text };
	const char *from = NULL;
	int expected = 0;

	for (int id = 1; id <= DOCS; id++)
		expected += has(id, at, text);
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_condition(query, &condition), 0);
	hits = explain(query, &from);
	if (index_hits_count(hits) != (uint64_t)expected)
		fail_msg("'%s': %d hits instead of %d, from %s", text, (int)index_hits_count(hits),
			 expected, from);
	assert_int_equal(index_hits_equal(all, property[at], text, see, &seen), 0);
	assert_int_equal(seen.n, expected);
	return from;
}

static void
check_all(void)
{
	CLEANUP(query) struct query *everything = NULL;
	CLEANUP(index_hits) struct index_hits *all = NULL;
	const char *from = NULL;

	assert_int_equal(query_new(&everything), 0);
	all = explain(everything, &from);
	for (int i = 0; i < TEXTS; i++) {
		bool is_rare = i >= 7 && i % 8 != 0;

		from = check(all, NAME, texts[i]);
		assert_string_equal(from, is_rare ? "words, then columns" : "columns");
		(void)check(all, TAGS, texts[i]);
	}
	from = check(all, NAME, "clip in no document");
	assert_string_equal(from, "words, then columns");
}

static void
exact_texts_match_the_model(void **state)
{
	(void)state;
	start_random();
	make_texts();
	change(DOCS);
	check_all();
	for (int round = 0; round < 3; round++) {
		change(300);
		check_all();
	}
}

/* As where a damaged one is filled anew: then columns alone are asked. */
static void
a_text_file_that_lacks_documents_is_not_asked(void **state)
{
	CLEANUP(query) struct query *everything = NULL;
	CLEANUP(index_hits) struct index_hits *all = NULL;
	const char *from = NULL;

	(void)state;
	start_random();
	make_texts();
	change(DOCS);
	assert_int_equal(query_new(&everything), 0);
	all = explain(everything, &from);
	assert_int_equal(fts_clear(index_hits_view(all)->tables->fts), 0);
	for (int i = 0; i < TEXTS; i++)
		assert_string_equal(check(all, NAME, texts[i]), "columns");
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_setup_teardown(exact_texts_match_the_model, setup,
						close_catalogue),
		cmocka_unit_test_setup_teardown(a_text_file_that_lacks_documents_is_not_asked,
						setup, close_catalogue),
	};

	return cmocka_run_group_tests_name("index/exact", TESTS, NULL, NULL);
}
