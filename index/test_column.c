/* Every form in which a segment of a column is kept reads as the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/column.h"
#include "index/column_encode.h"
#include "index/doclist.h"
#include "index/test_random.h"

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

/* Wherever the search begins, and however far it is. */
static void
listed_places_are_found(void **state)
{
	(void)state;
	start_random();
	for (int round = 0; round < 100; round++) {
		static uint16_t places[COLUMN_SEGMENT_DOCS];
		static uint64_t finder[COLUMN_FINDER_WORDS];
		struct column_slice slice = { .form = COLUMN_SPARSE, .places = places };
		uint32_t first = (uint32_t)random() & COLUMN_PLACE_MASK;
		uint32_t gap = (uint32_t)1 << random() % 16;

		for (uint32_t place = first; place < COLUMN_SEGMENT_DOCS;
		     place += 1 + (uint32_t)random() % gap)
			places[slice.n++] = (uint16_t)place;
		for (int i = 0; i < 1000; i++) {
			uint32_t at = (uint32_t)random() % (slice.n + 1), expected = at;
			uint32_t place = (uint32_t)random() & COLUMN_PLACE_MASK;

			while (expected < slice.n && places[expected] < place)
				expected++;
			assert_int_equal(column_slice_search(&slice, at, place), expected);
		}
		column_finder_fill(&slice, finder);
		slice.finder = finder;
		for (uint32_t place = 0, at = 0, n = 0; place < COLUMN_SEGMENT_DOCS; place++) {
			bool listed = n < slice.n && places[n] == place;

			assert_int_equal(column_slice_find(&slice, place, &at), listed);
			assert_int_equal(at, n);
			n += listed;
		}
	}
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

/* --- What was encoded is read as it was --- */

#define ROUNDS 40

static int64_t numbers[COLUMN_SEGMENT_DOCS];

static uint64_t
random_bits(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

/* Numbers of a few bits, or of all, with a common divisor or without, some of them missing. */
static void
make_numbers(void)
{
	uint64_t mask = UINT64_MAX >> (random() % 64),
		 scale = random() % 3 ? 1 : random_bits() % 99;
	uint64_t base = random() % 2 ? random_bits() : 0;
	long missing = random() % 3 * 45; /* percent */

	for (size_t i = 0; i < COLUMN_SEGMENT_DOCS; i++) {
		numbers[i] = (int64_t)(base + (random_bits() & mask) * scale);
		if (random() % 100 < missing)
			numbers[i] = COLUMN_MISSING;
	}
}

static void
check_numbers(const struct column_slice *slice)
{
	static int64_t read[COLUMN_SEGMENT_DOCS];
	static const uint32_t FIRST;
	const struct doclist_slice all = { 0, true, COLUMN_SEGMENT_DOCS, &FIRST };

	column_slice_numbers(slice, &all, 0, COLUMN_SEGMENT_DOCS, read);
	assert_memory_equal(read, numbers, sizeof(numbers));
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i += 7)
		assert_int_equal(column_slice_number(slice, i), numbers[i]);
}

static void
encoded_numbers_are_read(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct column_slice slice;
	int64_t max;

	(void)state;
	start_random();
	for (int round = 0; round < ROUNDS; round++) {
		make_numbers();
		pxs_buf_clear(&buf);
		column_encode(numbers, 0, false, &buf);
		assert_int_equal(buf.error, 0);
		slice = (struct column_slice){ .form = COLUMN_ABSENT };
		if (buf.len)
			assert_int_equal(column_decode(buf.data, buf.len, &slice, &max), 0);
		check_numbers(&slice);
	}
}

static void
encoded_lists_are_read(void **state)
{
	static uint32_t offsets[COLUMN_SEGMENT_DOCS + 1];
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct column_slice slice;
	int64_t max;

	(void)state;
	start_random();
	for (int round = 0; round < ROUNDS; round++) {
		long present = random() % 3 * 50; /* percent */
		uint32_t n = 0;

		make_numbers();
		for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++) {
			offsets[i] = n;
			if (random() % 100 < present && n + 4 < COLUMN_SEGMENT_DOCS)
				n += (uint32_t)random() % 4;
		}
		offsets[COLUMN_SEGMENT_DOCS] = n;
		for (uint32_t i = 0; i < n; i++)
			if (numbers[i] == COLUMN_MISSING)
				numbers[i] = 77;
		pxs_buf_clear(&buf);
		column_encode_lists(numbers, offsets, false, &buf);
		slice = (struct column_slice){ .form = COLUMN_ABSENT };
		if (buf.len)
			assert_int_equal(column_decode(buf.data, buf.len, &slice, &max), 0);
		for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
			check_list(&slice, i, numbers + offsets[i], offsets[i + 1] - offsets[i]);
	}
}

struct choice {
	const char *name;
	int64_t base, step; /* place i has base + i % modulus * step */
	int64_t modulus;
	uint32_t every; /* every which place has a value */
	enum column_form form;
	uint8_t width;
};

