#include "index/sync/partition.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "index/sync/reader.h"

static const struct {
	const char *name;
	bool date;
} KEYS[PARTITION_KEYS] = {
	{ "core.modificationtime", true },
	{ "core.inode", false },
	{ "core.size", false },
};

/* Where searching for the end of an open range begins: 2^20. */
#define STEP_FIRST (INT64_C(1) << 20)
/* Further out a range stays open: times in nanoseconds have 64 bits (years 1698 to 2242). */
#define DATE_MAX (INT64_C(1) << 33)
#define NUMBER_MAX (INT64_C(1) << 62)

/* --- Splitting --- */

/* Where RANGE of key I is cut in two; false: it cannot be. */
static bool
find_cut(const struct partition_range *range, size_t i, int64_t *ret_cut)
{
	int64_t max = KEYS[i].date ? DATE_MAX : NUMBER_MAX;
	int64_t cut;

	if (range->none)
		return false;
	if (range->high == INT64_MAX)
		cut = range->low < STEP_FIRST ? STEP_FIRST : range->low * 2;
	else if (range->low == INT64_MIN)
		cut = range->high > -STEP_FIRST ? -STEP_FIRST : range->high * 2;
	else
		cut = range->low + (range->high - range->low) / 2;
	*ret_cut = cut;
	return cut > range->low && cut < range->high && cut <= max && cut >= -max;
}

void
partition_split(const struct partition *part, struct partition parts[PARTITION_SPLIT_MAX],
		size_t *ret_n)
{
	static const struct partition_range FIRST[] = { { .none = true },
							{ false, INT64_MIN, 0 },
							{ false, 0, INT64_MAX } };
	size_t last = part->n - 1;
	int64_t cut;

	*ret_n = 0;
	if (part->n > 0 && find_cut(&part->ranges[last], last, &cut)) {
		parts[0] = parts[1] = *part;
		parts[0].ranges[last].high = parts[1].ranges[last].low = cut;
		*ret_n = 2;
	} else if (part->n < PARTITION_KEYS) {
		for (size_t i = 0; i < ARRAY_SIZE(FIRST); i++) {
			parts[i] = *part;
			parts[i].ranges[parts[i].n++] = FIRST[i];
		}
		*ret_n = ARRAY_SIZE(FIRST);
	}
}

static int
compare_ranges(const struct partition_range *a, const struct partition_range *b)
{
	if (a->none || b->none)
		return (int)b->none - (int)a->none;
	return (a->low > b->low) - (a->low < b->low);
}

int
partition_compare(const struct partition *a, const struct partition *b)
{
	int order = 0;

	for (size_t i = 0; i < MIN(a->n, b->n) && order == 0; i++)
		order = compare_ranges(&a->ranges[i], &b->ranges[i]);
	return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

static bool
is_same(const struct partition_range *a, const struct partition_range *b)
{
	return a->none == b->none && a->low == b->low && a->high == b->high;
}

bool
partition_join(struct partition *part, const struct partition *next)
{
	struct partition_range *last;
	const struct partition_range *beside;

	if (part->n == 0 || part->n != next->n)
		return false;
	for (size_t i = 0; i + 1 < part->n; i++)
		if (!is_same(&part->ranges[i], &next->ranges[i]))
			return false;
	last = &part->ranges[part->n - 1];
	beside = &next->ranges[part->n - 1];
	if (last->none || beside->none || last->high != beside->low ||
	    (last->low == INT64_MIN && beside->high == INT64_MAX))
		return false;
	last->high = beside->high;
	return true;
}

/* --- Asking for it --- */

static void
print_bound(const char *operator, int64_t bound, bool date, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "\"%s\":", operator);
	if (!date) {
		pxs_buf_addf(buf, "%" PRId64, bound);
		return;
	}
	pxs_buf_add_char(buf, '"');
	query_time_print(bound * PXS_NS_PER_S, buf);
	pxs_buf_add_char(buf, '"');
}

