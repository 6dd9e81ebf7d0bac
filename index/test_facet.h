/* test_facet.h - documents put in for facets, asked for and described. */
#ifndef PXS_INDEX_TEST_FACET_H
#define PXS_INDEX_TEST_FACET_H

#include <errno.h>
#include <inttypes.h>
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

enum { KIND, WORD, TAGS, SIZE, COUNT, RATIO, FLAG, TIME, SIZES, HIDDEN, UNOFFERED, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[KIND] = { .name = "t.kind", .type = QUERY_TYPE_STRING, .filter = true },
	[WORD] = { .name = "t.word", .type = QUERY_TYPE_STRING, .filter = true },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true, .filter = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG, .filter = true },
	[COUNT] = { .name = "t.count", .type = QUERY_TYPE_INTEGER, .filter = true },
	[RATIO] = { .name = "t.ratio", .type = QUERY_TYPE_DOUBLE, .filter = true },
	[FLAG] = { .name = "t.flag", .type = QUERY_TYPE_BOOLEAN, .filter = true },
	[TIME] = { .name = "t.time", .type = QUERY_TYPE_DATETIME, .filter = true },
	[SIZES] = { .name = "t.sizes", .type = QUERY_TYPE_LONG, .multi = true, .filter = true },
	[HIDDEN] = { .name = "_t.hidden", .type = QUERY_TYPE_STRING, .filter = true },
	[UNOFFERED] = { .name = "t.unoffered", .type = QUERY_TYPE_LONG, .filter = false },
};

static const struct query_property *property[PROPERTIES];

static inline int
setup(void **state)
{
	(void)state;
	return open_catalogue(DECLARED, property, PROPERTIES);
}

/* --- Putting documents in --- */

static inline void
add_text(struct index_document *document, int at, const char *text)
{
	assert_int_equal(index_document_add_string(document, property[at], text, strlen(text)), 0);
}

static inline void
add_number(struct index_document *document, int at, int64_t number)
{
	struct query_value value = { .type = DECLARED[at].type, .integer = number };

	if (DECLARED[at].type == QUERY_TYPE_DOUBLE)
		value.real = (double)number / 1000;
	assert_int_equal(index_document_add(document, property[at], &value), 0);
}

/* One document for each number, id 1, 2, ..., with one property. */
static inline void
put_numbers(int at, const int64_t *numbers, size_t n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (size_t i = 0; i < n; i++) {
		index_document_clear(document);
		index_document_set_id(document, (int64_t)i + 1);
		add_number(document, at, numbers[i]);
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
	}
	end(write);
}

static inline void
put_texts(int at, const char *const *texts, size_t n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (size_t i = 0; i < n; i++) {
		index_document_clear(document);
		index_document_set_id(document, (int64_t)i + 1);
		if (texts[i])
			add_text(document, at, texts[i]);
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
	}
	end(write);
}

/* --- Asking --- */

static inline struct index_hits *
search(const struct query *query)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	struct index_hits *hits = NULL;

	if (index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return hits;
}

static inline struct index_hits *
search_all(void)
{
	CLEANUP(query) struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	return search(query);
}

static inline struct index_facet *
facet_of(struct index_hits *hits, int at, size_t max_values)
{
	struct index_facet *facet = NULL;

	assert_int_equal(index_hits_facet(hits, property[at], max_values, NULL, &facet, &err), 0);
	return facet;
}

/* "2000..10000 150, 10000.. 7, (none) 3": what a person sees. */
static inline char *
describe(const struct index_facet *facet)
{
	struct pxs_buf text = PXS_BUF_INIT;

	for (size_t i = 0; i < facet->n_buckets; i++) {
		const struct index_bucket *bucket = &facet->buckets[i];
		const struct query_node *condition = &bucket->condition;

		pxs_buf_add_str(&text, i ? ", " : "");
		if (bucket->kind == INDEX_BUCKET_VALUE)
			query_value_print(&condition->value, &text);
		if (bucket->kind == INDEX_BUCKET_NONE)
			pxs_buf_add_str(&text, "(none)");
		if (condition->low.set)
			query_value_print(&condition->low.value, &text);
		if (bucket->kind == INDEX_BUCKET_RANGE)
			pxs_buf_add_str(&text, "..");
		if (condition->high.set)
			query_value_print(&condition->high.value, &text);
		pxs_buf_addf(&text, " %" PRIu64, bucket->count);
	}
	return pxs_buf_steal(&text);
}

static inline void
assert_facet(int at, const char *expected)
{
	CLEANUP(index_hits) struct index_hits *hits = search_all();
	CLEANUP(index_facet) struct index_facet *facet = facet_of(hits, at, 5);
	CLEANUP(free) char *text = describe(facet);

	print_message("%s: %s (U %.3f)\n", DECLARED[at].name, text, facet->usefulness);
	assert_string_equal(text, expected);
}

#endif
