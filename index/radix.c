/* Least significant digit first, 8 bits a digit. Digits that all keys share are skipped, so small
 * numbers in 64-bit keys cost what they would in small keys. */
#include "index/radix.h"

#include <string.h>

#include "index/budget.h"

#define DIGIT_BITS 8
#define DIGIT_VALUES (1u << DIGIT_BITS)
#define DIGITS (64 / DIGIT_BITS)

/* Up to this many, counting digits costs more than it saves. */
#define INSERTION_MAX 24

/* Up to this many, keys are sorted by the first bits in which they differ, two digits, and what is
 * then nearly in order by insertion. */
#define FEW_MAX 128

/* Of more, each pass may take so long that the budget is asked before it. */
#define UNASKED_MAX 4096

static void
insertion_sort(struct radix_item *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct radix_item item = items[i];
		size_t j = i;

		for (; j > 0 && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static unsigned int
digit_of(uint64_t key, unsigned int digit)
{
	return (key >> (digit * DIGIT_BITS)) & (DIGIT_VALUES - 1);
}

/* The bits in which the keys are not all the same. */
static uint64_t
differing_bits(const struct radix_item *items, size_t n)
{
	uint64_t bits = 0;

	for (size_t i = 1; i < n; i++)
		bits |= items[i].key ^ items[0].key;
	return bits;
}

/* One stable pass by the digit above SHIFT. */
static void
scatter(const struct radix_item *from, struct radix_item *to, size_t n, unsigned int shift)
{
	size_t places[DIGIT_VALUES + 1] = { 0 };

	for (size_t i = 0; i < n; i++)
		places[(from[i].key >> shift & (DIGIT_VALUES - 1)) + 1]++;
	for (size_t value = 0; value < DIGIT_VALUES; value++)
		places[value + 1] += places[value];
	for (size_t i = 0; i < n; i++)
		to[places[from[i].key >> shift & (DIGIT_VALUES - 1)]++] = from[i];
}

/* The lowest bit of the first N digits, counted from the highest of the bits that differ. */
static unsigned int
first_digits(uint64_t differing, unsigned int n)
{
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(differing);

	return bits > n * DIGIT_BITS ? bits - n * DIGIT_BITS : 0;
}

static void
sort_few(struct radix_item *items, struct radix_item *scratch, size_t n)
{
	uint64_t differing = differing_bits(items, n);

	if (differing == 0)
		return;
	scatter(items, scratch, n, first_digits(differing, 2));
	scatter(scratch, items, n, first_digits(differing, 1));
	insertion_sort(items, n);
}

int
radix_sort(struct radix_item *items, struct radix_item *scratch, size_t n,
	   const struct index_budget *budget)
{
	struct radix_item *from = items, *to = scratch;
	uint64_t differing;
	int r = 0;

	if (n <= INSERTION_MAX) {
		insertion_sort(items, n);
		return 0;
	}
	if (n <= FEW_MAX) {
		sort_few(items, scratch, n);
		return 0;
	}

	differing = differing_bits(items, n);
	for (unsigned int digit = 0; digit < DIGITS; digit++) {
		struct radix_item *swap = from;

		if (digit_of(differing, digit) == 0)
			continue;
		r = n > UNASKED_MAX ? budget_check(budget) : 0;
		if (r < 0)
			break;
		scatter(from, to, n, digit * DIGIT_BITS);
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, n * sizeof(*items));
	return r;
}

/* --- Keys alone --- */

/* Wider digits: their counters still fit the first cache. */
#define KEY_DIGIT_BITS 11
#define KEY_DIGIT_VALUES (1u << KEY_DIGIT_BITS)

static void
insertion_sort_keys(uint64_t *keys, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint64_t key = keys[i];
		size_t j = i;

		for (; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static uint64_t
differing_key_bits(const uint64_t *keys, size_t n)
{
	uint64_t bits = 0;

	for (size_t i = 1; i < n; i++)
		bits |= keys[i] ^ keys[0];
	return bits;
}

/* One pass by a digit of so many VALUES. */
static inline void
scatter_keys(const uint64_t *from, uint64_t *to, size_t n, unsigned int shift, unsigned int values)
{
	uint32_t places[KEY_DIGIT_VALUES + 1];

	memset(places, 0, (values + 1) * sizeof(*places));
	for (size_t i = 0; i < n; i++)
		places[(from[i] >> shift & (values - 1)) + 1]++;
	for (size_t value = 0; value < values; value++)
		places[value + 1] += places[value];
	for (size_t i = 0; i < n; i++)
		to[places[from[i] >> shift & (values - 1)]++] = from[i];
}

static void
sort_few_keys(uint64_t *keys, uint64_t *scratch, size_t n)
{
	uint64_t differing = differing_key_bits(keys, n);

	if (differing == 0)
		return;
	scatter_keys(keys, scratch, n, first_digits(differing, 2), DIGIT_VALUES);
	scatter_keys(scratch, keys, n, first_digits(differing, 1), DIGIT_VALUES);
	insertion_sort_keys(keys, n);
}

void
radix_sort_keys(uint64_t *keys, uint64_t *scratch, size_t n)
{
	uint64_t *from = keys, *to = scratch, *swap;
	uint64_t differing;

	if (n <= INSERTION_MAX) {
		insertion_sort_keys(keys, n);
		return;
	}
	if (n <= FEW_MAX) {
		sort_few_keys(keys, scratch, n);
		return;
	}

	differing = differing_key_bits(keys, n);
	for (unsigned int shift = 0; shift < 64 && differing >> shift; shift += KEY_DIGIT_BITS) {
		if (((differing >> shift) & (KEY_DIGIT_VALUES - 1)) == 0)
			continue;
		scatter_keys(from, to, n, shift, KEY_DIGIT_VALUES);
		swap = from;
		from = to;
		to = swap;
	}
	if (from != keys)
		memcpy(keys, from, n * sizeof(*keys));
}
