/* What is read from FTS5's pages, against what FTS5 tells of itself, in tables of leaves so small
 * that everything goes on in the next one; and that no damage to a page does harm. */
#include "index/fts_pages.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/db.h"
#include "index/index.h"
#include "index/test_random.h"

/* --- A table --- */

static void
execute(sqlite3 *db, const char *sql)
{
	if (db_exec(db, sql) < 0)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* A setting or a command of FTS5's. */
static void
command(sqlite3 *db, const char *name, int number)
{
	CLEANUP(pxs_buf) struct pxs_buf sql = PXS_BUF_INIT;

	pxs_buf_addf(&sql, "INSERT INTO f (f, rank) VALUES ('%s', %d)", name, number);
	execute(db, pxs_buf_text(&sql));
}

static sqlite3 *
open_table(int leaf_size)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	execute(db, "CREATE VIRTUAL TABLE f USING fts5"
		    "(a, content = '', columnsize = 0, detail = full);"
		    "CREATE VIRTUAL TABLE v USING fts5vocab(f, instance)");
	command(db, "pgsz", leaf_size);
	return db;
}

/* Words of which some are beginnings of others; `every` has a document's number of occurrences. */
static void
draw_text(struct pxs_buf *text, uint32_t doc)
{
	pxs_buf_clear(text);
	for (uint32_t n = 1 + random_below(40); n > 0; n--)
		pxs_buf_addf(text, "w%x ", random_below(1 + random_below(1 + random_below(3000))));
	for (uint32_t n = random_below(8) ? 1 : random_below(200); n > 0; n--)
		pxs_buf_addf(text, "every%s ", random_below(50) ? "" : "one");
	pxs_buf_addf(text, "d%u", doc);
}

/* Documents in a few transactions and steps of merging between; some come after greater ones. */
static void
fill(sqlite3 *db, uint32_t n)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(stmt) sqlite3_stmt *put = NULL;
	uint32_t last = 0;

	assert_int_equal(db_prepare(db, "INSERT INTO f (rowid, a) VALUES (?1, ?2)", &put), 0);
	execute(db, "BEGIN");
	for (bool late = false; n > 0; n--) {
		uint32_t doc;

		late = last > 0 && !late && random_below(15) == 0;
		last += late ? 0 : 2 + random_below(random_below(20) ? 3 : 100000);
		doc = late ? last - 1 : last;
		draw_text(&text, doc);
		assert_int_equal(sqlite3_bind_int64(put, 1, doc), SQLITE_OK);
		assert_int_equal(sqlite3_bind_text(put, 2, text.data, (int)text.len, NULL),
				 SQLITE_OK);
		assert_int_equal(db_run(put), 0);
		if (random_below(40) == 0)
			execute(db, "COMMIT; BEGIN");
		if (random_below(40) == 0)
			command(db, "merge", 1 + (int)random_below(30));
		if (random_below(100) == 0)
			command(db, "merge", -1 - (int)random_below(30));
	}
	execute(db, "COMMIT");
}

/* --- Both ways --- */

static const char EXACT[] = "SELECT doc, count(*), max(term) FROM v WHERE term = ?1"
			    " GROUP BY doc ORDER BY doc";
static const char BEGINNING[] = "SELECT doc, count(*) FROM v WHERE substr(term, 1, length(?1)) = ?1"
				" GROUP BY term, doc ORDER BY term, doc";

static int
tell(void *context, uint32_t doc, uint32_t times)
{
	pxs_buf_addf(context, "%u*%u ", doc, times);
	return 0;
}

/* Documents of a beginning come by segment, and others as they were put, so here they are sorted.
 */
