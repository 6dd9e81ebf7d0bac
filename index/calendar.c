#include "index/calendar.h"

#include "base/clock.h"

#define NS_PER_MINUTE (60 * PXS_NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MINUTE)
#define NS_PER_DAY (24 * NS_PER_HOUR)

/* A level is so many months, or so many nanoseconds. */
static const struct level {
	int64_t months, ns;
} LEVELS[CALENDAR_LEVELS] = {
	[CALENDAR_DECADE] = { .months = 120 },
	[CALENDAR_LUSTRUM] = { .months = 60 },
	[CALENDAR_YEAR] = { .months = 12 },
	[CALENDAR_QUARTER] = { .months = 3 },
	[CALENDAR_MONTH] = { .months = 1 },
	[CALENDAR_DAY] = { .ns = NS_PER_DAY },
	[CALENDAR_SIX_HOURS] = { .ns = 6 * NS_PER_HOUR },
	[CALENDAR_HOUR] = { .ns = NS_PER_HOUR },
	[CALENDAR_TEN_MINUTES] = { .ns = 10 * NS_PER_MINUTE },
	[CALENDAR_MINUTE] = { .ns = NS_PER_MINUTE },
	[CALENDAR_SECOND] = { .ns = PXS_NS_PER_S },
	[CALENDAR_MILLISECOND] = { .ns = PXS_NS_PER_MS },
	[CALENDAR_MICROSECOND] = { .ns = 1000 },
	[CALENDAR_NANOSECOND] = { .ns = 1 },
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days from 1970-01-01 to the first of a month, counted from January of the year 0 (proleptic
 * Gregorian). Years are taken to begin in March, so that the leap day comes last. */
static int64_t
days_of_month(int64_t month)
{
	int64_t from_march = month - 2;
	int64_t year = floor_div(from_march, 12);
	int64_t in_year = from_march - year * 12;
	int64_t days = year * 365 + floor_div(year, 4) - floor_div(year, 100) +
		       floor_div(year, 400);

	return days + (in_year * 153 + 2) / 5 - 719468;
}

/* The month, counted as above, that holds a day. */
static int64_t
month_of_day(int64_t day)
{
	/* No year is shorter than 365 days: the guess is never too early, and in the years that 64
	 * bits reach at most two dozen months too late. */
	int64_t month = floor_div((day + 719468) * 12, 365) + 3;

	while (days_of_month(month) > day)
		month--;
	return month;
}

static bool
to_time(__int128 ns, int64_t *ret_ns)
{
	if (ns < INT64_MIN || ns > INT64_MAX)
		return false;
	*ret_ns = (int64_t)ns;
	return true;
}

/* The start of the span that lies AFTER spans after the one that holds TIME_NS. */
static bool
span_start(enum calendar_level level, int64_t time_ns, int after, int64_t *ret_ns)
{
	const struct level *span = &LEVELS[level];
	int64_t month;

	if (!span->months)
		return to_time(((__int128)floor_div(time_ns, span->ns) + after) * span->ns, ret_ns);

	month = month_of_day(floor_div(time_ns, NS_PER_DAY));
	month = (floor_div(month, span->months) + after) * span->months;
	return to_time((__int128)days_of_month(month) * NS_PER_DAY, ret_ns);
}

bool
calendar_floor(enum calendar_level level, int64_t time_ns, int64_t *ret_ns)
{
	return span_start(level, time_ns, 0, ret_ns);
}

bool
calendar_next(enum calendar_level level, int64_t time_ns, int64_t *ret_ns)
{
	return span_start(level, time_ns, 1, ret_ns);
}
