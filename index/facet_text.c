#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "index/column.h"
#include "index/facet.h"
#include "index/number_order.h"
#include "index/ranks.h"
#include "index/text_order.h"

/* Strings in order, TOTAL of them with repetitions: counted ones that are sorted where someone
 * looks, or ranks. */
struct texts {
	const struct dict *dict;
	struct text_order *order; /* or NULL, and these two */
	struct number_order *numbers;
	const struct ranks *ranks;
	uint64_t total;
};

static void
tie_of_texts(void *context, uint64_t rank, uint64_t *ret_less, uint64_t *ret_not_greater)
{
	const struct texts *texts = context;
	int64_t number;
	size_t at;

	if (texts->order) {
		at = text_order_find(texts->order, rank);
		*ret_less = text_order_before(texts->order, at);
		*ret_not_greater = text_order_before(texts->order, at + 1);
		return;
	}
	number = number_order_at(texts->numbers, rank);
	*ret_less = number_order_less(texts->numbers, number);
	*ret_not_greater = number_order_not_greater(texts->numbers, number);
}

static const char *
text_at(const struct texts *texts, uint64_t rank)
{
	uint32_t code;

	if (texts->order)
		code = text_order_code(texts->order, text_order_find(texts->order, rank));
	else
		code = ranks_code(texts->ranks, number_order_at(texts->numbers, rank));
	return dict_text(texts->dict, code);
}

static size_t
shared_bytes(const char *a, const char *b)
{
	size_t shared = 0;

	while (a[shared] && a[shared] == b[shared])
		shared++;
	return shared;
}

/* The first rank from LOW to HIGH whose byte AT is BYTE or greater; HIGH if there is none before.
 * All strings in between share the bytes before AT. */
static uint64_t
first_with(const struct texts *texts, uint64_t low, uint64_t high, size_t at, unsigned int byte)
{
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if ((unsigned char)text_at(texts, mid)[at] < byte)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A cut near CUT, but after LAST, that leaves the shortest bound, as numbers are rounded where that
 * moves few: the strings around it share some bytes, and it goes to where the next byte changes.
 * The mount can show no longer names than 255 bytes, and nobody likes to read them. */
static uint64_t
round_cut(const struct texts *texts, uint64_t last, uint64_t cut)
{
	uint64_t far = texts->total * ROUND_FAR_PERCENT / 100 / FACET_BUCKETS;
	uint64_t low = cut > last + far ? cut - far : last + 1;
	uint64_t high = MIN(cut + far, texts->total - 1), before, after;
	const char *first = text_at(texts, low - 1), *here = text_at(texts, cut);
	size_t shared = shared_bytes(first, text_at(texts, high));
	unsigned int byte = (unsigned char)here[shared];

	before = first_with(texts, low - 1, cut, shared, byte);
	after = first_with(texts, cut, high, shared, byte + 1);
	if ((unsigned char)first[shared] == byte)
		return after;
	if ((unsigned char)text_at(texts, after)[shared] == byte)
		return before;
	return after - cut < cut - before ? after : before;
}

/* The shortest start of AFTER, whole characters, that is greater than BEFORE; BEFORE < AFTER. */
static char *
separator(struct pxs_arena *arena, const char *before, const char *after)
{
	size_t shared = shared_bytes(before, after), end = 0, len = strlen(after), step;

	while (end <= shared) {
		step = pxs_utf8_char(after + end, len - end);
		end += step ? step : 1;
	}
	return pxs_arena_strndup(arena, after, end);
}

static void
set_bound(struct query_bound *bound, const char *text, bool inclusive)
{
	bound->set = true;
	bound->inclusive = inclusive;
	bound->value.type = QUERY_TYPE_STRING;
	bound->value.string = text;
}

/* The first bucket has no lower bound and the last no upper one: text has no round limits. */
static int
fill_buckets(struct pxs_arena *arena, struct texts *texts, struct index_facet *facet)
{
	uint64_t cuts[FACET_BUCKETS - 1], last = 0;
	size_t n = facet_cut(texts->total, tie_of_texts, texts, cuts);
	struct index_bucket *bucket;
	char *text;

	/* One more, for "(none)". */
	facet->buckets = pxs_arena_alloc(arena, (FACET_BUCKETS + 1) * sizeof(*facet->buckets));
	if (!facet->buckets)
		return -ENOMEM;
	facet->other = 0;
	bucket = facet->buckets;
	for (size_t i = 0; i < n; i++) {
		uint64_t cut = cuts[i] > last ? round_cut(texts, last, cuts[i]) : last;

		/* The one before may have gone where this one would be. */
		if (cut == last)
			continue;
		text = separator(arena, text_at(texts, cut - 1), text_at(texts, cut));
		if (!text)
			return -ENOMEM;
		bucket->count = cut - last;
		set_bound(&bucket->condition.high, text, false);
		bucket++;
		set_bound(&bucket->condition.low, text, true);
		last = cut;
	}
	bucket->count = texts->total - last;
	facet->n_buckets = (size_t)(bucket - facet->buckets) + 1;
	for (size_t i = 0; i < facet->n_buckets; i++) {
		facet->buckets[i].kind = INDEX_BUCKET_RANGE;
		facet->buckets[i].condition.kind = QUERY_RANGE;
		facet->buckets[i].condition.property = facet->property;
	}
	return 0;
}

int
facet_by_text(struct pxs_arena *arena, const struct column *column,
	      const struct histogram *histogram, struct index_facet *facet)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	struct texts texts = { .dict = column_dict(column), .total = histogram->mass };
	int r;

	r = text_order_new(texts.dict, histogram->n, &order);
	if (r < 0)
		return r;
	for (size_t i = 0; i < histogram->n; i++)
		text_order_add(order, (uint32_t)histogram->values[i].value,
			       (uint32_t)histogram->values[i].count);
	texts.order = order;
	return fill_buckets(arena, &texts, facet);
}

int
facet_by_ranks(struct pxs_arena *arena, const struct column *column, const struct ranks *ranks,
	       struct number_order *order, struct index_facet *facet)
{
	struct texts texts = {
		.dict = column_dict(column),
		.numbers = order,
		.ranks = ranks,
		.total = number_order_count(order),
	};

	return fill_buckets(arena, &texts, facet);
}
