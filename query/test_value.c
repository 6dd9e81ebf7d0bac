/* test_value.c - numbers, dates and values: text in, value out, text again. */
#include <float.h>
#include <math.h>

#include "query/date.h"
#include "query/number.h"
#include "query/test_random.h"
#include "query/test_rows.h"
#include "query/value.h"

static const struct number_row {
	const char *text;
	size_t scanned;
	int64_t floor;
	bool whole;
	int beyond;
} NUMBERS[] = {
	{ "0", 1, 0, true, 0 },
	{ "-0", 2, 0, true, 0 },
	{ "27400", 5, 27400, true, 0 },
	{ "3.0", 3, 3, true, 0 },
	{ "3.5", 3, 3, false, 0 },
	{ "-3.5", 4, -4, false, 0 },
	{ "-0.5", 4, -1, false, 0 },
	{ "-3.000", 6, -3, true, 0 },
	{ "1e3", 3, 1000, true, 0 },
	{ "15E-1", 5, 1, false, 0 },
	{ "9007199254740993", 16, INT64_C(9007199254740993), true, 0 },
	{ "9007199254740993.0", 18, INT64_C(9007199254740993), true, 0 },
	{ "9223372036854775807", 19, INT64_MAX, true, 0 },
	{ "-9223372036854775808", 20, INT64_MIN, true, 0 },
	{ "9223372036854775808", 19, 0, false, 1 },
	{ "-9223372036854775809", 20, 0, false, -1 },
	{ "-9223372036854775808.5", 22, 0, false, -1 },
	{ "1e400", 5, 0, false, 1 },
	{ "-1e19", 5, 0, false, -1 },
	{ "", 0 },
	{ "-", 0 },
	{ "+5", 0 },
	{ ".5", 0 },
	{ " 5", 0 },
	{ "inf", 0 },
	{ "nan", 0 },
	{ "5x", 1 },
	{ "0x10", 1 },
	{ "5.", 1 },
	{ "5e", 1 },
	{ "5e+", 1 },
	{ "1-2", 1 },
	{ "1e-5-2", 4 },
};

static void
check_number(void **state)
{
	const struct number_row *row = *state;
	struct query_number number = { 0 };
	size_t len = strlen(row->text);
	bool is_number = query_number_parse(row->text, &number);

	assert_int_equal(query_number_scan(row->text), row->scanned);
	assert_int_equal(is_number, len && row->scanned == len);
	if (!is_number)
		return;
	assert_int_equal(number.beyond, row->beyond);
	assert_true(number.real == strtod(row->text, NULL));
	if (number.beyond)
		return;
	assert_int_equal(number.whole, row->whole);
	assert_true(number.floor == row->floor);
}

#define DAY INT64_C(86400000000000)
#define SECOND INT64_C(1000000000)

static const struct date_row {
	const char *text;
	int64_t start, end; /* since 1970 */
	int64_t unit;	    /* ns */
} DATES[] = {
	{ "1970", 0, 365 * DAY, 1 },
	{ "1970-01", 0, 31 * DAY, 1 },
	{ "1970-01-02", DAY, 2 * DAY, 1 },
	{ "1970-01-01T01", 3600, 7200, SECOND },
	{ "1970-01-01T00:01", 60, 120, SECOND },
	{ "1970-01-01T00:00:01", 1, 2, SECOND },
	{ "1970-01-01T00:00:00.5", 500000000, 600000000, 1 },
	{ "1970-01-01T00:00:00.123456789", 123456789, 123456790, 1 },
	{ "1970-01-01T01:00Z", 3600, 3660, SECOND },
	{ "1970-01-01T01:00:00+01:00", 0, 1, SECOND },
	{ "1970-01-01T00:00:00-0130", 5400, 5401, SECOND },
	{ "1970-01-01T00:00:00.000000001+01:00", -3600 * SECOND + 1, -3600 * SECOND + 2, 1 },
	{ "1969-12-31T23:59:59", -1, 0, SECOND },
	{ "2000-02-29", 951782400, 951868800, SECOND },
	{ "2023-12", 1701388800, 1704067200, SECOND },
	{ "2024", 1704067200, 1735689600, SECOND },
	{ "1700-02-28", INT64_C(-8515324800), INT64_C(-8515238400), SECOND },
	{ "1700000000000", 1700000000000, 1700000000001, 1000000 },
	{ "0", 0, 1000000, 1 },
	{ "999", 999000000, 1000000000, 1 },
	{ "2262-04-11T23:47:16.854775807", INT64_MAX, INT64_MAX, 1 },
	{ "1677-09-21T00:12:43.145224192", INT64_MIN, INT64_MIN + 1, 1 },
};

