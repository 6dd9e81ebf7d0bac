/* libFuzzer: the pages of FTS5 in fts.db. The first byte is the length of the term that is looked
 * for, which stands behind the second; if that is odd, the same bytes are the structure record. The
 * rest are the leaves of a segment, each behind its length. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include <sqlite3.h>

#include "base/macros.h"
#include "index/db.h"
#include "index/fts_pages.h"

#define LEAF(number) (INT64_C(1) << 37 | (number))

/* One segment of all leaves there may be. */
static const uint8_t ONE_SEGMENT[] = { 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0 };

static void
put(sqlite3_stmt *stmt, int64_t id, const uint8_t *block, size_t len)
{
	FUZZ_REQUIRE(sqlite3_bind_int64(stmt, 1, id) == SQLITE_OK);
	FUZZ_REQUIRE(sqlite3_bind_blob64(stmt, 2, len ? block : (const uint8_t *)"", len, NULL) ==
		     SQLITE_OK);
	FUZZ_REQUIRE(db_run(stmt) == 0);
}

/* A table as FTS5 would have it, so far as it is looked at. */
static void
fill(sqlite3 *db, const uint8_t *data, size_t size)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	uint8_t structure[sizeof(ONE_SEGMENT)];
	uint8_t leaves = 0;

	FUZZ_REQUIRE(db_prepare(db, "INSERT INTO f_data VALUES (?1, ?2)", &stmt) == 0);
	for (; size > 0 && leaves < 100; leaves++) {
		size_t len = MIN((size_t)*data, size - 1);

		put(stmt, LEAF(leaves + 1), data + 1, len);
		data += 1 + len;
		size -= 1 + len;
	}
	memcpy(structure, ONE_SEGMENT, sizeof(structure));
	structure[sizeof(structure) - 1] = leaves;
	put(stmt, 10, structure, sizeof(structure));
}

static void
replace_structure(sqlite3 *db, const uint8_t *data, size_t size)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;

	FUZZ_REQUIRE(db_prepare(db, "REPLACE INTO f_data VALUES (?1, ?2)", &stmt) == 0);
	put(stmt, 10, data, size);
}

static int
look(void *context, uint32_t doc, uint32_t times)
{
	FUZZ_REQUIRE(doc > 0);
	*(uint64_t *)context += times;
	return 0;
}

static void
create(sqlite3 **db)
{
	FUZZ_REQUIRE(sqlite3_open(":memory:", db) == SQLITE_OK);
	FUZZ_REQUIRE(db_exec(*db, "CREATE TABLE f_data (id INTEGER PRIMARY KEY, block BLOB);"
				  "CREATE TABLE f_idx (segid, term, pgno,"
				  " PRIMARY KEY (segid, term)) WITHOUT ROWID;"
				  "CREATE TABLE f_config (k PRIMARY KEY, v);"
				  "INSERT INTO f_config VALUES ('version', 4)") == 0);
}

static void
scan(struct fts_pages *pages, const char *term, size_t len, bool is_prefix)
{
	uint64_t times = 0;
	int r = fts_pages_scan(pages, term, len, is_prefix, NULL, look, &times);

	FUZZ_REQUIRE(r == 0 || r == -EBADMSG);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(sqlite3) sqlite3 *db = NULL;
	CLEANUP(fts_pages) struct fts_pages *pages = NULL;
	size_t len;

	if (size < 2)
		return 0;
	len = MIN((size_t)data[0], size - 2);
	create(&db);
	fill(db, data + 2 + len, size - 2 - len);
	if (data[1] & 1)
		replace_structure(db, data + 2, len);
	FUZZ_REQUIRE(fts_pages_open(db, &pages) == 0);
	scan(pages, (const char *)data + 2, len, false);
	scan(pages, "", 0, true);
	return 0;
}
