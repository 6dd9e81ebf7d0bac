#include "index/history.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/db.h"
#include "index/journal.h"
#include "index/parts.h"
#include "index/record.h"
#include "index/sqlite_errno.h"

#define BUSY_TIMEOUT_MS 5000

/* Rows of the log that one call looks at: most of them may be changes that later ones replaced. */
#define ROWS_MAX 100000

enum statement { CHANGES, FIRST_CHANGE, REMOVED, REMOVED_BY, N_STATEMENTS };

static const char *const STATEMENTS[N_STATEMENTS] = {
	[CHANGES] = "SELECT seq, op, id, time FROM change WHERE seq > ?1 AND seq <= ?2"
		    " ORDER BY seq LIMIT ?3",
	[FIRST_CHANGE] = "SELECT min(seq) FROM change",
	[REMOVED] = "SELECT seq, id, time, user, record FROM removed"
		    " WHERE seq < ?1 AND user <> '' ORDER BY seq DESC LIMIT ?2",
	[REMOVED_BY] = "SELECT user FROM removed WHERE id = ?1 ORDER BY seq DESC LIMIT 1",
};

struct history {
	pthread_mutex_t mutex; /* the connection, too, is for one at a time */
	sqlite3 *db;
	sqlite3_stmt *stmts[N_STATEMENTS];
};

int
history_open(const char *path, struct history **ret_history)
{
	CLEANUP(history) struct history *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return -ENOMEM;
	(void)pthread_mutex_init(&history->mutex, NULL);
	r = db_open_reader(path, BUSY_TIMEOUT_MS, &history->db);
	for (size_t i = 0; i < N_STATEMENTS && r == 0; i++)
		r = db_prepare(history->db, STATEMENTS[i], &history->stmts[i]);
	if (r == 0)
		*ret_history = STEAL(history);
	return r;
}

void
history_close(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(history->stmts[i]);
	(void)sqlite3_close(history->db);
	(void)pthread_mutex_destroy(&history->mutex);
	free(history);
}

static int
bind(sqlite3_stmt *stmt, const sqlite3_int64 *numbers, int n)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, numbers[i]);
	return sqlite_errno(rc);
}

/* --- Changes --- */

/* -ESTALE: there were changes after SINCE that are forgotten. */
static int
check_remembered(struct history *history, uint64_t since, uint64_t newest)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = history->stmts[FIRST_CHANGE];
	int rc;
	uint64_t first;

	if (since >= newest)
		return since == newest ? 0 : -ESTALE;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EIO : sqlite_errno(rc);
	first = (uint64_t)sqlite3_column_int64(stmt, 0);
	return first == 0 || first > since + 1 ? -ESTALE : 0;
}

/* Whether the viewer of VIEW could have seen the document ID, which is removed. -ESTALE: who can
 * tell any more? Its last version went with the process that removed it. */
static int
was_shown(const struct index_view *view, int64_t id)
{
	uint32_t doc = docs_newest_of_id(view->tables->docs, id);

	if (!view->shown)
		return 1;
	return doc ? roaring_bitmap_contains(view->shown, doc) : -ESTALE;
}

/* 1: the change in STMT's row made what VIEW shows of its document; 0: it did not; -ESTALE. */
static int
is_last(const struct index_view *view, sqlite3_stmt *stmt, struct index_change *ret)
{
	int found;

	*ret = (struct index_change){
		.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
		.removed = sqlite3_column_int(stmt, 1) == JOURNAL_REMOVE,
		.id = sqlite3_column_int64(stmt, 2),
		.time_ns = sqlite3_column_int64(stmt, 3),
	};
	found = index_doc_find(view, ret->id, &ret->doc);
	if (ret->removed && found < 0)
		return was_shown(view, ret->id);
	if (ret->removed || found < 0)
		return 0;
	return docs_meta(view->tables->docs, ret->doc).seq == ret->seq;
}

