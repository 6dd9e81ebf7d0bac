/* column_slice.h - one segment of a column, in whatever form it is kept, and how to read it.
 *
 *     ABSENT     no place has a value
 *     CONSTANT   every place has the one value `base`
 *     DENSE      values[place]
 *     SPARSE     values[i] is that of places[i], ascending; the others have none
 *     LISTS      place's values are values[offsets[place]] .. values[offsets[place + 1] - 1]
 *     SPARSE_LISTS the same, but of places[i]
 *     SLOTS      lists that still grow in memory: slots[place], 0 where there is none
 *
 * A value is stored in 1, 2, 4 or 8 bytes. Those of 8 bytes are the numbers themselves, with
 * COLUMN_MISSING where there is none. Those of fewer are unsigned and stand for base + scale *
 * stored, or for no value where they are 0 (which lists never have). Codes are numbers here, with
 * scale 1, never of 8 bytes. A loop that wants speed switches on form and width once and works on
 * what is stored.
 *
 * A slice is lent: it is good as long as the view through which it was found. Asked again, the same
 * segment may be told in another form: it may have been written down meanwhile. */
#ifndef PXS_INDEX_COLUMN_SLICE_H
#define PXS_INDEX_COLUMN_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/stable.h"

#define COLUMN_SEGMENT_SHIFT 16
#define COLUMN_SEGMENT_DOCS (1u << COLUMN_SEGMENT_SHIFT)
#define COLUMN_SEGMENTS (1u << (32 - COLUMN_SEGMENT_SHIFT)) /* there may be */
#define COLUMN_PLACE_MASK (COLUMN_SEGMENT_DOCS - 1)

/* Numbers: no value. No value of any type maps to it. */
#define COLUMN_MISSING INT64_MIN

struct doclist_slice;

/* Permanent: they stand in files. */
enum column_form {
	COLUMN_ABSENT = 0,
	COLUMN_CONSTANT = 1,
	COLUMN_DENSE = 2,
	COLUMN_SPARSE = 3,
	COLUMN_LISTS = 4,
	COLUMN_SPARSE_LISTS = 5,
	COLUMN_SLOTS = 6,  /* never in a file */
	COLUMN_LINEAR = 7, /* in files only, read as DENSE (column_encode.c) */
};

struct column_slice {
	enum column_form form;
	uint8_t width; /* bytes of a stored value */
	uint32_t n;    /* of places, where places are listed */
	int64_t base, scale;
	const void *values;
	const uint16_t *places;	   /* SPARSE, SPARSE_LISTS */
	const uint64_t *finder;	   /* of places; NULL: not made */
	const uint32_t *offsets;   /* LISTS, SPARSE_LISTS */
	const uint32_t *slots;	   /* SLOTS */
	const struct stable *pool; /* SLOTS: a run's length, then its values, as wide as stored */
};

/* --- Stored values --- */

static inline uint64_t
column_stored(const struct column_slice *slice, const void *values, size_t i)
{
	switch (slice->width) {
	case 1:
		return ((const uint8_t *)values)[i];
	case 2:
		return ((const uint16_t *)values)[i];
	case 4:
		return ((const uint32_t *)values)[i];
	default:
		return ((const uint64_t *)values)[i];
	}
}

static inline int64_t
column_stored_number(const struct column_slice *slice, uint64_t stored)
{
	if (slice->width == 8)
		return (int64_t)stored;
	return stored ? (int64_t)((uint64_t)slice->base + (uint64_t)slice->scale * stored)
		      : COLUMN_MISSING;
}

static inline uint32_t
column_stored_code(const struct column_slice *slice, uint64_t stored)
{
	return stored ? (uint32_t)((uint64_t)slice->base + stored) : 0;
}

/* --- One place --- */

/* A finder has a word for every 48 places: a bit for each that is listed, and above these, in 16
 * bits, how many are listed before. So any place is found by one look, where a search would wait
 * for several. */
#define COLUMN_FINDER_PLACES 48
#define COLUMN_FINDER_WORDS (COLUMN_SEGMENT_DOCS / COLUMN_FINDER_PLACES + 1)

/* The finder of SLICE's places. */
void column_finder_fill(const struct column_slice *slice, uint64_t finder[COLUMN_FINDER_WORDS]);

/* Without a finder: the first of the listed places from the AT-th on that is not before PLACE;
 * slice->n if there is none. Made for places that ascend: AT is then what the last call found. */
uint32_t column_slice_search(const struct column_slice *slice, uint32_t at, uint32_t place);

/* The instruction for it came after the first x86-64. */
static inline uint32_t
column_count_bits(uint64_t bits)
{
	bits -= bits >> 1 & UINT64_C(0x5555555555555555);
	bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
	bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(bits * UINT64_C(0x0101010101010101) >> 56);
}

/* Whether PLACE is one of the listed places; *AT becomes the number of those before it, and is at
 * first that of a place not after it. */
static inline bool
column_slice_find(const struct column_slice *slice, uint32_t place, uint32_t *at)
{
	uint64_t word;

	if (!slice->finder) {
		*at = column_slice_search(slice, *at, place);
		return *at < slice->n && slice->places[*at] == place;
	}
	word = slice->finder[place / COLUMN_FINDER_PLACES];
	place %= COLUMN_FINDER_PLACES;
	*at = (uint32_t)(word >> COLUMN_FINDER_PLACES) +
	      column_count_bits(word & ((UINT64_C(1) << place) - 1));
	return word >> place & 1;
}

/* The number of a place that is no list, COLUMN_MISSING if there is none. */
static inline int64_t
column_slice_number(const struct column_slice *slice, uint32_t place)
{
	uint32_t i = 0;

	if (slice->form == COLUMN_ABSENT)
		return COLUMN_MISSING;
	if (slice->form == COLUMN_CONSTANT)
		return slice->base;
	if (slice->form != COLUMN_SPARSE)
		i = place;
	else if (!column_slice_find(slice, place, &i))
		return COLUMN_MISSING;
	return column_stored_number(slice, column_stored(slice, slice->values, i));
}

/* The code of a place that is no list, 0 if there is none. */
static inline uint32_t
column_slice_code(const struct column_slice *slice, uint32_t place)
{
	int64_t number = column_slice_number(slice, place);

	return number == COLUMN_MISSING ? 0 : (uint32_t)number;
}

/* A list's values, to be read by the two below: how many. Ascending, without duplicates (strings:
 * of code, not of text). */
size_t column_slice_list(const struct column_slice *slice, uint32_t place, const void **ret_values);

static inline int64_t
column_list_number_at(const struct column_slice *slice, const void *values, size_t i)
{
	return column_stored_number(slice, column_stored(slice, values, i));
}

static inline uint32_t
column_list_code_at(const struct column_slice *slice, const void *values, size_t i)
{
	return column_stored_code(slice, column_stored(slice, values, i));
}

/* Asks for the memory that reading DOCS will look at, and does not wait for it. */
void column_slice_prefetch(const struct column_slice *slice, const struct doclist_slice *docs);

/* --- Many places: N of DOCS from the FROM-th on, for slices of no lists. --- */

void column_slice_codes(const struct column_slice *slice, const struct doclist_slice *docs,
			size_t from, size_t n, uint32_t *codes);
void column_slice_numbers(const struct column_slice *slice, const struct doclist_slice *docs,
			  size_t from, size_t n, int64_t *numbers);

#endif
