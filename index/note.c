/* Notes: small texts in state.db, beside its version. */
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

static int
put(sqlite3 *db, const char *name, const char *text)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare_with(db, DB_META_SET, name, &stmt);

	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC));
	return r < 0 ? r : db_run(stmt);
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
	int r = db_meta_read(state_lock(state), name, text);

	state_unlock(state);
	return r;
}
