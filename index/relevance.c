/* Segments of 65,536 documents go through one after the other: every clause adds what it has for
 * them into their part of the scores, which fits the cache. So a million hits cost a few additions
 * each, and a few hits no more than that; which of them come first is for sort.h to find.
 *
 *     place of a document    3  700  9000        what is added up has a slot for each hit, side by
 *     its slot               0    1     2        side; where nearly all are hits, for each place
 */
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
#include "index/prune.h"
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
		r = postings_cache_new(POSTINGS_BYTES_MAX, POSTINGS_BYTES_DOCUMENT,
				       &relevance->postings);
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
	roaring_bitmap_t *docs;
	roaring_uint32_iterator_t at;
	size_t more; /* of a field's postings */
};

struct scoring {
	const struct scorer *scorer;
	const struct index_budget *budget;
	struct cursor *cursors; /* of each clause's fields, or of the clause, in turn */
	size_t n_cursors;
	uint16_t *slots; /* of places; of those that are hits, only */
	uint32_t *docs;	 /* of the segment, as many as there are slots; below, the same */
	uint8_t *lengths;
	float *best; /* of a clause's fields, by slot */
	/* Of all clauses. Floats added as doubles lose nothing, so that documents which get the
	 * same in another order stay equal. */
	double *sums;
};

static void
scoring_cleanup(struct scoring *scoring)
{
	for (size_t i = 0; i < scoring->n_cursors; i++)
		roaring_bitmap_free(scoring->cursors[i].docs);
	free(scoring->cursors);
	free(scoring->slots);
	free(scoring->docs);
	free(scoring->lengths);
	free(scoring->best);
	free(scoring->sums);
}

/* To read those of DOCS that are HITS. */
static int
add_cursor(struct scoring *scoring, const roaring_bitmap_t *docs, const roaring_bitmap_t *hits)
{
	struct cursor *cursor = &scoring->cursors[scoring->n_cursors];

	cursor->docs = roaring_bitmap_and(docs, hits);
	if (!cursor->docs)
		return -ENOMEM;
	roaring_init_iterator(cursor->docs, &cursor->at);
	scoring->n_cursors++;
	return 0;
}

static int
add_cursors(struct scoring *scoring, const struct scorer_clause *clause,
	    const roaring_bitmap_t *hits)
{
	int r = clause->docs ? add_cursor(scoring, clause->docs, hits) : 0;

	for (size_t i = 0; r == 0 && i < clause->n; i++) {
		const struct scorer_field *field = &clause->fields[i];

		r = add_cursor(scoring, field->docs ? field->docs : field->postings->docs, hits);
	}
	return r;
}

/* For HITS in segments of up to ROOM slots. */
static int
scoring_init(struct scoring *scoring, const struct scorer *scorer, const roaring_bitmap_t *hits,
	     size_t room, const struct index_budget *budget)
{
	int r = 0;

	size_t n = 1;

	*scoring = (struct scoring){ .scorer = scorer, .budget = budget };
	for (size_t i = 0; i < scorer->n; i++)
		n += MAX(scorer->clauses[i].n, (size_t)1);
	scoring->cursors = calloc(n, sizeof(*scoring->cursors));
	scoring->slots = malloc(COLUMN_SEGMENT_DOCS * sizeof(*scoring->slots));
	scoring->docs = malloc(room * sizeof(*scoring->docs));
	scoring->lengths = calloc(room, sizeof(*scoring->lengths));
	scoring->best = calloc(room, sizeof(*scoring->best));
	scoring->sums = calloc(room, sizeof(*scoring->sums));
	if (!scoring->cursors || !scoring->slots || !scoring->docs || !scoring->lengths ||
	    !scoring->best || !scoring->sums)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < scorer->n; i++)
		r = add_cursors(scoring, &scorer->clauses[i], hits);
	return r;
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

/* `best` has the greater of what was there and what FIELD adds; as many documents were looked at.
 */
static size_t
score_field(struct scoring *scoring, const struct scorer_field *field, struct cursor *cursor,
	    uint32_t segment)
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
		float *best = &scoring->best[scoring->slots[doc & COLUMN_PLACE_MASK]];

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
score_clause(struct scoring *scoring, const struct scorer_clause *clause, struct cursor *cursors,
	     uint32_t segment, size_t n_slots)
{
	size_t n = 0;

	if (clause->docs) {
		n = read_segment(cursors, segment, scoring->docs);
		for (size_t i = 0; i < n; i++) {
			uint32_t place = scoring->docs[i] & COLUMN_PLACE_MASK;

			scoring->sums[scoring->slots[place]] += clause->weight;
		}
		return;
	}
	for (size_t i = 0; i < clause->n; i++)
		n += score_field(scoring, &clause->fields[i], &cursors[i], segment);
	for (size_t slot = 0; n > 0 && slot < n_slots; slot++) {
		scoring->sums[slot] += scoring->best[slot];
		scoring->best[slot] = 0;
	}
}

/* The hits of SEGMENT get their slots, and SCORES its places. */
static void
set_slots(struct scoring *scoring, const roaring_bitmap_t *hits, uint32_t segment,
	  const struct score_segment *scores)
{
	roaring_uint32_iterator_t at;

	for (uint32_t place = 0; !scores->places && place < COLUMN_SEGMENT_DOCS; place++)
		scoring->slots[place] = (uint16_t)place;
	if (!scores->places)
		return;
	roaring_init_iterator(hits, &at);
	(void)roaring_move_uint32_iterator_equalorlarger(&at, segment << COLUMN_SEGMENT_SHIFT);
	(void)roaring_read_uint32_iterator(&at, scoring->docs, scores->n);
	for (uint32_t slot = 0; slot < scores->n; slot++) {
		scores->places[slot] = (uint16_t)(scoring->docs[slot] & COLUMN_PLACE_MASK);
		scoring->slots[scores->places[slot]] = (uint16_t)slot;
	}
}

