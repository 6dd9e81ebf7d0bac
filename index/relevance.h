/* relevance.h - hits in the order of how well they match the words that were asked for.
 *
 *     score = sum over clauses    of boost * what the clause adds
 *     word                        the best property's BM25 (bm25.h), as Lucene's dis_max
 *     phrase                      the same, for all its words
 *     word~                       the same, for the best of the words it matches, less for edits
 *     number, prefix*, w?ld, /re/, range, exists, equals        1
 *
 * How many documents have a word, how many there are and how long their texts are is counted in the
 * view, live documents only, so the same documents give the same order on every machine. Where
 * scores are equal, the lower _id comes first. */
#ifndef PXS_INDEX_RELEVANCE_H
#define PXS_INDEX_RELEVANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"

struct field_stats_cache;
struct index_budget;
struct index_view;
struct measures;
struct postings_cache;
struct pxs_error;
struct query;

/* What relevance and patterns keep from one search to the next. */
struct relevance {
	struct measures *measures;
	struct field_stats_cache *stats;
	struct postings_cache *postings;
};

int relevance_init(struct relevance *relevance);
void relevance_done(struct relevance *relevance);

/* Memory of one ranking; above it, it is an error. */
#define RELEVANCE_BYTES_MAX ((size_t)64 << 20)

/* By segment and place; as many bytes as there are hits. */
struct scores {
	size_t bytes;
	uint32_t n_segments;
	struct score_segment {
		float *values;	  /* NULL: no hit */
		uint16_t *places; /* of each value, ascending; NULL: of every place in turn */
		uint32_t n;
	} segments[];
};

static inline void
scores_free(struct scores *scores)
{
	free(scores);
}
DEFINE_CLEANUP(scores, struct scores *, scores_free)

/* Whether the conditions of QUERY tell its hits apart: whether words are asked for. */
bool relevance_tells(const struct query *query);

/* The scores of HITS, which QUERY found in VIEW; the caller frees them. If no more than the best N
 * are needed, *RET_AMONG may be those hits, N or more, among which these are, and only they have
 * scores; the caller frees it, too. NULL: all have. 0; budget_check()'s; -EINVAL:
 * relevance_refuse()'s; others as index_search(). */
int relevance_scores(const struct index_view *view, const struct query *query,
		     const roaring_bitmap_t *hits, uint64_t n, const struct index_budget *budget,
		     struct scores **ret_scores, roaring_bitmap_t **ret_among,
		     struct pxs_error *err);

/* -EINVAL with its sentence: more than RELEVANCE_BYTES_MAX. */
int relevance_refuse(struct pxs_error *err);

#endif
