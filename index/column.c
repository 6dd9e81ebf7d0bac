#include "index/column.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/derived.h"
#include "index/stable.h"

#define N_SEGMENTS (1u << (32 - COLUMN_SEGMENT_SHIFT))

/* A list is a run of the pool: its length, then its values. Its slot is where it starts, which is
 * never 0. */
struct column {
	const struct query_property *property;
	struct dict *dict;  /* strings only */
	bool numbers;	    /* places are int64_t, else uint32_t codes or slots */
	struct stable pool; /* lists only: uint32_t or int64_t */
	uint32_t pool_used;
	struct derived derived;
	atomic_uint n_segments; /* that were allocated */
	_Atomic(void *) segments[N_SEGMENTS];
};

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
	column->pool.size = is_string ? sizeof(uint32_t) : sizeof(int64_t);
	column->pool_used = 1;
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
	for (uint32_t i = 0; i < N_SEGMENTS; i++)
		if (column->segments[i])
			free(column->segments[i]);
	derived_done(&column->derived);
	stable_done(&column->pool);
	dict_free(column->dict);
	free(column);
}

const struct query_property *
column_property(const struct column *column)
{
	return column->property;
}

const struct dict *
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

static void *
segment_at(const struct column *column, uint32_t segment)
{
	return atomic_load_explicit(&((struct column *)column)->segments[segment],
				    memory_order_acquire);
}

static void *
new_segment(struct column *column, uint32_t segment)
{
	int64_t *numbers;
	void *memory;

	if (!column->numbers) {
		memory = calloc(COLUMN_SEGMENT_DOCS, sizeof(uint32_t));
	} else {
		memory = numbers = malloc(COLUMN_SEGMENT_DOCS * sizeof(*numbers));
		for (uint32_t i = 0; numbers && i < COLUMN_SEGMENT_DOCS; i++)
			numbers[i] = COLUMN_MISSING;
	}
	if (!memory)
		return NULL;
	atomic_store_explicit(&column->segments[segment], memory, memory_order_release);
	atomic_fetch_add(&column->n_segments, 1);
	return memory;
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
add_list(struct column *column, const struct query_value *values, size_t n, uint32_t *ret_slot)
{
	uint32_t slot;
	int r;

	if (n > UINT32_MAX / 16)
		return -E2BIG;
	r = stable_reserve_run(&column->pool, column->pool_used, (uint32_t)n + 1, &slot);
	if (r < 0)
		return r;
	if (column->dict)
		r = code_list(column, values, (uint32_t)n, stable_at(&column->pool, slot));
	else
		number_list(values, (uint32_t)n, stable_at(&column->pool, slot));
	if (r < 0)
		return r;
	column->pool_used = slot + (uint32_t)n + 1;
	*ret_slot = slot;
	return 0;
}

int
column_set(struct column *column, uint32_t doc, const struct query_value *values, size_t n)
{
	uint32_t place = doc & (COLUMN_SEGMENT_DOCS - 1);
	uint32_t code = 0;
	void *segment;
	int r = 0;

	if (n == 0)
		return 0;
	segment = segment_at(column, doc >> COLUMN_SEGMENT_SHIFT);
	if (!segment)
		segment = new_segment(column, doc >> COLUMN_SEGMENT_SHIFT);
	if (!segment)
		return -ENOMEM;

	if (column->numbers) {
		((int64_t *)segment)[place] = column_number(values);
		return 0;
	}
	if (column->property->multi)
		r = add_list(column, values, n, &code);
	else
		r = add_code(column, values, &code);
	if (r < 0)
		return r;
	((uint32_t *)segment)[place] = code;
	return 0;
}

void
column_slice(const struct column *column, uint32_t segment, struct column_slice *ret_slice)
{
	const void *places = segment_at(column, segment);

	*ret_slice = (struct column_slice){ .scale = 1 };
	if (!places)
		return;
	ret_slice->width = column->numbers || !column->dict ? sizeof(int64_t) : sizeof(uint32_t);
	if (column->property->multi) {
		ret_slice->form = COLUMN_SLOTS;
		ret_slice->slots = places;
		ret_slice->pool = &column->pool;
	} else {
		ret_slice->form = COLUMN_DENSE;
		ret_slice->values = places;
	}
}

const uint32_t *
column_codes(const struct column *column, uint32_t segment)
{
	return segment_at(column, segment);
}

const int64_t *
column_numbers(const struct column *column, uint32_t segment)
{
	return segment_at(column, segment);
}

const uint32_t *
column_slots(const struct column *column, uint32_t segment)
{
	return segment_at(column, segment);
}

size_t
column_list_codes(const struct column *column, uint32_t slot, const uint32_t **ret_codes)
{
	const uint32_t *run = stable_at(&column->pool, slot);

	*ret_codes = run + 1;
	return run[0];
}

size_t
column_list_numbers(const struct column *column, uint32_t slot, const int64_t **ret_numbers)
{
	const int64_t *run = stable_at(&column->pool, slot);

	*ret_numbers = run + 1;
	return (size_t)run[0];
}

static void
code_value(const struct column *column, uint32_t code, struct query_value *ret_value)
{
	ret_value->type = QUERY_TYPE_STRING;
	ret_value->string = dict_text(column->dict, code);
}

static size_t
list_values(const struct column *column, uint32_t slot, struct query_value *values, size_t n)
{
	const uint32_t *codes;
	const int64_t *numbers;
	size_t count;

	if (column->dict) {
		count = column_list_codes(column, slot, &codes);
		for (size_t i = 0; i < MIN(count, n); i++)
			code_value(column, codes[i], &values[i]);
		return count;
	}
	count = column_list_numbers(column, slot, &numbers);
	for (size_t i = 0; i < MIN(count, n); i++)
		column_number_value(column->property, numbers[i], &values[i]);
	return count;
}

size_t
column_values(const struct column *column, uint32_t doc, struct query_value *values, size_t n)
{
	uint32_t place = doc & (COLUMN_SEGMENT_DOCS - 1);
	const void *segment = segment_at(column, doc >> COLUMN_SEGMENT_SHIFT);
	int64_t number;
	uint32_t code;

	if (!segment)
		return 0;
	if (column->numbers) {
		number = ((const int64_t *)segment)[place];
		if (number != COLUMN_MISSING && n)
			column_number_value(column->property, number, values);
		return number != COLUMN_MISSING;
	}

	code = ((const uint32_t *)segment)[place];
	if (code == 0)
		return 0;
	if (column->property->multi)
		return list_values(column, code, values, n);
	if (n)
		code_value(column, code, values);
	return 1;
}

uint64_t
column_bytes(const struct column *column)
{
	uint64_t place = column->numbers ? sizeof(int64_t) : sizeof(uint32_t);
	uint64_t segments = atomic_load(&((struct column *)column)->n_segments);

	return segments * COLUMN_SEGMENT_DOCS * place + stable_bytes(&column->pool) +
	       (column->dict ? dict_bytes(column->dict) : 0);
}
