/* Segments of 65,536 documents go through one after the other: every clause adds what it has for
 * them into their part of the scores, which fits the cache. So a million hits cost a few additions
 * each, and a few hits no more than that; which of them come first is for sort.h to find. */
#include "index/relevance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/column_slice.h"
#include "index/doclist.h"
#include "index/field_stats.h"
#include "index/measure.h"
#include "index/postings.h"
#include "index/scorer.h"
#include "index/search.h"
#include "index/view.h"

int
relevance_init(struct relevance *relevance)
{
	int r;

	r = measures_new(&relevance->measures);
	if (r == 0)
		r = field_stats_cache_new(&relevance->stats);
	if (r == 0)
		r = postings_cache_new(POSTINGS_BYTES_MAX, &relevance->postings);
	return r;
}

void
relevance_done(struct relevance *relevance)
{
	postings_cache_free(relevance->postings);
	field_stats_cache_free(relevance->stats);
	measures_free(relevance->measures);
	*relevance = (struct relevance){ 0 };
}

int
relevance_refuse(struct pxs_error *err)
{
	return pxs_error_set(err, -EINVAL, -1,
			     "ordering by relevance takes more than %zu MiB of memory; ask for "
			     "fewer words, or name an order (_sort)",
			     RELEVANCE_BYTES_MAX >> 20);
}

static bool
node_tells(const struct query_node *node)
{
	if (node->occur == QUERY_MUST_NOT || (node->boosted && node->boost == 0))
		return false;
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (node_tells(child))
			return true;
	return node->kind == QUERY_WORDS || node->kind == QUERY_PHRASE || node->kind == QUERY_FUZZY;
}

bool
relevance_tells(const struct query *query)
{
	struct query_node root = *query->root;

	root.occur = QUERY_MUST;
	return node_tells(&root);
}

/* --- One segment --- */

/* Where reading of a bitmap has come to. */
struct cursor {
	const roaring_bitmap_t *docs;
	roaring_uint32_iterator_t at;
	size_t more; /* of a field's postings */
};

/* All that a clause touches are hits; where a segment has so many, every place is as quick as
 * those. */
#define MANY_HITS (COLUMN_SEGMENT_DOCS / 4)

struct scoring {
	const struct scorer *scorer;
	const struct index_budget *budget;
	struct cursor *cursors; /* of each clause's fields, or of the clause, in turn */
	uint16_t *hits;		/* places of the segment that are hits */
	size_t n_hits;
	uint32_t *docs; /* of the segment; below, the same */
	uint8_t *lengths;
	float *best; /* of a clause's fields */
	/* Of all clauses. Floats added as doubles lose nothing, so that documents which get the
	 * same in another order stay equal. */
	double *sums;
};

static void
scoring_cleanup(struct scoring *scoring)
{
	free(scoring->cursors);
	free(scoring->hits);
	free(scoring->docs);
	free(scoring->lengths);
	free(scoring->best);
	free(scoring->sums);
}

static void
cursor_init(struct cursor *cursor, const roaring_bitmap_t *docs)
{
	cursor->docs = docs;
	cursor->more = 0;
	roaring_init_iterator(docs, &cursor->at);
}

static int
scoring_init(struct scoring *scoring, const struct scorer *scorer,
	     const struct index_budget *budget)
{
	size_t n = 1;

	*scoring = (struct scoring){ .scorer = scorer, .budget = budget };
	for (size_t i = 0; i < scorer->n; i++)
		n += MAX(scorer->clauses[i].n, (size_t)1);
	scoring->cursors = calloc(n, sizeof(*scoring->cursors));
	scoring->hits = malloc(COLUMN_SEGMENT_DOCS * sizeof(*scoring->hits));
	scoring->docs = malloc(COLUMN_SEGMENT_DOCS * sizeof(*scoring->docs));
	scoring->lengths = calloc(COLUMN_SEGMENT_DOCS, sizeof(*scoring->lengths));
	scoring->best = calloc(COLUMN_SEGMENT_DOCS, sizeof(*scoring->best));
	scoring->sums = calloc(COLUMN_SEGMENT_DOCS, sizeof(*scoring->sums));
	if (!scoring->cursors || !scoring->hits || !scoring->docs || !scoring->lengths ||
	    !scoring->best || !scoring->sums)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < scorer->n; i++) {
		const struct scorer_clause *clause = &scorer->clauses[i];

		if (clause->docs)
			cursor_init(&scoring->cursors[n++], clause->docs);
		for (size_t k = 0; k < clause->n; k++)
			cursor_init(&scoring->cursors[n++], clause->fields[k].docs);
	}
	return 0;
}

