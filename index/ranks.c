/* Sorting all strings takes long, so it is done once, best when they were written down. Of those
 * that are new since, each has its place among the old ones found by a few comparisons, and gets a
 * rank between: a commit adds few strings, and what was made for a million others stays as it is.
 * When there are many of them they are merged into a new base, in one pass over numbers. */
#include "index/ranks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/budget.h"
#include "index/dict.h"
#include "index/text_order.h"

/* Beyond this part of new strings, sorting everything again is the quicker way. */
#define MERGE_PART 8

/* So many are kept beside the base. */
#define LATE_MAX 4096

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

static void
base_put(struct ranks_base *base)
{
	if (!base || atomic_fetch_sub(&base->references, 1) != 1)
		return;
	free(base->ranks);
	free(base->codes);
	free(base);
}
DEFINE_CLEANUP(base, struct ranks_base *, base_put)

void
ranks_put(struct ranks *ranks)
{
	if (!ranks || atomic_fetch_sub(&ranks->references, 1) != 1)
		return;
	base_put(ranks->base);
	free(ranks->late_ranks);
	free(ranks->late_codes);
	free(ranks);
}

/* --- The base --- */

static int
alloc_base(uint32_t n, struct ranks_base **ret_base)
{
	CLEANUP(base) struct ranks_base *base = calloc(1, sizeof(*base));

	if (!base)
		return -ENOMEM;
	atomic_init(&base->references, 1);
	base->n = n;
	base->ranks = calloc((size_t)n + 1, sizeof(*base->ranks));
	base->codes = calloc((size_t)n + 1, sizeof(*base->codes));
	if (!base->ranks || !base->codes)
		return -ENOMEM;
	*ret_base = STEAL(base);
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
	 struct ranks_base *base)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	int r = sort_codes(dict, 1, n, budget, &order);

	for (uint32_t rank = 1; r == 0 && rank <= n; rank++)
		base->codes[rank] = text_order_code(order, rank - 1);
	return r;
}

/* How many of N texts in order, those of CODES, are less than TEXT; with EQUAL, not greater. */
static uint32_t
count_less(const struct dict *dict, const uint32_t *codes, uint32_t n, const char *text, bool equal)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = strcmp(dict_text(dict, codes[mid]), text);

		if (equal ? order <= 0 : order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Those that OLD has not, each before the first old one that is greater. */
static int
merge(const struct dict *dict, const struct ranks_base *old, const struct index_budget *budget,
      struct ranks_base *base)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	uint32_t taken = 0, rank = 1;
	int r = sort_codes(dict, old->n + 1, base->n, budget, &order);

	if (r < 0)
		return r;
	for (size_t i = 0; i < text_order_count(order); i++) {
		uint32_t code = text_order_code(order, i);
		uint32_t before = count_less(dict, old->codes + 1, old->n, dict_text(dict, code),
					     false);

		while (taken < before)
			base->codes[rank++] = old->codes[++taken];
		base->codes[rank++] = code;
	}
	while (taken < old->n)
		base->codes[rank++] = old->codes[++taken];
	return 0;
}

/* Those of ORDER; no more of them than a merge needs. */
static int
take_order(const struct dict_order *order, struct ranks_base **ret_base)
{
	int r = alloc_base(order->n, ret_base);

	if (r == 0 && order->n)
		memcpy((*ret_base)->codes + 1, order->codes, order->n * sizeof(*order->codes));
	return r;
}

static int
make_base(const struct dict *dict, const struct ranks_base *old, uint32_t n,
	  const struct index_budget *budget, struct ranks_base **ret_base)
{
	CLEANUP(base) struct ranks_base *base = NULL;
	CLEANUP(base) struct ranks_base *written = NULL;
	struct dict_order order;
	int r = alloc_base(n, &base);

	/* Codes may have come, and been written down, since N was read. */
	dict_order(dict, &order);
	if (r == 0 && order.n > (old ? old->n : 0) && order.n <= n) {
		r = take_order(&order, &written);
		old = written;
	}
	if (r == 0 && n > 0)
		r = old && n - old->n < old->n / MERGE_PART ? merge(dict, old, budget, base)
							    : rank_all(dict, n, budget, base);
	if (r < 0)
		return r;
	for (uint32_t rank = 1; rank <= n; rank++)
		base->ranks[base->codes[rank]] = rank;
	*ret_base = STEAL(base);
	return 0;
}

