/* test_rows.h - tests of a language by rows: a text, and the canonical text of its tree or the
 * reason why it is none. */
#ifndef PXS_QUERY_TEST_ROWS_H
#define PXS_QUERY_TEST_ROWS_H

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "query/query.h"
#include "query/test_catalogue.h"

typedef int test_add_fn(struct query *query, const char *text, const struct query_schema *schema,
			struct pxs_error *err);

/* Adds TEXT, which names its language: "s:" query string, "w:" where, "p:" path. */
static inline int
test_add(struct query *query, const char *text, struct pxs_error *err)
{
	CLEANUP(free) char *path = NULL;
	int r = 0;

	if (text[0] == 's')
		return query_add_string(query, text + 2, test_schema(), err);
	if (text[0] == 'w')
		return query_add_where(query, text + 2, test_schema(), err);
	path = strdup(text + 2);
	assert_non_null(path);
	for (char *rest = path, *segment; r == 0 && (segment = strsep(&rest, "/"));)
		r = query_add_segment(query, segment, test_schema(), err);
	return r;
}

struct test_row {
	const char *name;
	const char *text;
	const char *expected; /* NULL: it is refused */
	const char *reason;   /* a part of the sentence */
	long at;
};

static inline void
test_row_check(const struct test_row *row, test_add_fn *add)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	int r;

	assert_int_equal(query_new(&query), 0);
	r = add(query, row->text, test_schema(), &err);
	assert_int_equal(query_print_text(query, &text), 0);
	if (row->expected) {
		assert_string_equal(err.text, "");
		assert_int_equal(r, 0);
		assert_string_equal(pxs_buf_text(&text), row->expected);
		return;
	}
	assert_int_equal(r, -EINVAL);
	assert_int_equal(err.code, EINVAL);
	if (!strstr(err.text, row->reason))
		assert_string_equal(err.text, row->reason);
	assert_int_equal(err.at, row->at);
	assert_string_equal(pxs_buf_text(&text), "everything");
}

/* Adds one test for each of ROWS, named by its first member, so that a failure says which; TESTS
 * has room for them at N, which moves on. */
#define TEST_ROWS_ADD(tests, n, rows, check)                                                       \
	do {                                                                                       \
		for (size_t row_ = 0; row_ < ARRAY_SIZE(rows); row_++)                             \
			(tests)[(n)++] = (struct CMUnitTest){                                      \
				.name = *(const char *const *)&(rows)[row_],                       \
				.test_func = (check),                                              \
				.initial_state = (void *)&(rows)[row_],                            \
			};                                                                         \
	} while (0)

#endif
