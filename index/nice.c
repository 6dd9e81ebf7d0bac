/* A round number is a decimal, `digits` x 10^`exponent`. Whole numbers are compared with it in 128
 * bits; real ones with what strtod() makes of its text, which is correctly rounded, so that 0.3 is
 * the 0.3 of everyone else. One operation with two exact numbers is correctly rounded, too. */
#include "index/nice.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/column.h"
#include "query/query.h"

#define DIGITS_MAX 3

/* Beyond this, multiples of a power of ten are no longer exact in a double. */
#define REAL_DIGITS_MAX INT64_C(1000000000000000)

struct decimal {
	int64_t digits;
	int exponent;
};

static bool
is_real(const struct query_property *property)
{
	return property->type == QUERY_TYPE_FLOAT || property->type == QUERY_TYPE_DOUBLE;
}

static double
real_of(const struct query_property *property, int64_t number)
{
	struct query_value value;

	column_number_value(property, number, &value);
	return value.real;
}

static __int128
power_of_ten(int exponent)
{
	static const int64_t POWERS[] = {
		1,
		10,
		100,
		1000,
		10000,
		100000,
		1000000,
		10000000,
		100000000,
		1000000000,
		10000000000,
		100000000000,
		1000000000000,
		10000000000000,
		100000000000000,
		1000000000000000,
		10000000000000000,
		100000000000000000,
		1000000000000000000,
	};
	const int most = ARRAY_SIZE(POWERS) - 1;
	__int128 power = POWERS[MIN(exponent, most)];

	for (int i = most; i < exponent; i++)
		power *= 10;
	return power;
}

/* Exactly a double. */
#define WHOLE_MAX (INT64_C(1) << 53)
#define EXPONENT_MAX 22

static bool
is_exact(const struct decimal *decimal)
{
	return FLT_EVAL_METHOD == 0 && decimal->digits <= WHOLE_MAX &&
	       decimal->digits >= -WHOLE_MAX && decimal->exponent <= EXPONENT_MAX &&
	       decimal->exponent >= -EXPONENT_MAX;
}

static double
decimal_real(const struct decimal *decimal)
{
	char text[64];

	if (is_exact(decimal) && decimal->exponent >= 0)
		return (double)decimal->digits * (double)power_of_ten(decimal->exponent);
	if (is_exact(decimal))
		return (double)decimal->digits / (double)power_of_ten(-decimal->exponent);
	(void)snprintf(text, sizeof(text), "%llde%d", (long long)decimal->digits,
		       decimal->exponent);
	return strtod(text, NULL);
}

/* Whole numbers only; the exponent is not negative. */
static __int128
decimal_whole(const struct decimal *decimal)
{
	return decimal->digits * power_of_ten(decimal->exponent);
}

static bool
decimal_exceeds(const struct query_property *property, const struct decimal *decimal,
		int64_t number)
{
	if (is_real(property))
		return decimal_real(decimal) > real_of(property, number);
	return decimal_whole(decimal) > number;
}

/* The decimal as a number of the column; false if the type does not reach so far. */
static bool
decimal_number(const struct query_property *property, const struct decimal *decimal,
	       int64_t *ret_number)
{
	struct query_value value = { .type = property->type };
	__int128 whole;

	if (is_real(property)) {
		value.real = decimal_real(decimal);
		if (!isfinite(value.real))
			return false;
	} else {
		whole = decimal_whole(decimal);
		if (whole <= INT64_MIN || whole > INT64_MAX)
			return false;
		if (property->type == QUERY_TYPE_INTEGER &&
		    (whole < INT32_MIN || whole > INT32_MAX))
			return false;
		value.integer = (int64_t)whole;
	}
	*ret_number = column_number(&value);
	return true;
}

/* The power of ten of a real number's first digit. From 1 on its whole part tells: no number below
 * a power of ten is so near that its first 17 digits were rounded up to it. */