static void
the_narrowest_form_is_chosen(void **state)
{
	static const struct choice CHOICES[] = {
		{ "one value everywhere", -5, 0, 1, 1, COLUMN_CONSTANT, 1 },
		{ "one value somewhere", -5, 0, 1, 2, COLUMN_DENSE, 1 },
		{ "254 steps", INT64_MAX - 254, 1, 255, 1, COLUMN_DENSE, 1 },
		{ "255 steps", INT64_MAX - 255, 1, 256, 1, COLUMN_DENSE, 2 },
		{ "65,535 steps", 0, 1, 65536, 1, COLUMN_DENSE, 4 },
		{ "whole seconds", 1700000000000000000, 1000000000, 60000, 1, COLUMN_DENSE, 2 },
		{ "wide", INT64_MIN + 1, INT64_C(1) << 48, 60000, 1, COLUMN_DENSE, 2 },
		{ "too wide", INT64_MIN + 1, (INT64_C(1) << 47) + 1, 65536, 1, COLUMN_DENSE, 4 },
		{ "few", 7, 1, 100, 5, COLUMN_SPARSE, 1 },
	};
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct column_slice slice;
	int64_t max;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(CHOICES); i++) {
		const struct choice *choice = &CHOICES[i];

		for (uint32_t j = 0; j < COLUMN_SEGMENT_DOCS; j++)
			numbers[j] = j % choice->every ? COLUMN_MISSING
						       : (int64_t)((uint64_t)choice->base +
								   (uint64_t)(j % choice->modulus) *
									   (uint64_t)choice->step);
		pxs_buf_clear(&buf);
		column_encode(numbers, 0, false, &buf);
		assert_int_equal(column_decode(buf.data, buf.len, &slice, &max), 0);
		if (slice.form != choice->form || slice.width != choice->width)
			fail_msg("%s: form %d of %d bytes", choice->name, (int)slice.form,
				 slice.width);
		check_numbers(&slice);
	}
}

static void
values_that_count_take_no_bytes(void **state)
{
	static const int64_t FIRST[] = { 1, -40000, INT64_MIN + 2, INT64_MAX - 65535 };
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct column_slice slice;
	int64_t max;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FIRST); i++) {
		for (uint32_t j = 0; j < COLUMN_SEGMENT_DOCS; j++)
			numbers[j] = FIRST[i] + j;
		pxs_buf_clear(&buf);
		column_encode(numbers, 0, i == 0, &buf);
		assert_in_range(buf.len, 1, 64);
		assert_int_equal(column_decode(buf.data, buf.len, &slice, &max), 0);
		assert_int_equal(max, numbers[COLUMN_SEGMENT_DOCS - 1]);
		check_numbers(&slice);
	}
	/* What they reach is not only said. */
	for (size_t at = 4; at < buf.len; at++) {
		buf.data[at] ^= 1;
		assert_int_equal(column_decode(buf.data, buf.len, &slice, &max), -EBADMSG);
		buf.data[at] ^= 1;
	}
	numbers[70]--;
	pxs_buf_clear(&buf);
	column_encode(numbers, 0, false, &buf);
	assert_int_equal(column_decode(buf.data, buf.len, &slice, &max), 0);
	check_numbers(&slice);
}

/* Bytes that pass are read within their bounds, whatever they say: the sanitizers watch. */
static void
damaged_bytes_are_refused_or_harmless(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	CLEANUP(free) char *copy = NULL;
	struct column_slice slice;
	int64_t max;

	(void)state;
	start_random();
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
		numbers[i] = i % 6 ? COLUMN_MISSING : i % 1000;
	column_encode(numbers, 0, false, &buf);
	for (size_t len = 0; len < buf.len; len += 1 + len / 20)
		assert_int_equal(column_decode(buf.data, len, &slice, &max), -EBADMSG);
	copy = malloc(buf.len);
	assert_non_null(copy);
	for (size_t at = 0; at < buf.len; at += at < 200 ? 1 : 997) {
		memcpy(copy, buf.data, buf.len);
		copy[at] = (char)(copy[at] ^ 1 << random() % 8);
		if (column_decode(copy, buf.len, &slice, &max) == 0)
			for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i += 97)
				(void)column_slice_number(&slice, i);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + 10] = {
		[ARRAY_SIZE(ROWS)] = cmocka_unit_test(lists_are_read),
		cmocka_unit_test(listed_places_are_found),
		cmocka_unit_test(set_numbers_are_read),
		cmocka_unit_test(set_lists_are_read),
		cmocka_unit_test(set_strings_are_read),
		cmocka_unit_test(encoded_numbers_are_read),
		cmocka_unit_test(encoded_lists_are_read),
		cmocka_unit_test(the_narrowest_form_is_chosen),
		cmocka_unit_test(values_that_count_take_no_bytes),
		cmocka_unit_test(damaged_bytes_are_refused_or_harmless),
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
