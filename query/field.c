#include "query/field.h"

#include <string.h>

#include "query/query.h"

struct query_field
query_field_named(const struct query_schema *schema, const char *name)
{
	struct query_field field = { .kind = QUERY_FIELD_ONE };

	if (strcmp(name, "*") == 0 || strcmp(name, "_all") == 0)
		return (struct query_field){ .kind = QUERY_FIELD_ALL };
	if (strchr(name, '*'))
		return (struct query_field){ .kind = QUERY_FIELD_MANY, .pattern = name };
	field.property = query_schema_find(schema, name);
	if (!field.property)
		field.kind = QUERY_FIELD_UNKNOWN;
	return field;
}

/* A star that does not fit takes one character more, the last star first: no other need be tried
 * again. */
static bool
matches(const char *pattern, const char *name)
{
	const char *star = NULL; /* what follows the last one */
	const char *taken = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			taken = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++taken;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool
query_field_has(const struct query_field *field, const struct query_property *property)
{
	return matches(field->pattern, property->name);
}

bool
query_field_all_has(const struct query_property *property)
{
	return property->type != QUERY_TYPE_DATETIME && property->type != QUERY_TYPE_PROXY &&
	       property->name[0] != '_';
}
