#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

/* Paths are bytes, so they are stored as blobs. */
static int
bind_path(sqlite3_stmt *stmt, int at, const char *path)
{
	return sqlite_errno(sqlite3_bind_blob(stmt, at, path, (int)strlen(path), SQLITE_STATIC));
}

static char *
column_path(sqlite3_stmt *stmt, int at)
{
	const char *bytes = sqlite3_column_blob(stmt, at);

	return strndup(bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, at));
}

static int
add_source(sqlite3 *db, const char *path, int64_t *ret_id)
{
	CLEANUP(stmt) sqlite3_stmt *insert = NULL;
	CLEANUP(stmt) sqlite3_stmt *select = NULL;
	int rc;
	int r;

	r = db_prepare(db, "INSERT OR IGNORE INTO source (path) VALUES (?1)", &insert);
	if (r == 0)
		r = bind_path(insert, 1, path);
	if (r == 0)
		r = db_run(insert);
	if (r == 0)
		r = db_prepare(db, "SELECT id FROM source WHERE path = ?1", &select);
	if (r == 0)
		r = bind_path(select, 1, path);
	if (r < 0)
		return r;
	rc = sqlite3_step(select);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EIO : sqlite_errno(rc);
	*ret_id = sqlite3_column_int64(select, 0);
	return 0;
}

int
index_source_add(struct index *index, const char *path, int64_t *ret_id)
{
	struct state *state = index_state(index);
	int r = add_source(state_lock(state), path, ret_id);

	state_unlock(state);
	return r;
}

void
index_source_free(struct index_source *sources, size_t n)
{
	for (size_t i = 0; sources && i < n; i++)
		free(sources[i].path);
	free(sources);
}

static int
add_source_row(sqlite3_stmt *stmt, struct index_source **sources, size_t *n)
{
	struct index_source *more = realloc(*sources, (*n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	*sources = more;
	more[*n] = (struct index_source){
		.id = sqlite3_column_int64(stmt, 0),
		.path = column_path(stmt, 1),
		.scanned_ns = sqlite3_column_int64(stmt, 2),
		.failures = (uint64_t)sqlite3_column_int64(stmt, 3),
	};
	return more[(*n)++].path ? 0 : -ENOMEM;
}

static int
list_sources(sqlite3 *db, struct index_source **sources, size_t *n)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_OK;
	int r;

	r = db_prepare(db,
		       "SELECT id, path, scanned,"
		       " (SELECT count(*) FROM failure WHERE source = s.id)"
		       " FROM source AS s ORDER BY path",
		       &stmt);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = add_source_row(stmt, sources, n);
	return r < 0 ? r : sqlite_errno(rc);
}

int
index_source_list(struct index *index, struct index_source **ret_sources, size_t *ret_n)
{
	struct state *state = index_state(index);
	struct index_source *sources = NULL;
	size_t n = 0;
	int r = list_sources(state_lock(state), &sources, &n);

	state_unlock(state);
	if (r < 0) {
		index_source_free(sources, n);
		return r;
	}
	*ret_sources = sources;
	*ret_n = n;
	return 0;
}

/* Run SQL with ID as ?1 and, if there is one, PREFIX as ?2. */
static int
run_for_source(sqlite3 *db, const char *sql, int64_t id, const char *prefix)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(db, sql, &stmt);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 1, id));
	if (r == 0 && prefix)
		r = bind_path(stmt, 2, prefix);
	return r < 0 ? r : db_run(stmt);
}

/* COMMIT, or ROLLBACK if R is a failure. */
static int
end_transaction(sqlite3 *db, int r)
{
	if (r == 0)
		r = db_exec(db, "COMMIT");
	if (r < 0)
		(void)db_exec(db, "ROLLBACK");
	return r;
}

