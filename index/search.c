/* A tree is evaluated from the root, each node within the documents that are still candidates: what
 * a clause that must hold leaves over is all that the next one looks at. Text comes first, because
 * it costs the same whatever the candidates, then columns, then groups. */
#include "index/search.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "index/budget.h"
#include "index/hits.h"
#include "index/view.h"

static int evaluate(struct search *search, const struct query_node *node,
		    const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

enum cost { COST_TEXT, COST_PATTERN, COST_COLUMN, COST_GROUP, COSTS };

static const enum cost COST_OF[] = {
	[QUERY_ALL] = COST_TEXT,	 [QUERY_NONE] = COST_TEXT,
	[QUERY_BOOL] = COST_GROUP,	 [QUERY_WORDS] = COST_TEXT,
	[QUERY_PHRASE] = COST_TEXT,	 [QUERY_PREFIX] = COST_PATTERN,
	[QUERY_WILDCARD] = COST_PATTERN, [QUERY_FUZZY] = COST_PATTERN,
	[QUERY_REGEX] = COST_PATTERN,	 [QUERY_EQUALS] = COST_COLUMN,
	[QUERY_RANGE] = COST_COLUMN,	 [QUERY_EXISTS] = COST_COLUMN,
};

static bool
has_clause(const struct query_node *group, enum query_occur occur)
{
	const struct query_node *child = group->first_child;

	while (child && child->occur != occur)
		child = child->next;
	return child != NULL;
}

/* All that MUST hold: each narrows *HITS, the cheap ones first. */
static int
require(struct search *search, const struct query_node *group, roaring_bitmap_t **hits)
{
	for (enum cost cost = 0; cost < COSTS; cost++) {
		const struct query_node *child;

		for (child = group->first_child; child; child = child->next) {
			roaring_bitmap_t *left;
			int r;

			if (child->occur != QUERY_MUST || COST_OF[child->kind] != cost)
				continue;
			r = evaluate(search, child, *hits, &left);
			if (r < 0)
				return r;
			roaring_bitmap_free(*hits);
			*hits = left;
		}
	}
	return 0;
}

/* The end of the exact texts of one property that stand side by side from NODE on, all of which
 * SHOULD match; NODE's next if it is none. A trace is to tell of each by itself. */
static const struct query_node *
end_of_list(const struct search *search, const struct query_node *node)
{
	const struct query_node *end = node->next;

	if (search->trace || !search_is_text(node))
		return end;
	while (end && end->occur == QUERY_SHOULD && search_is_text(end) &&
	       end->property == node->property)
		end = end->next;
	return end;
}

/* *HITS becomes those of it that match any clause that SHOULD hold. */
static int
require_any(struct search *search, const struct query_node *group, roaring_bitmap_t **hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *any = roaring_bitmap_create();
	const struct query_node *child, *end;

	if (!any)
		return -ENOMEM;
	for (child = group->first_child; child; child = end) {
		CLEANUP(bitmap) roaring_bitmap_t *found = NULL;
		int r;

		end = child->next;
		if (child->occur != QUERY_SHOULD)
			continue;
		end = end_of_list(search, child);
		r = end == child->next ? evaluate(search, child, *hits, &found)
				       : search_texts(search, child, end, *hits, &found);
		if (r < 0)
			return r;
		roaring_bitmap_or_inplace(any, found);
	}
	roaring_bitmap_free(*hits);
	*hits = STEAL(any);
	return 0;
}

/* Take out of HITS what MUST_NOT match. */
static int
exclude(struct search *search, const struct query_node *group, roaring_bitmap_t *hits)
{
	const struct query_node *child;

	for (child = group->first_child; child; child = child->next) {
		CLEANUP(bitmap) roaring_bitmap_t *found = NULL;
		int r;

		if (child->occur != QUERY_MUST_NOT)
			continue;
		r = evaluate(search, child, hits, &found);
		if (r < 0)
			return r;
		roaring_bitmap_andnot_inplace(hits, found);
	}
	return 0;
}

/* What is only a wish beside what must be is not looked up before documents are put in order; then
 * it is too late to refuse a pattern. */
static int
check_patterns(struct search *search, const struct query_node *node)
{
	int r = 0;

	if (COST_OF[node->kind] == COST_PATTERN)
		return search_pattern_check(search, node);
	for (const struct query_node *child = node->first_child; r == 0 && child;
	     child = child->next)
		r = check_patterns(search, child);
	return r;
}

static int
check_wishes(struct search *search, const struct query_node *group)
{
	int r = 0;

	for (const struct query_node *child = group->first_child; r == 0 && child;
	     child = child->next)
		if (child->occur == QUERY_SHOULD)
			r = check_patterns(search, child);
	return r;
}

/* enum query_occur has the model. */
static int
evaluate_group(struct search *search, const struct query_node *group,
	       const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *hits = roaring_bitmap_copy(within);
	int r = 0;

	if (!hits)
		return -ENOMEM;
	if (has_clause(group, QUERY_MUST)) {
		r = require(search, group, &hits);
		if (r == 0)
			r = check_wishes(search, group);
	} else if (has_clause(group, QUERY_SHOULD)) {
		r = require_any(search, group, &hits);
	}
	if (r == 0)
		r = exclude(search, group, hits);
	if (r < 0)
		return r;
	*ret_hits = STEAL(hits);
	return 0;
}

static int
evaluate_constant(struct search *search, const struct query_node *node,
		  const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits)
{
	roaring_bitmap_t *hits = node->kind == QUERY_ALL ? roaring_bitmap_copy(within)
							 : roaring_bitmap_create();

	(void)search;
	if (!hits)
		return -ENOMEM;
	*ret_hits = hits;
	return 0;
}

typedef int (*evaluator)(struct search *search, const struct query_node *node,
			 const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits);

static const evaluator EVALUATORS[] = {
	[QUERY_ALL] = evaluate_constant,   [QUERY_NONE] = evaluate_constant,
	[QUERY_BOOL] = evaluate_group,	   [QUERY_WORDS] = search_text,
	[QUERY_PHRASE] = search_text,	   [QUERY_PREFIX] = search_pattern,
	[QUERY_WILDCARD] = search_pattern, [QUERY_FUZZY] = search_pattern,
	[QUERY_REGEX] = search_pattern,	   [QUERY_EQUALS] = search_column,
	[QUERY_RANGE] = search_column,	   [QUERY_EXISTS] = search_column,
};

static const char *const FROM[COSTS] = {
	[COST_TEXT] = "words",
	[COST_PATTERN] = "words and values",
	[COST_COLUMN] = "columns",
};

static int
evaluate(struct search *search, const struct query_node *node, const roaring_bitmap_t *within,
	 roaring_bitmap_t **ret_hits)
{
	struct index_answer answer = { .node = node, .from = FROM[COST_OF[node->kind]] };
	uint64_t n_terms = search->n_terms;
	int r = budget_check(search->budget);

	if (r < 0)
		return r;
	if (!search->trace || !search->trace->leaf || node->kind == QUERY_BOOL)
		return EVALUATORS[node->kind](search, node, within, ret_hits);

	search->from = answer.from;
	answer.spent_ns = -pxs_clock_steady_ns();
	r = EVALUATORS[node->kind](search, node, within, ret_hits);
	if (r < 0)
		return r;
	answer.spent_ns += pxs_clock_steady_ns();
	answer.from = search->from;
	answer.n_terms = search->n_terms - n_terms;
	answer.found = roaring_bitmap_get_cardinality(*ret_hits);
	search->trace->leaf(search->trace->context, &answer);
	return 0;
}

int
search_evaluate(struct search *search, const struct query_node *node,
		const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits)
{
	return evaluate(search, node, within, ret_hits);
}

/* QUERY as it is in this second and its key: QUERY itself or, where it is relative to now, *OWNED.
 */
static int
resolve(const struct index_view *view, const struct query **query, struct query **owned,
	struct query_key *ret_key)
{
	int r;

	if (query_is_relative(*query)) {
		r = query_resolve(*query, pxs_clock_now_ns(), owned);
		if (r < 0)
			return r;
		*query = *owned;
	}
	r = query_key(*query, ret_key);
	ret_key->high ^= view->viewer; /* viewers' hits are kept beside each other */
	return r;
}

static int
find(struct index_view *view, const struct query *query, const struct query_key *key,
     const struct index_budget *budget, const struct index_trace *trace,
     struct index_hits **ret_hits, struct pxs_error *err)
{
	struct search search = { .view = view, .budget = budget, .err = err, .trace = trace };
	roaring_bitmap_t *docs;
	int r = evaluate(&search, query->root, view->live, &docs);

	return r < 0 ? r : hits_new(view, query, key, docs, budget, ret_hits);
}

int
index_search(struct index_view *view, const struct query *query, const struct index_budget *budget,
	     struct index_hits **ret_hits, struct pxs_error *err)
{
	struct hits_cache *cache = index_hits_cache(view->index);
	int64_t started_ns = pxs_clock_steady_ns();
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(query) struct query *owned = NULL;
	struct hits_turn turn;
	struct query_key key;
	int r;

	r = resolve(view, &query, &owned, &key);
	if (r < 0)
		return r;
	r = hits_cache_begin(cache, view, &key, budget, &turn, &hits);
	if (r == 0 && !hits) {
		r = find(view, query, &key, budget, NULL, &hits, err);
		hits_cache_end(cache, &turn, hits);
	}
	if (r < 0)
		return budget_explain(budget, started_ns, r, err);
	*ret_hits = STEAL(hits);
	return 0;
}

int
index_explain(struct index_view *view, const struct query *query, const struct index_budget *budget,
	      const struct index_trace *trace, struct index_hits **ret_hits, struct pxs_error *err)
{
	int64_t started_ns = pxs_clock_steady_ns();
	CLEANUP(query) struct query *owned = NULL;
	struct query_key key;
	int r = resolve(view, &query, &owned, &key);

	if (r == 0)
		r = find(view, query, &key, budget, trace, ret_hits, err);
	return budget_explain(budget, started_ns, r, err);
}

struct index_hits *
index_search_cached(struct index_view *view, const struct query *query)
{
	CLEANUP(query) struct query *owned = NULL;
	struct query_key key;

	return resolve(view, &query, &owned, &key) < 0
		       ? NULL
		       : hits_cache_find(index_hits_cache(view->index), view, &key);
}
