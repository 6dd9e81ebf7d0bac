/* A few out of many are picked by a heap (sort_first.c). All of them are sorted by their first key;
 * then those that share it by the second, and so on down to their ids. */
#include "index/sort.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/derived.h"
#include "index/radix.h"
#include "index/ranks.h"
#include "index/view.h"

/* A heap is quicker while it holds less than this part of everything. */
#define FIRST_PART 64

/* Documents that are looked at for one page by row. */
#define SCANNED_MAX (1u << 16)

/* Documents whose keys are read together. */
#define BLOCK 1024

void
sorter_init(struct sorter *sorter, const struct index_view *view, const struct query *query)
{
	*sorter = (struct sorter){ .view = view };
	for (size_t i = 0; i < query->n_sorts; i++) {
		const struct query_property *property = query->sorts[i].property;
		const struct column *column = property ? view_column(view, property) : NULL;

		/* A property without a column is missing everywhere. */
		if (column || !property)
			sorter->keys[sorter->n++] = (struct sort_key){
				.column = column,
				.descending = query->sorts[i].descending,
			};
	}
}

void
sorter_init_relevance(struct sorter *sorter, const struct index_view *view)
{
	*sorter = (struct sorter){ .view = view, .keys[0].descending = true, .n = 1 };
}

bool
sorter_wants_scores(const struct sorter *sorter)
{
	for (size_t i = 0; i < sorter->n; i++)
		if (!sorter->keys[i].column)
			return true;
	return false;
}

bool
sorter_is_relevance(const struct sorter *sorter)
{
	return sorter->n == 1 && !sorter->keys[0].column && sorter->keys[0].descending;
}

void
sorter_set_scores(struct sorter *sorter, const struct scores *scores)
{
	for (size_t i = 0; i < sorter->n; i++)
		if (!sorter->keys[i].column)
			sorter->keys[i].scores = scores;
}

const struct query_property *
sort_key_property(const struct sort_key *key)
{
	static const struct query_property SCORE = { .name = "_score", .type = QUERY_TYPE_DOUBLE };

	return key->column ? column_property(key->column) : &SCORE;
}

const struct dict *
sort_key_dict(const struct sort_key *key)
{
	return key->column ? column_dict(key->column) : NULL;
}

void
sorter_done(struct sorter *sorter)
{
	for (size_t i = 0; i < sorter->n; i++)
		ranks_put(sorter->keys[i].ranks);
}

bool
sorter_is_natural(const struct sorter *sorter)
{
	return sorter->n == 0 && view_rows_ascend_to(sorter->view) == sorter->view->max_doc;
}

bool
sorter_is_quick(const struct sorter *sorter)
{
	const struct index_view *view = sorter->view;

	return sorter->n == 0 && view->max_doc - view_rows_ascend_to(view) <= SCANNED_MAX;
}

int
sorter_prepare(struct sorter *sorter, const struct index_budget *budget)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sorter->n; i++) {
		struct sort_key *key = &sorter->keys[i];

		if (sort_key_dict(key) && !key->ranks)
			r = ranks_get(&column_derived(key->column)->ranks, sort_key_dict(key),
				      budget, &key->ranks);
	}
	return r;
}

int
sorter_compare(const struct sorter *sorter, const struct sort_place *a, const struct sort_place *b)
{
	for (size_t level = 0; level <= sorter->n; level++)
		if (a->levels[level] != b->levels[level])
			return a->levels[level] < b->levels[level] ? -1 : 1;
	return 0;
}

/* --- All --- */

struct all {
	const struct sorter *sorter;
	const struct index_budget *budget;
	struct radix_item *items; /* value: the document */
	struct radix_item *scratch;
	size_t n;
};

static void
all_cleanup(struct all *all)
{
	free(all->items);
	free(all->scratch);
}

static bool
append(uint32_t doc, void *context)
{
	struct all *all = context;

	all->items[all->n++].value = doc;
	return true;
}

/* The keys on LEVEL of N items. */
static int
set_keys(const struct sorter *sorter, size_t level, struct radix_item *items, size_t n,
	 const struct index_budget *budget)
{
	uint32_t docs[BLOCK];
	uint64_t keys[BLOCK];
	int r = 0;

	for (size_t begin = 0; r == 0 && begin < n; begin += BLOCK) {
		size_t some = MIN(n - begin, (size_t)BLOCK);

		for (size_t i = 0; i < some; i++)
			docs[i] = items[begin + i].value;
		sorter_level(sorter, level, docs, some, keys);
		for (size_t i = 0; i < some; i++)
			items[begin + i].key = keys[i];
		if (n > BLOCK)
			r = budget_check(budget);
	}
	return r;
}

/* Those with equal keys, from BEGIN on. */
static size_t
group_end(const struct all *all, size_t begin, size_t end)
{
	uint64_t key = all->items[begin].key;

	while (++begin < end && all->items[begin].key == key)
		;
	return begin;
}

/* The items from BEGIN to END, which are equal on all levels before LEVEL and stand by document.
 * Sorting keeps that order, so documents ascend wherever keys are read. */
static int
sort_group(struct all *all, size_t level, size_t begin, size_t end)
{
	int r = set_keys(all->sorter, level, all->items + begin, end - begin, all->budget);

	if (r == 0)
		r = radix_sort(all->items + begin, all->scratch, end - begin, all->budget);
	for (size_t at = begin, next; r == 0 && level < all->sorter->n && at < end; at = next) {
		next = group_end(all, at, end);
		if (next - at > 1)
			r = sort_group(all, level + 1, at, next);
	}
	return r;
}

static int
order_all(const struct sorter *sorter, const roaring_bitmap_t *bitmap, size_t total,
	  const struct index_budget *budget, uint32_t *docs, size_t n)
{
	CLEANUP(all) struct all all = { .sorter = sorter, .budget = budget };
	int r = 0;

	all.items = malloc((total + 1) * sizeof(*all.items));
	all.scratch = malloc((total + 1) * sizeof(*all.scratch));
	if (!all.items || !all.scratch)
		return -ENOMEM;
	(void)roaring_iterate(bitmap, append, &all);
	/* Rows may be in order already. */
	if (total > 0 && !sorter_is_natural(sorter))
		r = sort_group(&all, 0, 0, total);
	for (size_t i = 0; i < n; i++)
		docs[i] = all.items[i].value;
	return r;
}

int
sorter_order(const struct sorter *sorter, const roaring_bitmap_t *bitmap, uint64_t n,
	     const struct index_budget *budget, uint32_t **ret_docs)
{
	size_t total = roaring_bitmap_get_cardinality(bitmap), wanted = MIN(n, (uint64_t)total),
	       got;
	CLEANUP(free) uint32_t *docs = malloc((wanted + 1) * sizeof(*docs));
	int r;

	if (!docs)
		return -ENOMEM;
	if (wanted < total / FIRST_PART)
		r = sorter_first(sorter, bitmap, NULL, wanted, budget, docs, &got);
	else
		r = order_all(sorter, bitmap, total, budget, docs, wanted);
	if (r < 0)
		return r;
	*ret_docs = STEAL(docs);
	return 0;
}
