#include "query/civil.h"

#include <string.h>

#include "base/clock.h"
#include "base/macros.h"

#define DAY_S INT64_C(86400)
#define DAY_NS (DAY_S * PXS_NS_PER_S)

/* Counts years from March, so that the leap day is a year's last (Hinnant, "chrono-compatible
 * low-level date algorithms"). */
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
set_day(int64_t days, int64_t fields[CIVIL_FIELDS])
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	fields[CIVIL_DAY] = doy - (153 * m + 2) / 5 + 1;
	fields[CIVIL_MONTH] = m < 10 ? m + 3 : m - 9;
	fields[CIVIL_YEAR] = yoe + era * 400 + (fields[CIVIL_MONTH] <= 2);
}

civil_ns
civil_to_ns(const struct civil *civil)
{
	const int64_t *f = civil->fields;
	int64_t seconds = days_of(f[CIVIL_YEAR], f[CIVIL_MONTH], f[CIVIL_DAY]) * DAY_S +
			  f[CIVIL_HOUR] * 3600 + f[CIVIL_MINUTE] * 60 + f[CIVIL_SECOND];

	return (civil_ns)seconds * PXS_NS_PER_S + civil->fraction_ns;
}

/* The greatest multiple of STEP that is not above TIME_NS. */
static civil_ns
multiple(civil_ns time_ns, civil_ns step)
{
	civil_ns rest = time_ns % step;

	return time_ns - (rest < 0 ? rest + step : rest);
}

struct civil
civil_of_ns(civil_ns time_ns)
{
	civil_ns day_ns = multiple(time_ns, DAY_NS);
	int64_t rest_ns = (int64_t)(time_ns - day_ns);
	int64_t second = rest_ns / PXS_NS_PER_S;
	struct civil civil = { .fraction_ns = rest_ns % PXS_NS_PER_S };

	set_day((int64_t)(day_ns / DAY_NS), civil.fields);
	civil.fields[CIVIL_HOUR] = second / 3600;
	civil.fields[CIVIL_MINUTE] = second / 60 % 60;
	civil.fields[CIVIL_SECOND] = second % 60;
	return civil;
}

int
civil_days_in_month(int64_t year, int64_t month)
{
	return (int)(days_of(year, month + 1, 1) - days_of(year, month, 1));
}

static civil_ns
add_months(civil_ns time_ns, int64_t n)
{
	struct civil civil = civil_of_ns(time_ns);
	int64_t *f = civil.fields;
	int64_t months = f[CIVIL_YEAR] * 12 + f[CIVIL_MONTH] - 1 + n;

	f[CIVIL_YEAR] = months / 12 - (months % 12 < 0);
	f[CIVIL_MONTH] = months - f[CIVIL_YEAR] * 12 + 1;
	f[CIVIL_DAY] = MIN(f[CIVIL_DAY], civil_days_in_month(f[CIVIL_YEAR], f[CIVIL_MONTH]));
	return civil_to_ns(&civil);
}

/* Of the units that are always as long. */
static civil_ns
length(char unit)
{
	switch (unit) {
	case 'w':
		return 7 * DAY_NS;
	case 'd':
		return DAY_NS;
	case 'h':
		return 3600 * PXS_NS_PER_S;
	case 'm':
		return 60 * PXS_NS_PER_S;
	default:
		return PXS_NS_PER_S;
	}
}

civil_ns
civil_add(civil_ns time_ns, int64_t n, char unit)
{
	static const civil_ns LIMIT = (civil_ns)CIVIL_YEARS * 365 * DAY_NS;

	if (unit == 'y' || unit == 'M')
		time_ns = add_months(time_ns, unit == 'y' ? n * 12 : n);
	else
		time_ns += n * length(unit);
	return time_ns > LIMIT ? LIMIT : time_ns < -LIMIT ? -LIMIT : time_ns;
}

civil_ns
civil_floor(civil_ns time_ns, char unit)
{
	static const civil_ns FIRST_MONDAY = 4 * DAY_NS; /* 1970-01-05 */
	struct civil civil;

	if (unit == 'w')
		return FIRST_MONDAY + multiple(time_ns - FIRST_MONDAY, 7 * DAY_NS);
	if (unit != 'y' && unit != 'M')
		return multiple(time_ns, length(unit));
	civil = civil_of_ns(time_ns);
	if (unit == 'y')
		civil.fields[CIVIL_MONTH] = 1;
	civil.fields[CIVIL_DAY] = 1;
	civil.fields[CIVIL_HOUR] = civil.fields[CIVIL_MINUTE] = civil.fields[CIVIL_SECOND] = 0;
	civil.fraction_ns = 0;
	return civil_to_ns(&civil);
}
