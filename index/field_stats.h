/* field_stats.h - the lengths of a property's texts in words, as BM25 asks for them. */
#ifndef PXS_INDEX_FIELD_STATS_H
#define PXS_INDEX_FIELD_STATS_H

#include <stdint.h>

#include "base/cleanup.h"

struct column;
struct doclist_slice;
struct index_budget;
struct index_view;
struct measure_table;

/* Of the documents that a view shows: dead versions are not counted. */
struct field_stats {
	uint64_t documents; /* that have a word in the property */
	uint64_t words;	    /* of all of them */
};

struct field_stats_cache;

int field_stats_cache_new(struct field_stats_cache **ret_cache);
void field_stats_cache_free(struct field_stats_cache *cache);
DEFINE_CLEANUP(field_stats_cache, struct field_stats_cache *, field_stats_cache_free)

/* The stats of COLUMN (of strings) in VIEW. The first time all documents are looked at, later only
 * those that came or went since. 0; budget_check()'s; -ENOMEM. */
int field_stats_get(struct field_stats_cache *cache, const struct index_view *view,
		    const struct column *column, const struct measure_table *table,
		    const struct index_budget *budget, struct field_stats *ret_stats);

/* The length codes (bm25.h) of the documents of SLICE, one each; 0 where there is no word. */
void field_lengths(const struct column *column, const struct measure_table *table,
		   const struct doclist_slice *slice, uint8_t *lengths);

#endif
