#include "index/column.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/column_encode.h"
#include "index/derived.h"
#include "index/epoch.h"
#include "index/stable.h"

/* What a slice shows. While it fills, `memory` has its places; the lists among them are runs of
 * `pool`: a length, then the values. A run's slot is where it starts, which is never 0. Of one that
 * is read from its file `memory` has the finder, if places are listed. */
struct segment {
	struct retired retired;
	struct column_slice slice;
	void *memory; /* int64_t numbers, or uint32_t codes or slots; or uint64_t finder */
	struct stable pool;
	uint32_t pool_used;
	size_t bytes;
};

struct column {
	const struct query_property *property;
	struct dict *dict; /* strings only */
	bool numbers;	   /* places are int64_t, else uint32_t codes or slots */
	struct derived derived;
	_Atomic(struct segment *) segments[COLUMN_SEGMENTS];
};

static void
segment_free(struct segment *segment)
{
	if (!segment)
		return;
	free(segment->memory);
	stable_done(&segment->pool);
	free(segment);
}

static void
end_segment(struct retired *retired)
{
	segment_free(container_of(retired, struct segment, retired));
}

int
column_new(const struct query_property *property, struct column **ret_column)
{
	CLEANUP(column) struct column *column = calloc(1, sizeof(*column));
	bool is_string = property->type == QUERY_TYPE_STRING;
	int r;

	if (!column)
		return -ENOMEM;
	derived_init(&column->derived);
	column->property = property;
	column->numbers = !is_string && !property->multi;
	if (is_string) {
		r = dict_new(&column->dict);
		if (r < 0)
			return r;
	}
	*ret_column = STEAL(column);
	return 0;
}

void
column_free(struct column *column)
{
	if (!column)
		return;
	for (uint32_t i = 0; i < COLUMN_SEGMENTS; i++)
		if (column->segments[i])
			segment_free(column->segments[i]);
	derived_done(&column->derived);
	dict_free(column->dict);
	free(column);
}

const struct query_property *
column_property(const struct column *column)
{
	return column->property;
}

struct dict *
column_dict(const struct column *column)
{
	return column->dict;
}

struct derived *
column_derived(const struct column *column)
{
	return &((struct column *)column)->derived;
}

/* IEEE 754 doubles compare like their bits, but negative ones the other way round. */
static int64_t
double_number(double real)
{
	int64_t bits;

	if (real == 0)
		real = 0; /* -0 */
	memcpy(&bits, &real, sizeof(bits));
	return bits ^ ((bits >> 63) & INT64_MAX);
}

int64_t
column_number(const struct query_value *value)
{
	if (value->type == QUERY_TYPE_FLOAT || value->type == QUERY_TYPE_DOUBLE)
		return double_number(value->real);
	return value->integer;
}

void
column_number_value(const struct query_property *property, int64_t number,
		    struct query_value *ret_value)
{
	ret_value->type = property->type;
	if (property->type == QUERY_TYPE_FLOAT || property->type == QUERY_TYPE_DOUBLE) {
		number ^= (number >> 63) & INT64_MAX;
		memcpy(&ret_value->real, &number, sizeof(number));
	} else {
		ret_value->integer = number;
	}
}

static struct segment *
segment_at(const struct column *column, uint32_t segment)
{
	return atomic_load_explicit(&((struct column *)column)->segments[segment],
				    memory_order_acquire);
}

/* Places of a segment that fills, all without a value. */
static void *
new_places(bool numbers)
{
	int64_t *places;

	if (!numbers)
		return calloc(COLUMN_SEGMENT_DOCS, sizeof(uint32_t));
	places = malloc(COLUMN_SEGMENT_DOCS * sizeof(*places));
	for (uint32_t i = 0; places && i < COLUMN_SEGMENT_DOCS; i++)
		places[i] = COLUMN_MISSING;
	return places;
}

static void
show_places(const struct column *column, struct segment *segment)
{
	struct column_slice *slice = &segment->slice;

	slice->scale = 1;
	slice->width = column->dict ? sizeof(uint32_t) : sizeof(int64_t);
	if (column->property->multi) {
		slice->form = COLUMN_SLOTS;
		slice->slots = segment->memory;
		slice->pool = &segment->pool;
	} else {
		slice->form = COLUMN_DENSE;
		slice->values = segment->memory;
	}
}