static void
print_range(const struct partition_range *range, size_t i, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "\"%s\":{", KEYS[i].name);
	if (range->low != INT64_MIN)
		print_bound("gte", range->low, KEYS[i].date, buf);
	if (range->low != INT64_MIN && range->high != INT64_MAX)
		pxs_buf_add_char(buf, ',');
	if (range->high != INT64_MAX)
		print_bound("lt", range->high, KEYS[i].date, buf);
	pxs_buf_add_char(buf, '}');
}

void
partition_print_where(const struct partition *part, struct pxs_buf *buf)
{
	const char *comma = "";
	const char *join = "\"_all\":\"";

	pxs_buf_add_char(buf, '{');
	for (size_t i = 0; i < part->n; i++) {
		if (part->ranges[i].none)
			continue;
		pxs_buf_add_str(buf, comma);
		print_range(&part->ranges[i], i, buf);
		comma = ",";
	}
	for (size_t i = 0; i < part->n; i++) {
		if (!part->ranges[i].none)
			continue;
		pxs_buf_add_str(buf, comma);
		pxs_buf_addf(buf, "%sNOT _exists_:%s", join, KEYS[i].name);
		comma = "";
		join = " AND ";
	}
	pxs_buf_add_str(buf, *join == ' ' ? "\"}" : "}");
}

const char *
partition_sort(void)
{
	return "core.modificationtime,core.inode,core.size";
}

/* --- Its documents --- */

/* False: ITEM has no such value. */
static bool
read_key(const json_t *item, size_t i, int64_t *ret_value)
{
	const json_t *value = reader_value(item, KEYS[i].name);
	int64_t ns, end;

	if (!KEYS[i].date) {
		*ret_value = json_integer_value(value);
		return json_is_integer(value);
	}
	if (!json_is_string(value) ||
	    query_time_parse(json_string_value(value), &ns, &end, NULL) < 0)
		return false;
	*ret_value = ns / PXS_NS_PER_S - (ns % PXS_NS_PER_S < 0);
	return true;
}

bool
partition_advance(struct partition *part, const json_t *item)
{
	struct partition_range *last;
	int64_t value;

	if (part->n == 0)
		return false;
	last = &part->ranges[part->n - 1];
	if (last->none || !read_key(item, part->n - 1, &value) || value <= last->low ||
	    value >= last->high)
		return false;
	last->low = value;
	return true;
}

bool
partition_has(const struct partition *part, const json_t *item)
{
	for (size_t i = 0; i < part->n; i++) {
		const struct partition_range *range = &part->ranges[i];
		int64_t value = 0;
		bool some = read_key(item, i, &value);

		if (range->none ? some : !some || value < range->low || value >= range->high)
			return false;
	}
	return true;
}

/* --- As text --- */

void
partition_print(const struct partition *part, struct pxs_buf *buf)
{
	if (part->n == 0)
		pxs_buf_add_char(buf, '*');
	for (size_t i = 0; i < part->n; i++) {
		if (i > 0)
			pxs_buf_add_char(buf, ';');
		if (part->ranges[i].none)
			pxs_buf_add_str(buf, "none");
		else
			pxs_buf_addf(buf, "%" PRId64 ",%" PRId64, part->ranges[i].low,
				     part->ranges[i].high);
	}
}

static bool
parse_range(struct partition_range *range, const char **text)
{
	char *end;

	*range = (struct partition_range){ .none = strncmp(*text, "none", 4) == 0 };
	if (range->none) {
		*text += 4;
		return true;
	}
	range->low = strtoll(*text, &end, 10);
	if (end == *text || *end != ',')
		return false;
	*text = end + 1;
	range->high = strtoll(*text, &end, 10);
	if (end == *text || range->low >= range->high)
		return false;
	*text = end;
	return true;
}

bool
partition_parse(struct partition *part, const char **text)
{
	*part = (struct partition){ 0 };
	if (**text == '*') {
		(*text)++;
		return true;
	}
	do {
		if (part->n == PARTITION_KEYS || !parse_range(&part->ranges[part->n], text))
			return false;
		part->n++;
	} while (**text == ';' && (*text)++);
	return true;
}
