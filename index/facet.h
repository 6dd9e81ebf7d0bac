/* facet.h - how a property divides the hits: counting, cutting, ranking.
 *
 *     facet_codes.c    columns of strings in, histograms out
 *     facet_numbers.c  columns of anything else in, numbers in order out
 *     facet_values.c   one bucket for each of the commonest values
 *     facet_ranges.c   about five ranges of about equal count: numbers, dates
 *     facet_text.c     the same for strings
 *     facet.c          one facet, all facets, their order
 *
 * The measure and the rules are research/index.md 3.2 and 3.3; integers only. */
#ifndef PXS_INDEX_FACET_H
#define PXS_INDEX_FACET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "index/doclist.h"
#include "index/index.h"

struct column;
struct number_order;
struct ranks;

/* Ranges a facet is cut into, and values shown of it unless more are asked for. */
#define FACET_BUCKETS 5

/* So few values are always shown as values. */
#define FACET_VALUES_FEW 8

/* A rounder bound may lie so far from the ideal cut (percent of an ideal bucket). */
#define ROUND_FAR_PERCENT 15

/* From so many hits on, numbers are counted rather than gathered. */
#define FACET_MANY 16384

/* Room that is used for one property after the other. */
struct facet_scratch {
	uint32_t *counts; /* by code; all 0 between two uses */
	size_t n_counts;
	size_t lanes, lane_room; /* so many counters for each code, so far apart */
	uint32_t *codes;	 /* those counted, each once */
	size_t n_codes, codes_room;
	struct number_order *order;
	struct facet_counted *counted;
};

void facet_scratch_done(struct facet_scratch *scratch);
static inline void
facet_scratch_cleanup(struct facet_scratch *scratch)
{
	facet_scratch_done(scratch);
}

/* A value, as a code or a number, and the number of hits that have it. */
struct facet_value {
	int64_t value;
	uint64_t count;
};

struct histogram {
	struct facet_value *values; /* distinct, in no order */
	size_t n;
	uint64_t present; /* hits that have a value */
	uint64_t mass;	  /* of all counts: more than `present` where hits have several values */
};

void histogram_done(struct histogram *histogram);
static inline void
histogram_cleanup(struct histogram *histogram)
{
	histogram_done(histogram);
}

/* What all facets of some hits have in common. */
struct facet_limits {
	uint32_t max_doc; /* of the view */
	const struct index_budget *budget;
};

/* --- facet_codes.c --- */

/* Count a column of strings over DOCS, into an empty HISTOGRAM. -ENOMEM: SCRATCH and HISTOGRAM are
 * good for nothing but their end. */
int facet_count_codes(const struct column *column, const struct doclist *docs,
		      struct facet_scratch *scratch, struct histogram *histogram);

/* Whether so many hits have so many different strings that single ones tell next to nothing, and
 * counting them would take long. The same on every machine. */
bool facet_codes_differ(const struct column *column, const struct doclist *docs);

/* Order the ranks of such a column's strings, in SCRATCH's `order`. -ENOMEM. */
int facet_order_ranks(const struct column *column, const struct doclist *docs,
		      const struct ranks *ranks, struct facet_scratch *scratch);

/* The same of HISTOGRAM's strings, each as often as it was counted. */
int facet_order_histogram(const struct histogram *histogram, const struct ranks *ranks,
			  struct facet_scratch *scratch);

/* --- facet_numbers.c --- */

/* Order a column of anything else, in SCRATCH's `order`, until facet_numbers_done(). *RET_PRESENT:
 * hits that have a value. -ENOMEM; budget_check()'s. */
int facet_order_numbers(const struct column *column, const struct doclist *docs,
			const struct facet_limits *limits, struct facet_scratch *scratch,
			uint64_t *ret_present);
void facet_numbers_done(struct facet_scratch *scratch);

/* The distinct numbers of ORDER into an empty HISTOGRAM, ascending. -ENOMEM. */
int facet_count_numbers(struct number_order *order, uint64_t present, struct histogram *histogram);

/* --- Buckets: FACET has its property, count and missing; buckets and `other` are added. All memory
 * is the arena's, strings of dictionaries aside. -ENOMEM. --- */

/* The MAX_VALUES commonest, by count, then by value. Reorders HISTOGRAM. The first tells only the
 * counts, which take no look at a string. */
int facet_by_counts(struct pxs_arena *arena, struct histogram *histogram, size_t max_values,
		    struct index_facet *facet);
int facet_by_values(struct pxs_arena *arena, const struct column *column,
		    struct histogram *histogram, size_t max_values, struct index_facet *facet);

int facet_by_numbers(struct pxs_arena *arena, struct number_order *order,
		     struct index_facet *facet);

int facet_by_text(struct pxs_arena *arena, const struct column *column,
		  const struct histogram *histogram, struct index_facet *facet);

/* The same for ranks in ORDER. */
int facet_by_ranks(struct pxs_arena *arena, const struct column *column, const struct ranks *ranks,
		   struct number_order *order, struct index_facet *facet);

/* Where to cut TOTAL values in order into FACET_BUCKETS parts of about equal size without
 * separating equal ones. TIE tells of the value at RANK how many values are less, and how many not
 * greater. The number of cuts; each counts the values before it. */
typedef void (*facet_tie)(void *context, uint64_t rank, uint64_t *ret_less,
			  uint64_t *ret_not_greater);
size_t facet_cut(uint64_t total, facet_tie tie, void *context, uint64_t cuts[FACET_BUCKETS - 1]);

/* --- facet.c --- */

/* The facets of one hits object. */
struct facet_set {
	struct pxs_arena arenas[2]; /* one for each thread that made some */
	struct index_facets facets;
};

int facet_set_new(const struct index_view *view, const roaring_bitmap_t *hits,
		  const struct index_budget *budget, struct facet_set **ret_set);
void facet_set_free(struct facet_set *set);
size_t facet_set_bytes(const struct facet_set *set); /* of memory */
DEFINE_CLEANUP(facet_set, struct facet_set *, facet_set_free)

/* For index_facet_free(). -ENOMEM and budget_check()'s. */
int facet_new(const struct index_view *view, const roaring_bitmap_t *hits,
	      const struct query_property *property, size_t max_values,
	      const struct index_budget *budget, struct index_facet **ret_facet);

/* Of those: one more who will free it; whether it is what is asked for; its bytes of memory. */
struct index_facet *facet_ref(struct index_facet *facet);
bool facet_answers(const struct index_facet *facet, const struct query_property *property,
		   size_t max_values);
size_t facet_bytes(const struct index_facet *facet);

#endif