static int
remove_source(sqlite3 *db, int64_t id)
{
	int r;

	r = db_exec(db, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = run_for_source(db, "DELETE FROM failure WHERE source = ?1", id, NULL);
	if (r == 0)
		r = run_for_source(db, "DELETE FROM source WHERE id = ?1", id, NULL);
	return end_transaction(db, r);
}

int
index_source_remove(struct index *index, int64_t id)
{
	struct state *state = index_state(index);
	int r = remove_source(state_lock(state), id);

	state_unlock(state);
	return r;
}

static int
add_failures(sqlite3 *db, int64_t id, const struct index_failure *failures, size_t n)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(db,
		       "INSERT OR REPLACE INTO failure (source, path, reason, time)"
		       " VALUES (?1, ?2, ?3, ?4)",
		       &stmt);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = sqlite_errno(sqlite3_bind_int64(stmt, 1, id));
		if (r == 0)
			r = bind_path(stmt, 2, failures[i].path);
		if (r == 0)
			r = sqlite_errno(
				sqlite3_bind_text(stmt, 3, failures[i].reason, -1, SQLITE_STATIC));
		if (r == 0)
			r = sqlite_errno(sqlite3_bind_int64(stmt, 4, failures[i].time_ns));
		if (r == 0)
			r = db_run(stmt);
	}
	return r;
}

static int
set_scanned(sqlite3 *db, int64_t id, int64_t time_ns)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(db, "UPDATE source SET scanned = ?2 WHERE id = ?1", &stmt);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 1, id));
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 2, time_ns));
	return r < 0 ? r : db_run(stmt);
}

static int
scanned(sqlite3 *db, int64_t id, const char *prefix, int64_t time_ns,
	const struct index_failure *failures, size_t n_failures)
{
	int r;

	r = db_exec(db, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	/* What lies below P begins with "P/"; '0' is the byte after '/'. */
	r = run_for_source(db,
			   "DELETE FROM failure WHERE source = ?1 AND (path = ?2 OR"
			   " (path >= CAST(?2 || '/' AS BLOB) AND path < CAST(?2 || '0' AS BLOB)))",
			   id, prefix);
	if (r == 0)
		r = add_failures(db, id, failures, n_failures);
	if (r == 0)
		r = set_scanned(db, id, time_ns);
	return end_transaction(db, r);
}

int
index_source_scanned(struct index *index, int64_t id, const char *prefix, int64_t time_ns,
		     const struct index_failure *failures, size_t n_failures)
{
	struct state *state = index_state(index);
	int r = scanned(state_lock(state), id, prefix, time_ns, failures, n_failures);

	state_unlock(state);
	return r;
}

void
index_failure_free(struct index_failure *failures, size_t n)
{
	for (size_t i = 0; failures && i < n; i++) {
		free(failures[i].path);
		free(failures[i].reason);
	}
	free(failures);
}

static int
list_failures(sqlite3 *db, uint64_t offset, size_t max, struct index_failure *failures, size_t *n)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_OK;
	int r;

	r = db_prepare(db,
		       "SELECT path, reason, time FROM failure ORDER BY path LIMIT ?1 OFFSET ?2",
		       &stmt);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 1, (sqlite3_int64)max));
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 2, (sqlite3_int64)offset));
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		failures[*n].path = column_path(stmt, 0);
		failures[*n].reason = strdup((const char *)sqlite3_column_text(stmt, 1));
		failures[*n].time_ns = sqlite3_column_int64(stmt, 2);
		r = failures[*n].path && failures[*n].reason ? 0 : -ENOMEM;
		(*n)++;
	}
	return r < 0 ? r : sqlite_errno(rc);
}

int
index_failure_list(struct index *index, uint64_t offset, size_t n,
		   struct index_failure **ret_failures, size_t *ret_n)
{
	struct state *state = index_state(index);
	struct index_failure *failures = calloc(MAX(n, (size_t)1), sizeof(*failures));
	size_t found = 0;
	int r;

	if (!failures)
		return -ENOMEM;
	r = list_failures(state_lock(state), offset, n, failures, &found);
	state_unlock(state);
	if (r < 0) {
		index_failure_free(failures, found);
		return r;
	}
	*ret_failures = failures;
	*ret_n = found;
	return 0;
}
