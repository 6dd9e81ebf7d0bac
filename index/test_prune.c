/* First pages by relevance are the beginning of the whole order, of so many hits that they are
 * found without a look at all of them; while documents come, change and go. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/test_catalogue.h"
#include "index/test_random.h"

enum { TITLE, OTHER_TITLE, TAGS, SIZE, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[TITLE] = { .name = "t.title", .type = QUERY_TYPE_STRING },
	[OTHER_TITLE] = { .name = "t.other", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG },
};

/* The first are the more frequent. */
static const char *const WORDS[] = { "alpha", "bravo", "charlie", "delta", "echo", "7" };

/* Below 64 times the 256 that are put in order at first, all hits are sorted. */
enum { DOCS = 40000, PAGE = 256 };

static const struct query_property *property[PROPERTIES];

static int
setup(void **state)
{
	(void)state;
	return open_catalogue(DECLARED, property, PROPERTIES);
}

static int
below(int n)
{
	return (int)(random() % n);
}

/* --- Documents --- */

/* N words after FIRST. */
static void
draw_words(struct pxs_buf *text, const char *first, int n)
{
	pxs_buf_clear(text);
	pxs_buf_add_str(text, first);
	while (n-- > 0)
		pxs_buf_addf(text, " %s", WORDS[below(1 + below((int)ARRAY_SIZE(WORDS)))]);
}

static void
add_text(struct index_document *document, int at, const struct pxs_buf *text)
{
	assert_int_equal(index_document_add_string(document, property[at], text->data, text->len),
			 0);
}

/* Each has the title of the one before as well, so that two properties have the same statistics and
 * documents the same scores by either. */
static void
add_titles(struct index_document *document)
{
	static char before[1024] = "xray yankee";
	CLEANUP(pxs_buf) struct pxs_buf title = PXS_BUF_INIT;

	if (below(2)) { /* Many are alike; some say one thing very often. */
		draw_words(&title, "xray yankee", 0);
		for (int n = below(50) ? 0 : 20; n > 0; n--)
			pxs_buf_add_str(&title, " yankee");
	} else {
		draw_words(&title, below(500) ? "" : "zulu",
			   below(100) ? 1 + below(5) : 1 + below(60));
	}
	add_text(document, TITLE, &title);
	assert_int_equal(
		index_document_add_string(document, property[OTHER_TITLE], before, strlen(before)),
		0);
	(void)snprintf(before, sizeof(before), "%s", title.data);
}

static void
put_drawn(struct index_write *write, struct index_document *document, int64_t id)
{
	CLEANUP(pxs_buf) struct pxs_buf tag = PXS_BUF_INIT;

	index_document_clear(document);
	index_document_set_id(document, id);
	/* A condition on it may leave none of those that come first by id. */
	assert_int_equal(
		index_document_add_int(document, property[SIZE], id < DOCS / 5 ? 100 : below(10)),
		0);
	add_titles(document);
	for (int i = 0; i < 2; i++)
		if (below(3) == 0) {
			draw_words(&tag, i ? "x" : "y", 1 + below(2));
			add_text(document, TAGS, &tag);
		}
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

/* Ids have nothing to do with the order in which documents come. */
static void
put_all(void)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (int64_t i = 0; i < DOCS; i++)
		put_drawn(write, document, i * 7919 % DOCS + 1);
	end(write);
}

static void
change_some(int n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	while (n-- > 0)
		put_drawn(write, document, 1 + below(DOCS + 100));
	(void)index_write_remove(write, 1 + below(DOCS));
	end(write);
}

/* --- Queries --- */

static struct index_hits *
search(const char *text, const char *order)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(query) struct query *query = NULL;
	struct index_hits *hits = NULL;

	assert_int_equal(query_new(&query), 0);
	if (query_add_string(query, text, index_view_schema(view), &err) < 0 ||
	    (order && query_set_sort(query, order, index_view_schema(view), &err) < 0) ||
	    index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return hits;
}

static void
check_same(const char *text, const uint32_t *docs, const uint32_t *whole, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (docs[i] != whole[i])
			fail_msg("%s: document %u is at %zu, where %u belongs", text, docs[i], i,
				 whole[i]);
}

