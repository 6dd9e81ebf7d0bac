/* Terms and what begins alike are read from FTS5's pages (fts_pages.c); phrases become expressions
 * of FTS5, and what it finds calls for each document.
 *
 * Readers have connections of their own from a pool. A reader's transaction ends with its search,
 * or else the log could never be checkpointed. */
#include "index/fts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/db.h"
#include "index/fts_file.h"
#include "index/fts_look.h"
#include "index/fts_pages.h"
#include "index/lexicon.h"
#include "index/marks.h"
#include "index/sqlite_errno.h"
#include "index/terms.h"

/* Steps of SQLite's machine between two looks at the budget. A hit takes three. */
#define STEPS_PER_CHECK 100

/* Hits on the way to the bitmap, which takes them faster in numbers. */
#define BATCH_DOCS 1024

static const char LOOK[] = "SELECT rowid, look(f, ?2) FROM f WHERE f MATCH ?1 AND rowid > ?3";

struct fts_reader {
	sqlite3 *db;
	struct fts_pages *pages;
	sqlite3_stmt *look;
};

/* --- Connections --- */

void
fts_reader_close(struct fts_reader *reader)
{
	if (!reader)
		return;
	fts_pages_close(reader->pages);
	(void)sqlite3_finalize(reader->look);
	(void)sqlite3_close(reader->db);
	free(reader);
}
DEFINE_CLEANUP(reader, struct fts_reader *, fts_reader_close)

static int
reader_open(const char *path, struct fts_reader **ret_reader)
{
	CLEANUP(reader) struct fts_reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	r = fts_file_open(path, SQLITE_OPEN_READONLY, FTS_READER_SETTINGS, &reader->db);
	if (r == 0)
		r = fts_pages_open(reader->db, &reader->pages);
	if (r == 0)
		r = db_prepare(reader->db, LOOK, &reader->look);
	if (r == 0)
		*ret_reader = STEAL(reader);
	return r;
}

static int
reader_take(struct fts *fts, struct fts_reader **ret_reader)
{
	struct fts_reader *reader = NULL;

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
reader_leave(struct fts *fts, struct fts_reader *reader)
{
	(void)pthread_mutex_lock(&fts->lock);
	if (fts->n_idle < FTS_IDLE_MAX)
		fts->idle[fts->n_idle++] = STEAL(reader);
	(void)pthread_mutex_unlock(&fts->lock);
	fts_reader_close(reader);
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

/* What look() says of each row. */
struct told {
	struct fts_look look;
	uint32_t after;
	fts_each *each;
	void *context;
};

static int
bind_look(sqlite3_stmt *stmt, const struct pxs_buf *expression, struct told *told)
{
	int r;

	r = sqlite_errno(sqlite3_bind_text64(stmt, 1, expression->data, expression->len,
					     SQLITE_STATIC, SQLITE_UTF8));
	if (r == 0)
		r = sqlite_errno(
			sqlite3_bind_pointer(stmt, 2, &told->look, FTS_LOOK_POINTER, NULL));
	return r < 0 ? r : sqlite_errno(sqlite3_bind_int64(stmt, 3, told->after));
}

static int
tell_rows(sqlite3_stmt *stmt, struct told *told)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		sqlite3_int64 value = sqlite3_column_int64(stmt, 1);
		int r = value < 0
				? 0
				: told->each(told->context, (uint32_t)sqlite3_column_int64(stmt, 0),
					     (uint32_t)MIN(value, (sqlite3_int64)UINT32_MAX));

		if (r != 0)
			return r;
	}
	return sqlite_errno(rc);
}

static int
look(struct fts_reader *reader, const struct pxs_buf *expression, struct told *told)
{
	struct check check = { told->look.budget, 0 };
	int r;

	r = look_at_budget(&check);
	if (r)
		return check.result;
	r = bind_look(reader->look, expression, told);
	if (r < 0)
		return r;
	sqlite3_progress_handler(reader->db, STEPS_PER_CHECK, look_at_budget, &check);
	r = tell_rows(reader->look, told);
	sqlite3_progress_handler(reader->db, 0, NULL, NULL);
	(void)sqlite3_reset(reader->look);
	(void)sqlite3_clear_bindings(reader->look);
	free(told->look.room);
	free(told->look.words);
	if (told->look.result < 0)
		return told->look.result;
	return check.result < 0 ? check.result : r;
}

