#include "index/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/macros.h"
#include "index/db.h"
#include "index/sqlite_errno.h"

/* Trimming is worth its time only every so many changes. */
#define TRIM_STEP 4096

enum statement { ADD, FIND, DROP, TRIM_REMOVED, TRIM_OLD, TRIM_CHANGES, N_STATEMENTS };

static const char *const STATEMENTS[N_STATEMENTS] = {
	[ADD] = "INSERT INTO removed (seq, id, row, created, time, user, record)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[FIND] = "SELECT seq, id, row, created, time, user, record FROM removed WHERE id = ?1"
		 " ORDER BY seq DESC LIMIT 1",
	[DROP] = "DELETE FROM removed WHERE id = ?1",
	[TRIM_REMOVED] = "DELETE FROM removed WHERE seq <= (SELECT seq FROM removed"
			 " ORDER BY seq DESC LIMIT 1 OFFSET ?1)",
	/* From the oldest up to the first that is young: removals stand in order of time. */
	[TRIM_OLD] = "DELETE FROM removed WHERE seq < COALESCE((SELECT seq FROM removed"
		     " WHERE time >= ?1 ORDER BY seq LIMIT 1), 9223372036854775807)",
	[TRIM_CHANGES] = "DELETE FROM change WHERE seq <= ?1",
};

struct journal {
	sqlite3_stmt *stmts[N_STATEMENTS];
	uint64_t trimmed_seq;
};

int
journal_open(sqlite3 *db, struct journal **ret_journal)
{
	CLEANUP(journal) struct journal *journal = calloc(1, sizeof(*journal));
	int r = journal ? 0 : -ENOMEM;

	for (size_t i = 0; i < N_STATEMENTS && r == 0; i++)
		r = db_prepare(db, STATEMENTS[i], &journal->stmts[i]);
	if (r == 0)
		*ret_journal = STEAL(journal);
	return r;
}

void
journal_close(struct journal *journal)
{
	if (!journal)
		return;
	for (size_t i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(journal->stmts[i]);
	free(journal);
}

int
journal_add(struct journal *journal, const struct journal_removed *removed)
{
	const sqlite3_int64 numbers[] = { (sqlite3_int64)removed->seq, removed->id,
					  (sqlite3_int64)removed->row, removed->created_ns,
					  removed->time_ns };
	sqlite3_stmt *stmt = journal->stmts[ADD];
	int n = (int)ARRAY_SIZE(numbers);
	int rc = SQLITE_OK;

	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, numbers[i]);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, n + 1, removed->user, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(stmt, n + 2, removed->record_len ? removed->record : "",
					 removed->record_len, SQLITE_STATIC);
	return rc == SQLITE_OK ? db_run(stmt) : sqlite_errno(rc);
}

int
journal_find(struct journal *journal, int64_t id, struct journal_removed *ret_removed)
{
	sqlite3_stmt *stmt = journal->stmts[FIND];
	int rc;

	(void)sqlite3_reset(stmt);
	rc = sqlite3_bind_int64(stmt, 1, id);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		(void)sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	}
	*ret_removed = (struct journal_removed){
		.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
		.id = sqlite3_column_int64(stmt, 1),
		.row = (uint64_t)sqlite3_column_int64(stmt, 2),
		.created_ns = sqlite3_column_int64(stmt, 3),
		.time_ns = sqlite3_column_int64(stmt, 4),
		.user = (const char *)sqlite3_column_text(stmt, 5),
		.record = sqlite3_column_blob(stmt, 6),
		.record_len = (size_t)sqlite3_column_bytes(stmt, 6),
	};
	return ret_removed->user ? 0 : -ENOMEM;
}

static int
run_with(sqlite3_stmt *stmt, sqlite3_int64 number)
{
	int rc = sqlite3_bind_int64(stmt, 1, number);

	return rc == SQLITE_OK ? db_run(stmt) : sqlite_errno(rc);
}

int
journal_drop(struct journal *journal, int64_t id)
{
	(void)sqlite3_reset(journal->stmts[FIND]); /* it may still lend what is dropped here */
	return run_with(journal->stmts[DROP], id);
}

int
journal_trim(struct journal *journal, uint64_t seq, int64_t time_ns, uint64_t keep_seq)
{
	uint64_t old = seq > JOURNAL_CHANGES_MAX ? seq - JOURNAL_CHANGES_MAX : 0;
	uint64_t last = MIN(old, keep_seq);
	int r;

	if (seq - journal->trimmed_seq < TRIM_STEP && journal->trimmed_seq)
		return 0;
	journal->trimmed_seq = seq;
	r = run_with(journal->stmts[TRIM_REMOVED], JOURNAL_REMOVED_MAX);
	if (r == 0)
		r = run_with(journal->stmts[TRIM_OLD], time_ns - JOURNAL_REMOVED_S * PXS_NS_PER_S);
	return r == 0 && last ? run_with(journal->stmts[TRIM_CHANGES], (sqlite3_int64)last) : r;
}
