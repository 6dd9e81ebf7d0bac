#include "cli/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define DIGITS_MAX 9

int
duration_parse(const char *text, int64_t *ret_seconds, struct pxs_error *err)
{
	static const char UNITS[] = "smhd";
	static const int64_t SECONDS[] = { 1, 60, 3600, 86400 };
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(UNITS, text[digits]) : NULL;
	int64_t n = digits && digits <= DIGITS_MAX ? strtoll(text, NULL, 10) : 0;

	if (!n || !unit || text[digits + 1] || n * SECONDS[unit - UNITS] > DURATION_MAX_S)
		return pxs_error_set(err, -EINVAL, -1,
				     "it is a time of up to ten years, as 90s, 15m, 24h or 7d, not "
				     "'%s'",
				     text);
	*ret_seconds = n * SECONDS[unit - UNITS];
	return 0;
}
