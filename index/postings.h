/* postings.h - the documents of a term or phrase and how often each has it, decoded, and kept for
 * those that were asked for lately.
 *
 * To find a term in the file takes some us, in each property that has the word, and 5 to 10 ns for
 * each of its documents, so a word that a million documents have costs 8 ms, every time. Here the
 * documents stay in memory: a bitmap, and a number for those that have the word more than once.
 * Documents are put once and never change, so what was read stays true for ever; what came later,
 * if anything did (the lexicon tells), is read when it is asked for. Versions that are gone stay
 * among them and are masked by whoever looks at a view. */
#ifndef PXS_INDEX_POSTINGS_H
#define PXS_INDEX_POSTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"

struct fts;
struct impacts;
struct index_budget;
struct pxs_buf;

/* A document that has a term not once. */
struct posting {
	uint32_t doc;
	float times;
};

/* What postings are of: a term's number in the lexicon, or a hash of a phrase's terms, or of the
 * numbers of terms of which documents have any. */
struct postings_key {
	uint64_t high, low;
};

/* Counted references; immutable but for `impacts`. */
struct postings {
	atomic_uint references;
	struct postings_key key;
	uint32_t covered; /* documents up to this one */
	roaring_bitmap_t *docs;
	struct posting *more; /* ascending */
	size_t n_more;
	struct impacts *impacts; /* postings_impacts() */
};

void postings_put(struct postings *postings);
DEFINE_CLEANUP(postings, struct postings *, postings_put)

/* Memory of an index's kept postings: this much, or this much a document if that is more. */
#define POSTINGS_BYTES_MAX ((size_t)64 << 20)
#define POSTINGS_BYTES_DOCUMENT 64

struct postings_cache;

/* Above MAX_BYTES, or BYTES_DOCUMENT for each document of the index, those go that were not used
 * lately. */
int postings_cache_new(size_t max_bytes, size_t bytes_document, struct postings_cache **ret_cache);
void postings_cache_free(struct postings_cache *cache);
DEFINE_CLEANUP(postings_cache, struct postings_cache *, postings_cache_free)
size_t postings_cache_bytes(struct postings_cache *cache);

/* The postings of term NUMBER, as of now or later; the caller puts them. Errors as fts_find_term().
 */
int postings_get(struct postings_cache *cache, struct fts *fts, uint32_t number,
		 const struct index_budget *budget, struct postings **ret_postings);

/* Adds the documents that have any of N terms to HITS, by the quickest way: fts_find_number(), or
 * what is kept. */
int postings_find(struct postings_cache *cache, struct fts *fts, const uint32_t *numbers, size_t n,
		  const struct index_budget *budget, roaring_bitmap_t *hits);

/* The same of one of the thousands of terms that a pattern may match: they are kept only where they
 * take no room from those that were asked for by name. */
int postings_find_matched(struct postings_cache *cache, struct fts *fts, uint32_t number,
			  const struct index_budget *budget, roaring_bitmap_t *hits);

/* The postings of N terms, all in the lexicon, at consecutive positions. */
int postings_of_phrase(struct postings_cache *cache, struct fts *fts, const struct pxs_buf *terms,
		       size_t n, const struct index_budget *budget, struct postings **ret_postings);

/* What was set, with a reference for the caller, or NULL. It may lack documents that came since. */
struct impacts *postings_impacts(struct postings_cache *cache, struct postings *postings);
/* From now on, and for what takes the place of POSTINGS, which are not those of
 * postings_of_sloppy(). */
void postings_set_impacts(struct postings_cache *cache, struct postings *postings,
			  struct impacts *impacts);

/* The postings of terms that may be moved apart by SLOP, which are not kept: those times count 1 /
 * (1 + width). GAPS as for fts_find_sloppy(). */
int postings_of_sloppy(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t slop,
		       bool gaps, const struct index_budget *budget,
		       struct postings **ret_postings);

#endif
