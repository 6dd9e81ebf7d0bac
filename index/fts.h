/* fts.h - the text engine: which documents hold a term. */
#ifndef PXS_INDEX_FTS_H
#define PXS_INDEX_FTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"

struct fts;
struct index_budget;
struct lexicon;
struct marks;
struct pxs_buf;
struct pxs_error;

/* Open or create the file PATH. *RET_SEQ is the seq of the last change that it holds; 0 if it is
 * new, or was made by another TERMS_VERSION or is damaged, and was therefore emptied. */
int fts_open(const char *path, struct fts **ret_fts, uint64_t *ret_seq, struct pxs_error *err);
void fts_close(struct fts *fts);
DEFINE_CLEANUP(fts, struct fts *, fts_close)
/* Close it and remove its files. */
void fts_discard(struct fts *fts);

/* Writing, by one thread at a time: begin, put ..., commit or rollback. Commit makes it durable
 * enough: after a crash the file is sound and *RET_SEQ above says what it lacks. */
int fts_begin(struct fts *fts);
/* STREAM is terms_stream_*()'s. A document number is put once; in ascending order they take less.
 */
int fts_put(struct fts *fts, uint32_t doc, const char *stream, size_t len);
int fts_commit(struct fts *fts, uint64_t seq);
void fts_rollback(struct fts *fts);
/* What was committed outlives a failure of power, too. */
int fts_sync(struct fts *fts);
/* Empty it, outside of a transaction. */
int fts_clear(struct fts *fts);

/* Whether so much came that words lie in many places, which makes them slow to find. */
bool fts_merge_is_due(const struct fts *fts);
/* A step towards one place for each, some 10 ms, outside of a transaction. *RET_MORE: and there are
 * more steps. */
int fts_merge(struct fts *fts, bool *ret_more);

/* All terms; lent as long as FTS. */
const struct lexicon *fts_lexicon(const struct fts *fts);

/* What was put up to this document can be found, for good. 0: it is being filled anew. */
uint32_t fts_last_doc(const struct fts *fts);

/* Reading, from any thread: adds to HITS every document that holds the term, or any term that
 * begins with PREFIX. Documents that no view shows may be among them. 0; -ETIMEDOUT, -ECANCELED by
 * BUDGET (may be NULL); -EBADMSG: a page is damaged, fts_clear() heals it; -EIO, -ENOMEM. */
int fts_find_term(struct fts *fts, const char *term, size_t len, const struct index_budget *budget,
		  roaring_bitmap_t *hits);
int fts_find_prefix(struct fts *fts, const char *prefix, size_t len,
		    const struct index_budget *budget, struct marks *hits);

/* The same for a term by its number in the lexicon. */
int fts_find_number(struct fts *fts, uint32_t number, const struct index_budget *budget,
		    roaring_bitmap_t *hits);

/* Calls EACH for every document above AFTER that holds the N terms at consecutive positions, with
 * how often it does, until it returns non-zero, which is returned. They ascend as far as they were
 * put so. */
typedef int fts_each(void *context, uint32_t doc, uint32_t value);
int fts_count_phrase(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t after,
		     const struct index_budget *budget, fts_each *each, void *context);

/* The same for terms that may be moved apart by SLOP (sloppy.h), with the least width. GAPS: a list
 * has them, no phrase crosses one. */
int fts_find_sloppy(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t slop,
		    bool gaps, const struct index_budget *budget, fts_each *each, void *context);

/* 0: sound; 1: not, REPORT says how; or -errno. */
int fts_check(struct fts *fts, struct pxs_buf *report);
uint64_t fts_bytes(const struct fts *fts); /* on disk, with its log */

#endif
