/* fts_pages.h - the documents of a term, read from FTS5's pages themselves: the third file that
 * knows it, and the only one that knows how it stores. A page is decoded at some ns a document,
 * where FTS5, made for any expression, takes 50 to 150. */
#ifndef PXS_INDEX_FTS_PAGES_H
#define PXS_INDEX_FTS_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include "base/cleanup.h"
#include "index/fts.h"

struct fts_pages;
struct index_budget;

/* Of table f in DB, which stays the caller's and open. -EBADMSG: not of the format that is known
 * here, or damaged; -ENOMEM, -EIO. */
int fts_pages_open(sqlite3 *db, struct fts_pages **ret_pages);
void fts_pages_close(struct fts_pages *pages);
DEFINE_CLEANUP(fts_pages, struct fts_pages *, fts_pages_close)

/* Calls EACH for every document of TERM, in the order in which they were put (more or less: while
 * a transaction goes on, its documents ascend), with how often it has it. IS_PREFIX: of every term
 * that begins so, some twice. As of one commit. Until EACH returns non-zero, which is
 * returned; 0; -ETIMEDOUT, -ECANCELED by BUDGET (may be NULL); -EBADMSG: a page is damaged;
 * -ENOMEM, -EIO. */
int fts_pages_scan(struct fts_pages *pages, const char *term, size_t len, bool is_prefix,
		   const struct index_budget *budget, fts_each *each, void *context);

#endif
