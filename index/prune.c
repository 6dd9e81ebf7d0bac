/* A document's score is the best of what the word adds in any property. So the groups of all of
 * them (impacts.h) are gone through, those that add most first, until N hits are found; all of the
 * groups that add as much as the last have their turn, too. Of each the first N by _id are enough.
 */
#include "index/prune.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/impacts.h"
#include "index/postings.h"
#include "index/relevance.h"
#include "index/scorer.h"
#include "index/view.h"

/* Documents looked at are no more than this part of the hits: all hits take 10 ns each, a document
 * of a group 20. */
#define TRIES_PART 4

/* New documents of a field, which are candidates all, are no more than this part of the others. */
#define NEW_PART 64

struct candidate {
	float score;
	uint32_t field, group;
};

struct pruning {
	const struct index_view *view;
	const struct scorer_clause *clause;
	const roaring_bitmap_t *hits;
	const struct index_budget *budget;
	uint64_t n, tries;
	struct impacts **impacts; /* of each field */
	struct candidate *candidates;
	size_t n_candidates;
	roaring_bitmap_t *best;
};

static void
pruning_cleanup(struct pruning *pruning)
{
	for (size_t i = 0; pruning->impacts && i < pruning->clause->n; i++)
		impacts_put(pruning->impacts[i]);
	free(pruning->impacts);
	free(pruning->candidates);
	if (pruning->best)
		roaring_bitmap_free(pruning->best);
}

/* --- Groups --- */

static uint64_t
count_new(const struct postings *postings, const struct impacts *impacts)
{
	return roaring_bitmap_range_cardinality(
		postings->docs, (uint64_t)impacts_covered(impacts) + 1, UINT64_C(1) << 32);
}

static int
take_impacts(struct pruning *pruning, uint32_t at)
{
	struct postings_cache *cache = pruning->view->tables->relevance.postings;
	const struct scorer_field *field = &pruning->clause->fields[at];
	uint64_t documents = roaring_bitmap_get_cardinality(field->postings->docs);
	CLEANUP(impacts) struct impacts *impacts = postings_impacts(cache, field->postings);
	int r;

	if (!impacts || count_new(field->postings, impacts) > documents / NEW_PART) {
		impacts_put(STEAL(impacts));
		r = impacts_new(field, pruning->view->tables->docs, &impacts);
		if (r < 0)
			return r;
		postings_set_impacts(cache, field->postings, impacts);
	}
	pruning->impacts[at] = STEAL(impacts);
	return budget_check(pruning->budget);
}

static int
compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return 0;
}

static int
list_candidates(struct pruning *pruning)
{
	size_t n = 0;

	for (size_t i = 0; i < pruning->clause->n; i++)
		n += impacts_count(pruning->impacts[i]);
	pruning->candidates = malloc((n + 1) * sizeof(*pruning->candidates));
	if (!pruning->candidates)
		return -ENOMEM;
	for (uint32_t i = 0; i < pruning->clause->n; i++)
		for (uint32_t k = 0; k < impacts_count(pruning->impacts[i]); k++) {
			struct impact_group group;

			impacts_group(pruning->impacts[i], k, &group);
			pruning->candidates[pruning->n_candidates++] = (struct candidate){
				scorer_field_score(&pruning->clause->fields[i], group.times,
						   group.length),
				i,
				k,
			};
		}
	qsort(pruning->candidates, n, sizeof(*pruning->candidates), compare_candidates);
	return 0;
}

/* --- Hits --- */

/* -E2BIG: more are needed than are kept, or can be tried. */
static int
add_documents(struct pruning *pruning, const struct candidate *from)
{
	struct impacts *impacts = pruning->impacts[from->field];
	struct impact_group group;
	uint32_t n;
	const uint32_t *documents = impacts_documents(impacts, from->group, &n);
	uint64_t taken = 0;

	for (uint32_t i = 0; i < n && taken < pruning->n; i++) {
		if (pruning->tries-- == 0)
			return -E2BIG;
		if (roaring_bitmap_contains(pruning->hits, documents[i])) {
			roaring_bitmap_add(pruning->best, documents[i]);
			taken++;
		}
	}
	impacts_group(impacts, from->group, &group);
	if (taken < pruning->n && n < group.n)
		return -E2BIG;
	return budget_check(pruning->budget);
}

/* -E2BIG, too: there are others that get nothing. */
static int
add_best(struct pruning *pruning)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pruning->n_candidates; i++) {
		const struct candidate *candidate = &pruning->candidates[i];

		if (i > 0 && candidate->score != candidate[-1].score &&
		    roaring_bitmap_get_cardinality(pruning->best) >= pruning->n)
			return 0;
		r = add_documents(pruning, candidate);
	}
	if (r == 0 && roaring_bitmap_get_cardinality(pruning->best) < pruning->n)
		return -E2BIG;
	return r;
}

/* What came since the groups were made may belong anywhere. */
static void
add_new(struct pruning *pruning, uint32_t at)
{
	roaring_uint32_iterator_t doc;

	roaring_init_iterator(pruning->clause->fields[at].postings->docs, &doc);
	for (bool more = roaring_move_uint32_iterator_equalorlarger(
		     &doc, impacts_covered(pruning->impacts[at]) + 1);
	     more; more = roaring_advance_uint32_iterator(&doc))
		if (roaring_bitmap_contains(pruning->hits, doc.current_value))
			roaring_bitmap_add(pruning->best, doc.current_value);
}

static int
find_best(struct pruning *pruning)
{
	int r = 0;

	pruning->impacts = calloc(pruning->clause->n, sizeof(struct impacts *));
	pruning->best = roaring_bitmap_create();
	if (!pruning->impacts || !pruning->best)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < pruning->clause->n; i++)
		r = take_impacts(pruning, i);
	if (r == 0)
		r = list_candidates(pruning);
	if (r == 0)
		r = add_best(pruning);
	for (uint32_t i = 0; r == 0 && i < pruning->clause->n; i++)
		add_new(pruning, i);
	return r;
}

/* Whether hits get their scores from one clause alone, whose lists are kept. */
static bool
is_prunable(const struct scorer *scorer)
{
	const struct scorer_clause *clause = scorer->clauses;

	if (scorer->n != 1 || clause->docs || clause->n == 0)
		return false;
	for (size_t i = 0; i < clause->n; i++)
		if (clause->fields[i].docs || clause->fields[i].postings->covered == 0 ||
		    !(clause->fields[i].weight > 0))
			return false;
	return true;
}

int
prune_hits(const struct index_view *view, const struct scorer *scorer, const roaring_bitmap_t *hits,
	   uint64_t n, const struct index_budget *budget, roaring_bitmap_t **ret_best)
{
	CLEANUP(pruning)
	struct pruning pruning = {
		.view = view,
		.clause = scorer->clauses,
		.hits = hits,
		.budget = budget,
		.n = n,
		.tries = roaring_bitmap_get_cardinality(hits) / TRIES_PART,
	};
	int r = is_prunable(scorer) ? find_best(&pruning) : -E2BIG;

	*ret_best = NULL;
	if (r == 0)
		*ret_best = STEAL(pruning.best);
	return r == -E2BIG ? 0 : r;
}
