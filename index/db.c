#include "index/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "index/sqlite_errno.h"

static const char VALUE_OF[] = "SELECT value FROM meta WHERE key = ?1";

int
db_exec(sqlite3 *db, const char *sql)
{
	return sqlite_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int
db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt)
{
	return sqlite_errno(
		sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, NULL));
}

int
db_prepare_with(sqlite3 *db, const char *sql, const char *text, sqlite3_stmt **ret_stmt)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, sql, &stmt);

	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC));
	if (r == 0)
		*ret_stmt = STEAL(stmt);
	return r;
}

int
db_run(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	/* reset() repeats step()'s error. */
	if (rc == SQLITE_DONE || rc == SQLITE_ROW)
		rc = sqlite3_reset(stmt);
	else
		(void)sqlite3_reset(stmt);
	return sqlite_errno(rc);
}

/* The one number that SQL (a pragma, a count) returns. */
static int
query_number(sqlite3 *db, const char *sql, sqlite3_int64 *ret_value)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc;
	int r;

	r = db_prepare(db, sql, &stmt);
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	*ret_value = sqlite3_column_int64(stmt, 0);
	return 0;
}

/* Settings: research/index.md 1.8, research/reliability.md finding 10. */
static int
configure(sqlite3 *db)
{
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_busy_timeout(db, 5000);
	return db_exec(db, "PRAGMA page_size = 8192;"
			   "PRAGMA journal_mode = WAL;"
			   "PRAGMA synchronous = FULL;"
			   "PRAGMA secure_delete = OFF;"
			   "PRAGMA cache_size = -32000;"
			   "PRAGMA wal_autocheckpoint = 4000;"
			   "PRAGMA journal_size_limit = 67108864;");
}

static int
check_kind(sqlite3 *db, const char *path, int magic, int version, int *ret_version,
	   struct pxs_error *err)
{
	sqlite3_int64 found_magic = 0;
	sqlite3_int64 found_version = 0;
	int r;

	r = query_number(db, "PRAGMA application_id", &found_magic);
	if (r == 0)
		r = query_number(db, "PRAGMA user_version", &found_version);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read %s: %s", path, sqlite3_errmsg(db));
	if (found_version > version)
		return pxs_error_set(err, -EBADMSG, -1,
				     "%s has format %lld but this pxs knows only %d: it was "
				     "written by a newer pxs",
				     path, (long long)found_version, version);
	if (found_version != 0 && found_magic != magic)
		return pxs_error_set(err, -EBADMSG, -1, "%s is not a database of pxs", path);
	*ret_version = (int)found_version;
	return 0;
}

int
db_open(const char *path, int magic, int version, sqlite3 **ret_db, int *ret_version,
	struct pxs_error *err)
{
	CLEANUP(sqlite3) sqlite3 *db = NULL;
	char sql[64];
	int r;

	errno = 0;
	r = sqlite_errno(sqlite3_open_v2(
		path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
	if (r == 0)
		r = check_kind(db, path, magic, version, ret_version, err);
	if (r == 0)
		r = configure(db);
	if (r == 0 && *ret_version == 0) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", magic);
		r = db_exec(db, sql);
	}
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot open %s: %s", path,
				     db ? sqlite3_errmsg(db) : strerror(-r));
	*ret_db = STEAL(db);
	return 0;
}

int
db_open_reader(const char *path, int timeout_ms, sqlite3 **ret_db)
{
	CLEANUP(sqlite3) sqlite3 *db = NULL;
	int r;

	errno = 0;
	r = sqlite_errno(
		sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL));
	if (r == 0)
		r = sqlite_errno(sqlite3_busy_timeout(db, timeout_ms));
	if (r == 0)
		*ret_db = STEAL(db);
	return r;
}

int
db_meta_get(sqlite3 *db, const char *key, sqlite3_int64 fallback, sqlite3_int64 *ret_value)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc;
	int r;

	r = db_prepare_with(db, VALUE_OF, key, &stmt);
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_errno(rc);
	*ret_value = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : fallback;
	return 0;
}

int
db_meta_put(sqlite3_stmt *stmt, const char *key, sqlite3_int64 value)
{
	int r = sqlite_errno(sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC));

	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 2, value));
	return r < 0 ? r : db_run(stmt);
}

int
db_meta_read(sqlite3 *db, const char *key, struct pxs_buf *value)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare_with(db, VALUE_OF, key, &stmt);
	const void *bytes;
	int rc;

	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	bytes = sqlite3_column_blob(stmt, 0); /* NULL where there are none */
	if (bytes)
		pxs_buf_add(value, bytes, (size_t)sqlite3_column_bytes(stmt, 0));
	return value->error;
}

int
db_meta_set(sqlite3 *db, const char *key, sqlite3_int64 value)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, DB_META_SET, &stmt);

	return r < 0 ? r : db_meta_put(stmt, key, value);
}

sqlite3_int64
db_bytes(const char *path)
{
	static const char *const ENDINGS[] = { "", "-wal" };
	sqlite3_int64 bytes = 0;
	char name[4096];
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		if (snprintf(name, sizeof(name), "%s%s", path, ENDINGS[i]) < (int)sizeof(name) &&
		    stat(name, &st) == 0)
			bytes += st.st_size;
	}
	return bytes;
}
