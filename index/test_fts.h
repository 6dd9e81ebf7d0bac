/* test_fts.h - a file of words for each test, filled and counted. */
#ifndef PXS_INDEX_TEST_FTS_H
#define PXS_INDEX_TEST_FTS_H

#include "index/fts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/marks.h"
#include "index/terms.h"
#include "query/query.h"

/* --- A file for each test --- */

static char folder[] = "/tmp/pxs-test-fts-XXXXXX";
static char path[sizeof(folder) + 16];

static inline int
make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/fts.db", folder);
	return 0;
}

static inline int
remove_file(void **state)
{
	static const char *const ENDINGS[] = { "", "-wal", "-shm", "-terms" };
	char name[sizeof(path) + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ENDINGS); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ENDINGS[i]);
		(void)unlink(name);
	}
	return 0;
}

static inline int
remove_folder(void **state)
{
	(void)remove_file(state);
	return rmdir(folder);
}

static inline struct fts *
open_fts(uint64_t expected_seq)
{
	struct pxs_error err = { 0 };
	struct fts *fts = NULL;
	uint64_t seq = 12345;

	if (fts_open(path, &fts, &seq, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(seq, expected_seq);
	return fts;
}

static const struct query_property TITLE = { .name = "common.title", .number = 7 };

/* The words of TEXT as plain terms. */
static inline void
put_text(struct fts *fts, uint32_t doc, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

	for (size_t len; *text; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		assert_int_equal(terms_stream_add_number(&stream, text, len), 0);
	}
	assert_int_equal(fts_put(fts, doc, stream.data, stream.len), 0);
}

/* Documents FIRST to LAST, each "aa ab ac every" and its number. */
static inline void
put_many(struct fts *fts, uint32_t first, uint32_t last)
{
	char text[32];

	for (uint32_t doc = first; doc <= last; doc++) {
		(void)snprintf(text, sizeof(text), "aa ab ac every n%u", doc);
		put_text(fts, doc, text);
	}
}

static inline void
fill(struct fts *fts, uint32_t first, uint32_t last, uint64_t seq)
{
	assert_int_equal(fts_begin(fts), 0);
	put_many(fts, first, last);
	assert_int_equal(fts_commit(fts, seq), 0);
}

static inline uint64_t
count_hits(struct fts *fts, const char *term)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();
	uint64_t n;

	assert_int_equal(fts_find_term(fts, term, strlen(term), NULL, hits), 0);
	n = roaring_bitmap_get_cardinality(hits);
	roaring_bitmap_free(hits);
	return n;
}

static inline int
find_prefix(struct fts *fts, const char *prefix, size_t len, const struct index_budget *budget,
	    roaring_bitmap_t *hits)
{
	CLEANUP(marks) struct marks marks = { 0 };
	roaring_bitmap_t *found = NULL;
	int r = fts_find_prefix(fts, prefix, len, budget, &marks);

	if (r < 0)
		return r;
	assert_int_equal(marks_bitmap(&marks, &found), 0);
	roaring_bitmap_or_inplace(hits, found);
	roaring_bitmap_free(found);
	return 0;
}

/* For fts_count_phrase(): into a bitmap. */
static inline int
add_doc(void *context, uint32_t doc, uint32_t times)
{
	(void)times;
	roaring_bitmap_add(context, doc);
	return 0;
}

static inline void
assert_sound(struct fts *fts)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	int r = fts_check(fts, &report);

	if (r != 0)
		fail_msg("%d: %s", r, pxs_buf_text(&report));
}

static inline void
execute(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#endif
