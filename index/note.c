/* Notes: small texts in state.db, beside its version. */
#include <errno.h>
#include <stddef.h>

#include "base/buf.h"
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

static int
put(sqlite3 *db, const char *name, const char *text)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, DB_META_SET, &stmt);

	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC));
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC));
	return r < 0 ? r : db_run(stmt);
}

static int
get(sqlite3 *db, const char *name, struct pxs_buf *text)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, "SELECT value FROM meta WHERE key = ?1", &stmt);
	int rc;

	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC));
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	pxs_buf_add(text, sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
	return text->error;
}

int
index_note_put(struct index *index, const char *name, const char *text)
{
	struct state *state = index_state(index);
	int r = put(state_lock(state), name, text);

	state_unlock(state);
	return r;
}

int
index_note_get(struct index *index, const char *name, struct pxs_buf *text)
{
	struct state *state = index_state(index);
	int r = get(state_lock(state), name, text);

	state_unlock(state);
	return r;
}
