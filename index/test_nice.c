/* Round numbers and calendar spans, by rows. */
#include "index/nice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/calendar.h"
#include "index/column.h"
#include "query/query.h"

static const struct query_property LONG = { .name = "t.long", .type = QUERY_TYPE_LONG };
static const struct query_property SHORT = { .name = "t.short", .type = QUERY_TYPE_INTEGER };
static const struct query_property REAL = { .name = "t.real", .type = QUERY_TYPE_DOUBLE };

static int64_t
real_number(double real)
{
	struct query_value value = { .type = QUERY_TYPE_DOUBLE, .real = real };

	return column_number(&value);
}

static double
number_real(int64_t number)
{
	struct query_value value;

	column_number_value(&REAL, number, &value);
	return value.real;
}

static void
a_round_number_between(void **state)
{
	static const struct {
		int64_t low, high, expected; /* expected: INT64_MIN if there is none */
	} ROWS[] = {
		{ 27399, 27412, 27400 },
		{ 900, 2500, 2000 },
		{ 999, 1000, 1000 },
		{ 40, 60, 50 },
		{ 5, 6, 6 },
		{ 0, 1, 1 },
		{ 0, 4096, 1 },
		{ -1, 0, 0 },
		{ -100, 100, 0 },
		{ -60, -40, -50 },
		{ -1000, -950, -950 },
		{ -2, -1, -1 },
		{ 12345, 12346, INT64_MIN },
		{ 123456, 123466, INT64_MIN },
		{ INT64_MAX - 1, INT64_MAX, INT64_MIN },
		{ 1, INT64_MAX, 5000000000000000000 },
		{ INT64_MIN + 1, -5, -5000000000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		int64_t number = INT64_MIN;

		print_message("(%lld, %lld]\n", (long long)ROWS[i].low, (long long)ROWS[i].high);
		(void)nice_between(&LONG, ROWS[i].low, ROWS[i].high, &number);
		assert_int_equal(number, ROWS[i].expected);
	}
}

/* Of three digits at most, and the number that everybody reads in its text. */
static void
a_round_real_is_what_its_text_says(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		double low = (double)random() * pow(10, (double)(random() % 60) - 40);
		double high = low * (1 + (double)random() / RAND_MAX);
		int64_t number = real_number(-1);
		char text[32];

		if (!nice_between(&REAL, real_number(low), real_number(high), &number))
			continue;
		(void)snprintf(text, sizeof(text), "%.2e", number_real(number));
		assert_true(number_real(number) == strtod(text, NULL));
		assert_true(number_real(number) > low && number_real(number) <= high);
	}
}

static void
a_round_real_between(void **state)
{
	static const struct {
		double low, high, expected; /* expected: -1 if there is none */
	} ROWS[] = {
		{ 0.2999, 0.3001, 0.3 },
		{ 0.29999, 0.30001, 0.3 },
		{ 1.0, 2.5, 2 },
		{ 0, 0.004, 0.002 },
		{ 1e-12, 3e300, 2e300 },
		{ 0.12341, 0.12342, -1 },
		{ -0.5, 0.5, 0 },
		{ 99.9, 100.1, 100 },
		{ 9.999999999999998, 10, 10 },
		{ 999.9999999999999, 1000, 1000 },
		{ 99999999999999984.0, 1e17, 1e17 },
		{ 1e17, 100000000000000016.0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		int64_t number = real_number(-1);

		print_message("(%g, %g]\n", ROWS[i].low, ROWS[i].high);
		(void)nice_between(&REAL, real_number(ROWS[i].low), real_number(ROWS[i].high),
				   &number);
		assert_true(number_real(number) == ROWS[i].expected);
	}
}

static void
rounding_to_digits(void **state)
{
	static const struct {
		int64_t number;
		int digits;
		int64_t expected; /* INT64_MIN: too large */
	} ROWS[] = {
		{ 12345, 3, 12300 },
		{ 12350, 3, 12400 }, /* halves up */
		{ 12345, 2, 12000 },
		{ 99999, 2, 100000 },
		{ -12350, 3, -12300 }, /* up, there too */
		{ -12351, 3, -12400 },
		{ 7, 2, 7 },
		{ 0, 2, 0 },
		{ INT64_MAX, 2, 9200000000000000000 },
		{ INT64_MAX, 1, 9000000000000000000 },
	};
	int64_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		number = INT64_MIN;
		(void)nice_round(&LONG, ROWS[i].number, ROWS[i].digits, &number);
		assert_int_equal(number, ROWS[i].expected);
	}
	assert_true(nice_round(&REAL, real_number(0.123456), 3, &number));
	assert_true(number_real(number) == 0.123);
	assert_false(nice_round(&SHORT, INT32_MAX, 1, &number) && number > INT32_MAX);
}

