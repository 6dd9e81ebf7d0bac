/* One contentless FTS5 table, which holds the postings and nothing else; fts_tokenizer.c feeds it.
 *
 *     f       rowid: document number; its terms and their positions
 *     meta    version: of terms and tables; seq: of the last change that f holds
 *
 * FTS5 only finds: it never ranks, sorts or returns text. Nothing here is a record, so a file that
 * cannot be read is emptied and filled again from docs.db.
 *
 * One connection writes; readers have theirs from a pool. A reader's transaction ends with its
 * search, or else the log could never be checkpointed. */
#include "index/fts.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/db.h"
#include "index/fts_tokenizer.h"
#include "index/sqlite_errno.h"
#include "index/terms.h"

/* Connections that readers leave behind for the next; above that they are closed. */
#define IDLE_MAX 8

/* Steps of SQLite's machine between two looks at the budget. A hit takes three, and so does a page
 * that FTS5 reads while it unites the terms of a prefix, which may take 0.1 ms. */
#define STEPS_PER_CHECK 100

/* Hits on the way to the bitmap, which takes them faster in numbers. */
#define BATCH_DOCS 1024

/* How long to wait for the file's lock, which fts_check() and checkpoints take for seconds. */
#define BUSY_TIMEOUT_MS 30000

/* Of the tables below; raise it when they change. */
#define LAYOUT_VERSION 1
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

static const char READER_SETTINGS[] = "PRAGMA cache_size = -8000;"
				      "PRAGMA mmap_size = 2147418112;";

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

struct reader {
	sqlite3 *db;
	sqlite3_stmt *find;
};

struct fts {
	char *path;
	sqlite3 *db; /* the writer's */
	sqlite3_stmt *put;
	pthread_mutex_t lock; /* of what follows */
	struct reader *idle[IDLE_MAX];
	size_t n_idle;
};

/* --- Connections --- */

static int
open_db(const char *path, int flags, const char *settings, sqlite3 **ret_db)
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
		r = db_exec(db, settings);
	if (r == 0)
		*ret_db = STEAL(db);
	return r;
}

static void
reader_close(struct reader *reader)
{
	if (!reader)
		return;
	(void)sqlite3_finalize(reader->find);
	(void)sqlite3_close(reader->db);
	free(reader);
}
DEFINE_CLEANUP(reader, struct reader *, reader_close)

static int
reader_open(const char *path, struct reader **ret_reader)
{
	CLEANUP(reader) struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	r = open_db(path, SQLITE_OPEN_READONLY, READER_SETTINGS, &reader->db);
	if (r == 0)
		r = db_prepare(reader->db, FIND, &reader->find);
	if (r == 0)
		*ret_reader = STEAL(reader);
	return r;
}

static int
reader_take(struct fts *fts, struct reader **ret_reader)
{
	struct reader *reader = NULL;

	(void)pthread_mutex_lock(&fts->lock);
	if (fts->n_idle)
		reader = fts->idle[--fts->n_idle];
	(void)pthread_mutex_unlock(&fts->lock);
	if (!reader)
		return reader_open(fts->path, ret_reader);
	*ret_reader = reader;
	return 0;
}

static void
reader_leave(struct fts *fts, struct reader *reader)
{
	(void)pthread_mutex_lock(&fts->lock);
	if (fts->n_idle < IDLE_MAX)
		fts->idle[fts->n_idle++] = STEAL(reader);
	(void)pthread_mutex_unlock(&fts->lock);
	reader_close(reader);
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
		r = db_exec(db, "PRAGMA page_size = 8192; VACUUM");
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
	if (fts->path)
		r = open_db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "", &fts->db);
	if (r == 0)
		r = load(fts->db, &seq);
	if (r == 0)
		r = db_prepare(fts->db, PUT, &fts->put);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot open the text index %s: %s", path,
				     fts->db ? sqlite3_errmsg(fts->db) : strerror(-r));

	*ret_seq = seq;
	*ret_fts = STEAL(fts);
	return 0;
}

void
fts_close(struct fts *fts)
{
	if (!fts)
		return;
	while (fts->n_idle)
		reader_close(fts->idle[--fts->n_idle]);
	(void)sqlite3_finalize(fts->put);
	(void)sqlite3_close(fts->db);
	(void)pthread_mutex_destroy(&fts->lock);
	free(fts->path);
	free(fts);
}

uint64_t
fts_bytes(const struct fts *fts)
{
	return (uint64_t)db_bytes(fts->path);
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
	return r < 0 ? r : db_run(fts->put);
}

int
fts_commit(struct fts *fts, uint64_t seq)
{
	int r;

	if (!in_transaction(fts))
		return -EIO;
	r = db_meta_set(fts->db, "seq", (sqlite3_int64)seq);
	return r < 0 ? r : db_exec(fts->db, "COMMIT");
}

