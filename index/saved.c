#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

/* Run SQL with two texts (NULL: none) and a time as ?1 ?2 ?3; the number of rows changed. */
static int
change(struct index *index, const char *sql, const char *first, const char *second)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	struct state *state = index_state(index);
	sqlite3 *db = state_lock(state);
	int r;

	r = db_prepare(db, sql, &stmt);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 1, first, -1, SQLITE_STATIC));
	if (r == 0 && second)
		r = sqlite_errno(sqlite3_bind_text(stmt, 2, second, -1, SQLITE_STATIC));
	if (r == 0 && sqlite3_bind_parameter_count(stmt) >= 3)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 3, pxs_clock_now_ns()));
	if (r == 0)
		r = db_run(stmt);
	if (r == 0)
		r = sqlite3_changes(db);
	/* Before the lock goes: another thread must not find it running. */
	(void)sqlite3_finalize(STEAL(stmt));
	state_unlock(state);
	return r;
}

int
index_saved_put(struct index *index, const char *name, const char *path)
{
	int r = change(index,
		       "INSERT OR IGNORE INTO saved (name, path, created) VALUES (?1, ?2, ?3)",
		       name, path);

	return r == 0 ? -EEXIST : MIN(r, 0);
}

int
index_saved_rename(struct index *index, const char *from, const char *to)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	int r;

	if (index_saved_get(index, from, &path) < 0)
		return -ENOENT;
	r = change(index, "UPDATE OR IGNORE saved SET name = ?2 WHERE name = ?1", from, to);
	return r == 0 ? -EEXIST : MIN(r, 0);
}

int
index_saved_remove(struct index *index, const char *name)
{
	int r = change(index, "DELETE FROM saved WHERE name = ?1", name, NULL);

	return r == 0 ? -ENOENT : MIN(r, 0);
}

static int
get_path(sqlite3 *db, const char *name, struct pxs_buf *path)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc;
	int r;

	r = db_prepare(db, "SELECT path FROM saved WHERE name = ?1", &stmt);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC));
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	pxs_buf_add(path, sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
	return path->error;
}

int
index_saved_get(struct index *index, const char *name, struct pxs_buf *path)
{
	struct state *state = index_state(index);
	int r = get_path(state_lock(state), name, path);

	state_unlock(state);
	return r;
}

void
index_saved_free(struct index_saved *saved, size_t n)
{
	for (size_t i = 0; saved && i < n; i++) {
		free(saved[i].name);
		free(saved[i].path);
	}
	free(saved);
}

static int
add_row(sqlite3_stmt *stmt, struct index_saved **saved, size_t *n)
{
	struct index_saved *more = realloc(*saved, (*n + 1) * sizeof(*more));
	struct index_saved *row;

	if (!more)
		return -ENOMEM;
	*saved = more;
	row = &more[(*n)++];
	row->name = strdup((const char *)sqlite3_column_text(stmt, 0));
	row->path = strdup((const char *)sqlite3_column_text(stmt, 1));
	row->created_ns = sqlite3_column_int64(stmt, 2);
	return row->name && row->path ? 0 : -ENOMEM;
}

static int
list(sqlite3 *db, struct index_saved **saved, size_t *n)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_OK;
	int r;

	r = db_prepare(db, "SELECT name, path, created FROM saved ORDER BY name", &stmt);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = add_row(stmt, saved, n);
	return r < 0 ? r : sqlite_errno(rc);
}

int
index_saved_list(struct index *index, struct index_saved **ret_saved, size_t *ret_n)
{
	struct state *state = index_state(index);
	struct index_saved *saved = NULL;
	size_t n = 0;
	int r = list(state_lock(state), &saved, &n);

	state_unlock(state);
	if (r < 0) {
		index_saved_free(saved, n);
		return r;
	}
	*ret_saved = saved;
	*ret_n = n;
	return 0;
}
