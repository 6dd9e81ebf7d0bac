/* date.c - instants and spans of time as text; what is computed (now-7d) stands in moment.c.
 *
 *     date     = year ["-" month ["-" day ["T" time]]] / milliseconds
 *     time     = hour [":" minute [":" second ["." 1*9digit]]] [zone]
 *     zone     = "Z" / ("+" / "-") 2digit [":"] 2digit          ; none: UTC
 *     year     = 4digit
 *     milliseconds = 1*digit, but not four                      ; since 1970
 */
#include "query/date.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "query/civil.h"
#include "query/query.h"

#define MINUTE_NS (60 * PXS_NS_PER_S)
#define DAY_S INT64_C(86400)

static const struct {
	char before; /* what stands before it */
	unsigned char digits, min, max;
	int64_t span_ns; /* 0: depends on the calendar */
} FIELDS[CIVIL_FIELDS] = {
	[CIVIL_YEAR] = { '\0', 4, 0, 0, 0 },
	[CIVIL_MONTH] = { '-', 2, 1, 12, 0 },
	[CIVIL_DAY] = { '-', 2, 1, 31, 0 },
	[CIVIL_HOUR] = { 'T', 2, 0, 23, 60 * MINUTE_NS },
	[CIVIL_MINUTE] = { ':', 2, 0, 59, MINUTE_NS },
	[CIVIL_SECOND] = { ':', 2, 0, 59, PXS_NS_PER_S },
};

/* A date being read: its fields, how many of them were given, and the fine part. */
struct date {
	const char *at;
	struct civil civil;
	int n;
	int64_t span_ns;
	int64_t zone_ns; /* to subtract */
};

/* N digits at the cursor as a number; -1, and no step, if there are fewer. */
static int
read_digits(struct date *date, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (date->at[i] < '0' || date->at[i] > '9')
			return -1;
		value = value * 10 + (date->at[i] - '0');
	}
	date->at += n;
	return value;
}

static bool
read_field(struct date *date, int field)
{
	const char *start = date->at;
	int value;

	if (FIELDS[field].before && *date->at++ != FIELDS[field].before) {
		date->at = start;
		return false;
	}
	value = read_digits(date, FIELDS[field].digits);
	if (value < FIELDS[field].min || (FIELDS[field].max && value > FIELDS[field].max)) {
		date->at = start;
		return false;
	}
	date->civil.fields[field] = value;
	date->n = field + 1;
	return true;
}

/* "." 1*9digit; the digits left out are its span. */
static void
read_fraction(struct date *date)
{
	const char *start = date->at;

	if (*date->at++ == '.')
		while (date->at - start <= 9 && *date->at >= '0' && *date->at <= '9') {
			date->span_ns /= 10;
			date->civil.fraction_ns += date->span_ns * (*date->at++ - '0');
		}
	if (date->at - start < 2)
		date->at = start;
}

static void
read_zone(struct date *date)
{
	const char *start = date->at;
	char sign = *date->at++;
	int hours, minutes;

	if (sign == 'Z')
		return;
	if (sign == '+' || sign == '-') {
		hours = read_digits(date, 2);
		date->at += *date->at == ':';
		minutes = read_digits(date, 2);
		if (hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60) {
			date->zone_ns = (hours * 60 + minutes) * MINUTE_NS;
			date->zone_ns *= sign == '-' ? -1 : 1;
			return;
		}
	}
	date->at = start;
}

static bool
day_exists(const struct date *date)
{
	const int64_t *f = date->civil.fields;

	return f[CIVIL_DAY] <= civil_days_in_month(f[CIVIL_YEAR], f[CIVIL_MONTH]);
}

static bool
read_date(struct date *date)
{
	for (int field = CIVIL_YEAR; field < CIVIL_FIELDS; field++)
		if (!read_field(date, field))
			break;
	if (!date->n || !day_exists(date))
		return false;
	date->span_ns = FIELDS[date->n - 1].span_ns;
	if (date->n == CIVIL_FIELDS)
		read_fraction(date);
	if (date->n > CIVIL_DAY + 1)
		read_zone(date);
	return *date->at == '\0';
}

static int
time_refuse(const char *text, long at, struct pxs_error *err)
{
	if (strncmp(text, "now", 3) == 0 || strstr(text, "||"))
		return pxs_error_set(err, -EINVAL, 0,
				     "'%.40s' is computed, which only a query's dates may be",
				     text);
	return pxs_error_set(err, -EINVAL, at,
			     "'%.40s' is no date; write it as 2024, 2024-02, 2024-02-03 or "
			     "2024-02-03T10:11:12",
			     text);
}

