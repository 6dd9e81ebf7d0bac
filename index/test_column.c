/* Every form in which a segment of a column is kept reads as the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/doclist.h"

#define N 6
#define SEGMENT 3
#define FIRST_DOC (SEGMENT << COLUMN_SEGMENT_SHIFT)
#define NONE COLUMN_MISSING

static const uint16_t PLACES[] = { 1, 2, 5 };

struct row {
	const char *name;
	struct column_slice slice;
	int64_t expected[N];
};

#define BYTES (const uint8_t[])
#define WORDS (const uint16_t[])
#define LONGS (const uint32_t[])
#define WHOLE (const int64_t[])

static const struct row ROWS[] = {
	{ "absent", { .form = COLUMN_ABSENT }, { NONE, NONE, NONE, NONE, NONE, NONE } },
	{ "constant", { .form = COLUMN_CONSTANT, .base = 7, .scale = 1 }, { 7, 7, 7, 7, 7, 7 } },
	{ "dense, one byte",
	  { COLUMN_DENSE, 1, 0, 10, 3, BYTES{ 0, 1, 2, 0, 255, 3 } },
	  { NONE, 13, 16, NONE, 775, 19 } },
	{ "dense, two bytes",
	  { COLUMN_DENSE, 2, 0, 1000, 1, WORDS{ 1, 0, 65535, 2, 3, 0 } },
	  { 1001, NONE, 66535, 1002, 1003, NONE } },
	{ "dense, four bytes",
	  { COLUMN_DENSE, 4, 0, 0, 1, LONGS{ 1, 0, UINT32_MAX, 2, 3, 0 } },
	  { 1, NONE, UINT32_MAX, 2, 3, NONE } },
	{ "dense, eight bytes",
	  { COLUMN_DENSE, 8, 0, 0, 1, WHOLE{ 0, NONE, INT64_MAX, -2, 3, INT64_MIN + 1 } },
	  { 0, NONE, INT64_MAX, -2, 3, INT64_MIN + 1 } },
	{ "a base at the end of the numbers",
	  { COLUMN_DENSE, 1, 0, INT64_MIN, 1, BYTES{ 1, 2, 0, 0, 0, 255 } },
	  { INT64_MIN + 1, INT64_MIN + 2, NONE, NONE, NONE, INT64_MIN + 255 } },
	{ "sparse, one byte",
	  { COLUMN_SPARSE, 1, ARRAY_SIZE(PLACES), 4, 1, BYTES{ 1, 2, 3 }, PLACES },
	  { NONE, 5, 6, NONE, NONE, 7 } },
	{ "sparse, eight bytes",
	  { COLUMN_SPARSE, 8, ARRAY_SIZE(PLACES), 0, 1, WHOLE{ 0, 9, 3 }, PLACES },
	  { NONE, 0, 9, NONE, NONE, 3 } },
};

/* Which documents are asked for at once. */
static const uint32_t RUN[] = { FIRST_DOC };
static const uint32_t SOME[] = { FIRST_DOC, FIRST_DOC + 2, FIRST_DOC + 3, FIRST_DOC + 5 };
static const struct doclist_slice ASKED[] = {
	{ SEGMENT, true, N, RUN },
	{ SEGMENT, false, ARRAY_SIZE(SOME), SOME },
};

static void
check_many(const struct row *row, const struct doclist_slice *docs, size_t from)
{
	uint32_t codes[N];
	int64_t numbers[N];

	column_slice_codes(&row->slice, docs, from, docs->n - from, codes);
	column_slice_numbers(&row->slice, docs, from, docs->n - from, numbers);
	for (size_t i = from; i < docs->n; i++) {
		size_t place = docs->run ? i : docs->docs[i] & COLUMN_PLACE_MASK;
		int64_t expected = row->expected[place];

		assert_int_equal(numbers[i - from], expected);
		if (row->slice.width < 8 && row->slice.scale == 1)
			assert_int_equal(codes[i - from],
					 expected == NONE ? 0 : (uint32_t)expected);
	}
}

static void
check_row(void **state)
{
	const struct row *row = *state;

	for (uint32_t place = 0; place < N; place++)
		assert_int_equal(column_slice_number(&row->slice, place), row->expected[place]);
	for (size_t i = 0; i < ARRAY_SIZE(ASKED); i++)
		for (size_t from = 0; from < ASKED[i].n; from++)
			check_many(row, &ASKED[i], from);
}

