/* A whole segment is compared as it is stored: limits become limits of stored values, and 64 of
 * these at a time are compared by vector instructions into a byte for each, and the bytes packed
 * into a word. */
#include "index/column_test.h"

#include <endian.h>
#include <string.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/doclist.h"

/* Stored values that are compared together. A constant, so that the compiler makes vectors of it.
 */
#define BLOCK 64

/* Values that are read together. */
#define CHUNK 1024

static bool
passes_code(const struct column_test *test, uint32_t code)
{
	return test->code_set ? column_test_has(test, code)
			      : code >= test->low && code <= test->high;
}

static bool
passes_number(const struct column_test *test, int64_t number)
{
	return number >= test->low && number <= test->high;
}

/* What column_slice_number() gives. */
static bool
passes(const struct column_test *test, int64_t number)
{
	if (number == COLUMN_MISSING)
		return false;
	return column_dict(test->column) ? passes_code(test, (uint32_t)number)
					 : passes_number(test, number);
}

/* Whether one element of the list at PLACE passes. */
static bool
passes_list(const struct column_test *test, const struct column_slice *slice, uint32_t place)
{
	const void *values;
	size_t n = column_slice_list(slice, place, &values);
	bool is_text = column_dict(test->column) != NULL;

	while (n > 0 &&
	       !(is_text ? passes_code(test, column_list_code_at(slice, values, n - 1))
			 : passes_number(test, column_list_number_at(slice, values, n - 1))))
		n--;
	return n > 0;
}

/* --- Some documents --- */

static inline uint32_t
doc_at(const struct doclist_slice *docs, size_t i)
{
	return docs->run ? docs->docs[0] + (uint32_t)i : docs->docs[i];
}

static size_t
some_lists(const struct column_test *test, const struct column_slice *slice,
	   const struct doclist_slice *docs, uint32_t *passed)
{
	size_t n = 0;

	for (size_t i = 0; i < docs->n; i++) {
		passed[n] = doc_at(docs, i);
		n += passes_list(test, slice, passed[n] & COLUMN_PLACE_MASK);
	}
	return n;
}

static size_t
some_codes(const struct column_test *test, const struct column_slice *slice,
	   const struct doclist_slice *docs, uint32_t *passed)
{
	uint32_t codes[CHUNK];
	size_t n = 0;

	for (size_t from = 0, some; from < docs->n; from += some) {
		some = MIN(docs->n - from, (size_t)CHUNK);
		column_slice_codes(slice, docs, from, some, codes);
		for (size_t i = 0; i < some; i++) {
			passed[n] = doc_at(docs, from + i);
			n += passes_code(test, codes[i]);
		}
	}
	return n;
}

static size_t
some_numbers(const struct column_test *test, const struct column_slice *slice,
	     const struct doclist_slice *docs, uint32_t *passed)
{
	int64_t numbers[CHUNK];
	size_t n = 0;

	for (size_t from = 0, some; from < docs->n; from += some) {
		some = MIN(docs->n - from, (size_t)CHUNK);
		column_slice_numbers(slice, docs, from, some, numbers);
		for (size_t i = 0; i < some; i++) {
			passed[n] = doc_at(docs, from + i);
			n += passes_number(test, numbers[i]);
		}
	}
	return n;
}

size_t
column_test_some(const struct column_test *test, const struct doclist_slice *docs, uint32_t *passed)
{
	struct column_slice slice;

	column_slice(test->column, docs->segment, &slice);
	if (slice.form == COLUMN_ABSENT)
		return 0;
	if (column_property(test->column)->multi)
		return some_lists(test, &slice, docs, passed);
	return column_dict(test->column) ? some_codes(test, &slice, docs, passed)
					 : some_numbers(test, &slice, docs, passed);
}

/* --- A whole segment --- */

/* The limits as stored values, from 1 on; false: none is within. */
static bool
stored_limits(const struct column_test *test, const struct column_slice *slice, uint64_t *ret_low,
	      uint64_t *ret_high)
{
	__int128 scale = slice->scale, most = slice->width == 4	  ? UINT32_MAX
					      : slice->width == 2 ? UINT16_MAX
								  : UINT8_MAX;
	__int128 low = ((__int128)test->low - slice->base + scale - 1) / scale;
	__int128 high = ((__int128)test->high - slice->base) / scale;

	/* Division rounds to 0, which is as good as any below 1. */
	if (test->high < slice->base || low > most)
		return false;
	*ret_low = (uint64_t)MAX(low, (__int128)1);
	*ret_high = (uint64_t)MIN(high, most);
	return *ret_low <= *ret_high;
}

/* 64 bytes that are 0 or 1 as bits. The factor moves the lowest bits of eight bytes side by side.
 */
