/* calendar.h - the spans in which people think of time, in UTC. */
#ifndef PXS_INDEX_CALENDAR_H
#define PXS_INDEX_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* Coarsest first. Each is cut out of the one before, so weeks are not among them. */
enum calendar_level {
	CALENDAR_DECADE,
	CALENDAR_LUSTRUM, /* five years */
	CALENDAR_YEAR,
	CALENDAR_QUARTER,
	CALENDAR_MONTH,
	CALENDAR_DAY,
	CALENDAR_SIX_HOURS,
	CALENDAR_HOUR,
	CALENDAR_TEN_MINUTES,
	CALENDAR_MINUTE,
	CALENDAR_SECOND,
	CALENDAR_MILLISECOND,
	CALENDAR_MICROSECOND,
	CALENDAR_NANOSECOND,
	CALENDAR_LEVELS,
};

/* The start of the span of LEVEL in which TIME_NS (since 1970) lies, or of the span after it. False
 * where 64 bits of nanoseconds do not reach (before 1677-09-21, after 2262-04-11). */
bool calendar_floor(enum calendar_level level, int64_t time_ns, int64_t *ret_ns);
bool calendar_next(enum calendar_level level, int64_t time_ns, int64_t *ret_ns);

#endif
