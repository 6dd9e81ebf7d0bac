/* The many-place readers are one loop each, made anew by the compiler for every width and for runs,
 * so that the loops that matter hold no question. */
#include "index/column_slice.h"

#include "base/macros.h"
#include "index/doclist.h"

/* Among the listed places LOW .. HIGH - 1; else HIGH. */
static uint32_t
first_not_before(const struct column_slice *slice, uint32_t low, uint32_t high, uint32_t place)
{
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (slice->places[mid] < place)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
column_finder_fill(const struct column_slice *slice, uint64_t finder[COLUMN_FINDER_WORDS])
{
	uint32_t i = 0;

	for (uint32_t word = 0; word < COLUMN_FINDER_WORDS; word++) {
		uint32_t first = word * COLUMN_FINDER_PLACES;

		finder[word] = (uint64_t)i << COLUMN_FINDER_PLACES;
		for (; i < slice->n && slice->places[i] < first + COLUMN_FINDER_PLACES; i++)
			finder[word] |= UINT64_C(1) << (slice->places[i] - first);
	}
}

static size_t
slot_list(const struct column_slice *slice, uint32_t place, const void **ret_values)
{
	uint32_t slot = slice->slots[place];
	const char *run;

	if (!slot)
		return 0;
	run = stable_at(slice->pool, slot);
	*ret_values = run + slice->width;
	return (size_t)column_stored(slice, run, 0);
}

size_t
column_slice_list(const struct column_slice *slice, uint32_t place, const void **ret_values)
{
	uint32_t i = 0;

	switch (slice->form) {
	case COLUMN_SLOTS:
		return slot_list(slice, place, ret_values);
	case COLUMN_SPARSE_LISTS:
		if (!column_slice_find(slice, place, &i))
			return 0;
		break;
	case COLUMN_LISTS:
		i = place;
		break;
	default:
		return 0;
	}
	*ret_values = (const char *)slice->values + (size_t)slice->offsets[i] * slice->width;
	return slice->offsets[i + 1] - slice->offsets[i];
}

/* A reader of dense values stored as TYPE. The slice is copied, since OUT might else lie over it.
 * NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses. */
#define DEFINE_READER(name, type, out_type, decode)                                                \
	static void name(const struct column_slice *slice, const struct doclist_slice *docs,       \
			 size_t from, size_t n, out_type *out)                                     \
	{                                                                                          \
		const struct column_slice own = *slice;                                            \
		const type *stored = own.values;                                                   \
                                                                                                   \
		if (docs->run)                                                                     \
			stored += doclist_place(docs, from, true);                                 \
		for (size_t i = 0; docs->run && i < n; i++)                                        \
			out[i] = decode(&own, stored[i]);                                          \
		for (size_t i = 0; !docs->run && i < n; i++)                                       \
			out[i] = decode(&own, stored[doclist_place(docs, from + i, false)]);       \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

/* --- Codes --- */

DEFINE_READER(read_codes_1, uint8_t, uint32_t, column_stored_code)
DEFINE_READER(read_codes_2, uint16_t, uint32_t, column_stored_code)
DEFINE_READER(read_codes_4, uint32_t, uint32_t, column_stored_code)

static void
read_dense_codes(const struct column_slice *slice, const struct doclist_slice *docs, size_t from,
		 size_t n, uint32_t *out)
{
	if (slice->width == 1)
		read_codes_1(slice, docs, from, n, out);
	else if (slice->width == 2)
		read_codes_2(slice, docs, from, n, out);
	else
		read_codes_4(slice, docs, from, n, out);
}

/* Places lie more or less evenly: from where this one would be then, by steps that double. */
uint32_t
column_slice_search(const struct column_slice *slice, uint32_t at, uint32_t place)
{
	uint32_t low, high, step = 1;

	if (at >= slice->n || slice->places[at] >= place)
		return at;
	low = at + ((place - slice->places[at]) * slice->n >> COLUMN_SEGMENT_SHIFT);
	low = high = MIN(low, slice->n - 1);
	if (slice->places[low] < place) {
		while (low + step < slice->n && slice->places[low + step] < place) {
			low += step;
			step *= 2;
		}
		return first_not_before(slice, low + 1, MIN(low + step, slice->n), place);
	}
	while (high - at > step && slice->places[high - step] >= place) {
		high -= step;
		step *= 2;
	}
	return first_not_before(slice, high - at > step ? high - step + 1 : at + 1, high, place);
}

/* Listed places are near where they would be if all lay evenly. */
void
column_slice_prefetch(const struct column_slice *slice, const struct doclist_slice *docs)
{
	for (size_t i = 0; i < docs->n; i++) {
		uint32_t at = doclist_place(docs, i, docs->run);

		if (slice->finder)
			__builtin_prefetch(slice->finder + at / COLUMN_FINDER_PLACES);
		if (slice->places)
			at = at * slice->n >> COLUMN_SEGMENT_SHIFT;
		if (slice->offsets)
			__builtin_prefetch(slice->offsets + at);
		else if (slice->slots)
			__builtin_prefetch(slice->slots + at);
		else if (slice->values)
			__builtin_prefetch((const char *)slice->values + (size_t)at * slice->width);
	}
}

static void
read_sparse_codes(const struct column_slice *slice, const struct doclist_slice *docs, size_t from,
		  size_t n, uint32_t *out)
{
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t place = doclist_place(docs, from + i, docs->run);

		out[i] = column_slice_find(slice, place, &at)
				 ? column_list_code_at(slice, slice->values, at)
				 : 0;
	}
}

void
column_slice_codes(const struct column_slice *slice, const struct doclist_slice *docs, size_t from,
		   size_t n, uint32_t *codes)
{
	uint32_t code = slice->form == COLUMN_CONSTANT ? (uint32_t)slice->base : 0;

	if (slice->form == COLUMN_DENSE)
		read_dense_codes(slice, docs, from, n, codes);
	else if (slice->form == COLUMN_SPARSE)
		read_sparse_codes(slice, docs, from, n, codes);
	else
		for (size_t i = 0; i < n; i++)
			codes[i] = code;
}

/* --- Numbers --- */

static inline int64_t
whole_number(const struct column_slice *slice, uint64_t stored)
{
	(void)slice;
	return (int64_t)stored;
}

static inline int64_t
narrow_number(const struct column_slice *slice, uint64_t stored)
{
	return stored ? (int64_t)((uint64_t)slice->base + (uint64_t)slice->scale * stored)
		      : COLUMN_MISSING;
}

DEFINE_READER(read_numbers_1, uint8_t, int64_t, narrow_number)
DEFINE_READER(read_numbers_2, uint16_t, int64_t, narrow_number)
DEFINE_READER(read_numbers_4, uint32_t, int64_t, narrow_number)
DEFINE_READER(read_numbers_8, uint64_t, int64_t, whole_number)

static void
read_dense_numbers(const struct column_slice *slice, const struct doclist_slice *docs, size_t from,
		   size_t n, int64_t *out)
{
	switch (slice->width) {
	case 1:
		read_numbers_1(slice, docs, from, n, out);
		break;
	case 2:
		read_numbers_2(slice, docs, from, n, out);
		break;
	case 4:
		read_numbers_4(slice, docs, from, n, out);
		break;
	default:
		read_numbers_8(slice, docs, from, n, out);
		break;
	}
}

static void
read_sparse_numbers(const struct column_slice *slice, const struct doclist_slice *docs, size_t from,
		    size_t n, int64_t *out)
{
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t place = doclist_place(docs, from + i, docs->run);

		out[i] = column_slice_find(slice, place, &at)
				 ? column_list_number_at(slice, slice->values, at)
				 : COLUMN_MISSING;
	}
}

void
column_slice_numbers(const struct column_slice *slice, const struct doclist_slice *docs,
		     size_t from, size_t n, int64_t *numbers)
{
	int64_t number = slice->form == COLUMN_CONSTANT ? slice->base : COLUMN_MISSING;

	if (slice->form == COLUMN_DENSE)
		read_dense_numbers(slice, docs, from, n, numbers);
	else if (slice->form == COLUMN_SPARSE)
		read_sparse_numbers(slice, docs, from, n, numbers);
	else
		for (size_t i = 0; i < n; i++)
			numbers[i] = number;
}