static uint64_t
pack(const uint8_t flags[BLOCK])
{
	uint64_t word = 0, eight;

	for (unsigned int i = 0; i < BLOCK; i += sizeof(eight)) {
		memcpy(&eight, flags + i, sizeof(eight));
		word |= (le64toh(eight) * UINT64_C(0x0102040810204080) >> 56) << i;
	}
	return word;
}

#ifdef __clang__
/* With sanitizers clang makes no vectors of these loops, which is slow but right. */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/* A value is within when it is at most as far above LOW as HIGH is, without a sign. The places
 * after the last whole block are done one by one. NOLINTBEGIN(bugprone-macro-parentheses): a type
 * cannot stand in parentheses. */
#define DEFINE_COMPARER(name, type)                                                                \
	static void name(const type *stored, type low, type high, uint32_t n, uint64_t *bits)      \
	{                                                                                          \
		type width = (type)(high - low);                                                   \
		uint8_t flags[BLOCK];                                                              \
                                                                                                   \
		for (; n >= BLOCK; n -= BLOCK, stored += BLOCK) {                                  \
			_Pragma("omp simd") for (uint32_t i = 0; i < BLOCK; i++)                   \
				flags[i] = (type)(stored[i] - low) <= width;                       \
			*bits++ = pack(flags);                                                     \
		}                                                                                  \
		for (uint32_t i = 0; i < n; i++)                                                   \
			*bits |= (uint64_t)((type)(stored[i] - low) <= width) << i;                \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

DEFINE_COMPARER(compare_bytes, uint8_t)
DEFINE_COMPARER(compare_shorts, uint16_t)
DEFINE_COMPARER(compare_words, uint32_t)
DEFINE_COMPARER(compare_numbers, uint64_t)

static void
dense_within(const struct column_test *test, const struct column_slice *slice, uint32_t n,
	     uint64_t *bits)
{
	uint64_t low, high;

	if (slice->width == 8)
		compare_numbers(slice->values, (uint64_t)test->low, (uint64_t)test->high, n, bits);
	else if (!stored_limits(test, slice, &low, &high))
		return;
	else if (slice->width == 1)
		compare_bytes(slice->values, (uint8_t)low, (uint8_t)high, n, bits);
	else if (slice->width == 2)
		compare_shorts(slice->values, (uint16_t)low, (uint16_t)high, n, bits);
	else
		compare_words(slice->values, (uint32_t)low, (uint32_t)high, n, bits);
}

static void
set_bit(uint64_t *bits, uint32_t place, bool passed)
{
	bits[place / 64] |= (uint64_t)passed << (place % 64);
}

static void
constant_within(const struct column_test *test, const struct column_slice *slice, uint32_t n,
		uint64_t *bits)
{
	if (!passes(test, slice->base))
		return;
	memset(bits, UINT8_MAX, n / 64 * sizeof(*bits));
	if (n % 64)
		bits[n / 64] = (UINT64_C(1) << n % 64) - 1;
}

static void
sparse_within(const struct column_test *test, const struct column_slice *slice, uint32_t n,
	      uint64_t *bits)
{
	for (uint32_t i = 0; i < slice->n && slice->places[i] < n; i++)
		set_bit(bits, slice->places[i],
			passes(test, column_list_number_at(slice, slice->values, i)));
}

/* Out of a set, and lists. */
static void
any_within(const struct column_test *test, const struct column_slice *slice, uint32_t segment,
	   uint32_t n, uint64_t *bits)
{
	uint32_t first = segment << COLUMN_SEGMENT_SHIFT, codes[CHUNK];
	struct doclist_slice all = { .segment = segment, .run = true, .docs = &first, .n = n };
	bool multi = column_property(test->column)->multi;

	for (uint32_t place = 0; multi && place < n; place++)
		set_bit(bits, place, passes_list(test, slice, place));
	for (uint32_t from = 0, some; !multi && from < n; from += some) {
		some = MIN(n - from, (uint32_t)CHUNK);
		column_slice_codes(slice, &all, from, some, codes);
		for (uint32_t i = 0; i < some; i++)
			set_bit(bits, from + i, passes_code(test, codes[i]));
	}
}

void
column_test_segment(const struct column_test *test, uint32_t segment, uint32_t n, uint64_t *bits)
{
	struct column_slice slice;

	memset(bits, 0, COLUMN_SEGMENT_DOCS / 8);
	column_slice(test->column, segment, &slice);
	if (slice.form == COLUMN_DENSE && !test->code_set)
		dense_within(test, &slice, n, bits);
	else if (slice.form == COLUMN_CONSTANT)
		constant_within(test, &slice, n, bits);
	else if (slice.form == COLUMN_SPARSE)
		sparse_within(test, &slice, n, bits);
	else if (slice.form != COLUMN_ABSENT)
		any_within(test, &slice, segment, n, bits);
}
