/* Strings are sorted by eight bytes at a time, held as one number beside each code. Those that
 * share these bytes form a group; a group is sorted by its next eight bytes when someone asks for a
 * rank in it. Facets ask for a handful of ranks among tens of thousands of paths, so most groups
 * are never touched again; and no string is ever compared with another byte by byte.
 *
 *     depth[]   8  .  .  0  16  .      a group starts where it is not INSIDE; the number says how
 *     items[]   a  b  c  d  e   f      many leading bytes its members are known to share */
#include "index/text_order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/budget.h"
#include "index/dict.h"
#include "index/radix.h"

#define INSIDE SIZE_MAX
#define KEY_BYTES sizeof(uint64_t)

/* So many texts before one is read, it is asked where it is. */
#define AHEAD 16

/* So many texts are sorted between two looks at the budget. */
#define TEXTS_AT_ONCE 4096

struct text_order {
	const struct dict *dict;
	struct radix_item *items; /* value: the code */
	struct radix_item *scratch;
	uint64_t *before; /* weight before each place; n + 1 of them */
	size_t *depth;
	size_t n;
};

int
text_order_new(const struct dict *dict, size_t n, struct text_order **ret_order)
{
	CLEANUP(text_order) struct text_order *order = calloc(1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	order->dict = dict;
	order->items = malloc((n + 1) * sizeof(*order->items));
	order->scratch = malloc((n + 1) * sizeof(*order->scratch));
	order->before = malloc((n + 1) * sizeof(*order->before));
	order->depth = malloc((n + 1) * sizeof(*order->depth));
	if (!order->items || !order->scratch || !order->before || !order->depth)
		return -ENOMEM;
	order->before[0] = 0;
	*ret_order = STEAL(order);
	return 0;
}

void
text_order_free(struct text_order *order)
{
	if (!order)
		return;
	free(order->items);
	free(order->scratch);
	free(order->before);
	free(order->depth);
	free(order);
}

size_t
text_order_count(const struct text_order *order)
{
	return order->n;
}

void
text_order_add(struct text_order *order, uint32_t code, uint32_t weight)
{
	size_t at = order->n++;

	order->items[at] = (struct radix_item){ .value = code, .weight = weight };
	order->before[at + 1] = order->before[at] + weight;
	order->depth[at] = at == 0 ? 0 : INSIDE;
}

/* The strings of a group from DEPTH on, as the keys of its items for now. All are asked for before
 * any is read, and before that, where they are: each lies somewhere else in memory. */
static void
fetch(struct text_order *order, size_t begin, size_t end, size_t depth)
{
	for (size_t i = begin; i < MIN(end, begin + AHEAD); i++)
		dict_prefetch(order->dict, order->items[i].value);
	for (size_t i = begin; i < end; i++) {
		const char *text = dict_text(order->dict, order->items[i].value) + depth;

		if (end - i > AHEAD)
			dict_prefetch(order->dict, order->items[i + AHEAD].value);
		__builtin_prefetch(text);
		order->items[i].key = (uintptr_t)text;
	}
}

static const char *
fetched(const struct radix_item *item)
{
	return (const char *)(uintptr_t)item->key; /* NOLINT(performance-no-int-to-ptr) */
}

/* How many bytes all strings of a group share. */
static size_t
shared_bytes(const struct radix_item *items, size_t begin, size_t end)
{
	const char *first = fetched(&items[begin]);
	size_t shared = strlen(first);

	for (size_t i = begin + 1; i < end; i++) {
		const char *text = fetched(&items[i]);
		size_t same = 0;

		while (same < shared && text[same] == first[same])
			same++;
		shared = same;
	}
	return shared;
}

/* The next bytes as a number that orders like them; past the end they count as 0, which no string
 * holds, so only one string of a group can end within the key. */
static uint64_t
key_of(const char *text)
{
	uint64_t key = 0;

	for (size_t i = 0; i < KEY_BYTES && text[i]; i++)
		key |= (uint64_t)(unsigned char)text[i] << (8 * (KEY_BYTES - 1 - i));
	return key;
}

/* Sort one group by the first bytes in which it differs and cut it into smaller groups. Where
 * BUDGET ends it, the group is still one. */
static int
refine(struct text_order *order, size_t begin, size_t end, const struct index_budget *budget)
{
	struct radix_item *items = order->items;
	size_t depth = order->depth[begin], shared;
	int r = 0;

	fetch(order, begin, end, depth);
	shared = shared_bytes(items, begin, end);
	depth += shared;
	for (size_t i = begin; i < end && r == 0; i++) {
		items[i].key = key_of(fetched(&items[i]) + shared);
		if (i % TEXTS_AT_ONCE == 0)
			r = budget_check(budget);
	}
	if (r < 0)
		return r;
	r = radix_sort(items + begin, order->scratch, end - begin, budget);
	if (r < 0)
		return r;

	for (size_t i = begin; i < end; i++) {
		bool starts = i == begin || items[i].key != items[i - 1].key;

		order->depth[i] = starts ? depth + KEY_BYTES : INSIDE;
		order->before[i + 1] = order->before[i] + items[i].weight;
	}
	return 0;
}

static size_t
group_end(const struct text_order *order, size_t begin)
{
	size_t end = begin + 1;

	while (end < order->n && order->depth[end] == INSIDE)
		end++;
	return end;
}

/* The place in whose weights RANK falls, as things are sorted now. */
static size_t
place_of(const struct text_order *order, uint64_t rank)
{
	size_t low = 0, high = order->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (order->before[mid] <= rank)
			low = mid;
		else
			high = mid;
	}
	return low;
}

size_t
text_order_find(struct text_order *order, uint64_t rank)
{
	for (;;) {
		size_t at = place_of(order, rank);
		size_t begin = at, end;

		while (order->depth[begin] == INSIDE)
			begin--;
		end = group_end(order, begin);
		if (end - begin == 1)
			return at;
		(void)refine(order, begin, end, NULL);
	}
}

uint64_t
text_order_before(const struct text_order *order, size_t at)
{
	return order->before[at];
}

int
text_order_sort(struct text_order *order, const struct index_budget *budget)
{
	size_t sorted = 0;
	int r = 0;

	for (size_t begin = 0; r == 0 && begin < order->n;) {
		size_t end = group_end(order, begin);

		if (end - begin == 1) {
			begin = end;
			continue;
		}
		r = refine(order, begin, end, budget);
		sorted += end - begin;
		if (r == 0 && sorted >= TEXTS_AT_ONCE) {
			r = budget_check(budget);
			sorted = 0;
		}
	}
	return r;
}

uint32_t
text_order_code(const struct text_order *order, size_t at)
{
	return order->items[at].value;
}
