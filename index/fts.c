/* One contentless FTS5 table, which holds the postings and nothing else; fts_tokenizer.c feeds it.
 *
 *     f       rowid: document number; its terms and their positions
 *     meta    version: of terms and tables; seq: of the last change that f holds; last: document;
 *             merged: the last document when all of f was one segment
 *
 * FTS5 only finds: it never ranks, sorts or returns text. Nothing here is a record, so a file that
 * cannot be read is emptied and filled again from docs.db.
 *
 * The distinct terms are in memory, too (lexicon.h), and are kept in a file of their own while
 * nobody has the index open.
 *
 * Here is the one connection that writes; fts_find.c has those that read. */
#include "index/fts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/db.h"
#include "index/fts_file.h"
#include "index/fts_look.h"
#include "index/fts_tokenizer.h"
#include "index/lexicon.h"
#include "index/sqlite_errno.h"
#include "index/terms.h"

/* How long to wait for the file's lock, which fts_check() and checkpoints take for seconds. */
#define BUSY_TIMEOUT_MS 30000

/* Of the tables below; raise it when they change, or what they hold was not right. */
#define LAYOUT_VERSION 4
#define FILE_VERSION (TERMS_VERSION * 256 + LAYOUT_VERSION)

/* Why these values: research/index.md 1.7 and 1.8. */
static const char WRITER_SETTINGS[] = "PRAGMA page_size = 8192;"
				      "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = NORMAL;"
				      "PRAGMA secure_delete = OFF;"
				      "PRAGMA wal_autocheckpoint = 4000;"
				      "PRAGMA journal_size_limit = 67108864;"
				      "PRAGMA cache_size = -64000;"
				      "PRAGMA mmap_size = 2147418112;";

/* A commit of as many documents is one of many: after it segments are merged for a while, so that
 * words are not looked up in dozens of them later. Steps are of 64 pages, about 10 ms each. */
#define BULK_DOCS 1000
#define MERGE_NS (50 * PXS_NS_PER_MS)
static const char MERGE[] = "INSERT INTO f (f, rank) VALUES ('merge', 64)";

/* All of them become one, which makes phrases twice as fast to find and prefixes a quarter, when
 * more than this part of the documents came since. A smaller part would write all too often. */
#define MERGE_PART 4
static const char MERGE_ALL[] = "INSERT INTO f (f, rank) VALUES ('merge', -64)";
/* What that leaves unused, a third of the file, goes back to the file system. */
static const char GIVE_BACK[] = "PRAGMA incremental_vacuum(256)";

/* A transaction's terms collect in 8 MB of memory. Segments are merged sixteen at a time and a few
 * pages with each write; crisismerge, which merges all at once, should never be reached. */
static const char TABLES[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE VIRTUAL TABLE f USING fts5"
	"(a, content = '', columnsize = 0, detail = full, tokenize = pxs);"
	"INSERT INTO f (f, rank) VALUES"
	" ('hashsize', 8388608), ('automerge', 16), ('crisismerge', 64), ('usermerge', 2);"
	"COMMIT";

static const char FIND[] = "SELECT rowid FROM f WHERE f MATCH ?1";
static const char PUT[] = "INSERT INTO f (rowid, a) VALUES (?1, ?2)";

/* A term of a document in the open transaction. */
struct pending {
	uint32_t number, doc;
};

/* --- Connections --- */

int
fts_file_open(const char *path, int flags, const char *settings, sqlite3 **ret_db)
{
	CLEANUP(sqlite3) sqlite3 *db = NULL;
	int r;

	errno = 0;
	r = sqlite_errno(sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL));
	if (r == 0)
		r = sqlite_errno(sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS));
	if (r == 0)
		r = sqlite_errno(fts_tokenizer_add(db));
	if (r == 0)
		r = sqlite_errno(fts_look_add(db));
	if (r == 0)
		r = db_exec(db, settings);
	if (r == 0)
		*ret_db = STEAL(db);
	return r;
}

/* --- The file --- */

/* A lookup reads what every search needs: the schema, FTS5's structure record, its page index. */
static int
probe(sqlite3 *db, uint64_t *ret_seq)
{
	CLEANUP(stmt) sqlite3_stmt *find = NULL;
	sqlite3_int64 seq;
	int rc;
	int r;

	r = db_meta_get(db, "seq", 0, &seq);
	if (r == 0)
		r = db_prepare(db, FIND, &find);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text(find, 1, "\"\x7f\"", -1, SQLITE_STATIC));
	if (r < 0)
		return r;
	rc = sqlite3_step(find);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return sqlite_errno(rc);
	*ret_seq = (uint64_t)seq;
	return 0;
}

/* Whether code R of the last call on DB means that the file is not as we would have left it. Plain
 * SQLITE_ERROR is a missing table, or FTS5's own settings gone. */