/* The next documents of CURSOR, as far as they are of SEGMENT. */
static size_t
read_segment(struct cursor *cursor, uint32_t segment, uint32_t *docs)
{
	uint64_t first = (uint64_t)segment << COLUMN_SEGMENT_SHIFT;
	uint64_t n;

	/* Segments without a hit are passed over, but no field has a document in those. */
	if (!cursor->at.has_value || cursor->at.current_value >> COLUMN_SEGMENT_SHIFT != segment)
		return 0;
	n = roaring_bitmap_range_cardinality(cursor->docs, first, first + COLUMN_SEGMENT_DOCS);
	return roaring_read_uint32_iterator(&cursor->at, docs, (uint32_t)n);
}

/* TO has the greater of what was there and what FIELD adds; as many documents were looked at. */
static size_t
score_field(struct scoring *scoring, const struct scorer_field *field, struct cursor *cursor,
	    uint32_t segment, float *to)
{
	const struct posting *more = field->postings->more;
	size_t n = read_segment(cursor, segment, scoring->docs);
	struct doclist_slice slice = { .segment = segment, .n = n, .docs = scoring->docs };

	if (n == 0)
		return 0;
	slice.run = scoring->docs[n - 1] - scoring->docs[0] == n - 1;
	if (field->column)
		field_lengths(field->column, field->table, &slice, scoring->lengths);
	else
		memset(scoring->lengths, 0, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t doc = scoring->docs[i];
		float score = field->once[scoring->lengths[i]];
		float *best = &to[doc & COLUMN_PLACE_MASK];

		while (cursor->more < field->postings->n_more && more[cursor->more].doc < doc)
			cursor->more++;
		if (cursor->more < field->postings->n_more && more[cursor->more].doc == doc)
			score = scorer_field_score(field, more[cursor->more].times,
						   scoring->lengths[i]);
		*best = MAX(*best, score);
	}
	return n;
}

static void
add_best_at(struct scoring *scoring, size_t place)
{
	scoring->sums[place] += scoring->best[place];
	scoring->best[place] = 0;
}

static void
add_best(struct scoring *scoring)
{
	if (scoring->n_hits >= MANY_HITS)
		for (size_t place = 0; place < COLUMN_SEGMENT_DOCS; place++)
			add_best_at(scoring, place);
	else
		for (size_t i = 0; i < scoring->n_hits; i++)
			add_best_at(scoring, scoring->hits[i]);
}

static void
take_sum_at(struct scoring *scoring, size_t place, float *scores)
{
	scores[place] = (float)scoring->sums[place];
	scoring->sums[place] = 0;
}

static void
take_sums(struct scoring *scoring, float *scores)
{
	if (scoring->n_hits >= MANY_HITS)
		for (size_t place = 0; place < COLUMN_SEGMENT_DOCS; place++)
			take_sum_at(scoring, place, scores);
	else
		for (size_t i = 0; i < scoring->n_hits; i++)
			take_sum_at(scoring, scoring->hits[i], scores);
}

static void
score_clause(struct scoring *scoring, const struct scorer_clause *clause, struct cursor *cursors,
	     uint32_t segment)
{
	size_t n = 0;

	if (clause->docs) {
		n = read_segment(cursors, segment, scoring->docs);
		for (size_t i = 0; i < n; i++)
			scoring->sums[scoring->docs[i] & COLUMN_PLACE_MASK] += clause->weight;
		return;
	}
	for (size_t i = 0; i < clause->n; i++)
		n += score_field(scoring, &clause->fields[i], &cursors[i], segment, scoring->best);
	if (n > 0)
		add_best(scoring);
}