/* The first page, the one after it by a cursor, and one further down; then all hits. */
static void
check_pages(const char *text, const char *order)
{
	CLEANUP(index_hits) struct index_hits *hits = search(text, order);
	size_t count = index_hits_count(hits);
	CLEANUP(free) uint32_t *whole = malloc((count + 1) * sizeof(*whole));
	CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
	uint32_t first[PAGE], second[PAGE], later[PAGE];
	size_t n, n_second, n_later;

	assert_non_null(whole);
	assert_int_equal(index_hits_page(hits, 0, NULL, first, PAGE, &n), 0);
	assert_true(n == MIN(count, (size_t)PAGE));
	if (n < PAGE)
		return;
	assert_int_equal(index_hits_cursor(hits, first[n - 1], &cursor), 0);
	assert_int_equal(
		index_hits_resume(hits, pxs_buf_text(&cursor), NULL, second, PAGE, &n_second, &err),
		0);
	assert_int_equal(index_hits_page(hits, 3 * PAGE, NULL, later, PAGE, &n_later), 0);
	assert_int_equal(index_hits_page(hits, 0, NULL, whole, count, &n), 0);
	assert_int_equal(n, count);
	check_same(text, first, whole, PAGE);
	check_same(text, second, whole + PAGE, n_second);
	check_same(text, later, whole + 3 * (size_t)PAGE, n_later);
	/* A cursor may stand at any hit. */
	pxs_buf_clear(&cursor);
	assert_int_equal(index_hits_cursor(hits, whole[count - 1], &cursor), 0);
	assert_int_equal(
		index_hits_resume(hits, pxs_buf_text(&cursor), NULL, second, PAGE, &n_second, &err),
		0);
	assert_int_equal(n_second, 0);
}

/* A cursor into the middle, of hits that nobody has put in order yet: the same ones, by another
 * condition. */
static void
check_cursor(const char *text, int round)
{
	CLEANUP(index_hits) struct index_hits *hits = search(text, NULL);
	CLEANUP(index_hits) struct index_hits *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf other = PXS_BUF_INIT;
	size_t middle = index_hits_count(hits) / 2, n;
	uint32_t docs[PAGE + 1], after[PAGE];

	assert_int_equal(index_hits_page(hits, middle, NULL, docs, PAGE + 1, &n), 0);
	assert_int_equal(n, PAGE + 1);
	assert_int_equal(index_hits_cursor(hits, docs[0], &cursor), 0);
	pxs_buf_addf(&other, "+%s +t.size:[0 TO %d]", text, 100 + round);
	again = search(pxs_buf_text(&other), NULL);
	assert_int_equal(index_hits_count(again), index_hits_count(hits));
	if (round % 2)
		assert_int_equal(index_hits_page(again, 0, NULL, after, PAGE, &n), 0);
	assert_int_equal(
		index_hits_resume(again, pxs_buf_text(&cursor), NULL, after, PAGE, &n, &err), 0);
	assert_int_equal(n, PAGE);
	check_same(text, after, docs + 1, n);
}

static void
first_pages_are_where_the_whole_order_begins(void **state)
{
	static const char *const QUERIES[] = {
		"alpha",
		"bravo",
		"t.title:alpha",
		"t.tags:alpha",
		"t.title:bravo^3",
		"7",
		"\"alpha alpha\"",
		"alpha AND t.size:[2 TO 9]",
		"+t.size:[0 TO 9] echo",
		"+t.size:[0 TO 9] zulu",
		"+t.size:[1 TO 9] +alpha",
		"+t.size:[0 TO 9] +(bravo)^2",
		"+t.size:[0 TO 8] t.tags:echo",
		"alpha bravo",
		"xray",
		"yankee",
		"+t.size:[0 TO 9] +xray",
		"t.title:xray",
		"\"xray yankee\"",
		"\"xray yankee\"~2",
		"+t.size:[0 TO 9] (+alpha -bravo)",
		"alpha AND NOT echo",
		"alpha~1",
		"\"alpha bravo\"~3",
	};

	(void)state;
	start_random();
	put_all();
	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(QUERIES); i++)
			if (round == 0 || below(2))
				check_pages(QUERIES[i], NULL);
		check_pages("alpha", "-_score,-t.size");
		check_pages("alpha", "_score");
		check_cursor("alpha", round);
		change_some(round == 5 ? 1000 : below(20));
	}
}

/* --- At the same time --- */

enum { THREADS = 4, ASKED = 12 };

static void *
ask(void *context)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	static char no_page[] = "no page";
	const int *thread = context;

	for (int i = 0; i < ASKED; i++) {
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		uint32_t docs[PAGE];
		size_t n = 0;

		pxs_buf_clear(&text);
		pxs_buf_addf(&text, "+%s +t.size:[%d TO %d]", i % 2 ? "alpha" : "xray",
			     i % 3 ? 0 : 4, 100 + i * THREADS + *thread);
		hits = search(text.data, NULL);
		if (index_hits_page(hits, 0, NULL, docs, PAGE, &n) < 0 || n != PAGE)
			return no_page;
	}
	return NULL;
}

static void
many_ask_while_documents_come(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	void *fault = NULL;

	(void)state;
	start_random();
	put_all();
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &numbers[i]), 0);
	}
	for (int i = 0; i < 10; i++)
		change_some(5);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &fault), 0);
		if (fault)
			fail_msg("%s", (const char *)fault);
	}
	check_pages("alpha", NULL);
	check_pages("xray", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_pages_are_where_the_whole_order_begins, setup,
						close_catalogue),
		cmocka_unit_test_setup_teardown(many_ask_while_documents_come, setup,
						close_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
