/* fuzz.h - what the fuzz targets ask of every query that a parser accepts. */
#ifndef PXS_TESTS_FUZZ_H
#define PXS_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "query/query.h"
#include "query/test_catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_REQUIRE(holds)                                                                        \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			(void)fprintf(stderr, "does not hold: %s\n", #holds);                      \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The input as text; its own zero bytes end it. */
static inline void
fuzz_text(struct pxs_buf *text, const uint8_t *data, size_t size)
{
	pxs_buf_add(text, data, size);
	FUZZ_REQUIRE(text->error == 0);
}

/* The segments of PATH in turn, up to the first that is refused: its error, or 0. PATH is cut. */
static inline int
fuzz_add_path(struct query *query, char *path, struct pxs_error *err)
{
	char *rest = *path ? path : NULL;
	char *segment;
	int r = 0;

	while (r == 0 && (segment = strsep(&rest, "/")))
		r = query_add_segment(query, segment, test_schema(), err);
	return r;
}

static inline void
fuzz_require_same(const struct query *a, const struct query *b, const char *text)
{
	struct query_key key_a, key_b;

	FUZZ_REQUIRE(query_key(a, &key_a) == 0 && query_key(b, &key_b) == 0);
	if (key_a.high == key_b.high && key_a.low == key_b.low)
		return;
	(void)fprintf(stderr, "reads back as another query: %s\n", text);
	abort();
}

static inline void
fuzz_check_path(const struct query *query)
{
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf copy = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	FUZZ_REQUIRE(query_print_path(query, &path) == 0);
	pxs_buf_add(&copy, pxs_buf_text(&path), path.len);
	FUZZ_REQUIRE(copy.error == 0);
	FUZZ_REQUIRE(query_new(&again) == 0);
	if (fuzz_add_path(again, copy.data, &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", pxs_buf_text(&path), err.text);
		abort();
	}
	fuzz_require_same(query, again, pxs_buf_text(&path));
}

static inline void
fuzz_check_where(const struct query *query)
{
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	FUZZ_REQUIRE(query_print_where(query, &where) == 0);
	FUZZ_REQUIRE(query_copy(query, &again) == 0); /* for its order and limit */
	if (query_add_where(again, pxs_buf_text(&where), test_schema(), &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", pxs_buf_text(&where), err.text);
		abort();
	}
	/* The same once more adds nothing. */
	fuzz_require_same(query, again, pxs_buf_text(&where));
}

/* At any time it can be told what QUERY means then. */
static inline void
fuzz_check_resolve(const struct query *query)
{
	static const int64_t TIMES[] = { INT64_MIN, 0, 1708000496789000000, INT64_MAX };

	for (size_t i = 0; i < sizeof(TIMES) / sizeof(TIMES[0]); i++) {
		CLEANUP(query) struct query *resolved = NULL;

		FUZZ_REQUIRE(query_resolve(query, TIMES[i], &resolved) == 0);
		FUZZ_REQUIRE(!query_is_relative(resolved));
		if (!query_is_relative(query))
			fuzz_require_same(query, resolved, "resolved");
	}
}

/* R: what the parser said of TEXT, in which ERR points. */
static inline void
fuzz_check(const struct query *query, int r, const struct pxs_error *err, size_t text_len)
{
	if (r == 0) {
		fuzz_check_path(query);
		fuzz_check_where(query);
		fuzz_check_resolve(query);
		return;
	}
	FUZZ_REQUIRE(r == -EINVAL || r == -ENAMETOOLONG);
	FUZZ_REQUIRE(err->code && err->text[0]);
	FUZZ_REQUIRE(err->at >= -1 && err->at <= (long)text_len);
}

#endif