static int
compare_told(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort_told(struct pxs_buf *told)
{
	CLEANUP(free) char **words = calloc(told->len + 1, sizeof(*words));
	CLEANUP(pxs_buf) struct pxs_buf sorted = PXS_BUF_INIT;
	size_t n = 0;
	char *rest = told->data;

	assert_non_null(words);
	for (char *word; rest && (word = strsep(&rest, " "));)
		words[n++] = word;
	qsort(words, n, sizeof(*words), compare_told);
	for (size_t i = 0; i < n; i++)
		pxs_buf_addf(&sorted, "%s ", words[i]);
	pxs_buf_done(told);
	*told = sorted;
	sorted = (struct pxs_buf)PXS_BUF_INIT;
}

static void
compare_ways(sqlite3 *db, struct fts_pages *pages, const char *term, bool is_prefix)
{
	CLEANUP(pxs_buf) struct pxs_buf expected = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf told = PXS_BUF_INIT;
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;

	assert_int_equal(db_prepare_with(db, is_prefix ? BEGINNING : EXACT, term, &stmt), 0);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		(void)tell(&expected, (uint32_t)sqlite3_column_int64(stmt, 0),
			   (uint32_t)sqlite3_column_int64(stmt, 1));
	assert_int_equal(fts_pages_scan(pages, term, strlen(term), is_prefix, NULL, tell, &told),
			 0);
	sort_told(&told);
	sort_told(&expected);
	assert_int_equal(told.error, 0);
	if (strcmp(pxs_buf_text(&told), pxs_buf_text(&expected)) != 0)
		fail_msg("%s%s: %s\nbut FTS5 has %s", term, is_prefix ? "*" : "",
			 pxs_buf_text(&told), pxs_buf_text(&expected));
}

static void
draw_term(char *term, size_t size)
{
	switch (random_below(6)) {
	case 0:
		(void)snprintf(term, size, "every");
		break;
	case 1:
		(void)snprintf(term, size, "everyone");
		break;
	case 2:
		(void)snprintf(term, size, "d%u", random_below(1000));
		break;
	case 3:
		(void)snprintf(term, size, "w");
		break;
	default:
		(void)snprintf(term, size, "w%x", random_below(1 + random_below(3000)));
		break;
	}
}

static void
pages_say_what_fts5_says(void **state)
{
	static const int LEAF_SIZES[] = { 32, 40, 64, 300, 4050 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(LEAF_SIZES) * 4; i++) {
		CLEANUP(sqlite3) sqlite3 *db = open_table(LEAF_SIZES[i % ARRAY_SIZE(LEAF_SIZES)]);
		CLEANUP(fts_pages) struct fts_pages *pages = NULL;
		char term[32];

		fill(db, random_below(300));
		assert_int_equal(fts_pages_open(db, &pages), 0);
		for (int n = 0; n < 100; n++) {
			draw_term(term, sizeof(term));
			compare_ways(db, pages, term, random_below(4) == 0);
		}
	}
}

/* Every merge of all segments makes one more, most of them empty in the end. */
static void
levels_may_be_many(void **state)
{
	CLEANUP(sqlite3) sqlite3 *db = open_table(64);
	CLEANUP(fts_pages) struct fts_pages *pages = NULL;
	CLEANUP(stmt) sqlite3_stmt *structure = NULL;

	(void)state;
	for (int doc = 1; doc <= 100; doc++) {
		CLEANUP(pxs_buf) struct pxs_buf sql = PXS_BUF_INIT;

		pxs_buf_addf(&sql, "INSERT INTO f (rowid, a) VALUES (%d, 'every d%d')", doc, doc);
		execute(db, pxs_buf_text(&sql));
		command(db, "merge", -1000);
	}
	assert_int_equal(db_prepare(db, "SELECT block FROM f_data WHERE id = 10", &structure), 0);
	assert_int_equal(sqlite3_step(structure), SQLITE_ROW);
	assert_true(((const uint8_t *)sqlite3_column_blob(structure, 0))[4] > 64);
	assert_int_equal(fts_pages_open(db, &pages), 0);
	compare_ways(db, pages, "every", false);
	compare_ways(db, pages, "d", true);
}

/* --- Damage --- */

/* One byte of one page becomes another. */
static void
damage(sqlite3 *db)
{
	CLEANUP(stmt) sqlite3_stmt *read = NULL;
	CLEANUP(stmt) sqlite3_stmt *write = NULL;
	CLEANUP(pxs_buf) struct pxs_buf block = PXS_BUF_INIT;

	assert_int_equal(db_prepare(db,
				    "SELECT id, block FROM f_data WHERE id >= 10"
				    " ORDER BY random() LIMIT 1",
				    &read),
			 0);
	assert_int_equal(db_prepare(db, "UPDATE f_data SET block = ?2 WHERE id = ?1", &write), 0);
	assert_int_equal(sqlite3_step(read), SQLITE_ROW);
	pxs_buf_add(&block, sqlite3_column_blob(read, 1), (size_t)sqlite3_column_bytes(read, 1));
	if (block.len > 0 && random_below(10) == 0)
		block.len = random_below((uint32_t)block.len);
	else if (block.len > 0)
		block.data[random_below((uint32_t)MIN(block.len, random_below(8) ? SIZE_MAX : 8))] =
			(char)random_below(256);
	assert_int_equal(sqlite3_bind_int64(write, 1, sqlite3_column_int64(read, 0)), SQLITE_OK);
	assert_int_equal(sqlite3_bind_blob64(write, 2, block.data, block.len, NULL), SQLITE_OK);
	(void)sqlite3_reset(read);
	assert_int_equal(db_run(write), 0);
}

static int
count(void *context, uint32_t doc, uint32_t times)
{
	(void)doc;
	(void)times;
	++*(uint64_t *)context;
	return 0;
}

static void
damage_is_found_or_harmless(void **state)
{
	unsigned int found = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		CLEANUP(sqlite3) sqlite3 *db = open_table(i % 2 ? 48 : 500);
		CLEANUP(fts_pages) struct fts_pages *pages = NULL;
		char term[32];

		fill(db, 100);
		assert_int_equal(fts_pages_open(db, &pages), 0);
		for (int n = 0; n < 50; n++) {
			uint64_t documents = 0;
			int r;

			damage(db);
			draw_term(term, sizeof(term));
			r = fts_pages_scan(pages, term, strlen(term), false, NULL, count,
					   &documents);
			assert_true(r == 0 || r == -EBADMSG);
			found += r < 0;
			r = fts_pages_scan(pages, term, (size_t)n % 3, true, NULL, count,
					   &documents);
			assert_true(r == 0 || r == -EBADMSG);
		}
	}
	assert_true(found > 0);
}

