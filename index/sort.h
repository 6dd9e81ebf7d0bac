/* sort.h - documents in a query's order.
 *
 *     sort_keys.c    what a document is sorted by, as numbers
 *     sort_first.c   the first few of many
 *     sort.c         all of them; comparing with a place
 *
 * The order is that of the query's keys, missing values last in both directions; of a list the
 * least value counts when ascending, else the greatest. Documents with equal keys are in order of
 * their `_id`. Without any key the order is that of rows. */
#ifndef PXS_INDEX_SORT_H
#define PXS_INDEX_SORT_H

#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "index/index.h"

struct column;
struct dict;
struct ranks;
struct scores;

/* The keys of a document, and last what tells equal ones apart: its id, or without keys its row. */
#define SORT_LEVELS_MAX (QUERY_SORTS_MAX + 1)

/* Comes after every value, in both directions. */
#define SORT_MISSING UINT64_MAX

/* The keys of an order, as columns, or as scores. A plain value that keeps pointers into VIEW. */
struct sorter {
	const struct index_view *view;
	struct sort_key {
		const struct column *column; /* NULL: by relevance */
		struct ranks *ranks;	     /* of strings; NULL until prepared */
		const struct scores *scores; /* NULL until they are set */
		bool descending;
	} keys[QUERY_SORTS_MAX];
	size_t n; /* 0: by row alone */
};

/* A place in an order, whether or not a document is there: what it is sorted by, level by level. */
struct sort_place {
	uint64_t levels[SORT_LEVELS_MAX];
};

void sorter_init(struct sorter *sorter, const struct index_view *view, const struct query *query);
/* By relevance, the best first. */
void sorter_init_relevance(struct sorter *sorter, const struct index_view *view);

/* Whether it sorts by scores, which are to be set before it is prepared; lent until others are. */
bool sorter_wants_scores(const struct sorter *sorter);
/* Whether by nothing else, the best first. */
bool sorter_is_relevance(const struct sorter *sorter);
void sorter_set_scores(struct sorter *sorter, const struct scores *scores);

/* What a key sorts by: a property, or "_score". */
const struct query_property *sort_key_property(const struct sort_key *key);
const struct dict *sort_key_dict(const struct sort_key *key); /* NULL: of numbers */
void sorter_done(struct sorter *sorter);

/* Whether ascending document number is the order already. */
bool sorter_is_natural(const struct sorter *sorter);

/* Whether sorter_first() finds any page by a look at few documents: it is by row, in which all but
 * those of the last changes stand already. It needs no preparation then. */
bool sorter_is_quick(const struct sorter *sorter);

/* Needed, once or more often, before any of the functions below. -ENOMEM; budget_check()'s. */
int sorter_prepare(struct sorter *sorter, const struct index_budget *budget);

/* --- sort_keys.c --- */

/* What DOCS, which ascend, are sorted by on LEVEL (up to sorter->n): less comes before. */
void sorter_level(const struct sorter *sorter, size_t level, const uint32_t *docs, size_t n,
		  uint64_t *keys);

/* BITS, one for each place of SEGMENT: of its first N those whose first key is LOW to TOP, which is
 * not SORT_MISSING. False: that key cannot be told quicker than document by document. */
bool sorter_segment(const struct sorter *sorter, uint64_t low, uint64_t top, uint32_t segment,
		    uint32_t n, uint64_t *bits);

/* The place of DOC. */
void sorter_place(const struct sorter *sorter, uint32_t doc, struct sort_place *ret_place);

/* VALUE (NULL: missing) as a key of that level, whether or not a document has it. */
uint64_t sorter_value_key(const struct sorter *sorter, size_t level,
			  const struct query_value *value);

/* The value by which DOC is sorted on that level, of a list the one that counts; false: none. */
bool sorter_value(const struct sorter *sorter, size_t level, uint32_t doc,
		  struct query_value *ret_value);

/* --- sort.c --- */

/* <0, 0, >0: whether A comes before B. */
int sorter_compare(const struct sorter *sorter, const struct sort_place *a,
		   const struct sort_place *b);

/* The first N documents of BITMAP in order (all if there are no more); the caller frees them.
 * -ENOMEM; budget_check()'s. */
int sorter_order(const struct sorter *sorter, const roaring_bitmap_t *bitmap, uint64_t n,
		 const struct index_budget *budget, uint32_t **ret_docs);

/* --- sort_first.c --- */

/* Up to N documents of BITMAP, all of which stand in order, from the BEGIN-th on, into DOCS: how
 * many. */
size_t sorter_standing(const roaring_bitmap_t *bitmap, uint64_t begin, size_t n, uint32_t *docs);

/* Up to N documents of BITMAP in order, those after AFTER (NULL: from the start), into DOCS. */
int sorter_first(const struct sorter *sorter, const roaring_bitmap_t *bitmap,
		 const struct sort_place *after, size_t n, const struct index_budget *budget,
		 uint32_t *docs, size_t *ret_n);

#endif