static void
check_list(const struct column_slice *slice, uint32_t place, const int64_t *expected, size_t n)
{
	const void *values;

	assert_int_equal(column_slice_list(slice, place, &values), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(column_list_number_at(slice, values, i), expected[i]);
}

static void
lists_are_read(void **state)
{
	static const uint32_t OFFSETS[] = { 0, 2, 2, 3 };
	const struct column_slice dense = {
		.form = COLUMN_LISTS,
		.width = 2,
		.base = 5,
		.scale = 2,
		.values = WORDS{ 1, 2, 3 },
		.offsets = OFFSETS,
	};
	struct column_slice sparse = dense;

	(void)state;
	check_list(&dense, 0, WHOLE{ 7, 9 }, 2);
	check_list(&dense, 1, NULL, 0);
	check_list(&dense, 2, WHOLE{ 11 }, 1);
	sparse.form = COLUMN_SPARSE_LISTS;
	sparse.places = PLACES;
	sparse.n = ARRAY_SIZE(PLACES);
	check_list(&sparse, 0, NULL, 0);
	check_list(&sparse, 1, WHOLE{ 7, 9 }, 2);
	check_list(&sparse, 2, NULL, 0);
	check_list(&sparse, 5, WHOLE{ 11 }, 1);
	check_list(&(struct column_slice){ .form = COLUMN_ABSENT }, 3, NULL, 0);
}

/* --- What was set is what a slice tells --- */

static struct query_value
integer(int64_t number)
{
	return (struct query_value){ .type = QUERY_TYPE_INTEGER, .integer = number };
}

static void
set_numbers_are_read(void **state)
{
	const struct query_property property = { .name = "a.b", .type = QUERY_TYPE_INTEGER };
	CLEANUP(column) struct column *column = NULL;
	const struct query_value value = integer(-12);
	struct column_slice slice;

	(void)state;
	assert_int_equal(column_new(&property, &column), 0);
	assert_int_equal(column_set(column, FIRST_DOC + 9, &value, 1), 0);
	column_slice(column, SEGMENT, &slice);
	assert_int_equal(column_slice_number(&slice, 9), -12);
	assert_int_equal(column_slice_number(&slice, 8), NONE);
	column_slice(column, SEGMENT + 1, &slice);
	assert_int_equal(slice.form, COLUMN_ABSENT);
}

static void
set_lists_are_read(void **state)
{
	const struct query_property property = {
		.name = "a.b",
		.type = QUERY_TYPE_INTEGER,
		.multi = true,
	};
	CLEANUP(column) struct column *column = NULL;
	const struct query_value values[] = { integer(5), integer(-1), integer(5) };
	struct column_slice slice;

	(void)state;
	assert_int_equal(column_new(&property, &column), 0);
	assert_int_equal(column_set(column, FIRST_DOC + 9, values, ARRAY_SIZE(values)), 0);
	column_slice(column, SEGMENT, &slice);
	check_list(&slice, 9, WHOLE{ -1, 5 }, 2);
	check_list(&slice, 10, NULL, 0);
}

static void
set_strings_are_read(void **state)
{
	const struct query_property property = { .name = "a.b", .type = QUERY_TYPE_STRING };
	const struct query_value value = { .type = QUERY_TYPE_STRING, .string = "red" };
	CLEANUP(column) struct column *column = NULL;
	struct column_slice slice;

	(void)state;
	assert_int_equal(column_new(&property, &column), 0);
	assert_int_equal(column_set(column, FIRST_DOC + 9, &value, 1), 0);
	column_slice(column, SEGMENT, &slice);
	assert_string_equal(dict_text(column_dict(column), column_slice_code(&slice, 9)), "red");
	assert_int_equal(column_slice_code(&slice, 8), 0);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + 4] = {
		[ARRAY_SIZE(ROWS)] = cmocka_unit_test(lists_are_read),
		cmocka_unit_test(set_numbers_are_read),
		cmocka_unit_test(set_lists_are_read),
		cmocka_unit_test(set_strings_are_read),
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