static void
another_format_is_refused(void **state)
{
	CLEANUP(sqlite3) sqlite3 *db = open_table(4050);
	struct fts_pages *pages = NULL;

	(void)state;
	execute(db, "UPDATE f_config SET v = 5 WHERE k = 'version'");
	assert_int_equal(fts_pages_open(db, &pages), -EBADMSG);
	execute(db, "DELETE FROM f_config");
	assert_int_equal(fts_pages_open(db, &pages), -EBADMSG);
}

/* --- Ending early --- */

static int
stop_at_third(void *context, uint32_t doc, uint32_t times)
{
	(void)count(context, doc, times);
	return *(uint64_t *)context == 3 ? 7 : 0;
}

static void
a_scan_ends_when_it_is_told_to(void **state)
{
	CLEANUP(sqlite3) sqlite3 *db = open_table(64);
	CLEANUP(fts_pages) struct fts_pages *pages = NULL;
	const struct index_budget late = { .deadline_ns = 1 };
	uint64_t n = 0;

	(void)state;
	fill(db, 100);
	assert_int_equal(fts_pages_open(db, &pages), 0);
	assert_int_equal(fts_pages_scan(pages, "every", 5, false, NULL, stop_at_third, &n), 7);
	assert_int_equal(n, 3);
	assert_int_equal(fts_pages_scan(pages, "every", 5, false, &late, count, &n), -ETIMEDOUT);
	compare_ways(db, pages, "every", false);
	/* No transaction is left open. */
	execute(db, "VACUUM");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_say_what_fts5_says),
		cmocka_unit_test(levels_may_be_many),
		cmocka_unit_test(damage_is_found_or_harmless),
		cmocka_unit_test(another_format_is_refused),
		cmocka_unit_test(a_scan_ends_when_it_is_told_to),
	};

	start_random();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