static int
run_look(struct fts *fts, const struct pxs_buf *expression, struct told *told)
{
	CLEANUP(reader) struct fts_reader *reader = NULL;
	int r;

	if (expression->error)
		return expression->error;
	r = reader_take(fts, &reader);
	if (r == 0)
		r = look(reader, expression, told);
	if (r >= 0)
		reader_leave(fts, STEAL(reader));
	return r;
}

static int
scan(struct fts *fts, const char *term, size_t len, bool is_prefix,
     const struct index_budget *budget, fts_each *each, void *context)
{
	CLEANUP(reader) struct fts_reader *reader = NULL;
	int r;

	if (!fts_can_be_term(term, len))
		return 0;
	r = reader_take(fts, &reader);
	if (r == 0)
		r = fts_pages_scan(reader->pages, term, len, is_prefix, budget, each, context);
	if (r >= 0)
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

struct batch {
	roaring_bitmap_t *hits;
	uint32_t docs[BATCH_DOCS];
	size_t n;
};

static void
flush(struct batch *batch)
{
	roaring_bitmap_add_many(batch->hits, batch->n, batch->docs);
	batch->n = 0;
}

static int
add_to_batch(void *context, uint32_t doc, uint32_t times)
{
	struct batch *batch = context;

	(void)times;
	batch->docs[batch->n++] = doc;
	if (batch->n == BATCH_DOCS)
		flush(batch);
	return 0;
}

int
fts_find_term(struct fts *fts, const char *term, size_t len, const struct index_budget *budget,
	      roaring_bitmap_t *hits)
{
	struct batch batch = { .hits = hits };
	int r = scan(fts, term, len, false, budget, add_to_batch, &batch);

	flush(&batch);
	return r;
}

int
fts_find_number(struct fts *fts, uint32_t number, const struct index_budget *budget,
		roaring_bitmap_t *hits)
{
	const char *term = lexicon_term(fts->lexicon, number);
	uint32_t doc;

	if (lexicon_documents(fts->lexicon, number, &doc) == 0)
		return 0;
	if (!doc)
		return fts_find_term(fts, term, strlen(term), budget, hits);
	roaring_bitmap_add(hits, doc);
	return 0;
}

/* The N terms joined by JOIN; false: no document can hold one of them. */
static bool
join_terms(struct pxs_buf *expression, const struct pxs_buf *terms, size_t n, const char *join)
{
	for (size_t i = 0; i < n; i++) {
		if (!fts_can_be_term(terms[i].data, terms[i].len))
			return false;
		if (i)
			pxs_buf_add_str(expression, join);
		add_quoted(expression, terms[i].data, terms[i].len);
	}
	return n > 0;
}

int
fts_count_phrase(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t after,
		 const struct index_budget *budget, fts_each *each, void *context)
{
	CLEANUP(pxs_buf) struct pxs_buf expression = PXS_BUF_INIT;
	struct told told = {
		.look.budget = budget,
		.after = after,
		.each = each,
		.context = context,
	};

	/* FTS5 has an index of where long lists of documents go on. */
	if (n == 1 && after == 0)
		return scan(fts, terms->data, terms->len, false, budget, each, context);
	return join_terms(&expression, terms, n, "+") ? run_look(fts, &expression, &told) : 0;
}

int
fts_find_sloppy(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t slop, bool gaps,
		const struct index_budget *budget, fts_each *each, void *context)
{
	CLEANUP(pxs_buf) struct pxs_buf expression = PXS_BUF_INIT;
	struct told told = {
		.look = { .n = n, .slop = slop, .budget = budget },
		.each = each,
		.context = context,
	};

	if (!join_terms(&expression, terms, n, " AND "))
		return 0;
	if (gaps) {
		pxs_buf_add_str(&expression, " AND ");
		add_quoted(&expression, terms_gap(), strlen(terms_gap()));
	}
	return run_look(fts, &expression, &told);
}

static int
mark(void *context, uint32_t doc, uint32_t times)
{
	(void)times;
	return marks_add(context, doc);
}

int
fts_find_prefix(struct fts *fts, const char *prefix, size_t len, const struct index_budget *budget,
		struct marks *hits)
{
	return scan(fts, prefix, len, true, budget, mark, hits);
}