static bool
is_damage(sqlite3 *db, int r)
{
	return r == -EBADMSG || (r < 0 && (sqlite3_errcode(db) & 0xff) == SQLITE_ERROR);
}

/* Makes an empty index of the file, whatever was in it, also while readers are connected. */
static int
reset(sqlite3 *db)
{
	int r;

	r = sqlite_errno(sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL));
	if (r == 0)
		r = db_exec(db,
			    "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
	if (r == 0)
		r = db_exec(db, WRITER_SETTINGS);
	if (r < 0)
		return r;

	r = db_exec(db, TABLES);
	if (r == 0)
		return db_meta_set(db, "version", FILE_VERSION);
	(void)db_exec(db, "ROLLBACK");
	return r;
}

static int
load(sqlite3 *db, uint64_t *ret_seq)
{
	sqlite3_int64 version;
	int r;

	r = db_exec(db, WRITER_SETTINGS);
	if (r == 0)
		r = db_meta_get(db, "version", 0, &version);
	if (r == 0 && version != FILE_VERSION)
		r = -EBADMSG;
	if (r == 0)
		r = probe(db, ret_seq);
	if (!is_damage(db, r))
		return r;

	r = reset(db);
	if (r == 0)
		*ret_seq = 0;
	return r;
}

/* --- The lexicon --- */

static int
read_vocabulary(struct fts *fts, sqlite3_stmt *stmt)
{
	uint32_t number, property;
	int rc;
	int r = 0;

	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *term = (const char *)sqlite3_column_text(stmt, 0);

		if (!term || !terms_word(term, &property))
			continue;
		r = lexicon_add(fts->lexicon, term, (size_t)sqlite3_column_bytes(stmt, 0), &number);
		if (r == 0)
			lexicon_set(fts->lexicon, number, (uint32_t)sqlite3_column_int64(stmt, 1),
				    0);
	}
	return r < 0 ? r : sqlite_errno(rc);
}

/* Reads all of FTS5's index: 1 s a million documents. */
static int
rebuild_lexicon(struct fts *fts)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_exec(fts->db, "CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, f, row)");
	if (r == 0)
		r = db_prepare(fts->db, "SELECT term, doc FROM temp.v", &stmt);
	if (r == 0)
		r = read_vocabulary(fts, stmt);
	(void)sqlite3_finalize(STEAL(stmt));
	(void)db_exec(fts->db, "DROP TABLE IF EXISTS temp.v");
	return r;
}

static int
load_lexicon(struct fts *fts, uint64_t *seq)
{
	int r;

	fts->lexicon_seq = UINT64_MAX;
	if (*seq == 0)
		return 0;
	r = lexicon_load(fts->lexicon, fts->lexicon_path, *seq);
	if (r == 0)
		fts->lexicon_seq = *seq;
	if (r == 0 || r == -ENOMEM)
		return r;
	r = rebuild_lexicon(fts);
	if (!is_damage(fts->db, r))
		return r;
	*seq = 0;
	lexicon_forget(fts->lexicon);
	return reset(fts->db);
}

/* Without the file, the next start takes longer; nothing else. */
static void
save_lexicon(struct fts *fts)
{
	if (fts->seq != 0 && fts->seq != fts->lexicon_seq &&
	    lexicon_save(fts->lexicon, fts->lexicon_path, fts->seq) == 0)
		fts->lexicon_seq = fts->seq;
}

static int
read_last_doc(struct fts *fts)
{
	sqlite3_int64 last = 0;
	sqlite3_int64 merged = 0;
	int r = db_meta_get(fts->db, "last", 0, &last);

	if (r == 0)
		r = db_meta_get(fts->db, "merged", 0, &merged);
	fts->last_put = (uint32_t)last;
	atomic_store(&fts->last_doc, (uint32_t)last);
	atomic_store(&fts->merged, (uint32_t)merged);
	return r;
}

/* Count what the transaction put, or forget it. */
static void
settle_pending(struct fts *fts, bool committed)
{
	const struct pending *pending = (const struct pending *)fts->pending.data;

	for (size_t i = 0; committed && i < fts->pending.len / sizeof(*pending); i++)
		lexicon_count(fts->lexicon, pending[i].number, pending[i].doc);
	pxs_buf_clear(&fts->pending);
}

static int
add_to_lexicon(struct fts *fts, uint32_t doc, const char *stream, size_t len)
{
	struct pending pending = { .doc = doc };
	const char *term;
	size_t at = 0, size;
	bool same;
	int r = 0;

	while (r == 0 && terms_stream_next(stream, len, &at, &term, &size, &same)) {
		if (!fts_can_be_term(term, size) || (size == 1 && *term == *terms_gap()))
			continue;
		r = lexicon_add(fts->lexicon, term, size, &pending.number);
		pxs_buf_add(&fts->pending, &pending, sizeof(pending));
	}
	return r < 0 ? r : fts->pending.error;
}

