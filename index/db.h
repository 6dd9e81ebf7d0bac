/* db.h - a SQLite database as pxs opens it. */
#ifndef PXS_INDEX_DB_H
#define PXS_INDEX_DB_H

#include <sqlite3.h>

#include "base/cleanup.h"

struct pxs_buf;
struct pxs_error;

/* Ends a statement's run, so that it holds no lock and can run again. */
static inline void
stmt_run_cleanup(sqlite3_stmt **stmt)
{
	if (*stmt)
		(void)sqlite3_reset(*stmt);
}

static inline void
stmt_cleanup(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}

static inline void
sqlite3_cleanup(sqlite3 **db)
{
	(void)sqlite3_close(*db);
}

/* Open PATH (made if it is not there) in WAL mode with synchronous=FULL: a commit that returned is
 * on disk. For use under a lock of the caller's. MAGIC tells our databases from others; 0: new.
 * -EBADMSG: damaged, not one of ours, or *RET_VERSION (user_version) above VERSION, that is written
 * by a newer pxs; ERR has the sentence. */
int db_open(const char *path, int magic, int version, sqlite3 **ret_db, int *ret_version,
	    struct pxs_error *err);

/* One more connection to PATH, for reading, by one thread at a time; it waits up to TIMEOUT_MS for
 * what locks the file whole. */
int db_open_reader(const char *path, int timeout_ms, sqlite3 **ret_db);

int db_exec(sqlite3 *db, const char *sql);
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt);
/* With TEXT, lent until it has run, as ?1. */
int db_prepare_with(sqlite3 *db, const char *sql, const char *text, sqlite3_stmt **ret_stmt);

/* Step a statement that returns no rows, and reset it. */
int db_run(sqlite3_stmt *stmt);

/* The number in meta under KEY, or FALLBACK. Databases of ours have meta(key, value). */
int db_meta_get(sqlite3 *db, const char *key, sqlite3_int64 fallback, sqlite3_int64 *ret_value);
int db_meta_set(sqlite3 *db, const char *key, sqlite3_int64 value);
/* Adds the bytes under KEY to VALUE. -ENOENT. */
int db_meta_read(sqlite3 *db, const char *key, struct pxs_buf *value);

/* The same by a statement of DB_META_SET, for what is set with every commit. */
#define DB_META_SET "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)"
int db_meta_put(sqlite3_stmt *stmt, const char *key, sqlite3_int64 value);

/* Bytes on disk of PATH and its log. */
sqlite3_int64 db_bytes(const char *path);

#endif
