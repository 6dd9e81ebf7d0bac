#include "query/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t
digits(const char *text)
{
	return strspn(text, "0123456789");
}

size_t
query_number_scan(const char *text)
{
	size_t at = text[0] == '-';
	size_t n = digits(text + at);
	size_t sign;

	if (!n)
		return 0;
	at += n;
	if (text[at] == '.' && digits(text + at + 1))
		at += 1 + digits(text + at + 1);
	if (text[at] == 'e' || text[at] == 'E') {
		sign = text[at + 1] == '+' || text[at + 1] == '-';
		n = digits(text + at + 1 + sign);
		if (n)
			at += 1 + sign + n;
	}
	return at;
}

/* glibc hands out one static object for "C", so there is nothing to free. */
static double
real_of(const char *text)
{
	return strtod_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

static void
floor_of_real(struct query_number *number)
{
	static const double LIMIT = 9223372036854775808.0; /* 2^63 */
	double low = floor(number->real);

	if (low >= LIMIT || low < -LIMIT) {
		number->beyond = low > 0 ? 1 : -1;
		return;
	}
	number->floor = (int64_t)low;
	number->whole = low == number->real;
}

/* Without an exponent the digits are read as they stand: doubles end at 2^53. */
static void
floor_of_digits(const char *text, struct query_number *number)
{
	bool negative = text[0] == '-';
	char *end;

	errno = 0;
	number->floor = strtoll(text, &end, 10);
	if (errno) {
		number->beyond = negative ? -1 : 1;
		return;
	}
	number->whole = *end != '.' || end[1 + strspn(end + 1, "0")] == '\0';
	if (number->whole || !negative)
		return;
	if (number->floor == INT64_MIN)
		number->beyond = -1;
	else
		number->floor--;
}

bool
query_number_parse(const char *text, struct query_number *ret_number)
{
	struct query_number number = { 0 };
	size_t len = query_number_scan(text);

	if (!len || text[len] != '\0')
		return false;

	number.real = real_of(text) + 0.0; /* no negative zero */
	if (strpbrk(text, "eE"))
		floor_of_real(&number);
	else
		floor_of_digits(text, &number);
	*ret_number = number;
	return true;
}