void
fts_rollback(struct fts *fts)
{
	if (in_transaction(fts))
		(void)db_exec(fts->db, "ROLLBACK");
}

/* In one transaction, so that no search comes between; a damaged file allows none. */
int
fts_clear(struct fts *fts)
{
	int r = db_exec(fts->db, "BEGIN IMMEDIATE;"
				 "INSERT INTO f (f) VALUES ('delete-all');"
				 "DELETE FROM meta WHERE key = 'seq';"
				 "COMMIT");
	bool damaged = is_damage(fts->db, r);

	fts_rollback(fts);
	return damaged ? reset(fts->db) : r;
}

/* --- Reading --- */

struct check {
	const struct index_budget *budget;
	int result; /* of the last look */
};

static int
look_at_budget(void *context)
{
	struct check *check = context;

	check->result = budget_check(check->budget);
	return check->result < 0;
}

static int
collect(sqlite3_stmt *find, roaring_bitmap_t *hits)
{
	uint32_t docs[BATCH_DOCS];
	size_t n = 0;
	int rc;

	while ((rc = sqlite3_step(find)) == SQLITE_ROW) {
		docs[n++] = (uint32_t)sqlite3_column_int64(find, 0);
		if (n == BATCH_DOCS) {
			roaring_bitmap_add_many(hits, n, docs);
			n = 0;
		}
	}
	roaring_bitmap_add_many(hits, n, docs);
	return sqlite_errno(rc);
}

/* EXPRESSION is in FTS5's query language. */
static int
find(struct reader *reader, const struct pxs_buf *expression, const struct index_budget *budget,
     roaring_bitmap_t *hits)
{
	struct check check = { budget, 0 };
	int r;

	r = look_at_budget(&check);
	if (r)
		return check.result;
	r = sqlite_errno(sqlite3_bind_text64(reader->find, 1, expression->data, expression->len,
					     SQLITE_STATIC, SQLITE_UTF8));
	if (r < 0)
		return r;

	sqlite3_progress_handler(reader->db, STEPS_PER_CHECK, look_at_budget, &check);
	r = collect(reader->find, hits);
	sqlite3_progress_handler(reader->db, 0, NULL, NULL);
	(void)sqlite3_reset(reader->find);
	return check.result < 0 ? check.result : r;
}

static int
run(struct fts *fts, const struct pxs_buf *expression, const struct index_budget *budget,
    roaring_bitmap_t *hits)
{
	CLEANUP(reader) struct reader *reader = NULL;
	int r;

	if (expression->error)
		return expression->error;
	r = reader_take(fts, &reader);
	if (r == 0)
		r = find(reader, expression, budget, hits);
	if (r == 0)
		reader_leave(fts, STEAL(reader));
	return r;
}

/* As a string of FTS5's query language: in quotes, quotes in it doubled. */
static void
add_quoted(struct pxs_buf *expression, const char *term, size_t len)
{
	const char *quote;
	size_t part;

	pxs_buf_add_char(expression, '"');
	while ((quote = memchr(term, '"', len))) {
		part = (size_t)(quote - term) + 1;
		pxs_buf_add(expression, term, part);
		pxs_buf_add_char(expression, '"');
		term += part;
		len -= part;
	}
	pxs_buf_add(expression, term, len);
	pxs_buf_add_char(expression, '"');
}

/* No term is empty or holds a NUL, which would end the expression. */
static bool
can_be_term(const char *term, size_t len)
{
	return len && !memchr(term, '\0', len);
}

int
fts_find_term(struct fts *fts, const char *term, size_t len, const struct index_budget *budget,
	      roaring_bitmap_t *hits)
{
	CLEANUP(pxs_buf) struct pxs_buf expression = PXS_BUF_INIT;

	if (!can_be_term(term, len))
		return 0;
	add_quoted(&expression, term, len);
	return run(fts, &expression, budget, hits);
}

int
fts_find_phrase(struct fts *fts, const struct pxs_buf *terms, size_t n,
		const struct index_budget *budget, roaring_bitmap_t *hits)
{
	CLEANUP(pxs_buf) struct pxs_buf expression = PXS_BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (!can_be_term(terms[i].data, terms[i].len))
			return 0;
		if (i)
			pxs_buf_add_char(&expression, '+');
		add_quoted(&expression, terms[i].data, terms[i].len);
	}
	return n ? run(fts, &expression, budget, hits) : 0;
}

int
fts_find_prefix(struct fts *fts, const char *prefix, size_t len, const struct index_budget *budget,
		roaring_bitmap_t *hits)
{
	CLEANUP(pxs_buf) struct pxs_buf expression = PXS_BUF_INIT;

	if (!can_be_term(prefix, len))
		return 0;
	add_quoted(&expression, prefix, len);
	pxs_buf_add_char(&expression, '*');
	return run(fts, &expression, budget, hits);
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

	r = open_db(path, SQLITE_OPEN_READWRITE, READER_SETTINGS, &db);
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