static int
real_exponent(double real)
{
	char text[64];
	int exponent = 0;

	if (fabs(real) >= 1 && fabs(real) < 1e18) {
		for (int64_t whole = (int64_t)fabs(real); whole >= 10; whole /= 10)
			exponent++;
		return exponent;
	}
	(void)snprintf(text, sizeof(text), "%.16e", real);
	return real == 0 || !isfinite(real) ? 0 : (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

static int
exponent_of(const struct query_property *property, int64_t number)
{
	int exponent = 0;

	if (is_real(property))
		return real_exponent(real_of(property, number));
	while (number / 10 != 0) {
		number /= 10;
		exponent++;
	}
	return exponent;
}

/* The smallest multiple of STEP x 10^EXPONENT above NUMBER, whose first digit stands for less than
 * LIMIT of these powers. */
static struct decimal
multiple_above(const struct query_property *property, int64_t number, int exponent, int64_t step,
	       int64_t limit)
{
	int64_t low = -limit / step - 1, high = limit / step; /* not above; above */

	while (high - low > 1) {
		int64_t mid = low + (high - low) / 2;
		struct decimal decimal = { mid * step, exponent };

		if (decimal_exceeds(property, &decimal, number))
			high = mid;
		else
			low = mid;
	}
	return (struct decimal){ high * step, exponent };
}

bool
nice_between(const struct query_property *property, int64_t low, int64_t high, int64_t *ret_number)
{
	static const int64_t STEPS[] = { 5, 2, 1 };
	int first, exponent;
	int64_t limit = 1, number;

	if ((low < 0 && high >= 0) || (low == 0 && !is_real(property))) {
		*ret_number = low < 0 ? 0 : 1;
		return true;
	}

	first = low == 0 ? exponent_of(property, high)
			 : MAX(exponent_of(property, low), exponent_of(property, high));
	for (int digits = 1; digits <= DIGITS_MAX; digits++) {
		exponent = first - digits + 1;
		limit *= 10;
		if (exponent < 0 && !is_real(property))
			return false;
		for (size_t i = 0; i < ARRAY_SIZE(STEPS); i++) {
			struct decimal decimal = multiple_above(property, low, exponent, STEPS[i],
								limit);

			if (decimal_number(property, &decimal, &number) && number <= high) {
				*ret_number = number;
				return true;
			}
		}
	}
	return false;
}

bool
nice_round(const struct query_property *property, int64_t number, int digits, int64_t *ret_number)
{
	int exponent = exponent_of(property, number) - digits + 1;
	struct decimal below, above;
	double real;
	bool up;

	if (is_real(property)) {
		char text[64];
		struct query_value value = { .type = property->type };

		(void)snprintf(text, sizeof(text), "%.*e", digits - 1, real_of(property, number));
		value.real = real = strtod(text, NULL);
		*ret_number = column_number(&value);
		return isfinite(real);
	}
	if (exponent <= 0) {
		*ret_number = number;
		return true;
	}
	above = multiple_above(property, number, exponent, 1, (int64_t)power_of_ten(digits));
	below = (struct decimal){ above.digits - 1, exponent };
	up = 2 * (__int128)number >= decimal_whole(&below) + decimal_whole(&above);
	return decimal_number(property, up ? &above : &below, ret_number);
}

/* The exponent of the step of round limits; false where there is none of use. */
static bool
limit_exponent(const struct query_property *property, int64_t min, int64_t max, int *ret_exponent)
{
	__int128 fifth;
	double real_fifth;

	if (is_real(property)) {
		real_fifth = (real_of(property, max) - real_of(property, min)) / 5;
		*ret_exponent = real_exponent(real_fifth);
		return real_fifth > 0 && isfinite(real_fifth);
	}
	fifth = ((__int128)max - min) / 5;
	for (*ret_exponent = 0; fifth >= 10; fifth /= 10)
		++*ret_exponent;
	return true;
}

/* The greatest multiple of 10^EXPONENT that does not exceed NUMBER. */
static bool
multiple_at_most(const struct query_property *property, int64_t number, int exponent,
		 struct decimal *ret_decimal)
{
	struct decimal decimal = { 1, exponent };
	__int128 power, quotient;
	double real;

	if (!is_real(property)) {
		power = power_of_ten(exponent);
		quotient = number / power - (number % power < 0);
		*ret_decimal = (struct decimal){ (int64_t)quotient, exponent };
		return true;
	}

	real = floor(real_of(property, number) / decimal_real(&decimal));
	if (!(fabs(real) <= (double)REAL_DIGITS_MAX)) /* so is NaN */
		return false;
	decimal.digits = (int64_t)real + 1; /* the division may have been off by one */
	while (decimal_exceeds(property, &decimal, number))
		decimal.digits--;
	*ret_decimal = decimal;
	return true;
}

bool
nice_low(const struct query_property *property, int64_t min, int64_t max, int64_t *ret_low)
{
	struct decimal decimal;
	int exponent;

	return limit_exponent(property, min, max, &exponent) &&
	       multiple_at_most(property, min, exponent, &decimal) &&
	       decimal_number(property, &decimal, ret_low);
}

bool
nice_high(const struct query_property *property, int64_t min, int64_t max, int64_t *ret_high)
{
	struct decimal decimal;
	int exponent;

	if (!limit_exponent(property, min, max, &exponent) ||
	    !multiple_at_most(property, max, exponent, &decimal))
		return false;
	decimal.digits++;
	return decimal_number(property, &decimal, ret_high);
}
