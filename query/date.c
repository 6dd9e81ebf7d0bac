/* date.c - instants and spans of time, in the calendar that ISO 8601 has (proleptic Gregorian).
 *
 *     date     = year ["-" month ["-" day ["T" time]]] / milliseconds
 *     time     = hour [":" minute [":" second ["." 1*9digit]]] [zone]
 *     zone     = "Z" / ("+" / "-") 2digit [":"] 2digit          ; none: UTC
 *     year     = 4digit
 *     milliseconds = 1*digit, but not four                      ; since 1970
 *
 * Date math (now-7d, 2024-01-01||+1M) would stand beside date; it is refused by its name. */
#include "query/date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "query/query.h"

#define MINUTE_NS (60 * PXS_NS_PER_S)
#define DAY_S INT64_C(86400)

enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, N_FIELDS };

static const struct {
	char before; /* what stands before it */
	unsigned char digits, min, max;
	int64_t span_ns; /* 0: depends on the calendar */
} FIELDS[N_FIELDS] = {
	[YEAR] = { '\0', 4, 0, 0, 0 },
	[MONTH] = { '-', 2, 1, 12, 0 },
	[DAY] = { '-', 2, 1, 31, 0 },
	[HOUR] = { 'T', 2, 0, 23, 60 * MINUTE_NS },
	[MINUTE] = { ':', 2, 0, 59, MINUTE_NS },
	[SECOND] = { ':', 2, 0, 59, PXS_NS_PER_S },
};

/* A date being read: its fields, how many of them were given, and the fine part. */
struct date {
	const char *at;
	int fields[N_FIELDS];
	int n;
	int64_t fraction_ns, span_ns;
	int64_t zone_ns; /* to subtract */
};

/* Days since 1970-01-01; MONTH may be 13, DAY one past the last. Counts years from March, so that
 * the leap day is a year's last (Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year + (month - 1) / 12 - ((month - 1) % 12 < 2);
	int64_t m = ((month - 1) % 12 + 10) % 12;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       (153 * m + 2) / 5 + day - 1 - 719468;
}

static void
civil_of(int64_t days, int fields[N_FIELDS])
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	fields[DAY] = (int)(doy - (153 * m + 2) / 5 + 1);
	fields[MONTH] = (int)(m < 10 ? m + 3 : m - 9);
	fields[YEAR] = (int)(yoe + era * 400 + (fields[MONTH] <= 2));
}

static __int128
instant_of(const int fields[N_FIELDS])
{
	int64_t seconds = days_of(fields[YEAR], fields[MONTH], fields[DAY]) * DAY_S +
			  fields[HOUR] * 3600 + fields[MINUTE] * 60 + fields[SECOND];

	return (__int128)seconds * PXS_NS_PER_S;
}

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
	date->fields[field] = value;
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
			date->fraction_ns += date->span_ns * (*date->at++ - '0');
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
	const int *f = date->fields;

	return days_of(f[YEAR], f[MONTH], f[DAY]) < days_of(f[YEAR], f[MONTH] + 1, 1);
}

static bool
read_date(struct date *date)
{
	for (int field = YEAR; field < N_FIELDS; field++)
		if (!read_field(date, field))
			break;
	if (!date->n || !day_exists(date))
		return false;
	date->span_ns = FIELDS[date->n - 1].span_ns;
	if (date->n == N_FIELDS)
		read_fraction(date);
	if (date->n > DAY + 1)
		read_zone(date);
	return *date->at == '\0';
}

static int
time_refuse(const char *text, long at, struct pxs_error *err)
{
	if (strncmp(text, "now", 3) == 0 || strstr(text, "||"))
		return pxs_error_set(err, -EINVAL, 0,
				     "date math, as in '%.40s', is not supported yet", text);
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
	struct date date = { .at = text, .fields = { [MONTH] = 1, [DAY] = 1 } };
	size_t n_digits = strspn(text, "0123456789");
	__int128 start, end;

	if (n_digits && n_digits != 4 && text[n_digits] == '\0')
		return parse_milliseconds(text, ret_start_ns, ret_end_ns, err);
	if (!read_date(&date))
		return time_refuse(text, date.at - text, err);

	start = instant_of(date.fields) + date.fraction_ns - date.zone_ns;
	end = start + date.span_ns;
	if (!date.span_ns) {
		date.fields[date.n - 1]++;
		end = instant_of(date.fields);
	}
	return give_span(start, end, ret_start_ns, ret_end_ns, err);
}

struct moment {
	int fields[N_FIELDS];
	int64_t fraction_ns;
};

static struct moment
moment_of(int64_t time_ns)
{
	struct moment moment;
	int64_t seconds = time_ns / PXS_NS_PER_S - (time_ns % PXS_NS_PER_S < 0);
	int64_t days = seconds / DAY_S - (seconds % DAY_S < 0);
	int second_of_day = (int)(seconds - days * DAY_S);

	civil_of(days, moment.fields);
	moment.fields[HOUR] = second_of_day / 3600;
	moment.fields[MINUTE] = second_of_day / 60 % 60;
	moment.fields[SECOND] = second_of_day % 60;
	moment.fraction_ns = (time_ns % PXS_NS_PER_S + PXS_NS_PER_S) % PXS_NS_PER_S;
	return moment;
}

static void
print_day(const struct moment *moment, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "%04d-%02d-%02d", moment->fields[YEAR], moment->fields[MONTH],
		     moment->fields[DAY]);
}

static void
print_clock(const struct moment *moment, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "T%02d:%02d:%02d", moment->fields[HOUR], moment->fields[MINUTE],
		     moment->fields[SECOND]);
}

static void
print_fraction(int64_t fraction_ns, struct pxs_buf *buf)
{
	int n = 9;

	if (!fraction_ns)
		return;
	for (; fraction_ns % 10 == 0; n--)
		fraction_ns /= 10;
	pxs_buf_addf(buf, ".%0*d", n, (int)fraction_ns);
}

void
query_time_print(int64_t time_ns, struct pxs_buf *buf)
{
	struct moment moment = moment_of(time_ns);

	print_day(&moment, buf);
	print_clock(&moment, buf);
	print_fraction(moment.fraction_ns, buf);
}

void
query_time_print_exact(int64_t time_ns, struct pxs_buf *buf)
{
	struct moment moment = moment_of(time_ns);

	print_day(&moment, buf);
	print_clock(&moment, buf);
	pxs_buf_addf(buf, ".%09d", (int)moment.fraction_ns);
}

void
query_time_print_short(int64_t time_ns, struct pxs_buf *buf)
{
	struct moment moment = moment_of(time_ns);

	print_day(&moment, buf);
	if (time_ns % (DAY_S * PXS_NS_PER_S) == 0)
		return;
	print_clock(&moment, buf);
	print_fraction(moment.fraction_ns, buf);
}
