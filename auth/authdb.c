#include "auth/authdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "auth/secret.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"

#define MAGIC 0x70787361 /* "pxsa" */
#define VERSION 1

/* Another process holds it for a moment at most: one that copies it. */
#define BUSY_MS 5000

static const char SCHEMA[] = "CREATE TABLE user ("
			     "  name TEXT PRIMARY KEY,"
			     "  hash TEXT NOT NULL," /* crypt(5) */
			     "  rights INTEGER NOT NULL,"
			     "  created_s INTEGER NOT NULL"
			     ") STRICT, WITHOUT ROWID;"
			     "CREATE TABLE token ("
			     "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
			     "  hash BLOB NOT NULL UNIQUE," /* SHA-256 of the text */
			     "  user TEXT NOT NULL,"
			     "  hint TEXT NOT NULL,"
			     "  label TEXT NOT NULL,"
			     "  granted INTEGER NOT NULL,"
			     "  rights INTEGER NOT NULL,"
			     "  created_s INTEGER NOT NULL,"
			     "  expires_s INTEGER NOT NULL,"
			     "  used_s INTEGER NOT NULL"
			     ") STRICT;"
			     "CREATE INDEX token_user ON token (user, id);";

static const struct {
	int rc; /* primary: the low byte of an extended code */
	int result;
} RESULTS[] = {
	{ SQLITE_OK, 0 },
	{ SQLITE_ROW, 1 },
	{ SQLITE_DONE, 0 },
	{ SQLITE_FULL, -ENOSPC },
	{ SQLITE_BUSY, -EBUSY },
	{ SQLITE_CORRUPT, -EBADMSG },
	{ SQLITE_NOTADB, -EBADMSG },
	{ SQLITE_NOMEM, -ENOMEM },
	{ SQLITE_READONLY, -EROFS },
	{ SQLITE_CANTOPEN, -EACCES },
	{ SQLITE_CONSTRAINT, -EEXIST },
};

static int
result_of(int rc)
{
	for (size_t i = 0; i < ARRAY_SIZE(RESULTS); i++)
		if (RESULTS[i].rc == (rc & 0xff))
			return RESULTS[i].result;
	return -EIO;
}

int
authdb_step(sqlite3_stmt *stmt)
{
	return result_of(sqlite3_step(stmt));
}

static int
bind(sqlite3_stmt *stmt, const char *types, va_list args)
{
	int rc = SQLITE_OK;

	for (int i = 0; types[i] && rc == SQLITE_OK; i++)
		if (types[i] == 'i')
			rc = sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
		else if (types[i] == 'h')
			rc = sqlite3_bind_blob(stmt, i + 1, va_arg(args, const unsigned char *),
					       SECRET_HASH_SIZE, SQLITE_STATIC);
		else
			rc = sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *), -1,
					       SQLITE_STATIC);
	return result_of(rc);
}

static int
prepare(sqlite3 *db, sqlite3_stmt **ret_stmt, const char *sql, const char *types, va_list args)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = result_of(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));

	if (r == 0)
		r = bind(stmt, types, args);
	if (r == 0)
		*ret_stmt = STEAL(stmt);
	return r;
}

int
authdb_prepare(sqlite3 *db, sqlite3_stmt **ret_stmt, const char *sql, const char *types, ...)
{
	va_list args;
	int r;

	va_start(args, types);
	r = prepare(db, ret_stmt, sql, types, args);
	va_end(args);
	return r;
}

int
authdb_run(sqlite3 *db, const char *sql, const char *types, ...)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	va_list args;
	int r;

	va_start(args, types);
	r = prepare(db, &stmt, sql, types, args);
	va_end(args);
	if (r == 0)
		r = authdb_step(stmt);
	return r < 0 ? r : sqlite3_changes(db);
}

void
authdb_copy_text(sqlite3_stmt *stmt, int column, char *text, size_t size)
{
	const char *value = (const char *)sqlite3_column_text(stmt, column);

	(void)snprintf(text, size, "%s", value ? value : "");
}

/* --- Opening --- */

static int
number(sqlite3 *db, const char *pragma, int *ret_number)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = authdb_prepare(db, &stmt, pragma, "");

	if (r == 0)
		r = authdb_step(stmt);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	*ret_number = sqlite3_column_int(stmt, 0);
	return 0;
}

static int
make_tables(sqlite3 *db)
{
	CLEANUP(pxs_buf) struct pxs_buf sql = PXS_BUF_INIT;

	pxs_buf_addf(&sql,
		     "BEGIN; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
		     SCHEMA, MAGIC, VERSION);
	return sql.error ? sql.error
			 : result_of(sqlite3_exec(db, pxs_buf_text(&sql), NULL, NULL, NULL));
}

static int
set_up(sqlite3 *db, const char *path, struct pxs_error *err)
{
	int magic = 0;
	int version = 0;
	int r;

	(void)sqlite3_busy_timeout(db, BUSY_MS);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = number(db, "PRAGMA application_id", &magic);
	if (r == 0)
		r = number(db, "PRAGMA user_version", &version);
	if (r == 0 && version > VERSION)
		return pxs_error_set(err, -EBADMSG, -1,
				     "%s has format %d but this pxs knows only %d: it was written "
				     "by a newer pxs",
				     path, version, VERSION);
	if (r == 0 && version != 0 && magic != MAGIC)
		return pxs_error_set(err, -EBADMSG, -1, "%s is not the users' database of pxs",
				     path);
	/* What is removed is overwritten: hashes, too, are nobody's business. */
	if (r == 0)
		r = result_of(sqlite3_exec(db,
					   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
					   "PRAGMA secure_delete = ON;",
					   NULL, NULL, NULL));
	if (r == 0 && version == 0)
		r = make_tables(db);
	return r;
}

static inline void
sqlite3_cleanup(sqlite3 **db)
{
	(void)sqlite3_close(*db);
}

int
authdb_open(const char *dir, sqlite3 **ret_db, struct pxs_error *err)
{
	CLEANUP(sqlite3) sqlite3 *db = NULL;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(close) int fd = -1;
	int r;

	pxs_buf_addf(&path, "%s/auth.db", dir);
	if (path.error)
		return path.error;
	/* Made by us, so that its mode is ours; SQLite gives its log the same. */
	fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return pxs_error_set(err, -errno, -1, "cannot open %s: %m", path.data);
	r = result_of(
		sqlite3_open_v2(path.data, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (r == 0)
		r = set_up(db, path.data, err);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot open %s: %s", path.data,
				     db ? sqlite3_errmsg(db) : strerror(-r));
	*ret_db = STEAL(db);
	return 0;
}
