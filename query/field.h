/* field.h - what the words of a clause are looked for in. */
#ifndef PXS_QUERY_FIELD_H
#define PXS_QUERY_FIELD_H

#include <stdbool.h>

struct query_property;
struct query_schema;

enum query_field_kind {
	QUERY_FIELD_ALL,     /* any property; as the index has it */
	QUERY_FIELD_ONE,     /* PROPERTY */
	QUERY_FIELD_MANY,    /* all whose names match PATTERN, and to whose types the words fit */
	QUERY_FIELD_UNKNOWN, /* the schema has none of this name */
};

struct query_field {
	enum query_field_kind kind;
	const struct query_property *property;
	const char *pattern; /* "*" is any number of characters */
};

/* NAME, as before a ':'; it is kept where it is a pattern. */
struct query_field query_field_named(const struct query_schema *schema, const char *name);

/* Whether FIELD, MANY, has PROPERTY. */
bool query_field_has(const struct query_field *field, const struct query_property *property);

/* Whether words without a field are looked for in PROPERTY: not in dates and what begins with an
 * underscore (spec/pixstor.md 2.3, "_all"). */
bool query_field_all_has(const struct query_property *property);

#endif