/* The span, if it begins within 64 bits of nanoseconds; its end is cut there. */
static int
give_span(__int128 start, __int128 end, int64_t *ret_start_ns, int64_t *ret_end_ns,
	  struct pxs_error *err)
{
	if (start < INT64_MIN || start > INT64_MAX)
		return pxs_error_set(err, -ERANGE, 0,
				     "the date lies outside of the years 1678 to 2261");
	*ret_start_ns = (int64_t)start;
	*ret_end_ns = (int64_t)MIN(end, (__int128)INT64_MAX);
	return 0;
}

static int
parse_milliseconds(const char *text, int64_t *ret_start_ns, int64_t *ret_end_ns,
		   struct pxs_error *err)
{
	__int128 start;

	errno = 0;
	start = (__int128)strtoll(text, NULL, 10) * PXS_NS_PER_MS;
	if (errno)
		start = (__int128)INT64_MAX + 1;
	return give_span(start, start + PXS_NS_PER_MS, ret_start_ns, ret_end_ns, err);
}

int
query_time_parse(const char *text, int64_t *ret_start_ns, int64_t *ret_end_ns,
		 struct pxs_error *err)
{
	struct date date = { .at = text, .civil.fields = { [CIVIL_MONTH] = 1, [CIVIL_DAY] = 1 } };
	size_t n_digits = strspn(text, "0123456789");
	__int128 start, end;

	if (n_digits && n_digits != 4 && text[n_digits] == '\0')
		return parse_milliseconds(text, ret_start_ns, ret_end_ns, err);
	if (!read_date(&date))
		return time_refuse(text, date.at - text, err);

	start = civil_to_ns(&date.civil) - date.zone_ns;
	end = start + date.span_ns;
	if (!date.span_ns) {
		date.civil.fields[date.n - 1]++;
		end = civil_to_ns(&date.civil);
	}
	return give_span(start, end, ret_start_ns, ret_end_ns, err);
}

/* NUMBER (not negative) in N digits, behind BEFORE. A reply is full of times, and printf's
 * machinery would take most of it. */
static void
print_digits(struct pxs_buf *buf, char before, int64_t number, int n)
{
	char text[20];

	assert(n < (int)sizeof(text) && number >= 0);
	text[0] = before;
	for (int i = n; i > 0; i--) {
		text[i] = (char)('0' + number % 10);
		number /= 10;
	}
	pxs_buf_add(buf, before ? text : text + 1, (size_t)n + (before != '\0'));
}

static void
print_day(const struct civil *civil, struct pxs_buf *buf)
{
	print_digits(buf, '\0', civil->fields[CIVIL_YEAR], 4);
	print_digits(buf, '-', civil->fields[CIVIL_MONTH], 2);
	print_digits(buf, '-', civil->fields[CIVIL_DAY], 2);
}

static void
print_clock(const struct civil *civil, struct pxs_buf *buf)
{
	print_digits(buf, 'T', civil->fields[CIVIL_HOUR], 2);
	print_digits(buf, ':', civil->fields[CIVIL_MINUTE], 2);
	print_digits(buf, ':', civil->fields[CIVIL_SECOND], 2);
}

static void
print_fraction(int64_t fraction_ns, struct pxs_buf *buf)
{
	int n = 9;

	if (!fraction_ns)
		return;
	for (; fraction_ns % 10 == 0; n--)
		fraction_ns /= 10;
	print_digits(buf, '.', fraction_ns, n);
}

void
query_time_print(int64_t time_ns, struct pxs_buf *buf)
{
	struct civil civil = civil_of_ns(time_ns);

	print_day(&civil, buf);
	print_clock(&civil, buf);
	print_fraction(civil.fraction_ns, buf);
}

void
query_time_print_exact(int64_t time_ns, struct pxs_buf *buf)
{
	struct civil civil = civil_of_ns(time_ns);

	print_day(&civil, buf);
	print_clock(&civil, buf);
	print_digits(buf, '.', civil.fraction_ns, 9);
}

void
query_time_print_short(int64_t time_ns, struct pxs_buf *buf)
{
	struct civil civil = civil_of_ns(time_ns);

	print_day(&civil, buf);
	if (time_ns % (DAY_S * PXS_NS_PER_S) == 0)
		return;
	print_clock(&civil, buf);
	print_fraction(civil.fraction_ns, buf);
}