const struct lexicon *
fts_lexicon(const struct fts *fts)
{
	return fts->lexicon;
}

uint32_t
fts_last_doc(const struct fts *fts)
{
	return atomic_load(&((struct fts *)fts)->last_doc);
}

/* --- Opening and closing --- */

int
fts_open(const char *path, struct fts **ret_fts, uint64_t *ret_seq, struct pxs_error *err)
{
	CLEANUP(fts) struct fts *fts = calloc(1, sizeof(*fts));
	uint64_t seq = 0;
	int r = -ENOMEM;

	if (!fts)
		return r;
	(void)pthread_mutex_init(&fts->lock, NULL);
	fts->path = strdup(path);
	if (fts->path && asprintf(&fts->lexicon_path, "%s-terms", path) > 0)
		r = lexicon_new(&fts->lexicon);
	if (r == 0)
		r = fts_file_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "", &fts->db);
	if (r == 0)
		r = load(fts->db, &seq);
	if (r == 0)
		r = load_lexicon(fts, &seq);
	if (r == 0)
		r = read_last_doc(fts);
	if (r == 0)
		r = db_prepare(fts->db, DB_META_SET, &fts->set_meta);
	if (r == 0)
		r = db_prepare(fts->db, PUT, &fts->put);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot open the text index %s: %s", path,
				     fts->db ? sqlite3_errmsg(fts->db) : strerror(-r));

	fts->seq = *ret_seq = seq;
	save_lexicon(fts);
	*ret_fts = STEAL(fts);
	return 0;
}

void
fts_close(struct fts *fts)
{
	if (!fts)
		return;
	if (fts->put)
		save_lexicon(fts);
	while (fts->n_idle)
		fts_reader_close(fts->idle[--fts->n_idle]);
	(void)sqlite3_finalize(fts->set_meta);
	(void)sqlite3_finalize(fts->put);
	(void)sqlite3_close(fts->db);
	(void)pthread_mutex_destroy(&fts->lock);
	lexicon_free(fts->lexicon);
	pxs_buf_done(&fts->pending);
	free(fts->lexicon_path);
	free(fts->path);
	free(fts);
}

void
fts_discard(struct fts *fts)
{
	static const char *const ENDINGS[] = { "", "-wal", "-shm", "-terms" };
	CLEANUP(free) char *path = fts ? strdup(fts->path) : NULL;
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;

	fts_close(fts);
	/* What stays, the next start removes. */
	for (size_t i = 0; path && i < ARRAY_SIZE(ENDINGS); i++) {
		pxs_buf_clear(&name);
		pxs_buf_addf(&name, "%s%s", path, ENDINGS[i]);
		if (!name.error)
			(void)unlink(pxs_buf_text(&name));
	}
}

uint64_t
fts_bytes(const struct fts *fts)
{
	struct stat st;
	uint64_t terms = stat(fts->lexicon_path, &st) == 0 ? (uint64_t)st.st_size : 0;

	return (uint64_t)db_bytes(fts->path) + terms;
}

/* --- Writing --- */

/* A full disk or a failing one makes SQLite end the transaction by itself; what were put after that
 * would each be committed alone. */
static bool
in_transaction(const struct fts *fts)
{
	return !sqlite3_get_autocommit(fts->db);
}

int
fts_begin(struct fts *fts)
{
	return db_exec(fts->db, "BEGIN IMMEDIATE");
}

int
fts_put(struct fts *fts, uint32_t doc, const char *stream, size_t len)
{
	int r;

	if (!in_transaction(fts))
		return -EIO;
	r = sqlite_errno(sqlite3_bind_int64(fts->put, 1, doc));
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_text64(fts->put, 2, len ? stream : "", len,
						     SQLITE_STATIC, SQLITE_UTF8));
	if (r == 0)
		r = add_to_lexicon(fts, doc, stream, len);
	fts->last_put = MAX(fts->last_put, doc);
	fts->n_put++;
	return r < 0 ? r : db_run(fts->put);
}

/* Each step is a transaction of its own, so the log stays short. What fails here fails again where
 * it matters. */
static void
merge_a_little(struct fts *fts)
{
	int64_t until_ns = pxs_clock_steady_ns() + MERGE_NS;
	int before;
	int r;

	do {
		before = sqlite3_total_changes(fts->db);
		r = db_exec(fts->db, MERGE);
		/* FTS5's way to say that there was nothing to merge. */
	} while (r == 0 && sqlite3_total_changes(fts->db) - before >= 2 &&
		 pxs_clock_steady_ns() < until_ns);
}

