/* civil.h - the calendar that ISO 8601 has (proleptic Gregorian, UTC): days and times and what is
 * computed with them. */
#ifndef PXS_QUERY_CIVIL_H
#define PXS_QUERY_CIVIL_H

#include <stdint.h>

enum civil_field {
	CIVIL_YEAR,
	CIVIL_MONTH,
	CIVIL_DAY,
	CIVIL_HOUR,
	CIVIL_MINUTE,
	CIVIL_SECOND,
	CIVIL_FIELDS
};

struct civil {
	int64_t fields[CIVIL_FIELDS];
	int64_t fraction_ns;
};

/* Nanoseconds since 1970, 128 bits wide as dates may lie outside of what an int64_t holds. */
typedef __int128 civil_ns;

/* MONTH may be 13, DAY one past the last; the fraction counts. */
civil_ns civil_to_ns(const struct civil *civil);
struct civil civil_of_ns(civil_ns time_ns);

/* How many days MONTH (1 to 12) of YEAR has. */
int civil_days_in_month(int64_t year, int64_t month);

/* Units are y M w d h m s (Elasticsearch, "date math"). */

/* Further by N units. A day that the month in which this ends lacks is its last. Times farther than
 * CIVIL_YEARS from 1970 are cut there. */
#define CIVIL_YEARS 10000
civil_ns civil_add(civil_ns time_ns, int64_t n, char unit);

/* The start of the unit in which TIME_NS lies; weeks start on Monday. */
civil_ns civil_floor(civil_ns time_ns, char unit);

#endif