static void
check_date(void **state)
{
	const struct date_row *row = *state;
	struct pxs_error err = { 0 };
	int64_t start, end;

	assert_int_equal(query_time_parse(row->text, &start, &end, &err), 0);
	assert_true(start == row->start * row->unit);
	assert_true(end == row->end * row->unit);
}

static const struct no_date_row {
	const char *text;
	int error;
	long at;
} NO_DATES[] = {
	{ "", -EINVAL, 0 },
	{ "20x4", -EINVAL, 0 },
	{ "2024-", -EINVAL, 4 },
	{ "2024-13", -EINVAL, 4 },
	{ "2024-00", -EINVAL, 4 },
	{ "2024-02-30", -EINVAL, 10 },
	{ "2023-02-29", -EINVAL, 10 },
	{ "1900-02-29", -EINVAL, 10 },
	{ "2024-2-3", -EINVAL, 4 },
	{ "2024-02-03 10:11", -EINVAL, 10 },
	{ "2024-02-03T24", -EINVAL, 10 },
	{ "2024-02-03T10:60", -EINVAL, 13 },
	{ "2024-02-03T10:11:60", -EINVAL, 16 },
	{ "2024-02-03T10:11:12.", -EINVAL, 19 },
	{ "2024-02-03T10:11:12.1234567890", -EINVAL, 29 },
	{ "2024-02-03T10:11+1", -EINVAL, 16 },
	{ "2024-02-03T10:11+24:00", -EINVAL, 16 },
	{ "2024-02-03Z", -EINVAL, 10 },
	{ "2024Z", -EINVAL, 4 },
	{ "-2024", -EINVAL, 0 },
	{ "now", -EINVAL, 0 },
	{ "now-7d/d", -EINVAL, 0 },
	{ "2024-01-01||+1M", -EINVAL, 0 },
	{ "0001", -ERANGE, 0 },
	{ "1600-01-01", -ERANGE, 0 },
	{ "2300", -ERANGE, 0 },
	{ "9999999999999999", -ERANGE, 0 },
	{ "99999999999999999999", -ERANGE, 0 },
};

static void
check_no_date(void **state)
{
	const struct no_date_row *row = *state;
	struct pxs_error err = { 0 };
	int64_t start = 1, end = 2;

	assert_int_equal(query_time_parse(row->text, &start, &end, &err), row->error);
	assert_int_equal(err.code, -row->error);
	assert_int_equal(err.at, row->at);
	assert_true(start == 1 && end == 2);
}

static void
check_print(int64_t time_ns, void (*print)(int64_t, struct pxs_buf *), const char *expected)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	print(time_ns, &buf);
	assert_string_equal(pxs_buf_text(&buf), expected);
}

static void
dates_are_printed(void **state)
{
	(void)state;
	check_print(0, query_time_print, "1970-01-01T00:00:00");
	check_print(0, query_time_print_short, "1970-01-01");
	check_print(0, query_time_print_exact, "1970-01-01T00:00:00.000000000");
	check_print(-1, query_time_print, "1969-12-31T23:59:59.999999999");
	check_print(-DAY, query_time_print_short, "1969-12-31");
	check_print(120 * SECOND / 1000, query_time_print, "1970-01-01T00:00:00.12");
	check_print(SECOND, query_time_print_short, "1970-01-01T00:00:01");
	check_print(951782400 * SECOND, query_time_print_short, "2000-02-29");
	check_print(INT64_MAX, query_time_print, "2262-04-11T23:47:16.854775807");
	check_print(INT64_MIN, query_time_print, "1677-09-21T00:12:43.145224192");
}

/* Every instant reads back from each of its forms. */
static void
dates_return(void **state)
{
	static void (*const PRINT[])(int64_t, struct pxs_buf *) = {
		query_time_print,
		query_time_print_short,
		query_time_print_exact,
	};
	struct test_random random = test_random_new("dates_return");

	(void)state;
	for (int i = 0; i < 20000; i++) {
		static const int64_t UNITS[] = { 1, 1000000, SECOND, DAY };
		int64_t unit = UNITS[i % 4];
		int64_t time_ns = (int64_t)test_random_next(&random) / unit * unit;

		for (size_t form = 0; form < ARRAY_SIZE(PRINT); form++) {
			CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
			int64_t start, end;

			PRINT[form](time_ns, &buf);
			assert_int_equal(query_time_parse(pxs_buf_text(&buf), &start, &end, NULL),
					 0);
			assert_true(start == time_ns);
			assert_true(PRINT[form] != query_time_print_exact || end == start + 1);
		}
	}
}

