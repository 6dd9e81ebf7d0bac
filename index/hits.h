/* hits.h - what a search found, and the hits that are kept for whoever asks again. */
#ifndef PXS_INDEX_HITS_H
#define PXS_INDEX_HITS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "index/index.h"
#include "index/sort.h"

struct facet_set;
struct hits_cache;

/* Facets of single properties that are kept with their hits, the last ones asked for. */
#define HITS_LONE_FACETS 8

/* An order and as much of it as was asked for so far. */
struct hits_ordering {
	struct sorter sorter;
	uint32_t *order; /* the first documents in it; NULL: `docs` are */
	uint64_t n_ordered;
	unsigned int scans; /* listings that went on beyond these */
};

/* Everything but the parts under the lock stays as it was made. Those are made when first asked
 * for, once, and stay then, too. */
struct index_hits {
	atomic_uint references;
	struct index_view *view;
	struct query_key key;
	struct query *query; /* for its scores; NULL where nobody can ask for them */
	/* Listings must not cost what relevance costs, so that is an order of pages alone. */
	struct hits_ordering *listed, *paged; /* may be the same */
	roaring_bitmap_t *docs;
	uint64_t count;

	pthread_mutex_t lock; /* and the sorters, which are prepared at need */
	struct hits_ordering orderings[2];
	struct scores *scores;	  /* NULL until someone sorts by them */
	roaring_bitmap_t *scored; /* the hits that have any; NULL: all */
	uint64_t n_scored;	  /* of the best, which are among those */
	struct facet_set *facets;
	struct index_facet *lone[HITS_LONE_FACETS];
	size_t next_lone;    /* to be replaced */
	atomic_size_t bytes; /* of memory, with what was made so far */
};

/* The hits of QUERY, of which DOCS (taken, whatever comes of it) match its conditions; its limit is
 * applied here. VIEW gets a reference. -ENOMEM; budget_check()'s. */
int hits_new(struct index_view *view, const struct query *query, const struct query_key *key,
	     roaring_bitmap_t *docs, const struct index_budget *budget,
	     struct index_hits **ret_hits);

/* hits_order.c. With the lock held, or while nobody else knows HITS, which are not in order of
 * documents: make `order` hold at least the first N. As hits_new(). */
int hits_order(struct index_hits *hits, struct hits_ordering *ordering, uint64_t n,
	       const struct index_budget *budget);

/* --- hits_cache.c --- */

/* One search under way, so that others who want the same can wait for it. */
struct hits_turn {
	uint64_t seq;
	struct query_key key;
	struct hits_turn *next;
};

/* Hits that are kept, with a reference for the caller, or NULL. */
struct index_hits *hits_cache_find(struct hits_cache *cache, const struct index_view *view,
				   const struct query_key *key);

/* The same, but if another thread searches this just now, wait for it within BUDGET. If *RET_HITS
 * is NULL after that, it is the caller's turn to search and he must end it. 0; budget_check()'s. */
int hits_cache_begin(struct hits_cache *cache, const struct index_view *view,
		     const struct query_key *key, const struct index_budget *budget,
		     struct hits_turn *turn, struct index_hits **ret_hits);

/* Let go of what was unused for longest, until no more bytes are kept than may be: for whoever made
 * hits grow. */
void hits_cache_trim(struct hits_cache *cache);

/* Keep HITS (a reference of its own) unless it is NULL, and wake those who wait. */
void hits_cache_end(struct hits_cache *cache, struct hits_turn *turn, struct index_hits *hits);

#endif