static void
read_hits(struct scoring *scoring, const roaring_bitmap_t *hits, uint32_t segment)
{
	uint32_t first = segment << COLUMN_SEGMENT_SHIFT;
	roaring_uint32_iterator_t at;

	scoring->n_hits = (size_t)roaring_bitmap_range_cardinality(
		hits, first, (uint64_t)first + COLUMN_SEGMENT_DOCS);
	if (scoring->n_hits >= MANY_HITS)
		return;
	roaring_init_iterator(hits, &at);
	(void)roaring_move_uint32_iterator_equalorlarger(&at, first);
	(void)roaring_read_uint32_iterator(&at, scoring->docs, (uint32_t)scoring->n_hits);
	for (size_t i = 0; i < scoring->n_hits; i++)
		scoring->hits[i] = (uint16_t)(scoring->docs[i] & COLUMN_PLACE_MASK);
}

static int
score_segment(struct scoring *scoring, const roaring_bitmap_t *hits, uint32_t segment,
	      float *scores)
{
	struct cursor *cursors = scoring->cursors;
	int r = 0;

	read_hits(scoring, hits, segment);
	for (size_t i = 0; r == 0 && i < scoring->scorer->n; i++) {
		const struct scorer_clause *clause = &scoring->scorer->clauses[i];

		r = budget_check(scoring->budget);
		score_clause(scoring, clause, cursors, segment);
		cursors += clause->docs ? 1 : clause->n;
	}
	take_sums(scoring, scores);
	return r;
}

/* The first segment from AT on that has a hit, and AT behind it. */
static bool
next_segment(roaring_uint32_iterator_t *at, uint32_t *ret_segment)
{
	if (!at->has_value)
		return false;
	*ret_segment = at->current_value >> COLUMN_SEGMENT_SHIFT;
	if (*ret_segment == UINT32_MAX >> COLUMN_SEGMENT_SHIFT)
		at->has_value = false;
	else
		(void)roaring_move_uint32_iterator_equalorlarger(
			at, (*ret_segment + 1) << COLUMN_SEGMENT_SHIFT);
	return true;
}

/* -EINVAL: too many. */
static int
scores_new(const roaring_bitmap_t *hits, struct scores **ret_scores)
{
	uint32_t n_segments = (roaring_bitmap_maximum(hits) >> COLUMN_SEGMENT_SHIFT) + 1;
	size_t head = sizeof(struct scores) + n_segments * sizeof(float *);
	size_t block = COLUMN_SEGMENT_DOCS * sizeof(float), bytes = head;
	roaring_uint32_iterator_t at;
	struct scores *scores;
	uint32_t segment;

	for (roaring_init_iterator(hits, &at); next_segment(&at, &segment);)
		bytes += block;
	if (bytes - head > RELEVANCE_BYTES_MAX)
		return -EINVAL;
	scores = calloc(1, bytes);
	if (!scores)
		return -ENOMEM;
	scores->bytes = bytes;
	scores->n_segments = n_segments;
	bytes = head;
	for (roaring_init_iterator(hits, &at); next_segment(&at, &segment); bytes += block)
		scores->segments[segment] = (float *)(void *)((char *)scores + bytes);
	*ret_scores = scores;
	return 0;
}

static int
score_all(struct scoring *scoring, const roaring_bitmap_t *hits, struct scores *scores)
{
	int r = 0;

	for (uint32_t i = 0; i < scores->n_segments && r == 0; i++)
		if (scores->segments[i])
			r = score_segment(scoring, hits, i, scores->segments[i]);
	return r;
}

int
relevance_scores(const struct index_view *view, const struct query *query,
		 const roaring_bitmap_t *hits, const struct index_budget *budget,
		 struct scores **ret_scores, struct pxs_error *err)
{
	struct search search = { .view = view, .budget = budget, .err = err };
	CLEANUP(scoring) struct scoring scoring = { 0 };
	CLEANUP(scorer) struct scorer scorer = { 0 };
	CLEANUP(scores) struct scores *scores = NULL;
	int r;

	r = scores_new(hits, &scores);
	if (r == -EINVAL)
		return relevance_refuse(err);
	if (r == 0)
		r = scorer_init(&scorer, &search, query->root, hits);
	if (r == 0)
		r = scoring_init(&scoring, &scorer, budget);
	if (r == 0)
		r = score_all(&scoring, hits, scores);
	if (r < 0)
		return r;
	*ret_scores = STEAL(scores);
	return 0;
}
