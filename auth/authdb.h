/* authdb.h - auth.db: the file, and statements on it. */
#ifndef PXS_AUTH_AUTHDB_H
#define PXS_AUTH_AUTHDB_H

#include <sqlite3.h>

#include "base/cleanup.h"

struct pxs_error;

static inline void
stmt_cleanup(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}

/* Open DIR/auth.db, made with mode 0600 if it is not there. A commit that returned is on disk.
 * -EBADMSG: damaged, not ours, or written by a newer pxs. For use under a lock of the caller's. */
int authdb_open(const char *dir, sqlite3 **ret_db, struct pxs_error *err);

/* Prepares SQL and binds the arguments that TYPES tell, in this order: 't' const char * (NULL:
 * NULL), 'i' int64_t, 'h' a hash (SECRET_HASH_SIZE bytes). They are lent until the statement ends.
 */
int authdb_prepare(sqlite3 *db, sqlite3_stmt **ret_stmt, const char *sql, const char *types, ...);

/* As authdb_prepare(), for a statement without rows: how many rows it changed, or -errno. */
int authdb_run(sqlite3 *db, const char *sql, const char *types, ...);

/* A row: 1; the end: 0; or -errno. */
int authdb_step(sqlite3_stmt *stmt);

/* Copies a text column, cut to SIZE - 1 bytes. */
void authdb_copy_text(sqlite3_stmt *stmt, int column, char *text, size_t size);

#endif
