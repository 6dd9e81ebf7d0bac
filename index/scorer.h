/* scorer.h - what each condition of a query adds to the score of the documents that it matches. */
#ifndef PXS_INDEX_SCORER_H
#define PXS_INDEX_SCORER_H

#include <stddef.h>
#include <stdint.h>

#include "index/postings.h"
#include "index/search.h"

struct column;
struct measure_table;

/* One word (or phrase) in one property. */
struct scorer_field {
	struct postings *postings;
	roaring_bitmap_t *docs;	     /* that count; NULL: all hits that have it */
	const struct column *column; /* NULL: of numbers, without length */
	const struct measure_table *table;
	double idf, average;
	float weight;	 /* boost, and less for edits */
	float once[256]; /* what it adds where it stands once, by length code */
};

/* A sum of clauses is the score; the best of its fields is what a clause adds. */
struct scorer_clause {
	struct scorer_field *fields;
	size_t n;
	roaring_bitmap_t *docs; /* a clause without fields adds WEIGHT to these */
	float weight;
};

struct scorer {
	struct scorer_clause *clauses;
	size_t n;
	size_t bytes; /* of memory */
};

/* For QUERY's conditions and the HITS they found. 0; -EINVAL: more than RELEVANCE_BYTES_MAX, the
 * search's error says so; others as index_search(). */
int scorer_init(struct scorer *scorer, struct search *search, const struct query_node *root,
		const roaring_bitmap_t *hits);
void scorer_done(struct scorer *scorer);
static inline void
scorer_cleanup(struct scorer *scorer)
{
	scorer_done(scorer);
}

/* What FIELD adds for a document that has it TIMES, in a text of this length code. */
float scorer_field_score(const struct scorer_field *field, float times, uint8_t length);

#endif