static int
read_changes(struct history *history, const struct index_view *view, struct index_changes *changes)
{
	const sqlite3_int64 numbers[] = { (sqlite3_int64)changes->seq, (sqlite3_int64)view->seq,
					  ROWS_MAX };
	CLEANUP(stmt_run) sqlite3_stmt *stmt = history->stmts[CHANGES];
	size_t rows = 0;
	int rc = SQLITE_DONE;
	int r = bind(stmt, numbers, (int)ARRAY_SIZE(numbers));

	if (r < 0)
		return r;
	while (changes->n < changes->max && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct index_change *change = &changes->list[changes->n];

		r = is_last(view, stmt, change);
		if (r < 0)
			return r;
		rows++;
		changes->n += (size_t)r;
		changes->seq = change->seq;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_errno(rc);
	/* All were looked at. */
	if (changes->n < changes->max && rows < ROWS_MAX)
		changes->seq = view->seq;
	return 0;
}

int
index_changes(const struct index_view *view, struct index_changes *changes)
{
	struct history *history = view->index->history;
	int r;

	changes->n = 0;
	(void)pthread_mutex_lock(&history->mutex);
	r = check_remembered(history, changes->seq, view->seq);
	if (r == 0)
		r = read_changes(history, view, changes);
	(void)pthread_mutex_unlock(&history->mutex);
	return r;
}

/* --- Removals --- */

/* What the document was called, from its record. */
static char *
read_path(const struct index_view *view, const void *record, size_t len)
{
	CLEANUP(free) const struct query_property **by_number = view_schema_by_number(view->schema);
	CLEANUP(record_reader) struct record_reader reader = { 0 };
	const struct query_property *property;
	struct query_value value;

	if (!by_number)
		return NULL;
	record_read(&reader, record, len);
	while (record_next(&reader, by_number, view->schema->n_columns, &property, &value) > 0)
		if (strcmp(property->name, "core.pathname") == 0)
			return strdup(value.string);
	return strdup("");
}

static int
read_removed(const struct index_view *view, sqlite3_stmt *stmt, struct index_removed *ret)
{
	const char *user = (const char *)sqlite3_column_text(stmt, 3);
	struct index_removed removed = {
		.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
		.id = sqlite3_column_int64(stmt, 1),
		.time_ns = sqlite3_column_int64(stmt, 2),
		.user = user ? strdup(user) : NULL,
		.path = read_path(view, sqlite3_column_blob(stmt, 4),
				  (size_t)sqlite3_column_bytes(stmt, 4)),
	};

	*ret = removed;
	return removed.user && removed.path ? 0 : -ENOMEM;
}

static int
list_removed(struct history *history, const struct index_view *view, uint64_t before, size_t n,
	     struct index_removed *removed, size_t *ret_n)
{
	const sqlite3_int64 numbers[] = { before ? (sqlite3_int64)before : INT64_MAX,
					  (sqlite3_int64)n };
	CLEANUP(stmt_run) sqlite3_stmt *stmt = history->stmts[REMOVED];
	int rc = SQLITE_DONE;
	int r = bind(stmt, numbers, (int)ARRAY_SIZE(numbers));

	*ret_n = 0;
	while (r == 0 && *ret_n < n && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = read_removed(view, stmt, &removed[(*ret_n)++]);
	if (r == 0 && rc != SQLITE_ROW)
		r = sqlite_errno(rc);
	return r;
}

int
index_removed_list(struct index *index, uint64_t before, size_t n,
		   struct index_removed **ret_removed, size_t *ret_n)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	struct index_removed *removed = calloc(MAX(n, (size_t)1), sizeof(*removed));
	size_t found = 0;
	int r;

	if (!removed)
		return -ENOMEM;
	(void)pthread_mutex_lock(&index->history->mutex);
	r = list_removed(index->history, view, before, n, removed, &found);
	(void)pthread_mutex_unlock(&index->history->mutex);
	if (r < 0) {
		index_removed_free(removed, found);
		return r;
	}
	*ret_removed = removed;
	*ret_n = found;
	return 0;
}

void
index_removed_free(struct index_removed *removed, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(removed[i].user);
		free(removed[i].path);
	}
	free(removed);
}

/* 1: the last who removed the document ID was USER; 0: another, or nobody. */
static int
was_removed_by(struct history *history, int64_t id, const char *user)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = history->stmts[REMOVED_BY];
	const sqlite3_int64 number = id;
	const char *remover;
	int r = bind(stmt, &number, 1);
	int rc;

	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? 0 : sqlite_errno(rc);
	remover = (const char *)sqlite3_column_text(stmt, 0);
	return remover ? strcmp(remover, user) == 0 : -ENOMEM;
}

int
index_removed_is_known(const struct index_view *view, int64_t id, const char *user)
{
	struct history *history = view->index->history;
	int r;

	if (was_shown(view, id) > 0)
		return 1;
	(void)pthread_mutex_lock(&history->mutex);
	r = was_removed_by(history, id, user);
	(void)pthread_mutex_unlock(&history->mutex);
	return r;
}