static void
limits_are_multiples_of_a_round_step(void **state)
{
	static const struct {
		int64_t min, max, low, high; /* INT64_MIN: none */
	} ROWS[] = {
		{ 12, 97, 10, 100 },
		{ 0, 12345678, 0, 13000000 },
		{ 1, 6, 1, 7 },
		{ 3, 3, 3, 4 },
		{ -95, -12, -100, -10 },
		{ 100, 200, 100, 210 },
		{ 0, INT64_MAX, 0, INT64_MIN },
		{ INT64_MIN + 1, 0, INT64_MIN, 1000000000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		int64_t low = INT64_MIN, high = INT64_MIN;

		(void)nice_low(&LONG, ROWS[i].min, ROWS[i].max, &low);
		(void)nice_high(&LONG, ROWS[i].min, ROWS[i].max, &high);
		assert_int_equal(low, ROWS[i].low);
		assert_int_equal(high, ROWS[i].high);
	}
}

static void
limits_stay_in_the_type(void **state)
{
	int64_t number;

	(void)state;
	assert_false(nice_high(&SHORT, 0, INT32_MAX, &number));
	assert_true(nice_high(&LONG, 0, INT32_MAX, &number));
	assert_int_equal(number, 2200000000);
	assert_false(nice_high(&REAL, real_number(-1.7e308), real_number(1.7e308), &number));
	assert_true(nice_high(&REAL, real_number(0.35), real_number(0.95), &number));
	assert_true(number_real(number) == 1.0);
	assert_true(nice_low(&REAL, real_number(0.35), real_number(0.95), &number));
	assert_true(number_real(number) == 0.3);
	/* Neighbours so close, so far from 0, that no decimal step is exact. */
	assert_false(
		nice_low(&REAL, real_number(1e300), real_number(1e300 * (1 + 1e-15)), &number));
	assert_false(nice_low(&REAL, real_number(0), real_number(5e-324), &number));
}

static void
calendar_spans(void **state)
{
	static const struct {
		enum calendar_level level;
		const char *time, *start, *next;
	} ROWS[] = {
		{ CALENDAR_DECADE, "2024-02-29T23:59:59", "2020-01-01", "2030-01-01" },
		{ CALENDAR_LUSTRUM, "2024-02-29T23:59:59", "2020-01-01", "2025-01-01" },
		{ CALENDAR_YEAR, "2024-12-31T23:59:59", "2024-01-01", "2025-01-01" },
		{ CALENDAR_QUARTER, "2024-12-31T23:59:59", "2024-10-01", "2025-01-01" },
		{ CALENDAR_QUARTER, "2024-03-31", "2024-01-01", "2024-04-01" },
		{ CALENDAR_MONTH, "2024-02-29T23:59:59", "2024-02-01", "2024-03-01" },
		{ CALENDAR_MONTH, "1900-03-01", "1900-03-01", "1900-04-01" },
		{ CALENDAR_MONTH, "2000-02-29", "2000-02-01", "2000-03-01" },
		{ CALENDAR_DAY, "1969-12-31T23:59:59", "1969-12-31", "1970-01-01" },
		{ CALENDAR_SIX_HOURS, "2024-02-29T17:59:59", "2024-02-29T12:00:00",
		  "2024-02-29T18:00:00" },
		{ CALENDAR_HOUR, "1969-12-31T23:59:59", "1969-12-31T23:00:00", "1970-01-01" },
		{ CALENDAR_TEN_MINUTES, "2024-02-29T17:59:59", "2024-02-29T17:50:00",
		  "2024-02-29T18:00:00" },
		{ CALENDAR_MINUTE, "2024-02-29T17:59:59", "2024-02-29T17:59:00",
		  "2024-02-29T18:00:00" },
		{ CALENDAR_SECOND, "2024-02-29T17:59:59.5", "2024-02-29T17:59:59",
		  "2024-02-29T18:00:00" },
		{ CALENDAR_MILLISECOND, "2024-02-29T17:59:59.9996", "2024-02-29T17:59:59.999",
		  "2024-02-29T18:00:00" },
		{ CALENDAR_MICROSECOND, "2024-02-29T17:59:59.000001999",
		  "2024-02-29T17:59:59.000001", "2024-02-29T17:59:59.000002" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
		int64_t time_ns, end_ns, start_ns, next_ns;

		assert_int_equal(query_time_parse(ROWS[i].time, &time_ns, &end_ns, NULL), 0);
		assert_true(calendar_floor(ROWS[i].level, time_ns, &start_ns));
		assert_true(calendar_next(ROWS[i].level, time_ns, &next_ns));
		query_time_print_short(start_ns, &text);
		assert_string_equal(pxs_buf_text(&text), ROWS[i].start);
		pxs_buf_clear(&text);
		query_time_print_short(next_ns, &text);
		assert_string_equal(pxs_buf_text(&text), ROWS[i].next);
	}
}

/* Every month of the years that 64 bits reach begins where the one before ends. */
static void
months_follow_each_other(void **state)
{
	int64_t time_ns = INT64_MIN, start_ns, next_ns;
	size_t months = 0;

	(void)state;
	assert_false(calendar_floor(CALENDAR_MONTH, INT64_MIN, &start_ns));
	while (calendar_next(CALENDAR_MONTH, time_ns, &next_ns)) {
		assert_true(next_ns > time_ns);
		assert_true(calendar_floor(CALENDAR_MONTH, next_ns, &start_ns));
		assert_int_equal(start_ns, next_ns);
		time_ns = next_ns;
		months++;
	}
	/* From October 1677 to April 2262. */
	assert_int_equal(months, (2262 - 1677) * 12 + 4 - 10 + 1);
	assert_false(calendar_next(CALENDAR_DECADE, INT64_MAX, &next_ns));
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_round_number_between),
		cmocka_unit_test(a_round_real_between),
		cmocka_unit_test(a_round_real_is_what_its_text_says),
		cmocka_unit_test(rounding_to_digits),
		cmocka_unit_test(limits_are_multiples_of_a_round_step),
		cmocka_unit_test(limits_stay_in_the_type),
		cmocka_unit_test(calendar_spans),
		cmocka_unit_test(months_follow_each_other),
	};

	return cmocka_run_group_tests_name("index/nice", TESTS, NULL, NULL);
}