/* --- The late ones --- */

/* The order of OLD's and those above, up to N. */
static int
order_late(const struct dict *dict, const struct ranks *old, uint32_t n,
	   const struct index_budget *budget, uint32_t *codes)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	uint32_t n_old = old->n - old->base->n, taken = 0;
	int r = sort_codes(dict, old->n + 1, n, budget, &order);

	for (size_t i = 0; r == 0 && i < text_order_count(order); i++) {
		uint32_t code = text_order_code(order, i);
		uint32_t before = count_less(dict, old->late_codes, n_old, dict_text(dict, code),
					     false);

		while (taken < before)
			*codes++ = old->late_codes[taken++];
		*codes++ = code;
	}
	while (r == 0 && taken < n_old)
		*codes++ = old->late_codes[taken++];
	return r;
}

/* A late string's rank is that of the last of the base before it, with its place among all late
 * ones in the bits that are left. */
static void
rank_late(const struct dict *dict, const struct ranks *old, struct ranks *ranks)
{
	uint32_t first = ranks->base->n + 1, n = ranks->n - ranks->base->n;

	for (uint32_t place = 1; place <= n; place++) {
		uint32_t code = ranks->late_codes[place - 1];
		uint32_t less;

		if (old->late_ranks && code <= old->n)
			less = (uint32_t)(old->late_ranks[code - first] >> old->shift);
		else
			less = count_less(dict, ranks->base->codes + 1, ranks->base->n,
					  dict_text(dict, code), false);
		ranks->late_ranks[code - first] = ((int64_t)less << ranks->shift) + place;
	}
}

/* OLD's base and all that came later. */
static int
add_late(const struct dict *dict, const struct ranks *old, uint32_t n,
	 const struct index_budget *budget, struct ranks **ret_ranks)
{
	CLEANUP(ranks) struct ranks *ranks = calloc(1, sizeof(*ranks));
	uint32_t n_late = n - old->base->n;
	int r;

	if (!ranks)
		return -ENOMEM;
	atomic_init(&ranks->references, 1);
	atomic_fetch_add(&old->base->references, 1);
	ranks->base = old->base;
	ranks->n = n;
	if (n_late > 0) {
		ranks->shift = 32 - (unsigned int)__builtin_clz(n_late);
		ranks->late_ranks = malloc(n_late * sizeof(*ranks->late_ranks));
		ranks->late_codes = calloc(n_late, sizeof(*ranks->late_codes));
		if (!ranks->late_ranks || !ranks->late_codes)
			return -ENOMEM;
		r = order_late(dict, old, n, budget, ranks->late_codes);
		if (r < 0)
			return r;
		rank_late(dict, old, ranks);
	}
	*ret_ranks = STEAL(ranks);
	return 0;
}

/* --- Both --- */

static int
make(const struct dict *dict, const struct ranks *old, uint32_t n,
     const struct index_budget *budget, struct ranks **ret_ranks)
{
	CLEANUP(base) struct ranks_base *base = NULL;
	struct ranks begin = { 0 };
	int r;

	if (old && n - old->base->n <= LATE_MAX)
		return add_late(dict, old, n, budget, ret_ranks);
	r = make_base(dict, old ? old->base : NULL, n, budget, &base);
	if (r < 0)
		return r;
	begin.base = base;
	begin.n = n;
	return add_late(dict, &begin, n, budget, ret_ranks);
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

int64_t
ranks_less(const struct ranks *ranks, const struct dict *dict, const char *text)
{
	return ranks_limit(ranks, dict, text, false);
}

int64_t
ranks_limit(const struct ranks *ranks, const struct dict *dict, const char *text, bool equal)
{
	const struct ranks_base *base = ranks->base;
	uint32_t less = count_less(dict, base->codes + 1, base->n, text, equal);
	uint32_t late = count_less(dict, ranks->late_codes, ranks->n - base->n, text, equal);
	int64_t rank = (int64_t)less << ranks->shift;

	return late ? MAX(rank, ranks_of(ranks, ranks->late_codes[late - 1])) : rank;
}
