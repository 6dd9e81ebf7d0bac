#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "query/query.h"

static int
compare_name(const void *name, const void *property)
{
	return strcmp(name, (*(const struct query_property *const *)property)->name);
}

const struct query_property *
query_schema_find(const struct query_schema *schema, const char *name)
{
	const struct query_property *const *found;

	if (!schema->n_properties)
		return NULL;
	found = bsearch(name, schema->properties, schema->n_properties,
			sizeof(schema->properties[0]), compare_name);
	return found ? *found : NULL;
}

/* Longer names are not compared. */
#define NEAREST_MAX 127

/* Distances of the starts of A to those of B: the row for a[i - 1] and the two before it. */
struct rows {
	size_t cells[3][NEAREST_MAX + 1];
	size_t *before, *last, *now;
};

static void
fill_row(struct rows *rows, const char *a, size_t i, const char *b, size_t b_len)
{
	size_t *now = rows->now;

	now[0] = i;
	for (size_t j = 1; j <= b_len; j++) {
		now[j] = MIN(rows->last[j], now[j - 1]) + 1;
		now[j] = MIN(now[j], rows->last[j - 1] + (a[i - 1] != b[j - 1]));
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			now[j] = MIN(now[j], rows->before[j - 2] + 1);
	}
}

/* Restricted Damerau-Levenshtein: a change, a loss, an addition or a swap of neighbours costs one.
 */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct rows rows;
	size_t *spare;

	rows.before = rows.cells[0];
	rows.last = rows.cells[1];
	rows.now = rows.cells[2];
	for (size_t j = 0; j <= b_len; j++)
		rows.last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		fill_row(&rows, a, i, b, b_len);
		spare = rows.before;
		rows.before = rows.last;
		rows.last = rows.now;
		rows.now = spare;
	}
	return rows.last[b_len];
}

/* "size" for "core.size". */
static bool
lacks_namespace(const char *name, const char *full)
{
	for (const char *dot = strchr(full, '.'); dot; dot = strchr(dot + 1, '.'))
		if (strcmp(dot + 1, name) == 0)
			return true;
	return false;
}

const char *
query_schema_nearest(const struct query_schema *schema, const char *name)
{
	size_t len = strlen(name);
	size_t best = len / 3 + 1; /* at most a third may be wrong */
	const char *nearest = NULL;

	if (!len || len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < schema->n_properties && best; i++) {
		const char *full = schema->properties[i]->name;
		size_t far;

		if (full[0] == '_' || strlen(full) > NEAREST_MAX)
			continue;
		far = lacks_namespace(name, full) ? 0 : distance(name, len, full, strlen(full));
		if (far < best) {
			best = far;
			nearest = full;
		}
	}
	return nearest;
}

const char *
query_type_name(enum query_type type, bool multi)
{
	static const char *const NAMES[][2] = {
		[QUERY_TYPE_STRING] = { "String", "[String]" },
		[QUERY_TYPE_INTEGER] = { "Integer", "[Integer]" },
		[QUERY_TYPE_LONG] = { "Long", "[Long]" },
		[QUERY_TYPE_FLOAT] = { "Float", "[Float]" },
		[QUERY_TYPE_DOUBLE] = { "Double", "[Double]" },
		[QUERY_TYPE_BOOLEAN] = { "Boolean", "[Boolean]" },
		[QUERY_TYPE_DATETIME] = { "Datetime", "[Datetime]" },
		[QUERY_TYPE_PROXY] = { "Proxy", "[Proxy]" },
	};

	return NAMES[type][multi];
}

bool
query_type_is_number(enum query_type type)
{
	return type == QUERY_TYPE_INTEGER || type == QUERY_TYPE_LONG || type == QUERY_TYPE_FLOAT ||
	       type == QUERY_TYPE_DOUBLE;
}