static struct segment *
new_segment(struct column *column, uint32_t number)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (!segment)
		return NULL;
	segment->retired.end = end_segment;
	segment->pool.size = column->dict ? sizeof(uint32_t) : sizeof(int64_t);
	segment->pool_used = 1;
	segment->bytes = COLUMN_SEGMENT_DOCS *
			 (column->numbers ? sizeof(int64_t) : sizeof(uint32_t));
	segment->memory = new_places(column->numbers);
	if (!segment->memory) {
		segment_free(segment);
		return NULL;
	}
	show_places(column, segment);
	atomic_store_explicit(&column->segments[number], segment, memory_order_release);
	return segment;
}

static int
compare_codes(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static int
compare_numbers(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int
add_code(struct column *column, const struct query_value *value, uint32_t *ret_code)
{
	return dict_add(column->dict, value->string, strlen(value->string), ret_code);
}

static int
code_list(struct column *column, const struct query_value *values, uint32_t n, uint32_t *run)
{
	uint32_t unique = 0;
	int r;

	for (uint32_t i = 0; i < n; i++) {
		r = add_code(column, &values[i], &run[1 + i]);
		if (r < 0)
			return r;
	}
	qsort(run + 1, n, sizeof(*run), compare_codes);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || run[1 + i] != run[unique])
			run[1 + unique++] = run[1 + i];
	run[0] = unique;
	return 0;
}

static void
number_list(const struct query_value *values, uint32_t n, int64_t *run)
{
	uint32_t unique = 0;

	for (uint32_t i = 0; i < n; i++)
		run[1 + i] = column_number(&values[i]);
	qsort(run + 1, n, sizeof(*run), compare_numbers);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || run[1 + i] != run[unique])
			run[1 + unique++] = run[1 + i];
	run[0] = unique;
}

static int
add_list(struct column *column, struct segment *segment, const struct query_value *values, size_t n,
	 uint32_t *ret_slot)
{
	struct stable *pool = &segment->pool;
	uint32_t slot;
	int r;

	if (n > UINT32_MAX / 16)
		return -E2BIG;
	r = stable_reserve_run(pool, segment->pool_used, (uint32_t)n + 1, &slot);
	if (r < 0)
		return r;
	if (column->dict)
		r = code_list(column, values, (uint32_t)n, stable_at(pool, slot));
	else
		number_list(values, (uint32_t)n, stable_at(pool, slot));
	if (r < 0)
		return r;
	segment->pool_used = slot + (uint32_t)n + 1;
	*ret_slot = slot;
	return 0;
}

int
column_set(struct column *column, uint32_t doc, const struct query_value *values, size_t n)
{
	struct segment *segment = segment_at(column, doc >> COLUMN_SEGMENT_SHIFT);
	uint32_t place = doc & COLUMN_PLACE_MASK;
	uint32_t code = 0;
	int r = 0;

	if (n == 0)
		return 0;
	if (!segment)
		segment = new_segment(column, doc >> COLUMN_SEGMENT_SHIFT);
	if (!segment)
		return -ENOMEM;
	/* Numbers of a segment that was written down are not given again. */
	assert(segment->memory && !segment->slice.finder);

	if (column->numbers) {
		((int64_t *)segment->memory)[place] = column_number(values);
		return 0;
	}
	if (column->property->multi)
		r = add_list(column, segment, values, n, &code);
	else
		r = add_code(column, values, &code);
	if (r < 0)
		return r;
	((uint32_t *)segment->memory)[place] = code;
	return 0;
}

void
column_slice(const struct column *column, uint32_t number, struct column_slice *ret_slice)
{
	const struct segment *segment = segment_at(column, number);

	*ret_slice = segment ? segment->slice : (struct column_slice){ .form = COLUMN_ABSENT };
}

static void
code_value(const struct column *column, uint32_t code, struct query_value *ret_value)
{
	ret_value->type = QUERY_TYPE_STRING;
	ret_value->string = dict_text(column->dict, code);
}

static size_t
list_values(const struct column *column, const struct column_slice *slice, uint32_t place,
	    struct query_value *values, size_t n)
{
	const void *list;
	size_t count = column_slice_list(slice, place, &list);

	for (size_t i = 0; i < MIN(count, n); i++)
		if (column->dict)
			code_value(column, column_list_code_at(slice, list, i), &values[i]);
		else
			column_number_value(column->property, column_list_number_at(slice, list, i),
					    &values[i]);
	return count;
}

