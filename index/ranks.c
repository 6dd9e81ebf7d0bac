/* Sorting all strings takes long, so it is done once, best when they were written down; those that
 * are new since are sorted among themselves and merged in, which costs a few comparisons for each
 * and one pass over numbers. */
#include "index/ranks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index/budget.h"
#include "index/dict.h"
#include "index/text_order.h"

/* Beyond this part of new strings, sorting everything again is the quicker way. */
#define MERGE_PART 8

void
ranks_slot_init(struct ranks_slot *slot)
{
	(void)pthread_mutex_init(&slot->lock, NULL);
	slot->ranks = NULL;
}

void
ranks_slot_done(struct ranks_slot *slot)
{
	ranks_put(slot->ranks);
	(void)pthread_mutex_destroy(&slot->lock);
}

void
ranks_put(struct ranks *ranks)
{
	if (!ranks || atomic_fetch_sub(&ranks->references, 1) != 1)
		return;
	free(ranks->ranks);
	free(ranks->codes);
	free(ranks);
}

static int
alloc(uint32_t n, struct ranks **ret_ranks)
{
	CLEANUP(ranks) struct ranks *ranks = calloc(1, sizeof(*ranks));

	if (!ranks)
		return -ENOMEM;
	atomic_init(&ranks->references, 1);
	ranks->n = n;
	ranks->ranks = calloc((size_t)n + 1, sizeof(*ranks->ranks));
	ranks->codes = calloc((size_t)n + 1, sizeof(*ranks->codes));
	if (!ranks->ranks || !ranks->codes)
		return -ENOMEM;
	*ret_ranks = STEAL(ranks);
	return 0;
}

/* Codes FIRST .. LAST in order. */
static int
sort_codes(const struct dict *dict, uint32_t first, uint32_t last,
	   const struct index_budget *budget, struct text_order **ret_order)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	int r = text_order_new(dict, (size_t)last - first + 1, &order);

	if (r < 0)
		return r;
	for (uint32_t code = first; code <= last; code++)
		text_order_add(order, code, 1);
	r = text_order_sort(order, budget);
	if (r == 0)
		*ret_order = STEAL(order);
	return r;
}

static int
rank_all(const struct dict *dict, uint32_t n, const struct index_budget *budget,
	 struct ranks *ranks)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	int r = sort_codes(dict, 1, n, budget, &order);

	for (uint32_t rank = 1; r == 0 && rank <= n; rank++)
		ranks->codes[rank] = text_order_code(order, rank - 1);
	return r;
}

/* Those that OLD has not, each before the first old one that is greater. */
static int
merge(const struct dict *dict, const struct ranks *old, const struct index_budget *budget,
      struct ranks *ranks)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	uint32_t taken = 0, rank = 1;
	int r = sort_codes(dict, old->n + 1, ranks->n, budget, &order);

	if (r < 0)
		return r;
	for (size_t i = 0; i < text_order_count(order); i++) {
		uint32_t code = text_order_code(order, i);
		uint32_t before = ranks_less(old, dict, dict_text(dict, code));

		while (taken < before)
			ranks->codes[rank++] = old->codes[++taken];
		ranks->codes[rank++] = code;
	}
	while (taken < old->n)
		ranks->codes[rank++] = old->codes[++taken];
	return 0;
}

/* Those of ORDER; no more of them than a merge needs. */
static int
take_order(const struct dict_order *order, struct ranks **ret_ranks)
{
	int r = alloc(order->n, ret_ranks);

	if (r == 0 && order->n)
		memcpy((*ret_ranks)->codes + 1, order->codes, order->n * sizeof(*order->codes));
	return r;
}

static int
make(const struct dict *dict, const struct ranks *old, uint32_t n,
     const struct index_budget *budget, struct ranks **ret_ranks)
{
	CLEANUP(ranks) struct ranks *ranks = NULL;
	CLEANUP(ranks) struct ranks *written = NULL;
	struct dict_order order;
	int r = alloc(n, &ranks);

	/* Codes may have come, and been written down, since N was read. */
	dict_order(dict, &order);
	if (r == 0 && order.n > (old ? old->n : 0) && order.n <= n) {
		r = take_order(&order, &written);
		old = written;
	}
	if (r == 0 && n > 0)
		r = old && n - old->n < old->n / MERGE_PART ? merge(dict, old, budget, ranks)
							    : rank_all(dict, n, budget, ranks);
	if (r < 0)
		return r;
	for (uint32_t rank = 1; rank <= n; rank++)
		ranks->ranks[ranks->codes[rank]] = rank;
	*ret_ranks = STEAL(ranks);
	return 0;
}

int
ranks_get(struct ranks_slot *slot, const struct dict *dict, const struct index_budget *budget,
	  struct ranks **ret_ranks)
{
	uint32_t n = dict_count(dict);
	struct ranks *made = NULL;
	int r = budget_lock(budget, &slot->lock);

	if (r < 0)
		return r;
	if (!slot->ranks || slot->ranks->n < n) {
		r = make(dict, slot->ranks, n, budget, &made);
		if (r == 0) {
			ranks_put(slot->ranks);
			slot->ranks = made;
		}
	}
	if (r == 0) {
		atomic_fetch_add(&slot->ranks->references, 1);
		*ret_ranks = slot->ranks;
	}
	(void)pthread_mutex_unlock(&slot->lock);
	return r;
}

bool
ranks_are_made(struct ranks_slot *slot)
{
	bool made;

	(void)pthread_mutex_lock(&slot->lock);
	made = slot->ranks != NULL;
	(void)pthread_mutex_unlock(&slot->lock);
	return made;
}

uint32_t
ranks_less(const struct ranks *ranks, const struct dict *dict, const char *text)
{
	return ranks_limit(ranks, dict, text, false);
}

uint32_t
ranks_limit(const struct ranks *ranks, const struct dict *dict, const char *text, bool equal)
{
	uint32_t low = 1, high = ranks->n + 1;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = strcmp(dict_text(dict, ranks->codes[mid]), text);

		if (equal ? order <= 0 : order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low - 1;
}