static int
score_segment(struct scoring *scoring, const roaring_bitmap_t *hits, uint32_t segment,
	      const struct score_segment *scores)
{
	struct cursor *cursors = scoring->cursors;
	int r = 0;

	set_slots(scoring, hits, segment, scores);
	for (size_t i = 0; r == 0 && i < scoring->scorer->n; i++) {
		const struct scorer_clause *clause = &scoring->scorer->clauses[i];

		r = budget_check(scoring->budget);
		score_clause(scoring, clause, cursors, segment, scores->n);
		cursors += clause->docs ? 1 : clause->n;
	}
	for (size_t slot = 0; slot < scores->n; slot++) {
		scores->values[slot] = (float)scoring->sums[slot];
		scoring->sums[slot] = 0;
	}
	return r;
}

/* --- All of them --- */

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

/* How large the scores of SEGMENT are, at MEMORY (NULL: not there yet). The places of nearly all
 * documents would take more than the values of those that are no hits. */
static size_t
measure_segment(const roaring_bitmap_t *hits, uint32_t segment, char *memory,
		struct score_segment *ret_scores)
{
	uint64_t first = (uint64_t)segment << COLUMN_SEGMENT_SHIFT;
	uint64_t n = roaring_bitmap_range_cardinality(hits, first, first + COLUMN_SEGMENT_DOCS);
	size_t listed = n * (sizeof(float) + sizeof(uint16_t));
	size_t whole = COLUMN_SEGMENT_DOCS * sizeof(float);

	*ret_scores = (struct score_segment){ .values = (float *)(void *)memory };
	ret_scores->n = listed < whole ? (uint32_t)n : COLUMN_SEGMENT_DOCS;
	if (memory && listed < whole)
		ret_scores->places = (uint16_t *)(void *)(ret_scores->values + n);
	return listed < whole ? (listed + sizeof(float) - 1) / sizeof(float) * sizeof(float)
			      : whole;
}

/* -EINVAL: too many. */
static int
scores_new(const roaring_bitmap_t *hits, struct scores **ret_scores)
{
	uint32_t n_segments = (roaring_bitmap_maximum(hits) >> COLUMN_SEGMENT_SHIFT) + 1;
	size_t head = sizeof(struct scores) + n_segments * sizeof(struct score_segment);
	size_t bytes = head;
	roaring_uint32_iterator_t at;
	struct score_segment unused;
	struct scores *scores;
	uint32_t segment;

	for (roaring_init_iterator(hits, &at); next_segment(&at, &segment);)
		bytes += measure_segment(hits, segment, NULL, &unused);
	if (bytes - head > RELEVANCE_BYTES_MAX)
		return -EINVAL;
	scores = malloc(bytes);
	if (!scores)
		return -ENOMEM;
	memset(scores, 0, head);
	scores->bytes = bytes;
	scores->n_segments = n_segments;
	bytes = head;
	for (roaring_init_iterator(hits, &at); next_segment(&at, &segment);)
		bytes += measure_segment(hits, segment, (char *)scores + bytes,
					 &scores->segments[segment]);
	*ret_scores = scores;
	return 0;
}

static size_t
most_slots(const struct scores *scores)
{
	uint32_t most = 1;

	for (uint32_t i = 0; i < scores->n_segments; i++)
		most = MAX(most, scores->segments[i].n);
	return most;
}

static int
score_all(struct scoring *scoring, const roaring_bitmap_t *hits, const struct scores *scores)
{
	int r = 0;

	for (uint32_t i = 0; i < scores->n_segments && r == 0; i++)
		if (scores->segments[i].values)
			r = score_segment(scoring, hits, i, &scores->segments[i]);
	return r;
}

int
relevance_scores(const struct index_view *view, const struct query *query,
		 const roaring_bitmap_t *hits, uint64_t n, const struct index_budget *budget,
		 struct scores **ret_scores, roaring_bitmap_t **ret_among, struct pxs_error *err)
{
	struct search search = { .view = view, .budget = budget, .err = err };
	CLEANUP(bitmap) roaring_bitmap_t *among = NULL;
	CLEANUP(scoring) struct scoring scoring = { 0 };
	CLEANUP(scorer) struct scorer scorer = { 0 };
	CLEANUP(scores) struct scores *scores = NULL;
	int r;

	r = scorer_init(&scorer, &search, query->root, hits);
	if (r == 0 && n < roaring_bitmap_get_cardinality(hits))
		r = prune_hits(view, &scorer, hits, n, budget, &among);
	if (r < 0)
		return r;
	hits = among ? among : hits;
	r = scores_new(hits, &scores);
	if (r == -EINVAL)
		return relevance_refuse(err);
	if (r == 0)
		r = scoring_init(&scoring, &scorer, hits, most_slots(scores), budget);
	if (r == 0)
		r = score_all(&scoring, hits, scores);
	if (r < 0)
		return r;
	*ret_scores = STEAL(scores);
	*ret_among = STEAL(among);
	return 0;
}