size_t
column_values(const struct column *column, uint32_t doc, struct query_value *values, size_t n)
{
	uint32_t place = doc & COLUMN_PLACE_MASK;
	struct column_slice slice;
	int64_t number;

	column_slice(column, doc >> COLUMN_SEGMENT_SHIFT, &slice);
	if (column->property->multi)
		return list_values(column, &slice, place, values, n);
	if (column->dict) {
		number = column_slice_code(&slice, place);
		if (number && n)
			code_value(column, (uint32_t)number, values);
		return number != 0;
	}
	number = column_slice_number(&slice, place);
	if (number != COLUMN_MISSING && n)
		column_number_value(column->property, number, values);
	return number != COLUMN_MISSING;
}

uint64_t
column_bytes(const struct column *column)
{
	uint64_t bytes = column->dict ? dict_bytes(column->dict) : 0;
	const struct segment *segment;

	for (uint32_t i = 0; i < COLUMN_SEGMENTS; i++) {
		segment = segment_at(column, i);
		if (segment)
			bytes += segment->bytes + stable_bytes(&segment->pool);
	}
	return bytes;
}

/* --- Written down --- */

static void
write_places(const struct column *column, const struct column_slice *slice, bool first,
	     struct pxs_buf *buf)
{
	CLEANUP(free) int64_t *numbers = malloc(COLUMN_SEGMENT_DOCS * sizeof(*numbers));

	if (!numbers) {
		buf->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++) {
		numbers[i] = column->dict ? column_slice_code(slice, i)
					  : column_slice_number(slice, i);
		if (column->dict && numbers[i] == 0)
			numbers[i] = COLUMN_MISSING;
	}
	column_encode(numbers, first, column->dict != NULL, buf);
}

static void
write_lists(const struct column *column, const struct column_slice *slice, struct pxs_buf *buf)
{
	CLEANUP(free) uint32_t *offsets = calloc(COLUMN_SEGMENT_DOCS + 1, sizeof(*offsets));
	CLEANUP(free) int64_t *numbers = NULL;
	const void *list;
	uint32_t at = 0;
	size_t n;

	for (uint32_t i = 0; offsets && i < COLUMN_SEGMENT_DOCS; i++)
		offsets[i + 1] = offsets[i] + (uint32_t)column_slice_list(slice, i, &list);
	if (offsets)
		numbers = malloc((offsets[COLUMN_SEGMENT_DOCS] + (size_t)1) * sizeof(*numbers));
	if (!numbers) {
		buf->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++) {
		n = column_slice_list(slice, i, &list);
		for (size_t j = 0; j < n; j++)
			numbers[at++] = column->dict ? column_list_code_at(slice, list, j)
						     : column_list_number_at(slice, list, j);
	}
	column_encode_lists(numbers, offsets, column->dict != NULL, buf);
}

void
column_write(const struct column *column, uint32_t segment, struct pxs_buf *buf)
{
	struct column_slice slice;

	column_slice(column, segment, &slice);
	if (slice.form == COLUMN_ABSENT)
		return;
	if (column->property->multi)
		write_lists(column, &slice, buf);
	else
		write_places(column, &slice, segment == 0, buf);
}

static int
add_finder(struct segment *mapped)
{
	size_t bytes = COLUMN_FINDER_WORDS * sizeof(uint64_t);

	mapped->memory = malloc(bytes);
	if (!mapped->memory)
		return -ENOMEM;
	column_finder_fill(&mapped->slice, mapped->memory);
	mapped->slice.finder = mapped->memory;
	mapped->bytes += bytes;
	return 0;
}

int
column_map(struct column *column, uint32_t number, const struct column_slice *slice, size_t bytes,
	   struct epoch *epoch)
{
	struct segment *mapped = calloc(1, sizeof(*mapped));
	struct segment *before;

	if (!mapped)
		return -ENOMEM;
	mapped->retired.end = end_segment;
	mapped->slice = *slice;
	mapped->bytes = bytes;
	if (slice->places && add_finder(mapped) < 0) {
		segment_free(mapped);
		return -ENOMEM;
	}
	before = atomic_exchange(&column->segments[number], mapped);
	if (before)
		epoch_retire(epoch, &before->retired);
	return 0;
}