int
fts_commit(struct fts *fts, uint64_t seq)
{
	int r;

	if (!in_transaction(fts))
		return -EIO;
	r = db_meta_put(fts->set_meta, "seq", (sqlite3_int64)seq);
	if (r == 0)
		r = db_meta_put(fts->set_meta, "last", seq ? fts->last_put : 0);
	if (r == 0)
		r = db_exec(fts->db, "COMMIT");
	if (r < 0)
		return r;
	settle_pending(fts, true);
	fts->seq = seq;
	if (seq != 0)
		atomic_store(&fts->last_doc, fts->last_put);
	if (fts->n_put >= BULK_DOCS)
		merge_a_little(fts);
	fts->n_put = 0;
	return 0;
}

bool
fts_merge_is_due(const struct fts *fts)
{
	uint32_t last = fts_last_doc(fts);
	uint32_t merged = atomic_load(&((struct fts *)fts)->merged);

	return last > merged && last - merged >= MAX(last / MERGE_PART, (uint32_t)BULK_DOCS);
}

static int
count_unused(const struct fts *fts, int *ret_pages)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare(fts->db, "PRAGMA freelist_count", &stmt);

	if (r == 0 && sqlite3_step(stmt) != SQLITE_ROW)
		r = -EIO;
	if (r == 0)
		*ret_pages = sqlite3_column_int(stmt, 0);
	return r;
}

/* A file that cannot do it stays as it is. */
static int
give_back(struct fts *fts, bool *ret_more)
{
	int before = 0;
	int after = 0;
	int r = count_unused(fts, &before);

	if (r == 0 && before > 0)
		r = db_exec(fts->db, GIVE_BACK);
	if (r == 0)
		r = count_unused(fts, &after);
	*ret_more = r == 0 && after > 0 && after < before;
	return r;
}

int
fts_merge(struct fts *fts, bool *ret_more)
{
	uint32_t last = fts_last_doc(fts);
	int before = sqlite3_total_changes(fts->db);
	int r = db_exec(fts->db, MERGE_ALL);

	*ret_more = r == 0 && sqlite3_total_changes(fts->db) - before >= 2;
	if (r == 0 && !*ret_more)
		r = give_back(fts, ret_more);
	if (r < 0 || *ret_more)
		return r;
	r = db_meta_put(fts->set_meta, "merged", last);
	if (r == 0)
		atomic_store(&fts->merged, last);
	return r;
}

int
fts_sync(struct fts *fts)
{
	return db_exec(fts->db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

void
fts_rollback(struct fts *fts)
{
	if (in_transaction(fts))
		(void)db_exec(fts->db, "ROLLBACK");
	settle_pending(fts, false);
	fts->n_put = 0;
	fts->last_put = fts_last_doc(fts);
}

/* In one transaction, so that no search comes between; a damaged file allows none. */
int
fts_clear(struct fts *fts)
{
	int r = db_exec(fts->db, "BEGIN IMMEDIATE;"
				 "INSERT INTO f (f) VALUES ('delete-all');"
				 "DELETE FROM meta WHERE key IN ('seq', 'last', 'merged');"
				 "COMMIT");
	bool damaged = is_damage(fts->db, r);

	atomic_store(&fts->last_doc, 0);
	atomic_store(&fts->merged, 0);
	fts_rollback(fts);
	if (damaged)
		r = reset(fts->db);
	if (r < 0)
		return r;
	lexicon_forget(fts->lexicon);
	fts->seq = 0;
	fts->lexicon_seq = UINT64_MAX;
	(void)unlink(fts->lexicon_path);
	return 0;
}

/* --- Checking --- */

static int
check_pages(sqlite3 *db, struct pxs_buf *report)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	const char *line;
	int faults = 0;
	int rc;
	int r;

	r = db_prepare(db, "PRAGMA integrity_check(20)", &stmt);
	if (r < 0)
		return r;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		line = (const char *)sqlite3_column_text(stmt, 0);
		if (!line || !strcmp(line, "ok"))
			continue;
		pxs_buf_addf(report, "fts.db: %s\n", line);
		faults = 1;
	}
	return rc == SQLITE_DONE ? faults : sqlite_errno(rc);
}

static int
check(const char *path, struct pxs_buf *report)
{
	CLEANUP(sqlite3) sqlite3 *db = NULL;
	int r;

	r = fts_file_open(path, SQLITE_OPEN_READWRITE, FTS_READER_SETTINGS, &db);
	if (r == 0)
		r = check_pages(db, report);
	if (r == 0)
		r = db_exec(db, "INSERT INTO f (f) VALUES ('integrity-check')");
	return r;
}

int
fts_check(struct fts *fts, struct pxs_buf *report)
{
	int r = check(fts->path, report);

	if (r == -EBADMSG) {
		pxs_buf_add_str(report, "fts.db: the text index is damaged\n");
		r = 1;
	}
	return report->error ? report->error : r;
}