static const struct value_row {
	const char *text;
	enum query_type type;
	const char *printed; /* NULL: refused */
} VALUES[] = {
	{ "New York", QUERY_TYPE_STRING, "New York" },
	{ "", QUERY_TYPE_STRING, "" },
	{ "cafe\xcc\x81", QUERY_TYPE_STRING, "caf\xc3\xa9" },
	{ "a\xff", QUERY_TYPE_STRING, NULL },
	{ "-2147483648", QUERY_TYPE_INTEGER, "-2147483648" },
	{ "3.0", QUERY_TYPE_INTEGER, "3" },
	{ "2147483648", QUERY_TYPE_INTEGER, NULL },
	{ "3.5", QUERY_TYPE_INTEGER, NULL },
	{ "", QUERY_TYPE_INTEGER, NULL },
	{ "9223372036854775807", QUERY_TYPE_LONG, "9223372036854775807" },
	{ "9223372036854775808", QUERY_TYPE_LONG, NULL },
	{ "0.1", QUERY_TYPE_DOUBLE, "0.1" },
	{ "-0", QUERY_TYPE_DOUBLE, "0" },
	{ "4.9406564584124654e-324", QUERY_TYPE_DOUBLE, "4.94065645841247e-324" },
	{ "1e400", QUERY_TYPE_DOUBLE, NULL },
	{ "0,5", QUERY_TYPE_DOUBLE, NULL },
	{ "2.5", QUERY_TYPE_FLOAT, "2.5" },
	{ "true", QUERY_TYPE_BOOLEAN, "true" },
	{ "false", QUERY_TYPE_BOOLEAN, "false" },
	{ "True", QUERY_TYPE_BOOLEAN, NULL },
	{ "1", QUERY_TYPE_BOOLEAN, NULL },
	{ "2024-02", QUERY_TYPE_DATETIME, "2024-02-01T00:00:00" },
	{ "2024-02-03T10:11:12.500", QUERY_TYPE_DATETIME, "2024-02-03T10:11:12.5" },
	{ "1600", QUERY_TYPE_DATETIME, NULL },
	{ "x", QUERY_TYPE_PROXY, NULL },
};

static void
check_value(void **state)
{
	const struct value_row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct pxs_arena arena = { 0 };
	struct pxs_error err = { 0 };
	struct query_value value;
	int r = query_value_parse(row->type, row->text, &arena, &value, &err);

	assert_int_equal(r, row->printed ? 0 : -EINVAL);
	assert_int_equal(err.code, -r);
	if (r == 0) {
		query_value_print(&value, &buf);
		assert_string_equal(pxs_buf_text(&buf), row->printed);
	}
	pxs_arena_done(&arena);
}

static void
values_compare(void **state)
{
	struct query_value a = { .type = QUERY_TYPE_LONG, .integer = INT64_C(9007199254740993) };
	struct query_value b = { .type = QUERY_TYPE_DOUBLE, .real = 9007199254740992.0 };
	struct query_value c = { .type = QUERY_TYPE_DOUBLE, .real = 1e300 };
	struct query_value d = { .type = QUERY_TYPE_STRING, .string = "a" };
	struct query_value e = { .type = QUERY_TYPE_STRING, .string = "\xc3\xa9" };
	struct query_value f = { .type = QUERY_TYPE_INTEGER, .integer = -3 };
	struct query_value g = { .type = QUERY_TYPE_DOUBLE, .real = -3.5 };

	(void)state;
	assert_true(query_value_compare(&a, &b) > 0);
	assert_true(query_value_compare(&b, &a) < 0);
	assert_true(query_value_compare(&a, &a) == 0);
	assert_true(query_value_compare(&a, &c) < 0);
	assert_true(query_value_compare(&c, &b) > 0);
	assert_true(query_value_compare(&d, &e) < 0);
	assert_true(query_value_compare(&f, &g) > 0);
	assert_true(query_value_compare(&g, &f) < 0);
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(dates_are_printed),
		cmocka_unit_test(dates_return),
		cmocka_unit_test(values_compare),
	};
	struct CMUnitTest tests[ARRAY_SIZE(NUMBERS) + ARRAY_SIZE(DATES) + ARRAY_SIZE(NO_DATES) +
				ARRAY_SIZE(VALUES) + ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, NUMBERS, check_number);
	TEST_ROWS_ADD(tests, n, DATES, check_date);
	TEST_ROWS_ADD(tests, n, NO_DATES, check_no_date);
	TEST_ROWS_ADD(tests, n, VALUES, check_value);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query_value", tests, NULL, NULL);
}
