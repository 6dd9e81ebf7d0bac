/* test_catalogue.h - the properties that the tests and fuzz targets of query/ know. */
#ifndef PXS_QUERY_TEST_CATALOGUE_H
#define PXS_QUERY_TEST_CATALOGUE_H

#include "base/macros.h"
#include "query/query.h"

/* In order of name, as a schema is. */
static const struct query_property TEST_PROPERTIES[] = {
	{ "_index.path", "Exact path", QUERY_TYPE_STRING, false, false, 1 },
	{ "_plugin_lastupdate.stat::StatPlugin", "Last update", QUERY_TYPE_DATETIME, false, false,
	  2 },
	{ "core.directory", "Directory", QUERY_TYPE_STRING, false, true, 3 },
	{ "core.extension", "Extension", QUERY_TYPE_STRING, false, true, 4 },
	{ "core.filename", "File basename", QUERY_TYPE_STRING, false, false, 5 },
	{ "core.modificationtime", "Modified", QUERY_TYPE_DATETIME, false, true, 6 },
	{ "core.size", "File size in bytes", QUERY_TYPE_LONG, false, true, 7 },
	{ "image.has_alpha", "Has alpha", QUERY_TYPE_BOOLEAN, false, true, 8 },
	{ "image.megapixels", "Megapixels", QUERY_TYPE_DOUBLE, false, true, 9 },
	{ "image.preview", "Preview", QUERY_TYPE_PROXY, false, false, 10 },
	{ "image.width", "Width", QUERY_TYPE_INTEGER, false, true, 11 },
	{ "user.dates", "Dates", QUERY_TYPE_DATETIME, true, true, 12 },
	{ "user.factor", "Factor", QUERY_TYPE_FLOAT, false, true, 13 },
	{ "user.scores", "Scores", QUERY_TYPE_INTEGER, true, true, 14 },
	{ "user.tags", "Tags", QUERY_TYPE_STRING, true, true, 15 },
};

static const struct query_property *TEST_POINTERS[ARRAY_SIZE(TEST_PROPERTIES)];

static inline const struct query_schema *
test_schema(void)
{
	static const struct query_schema SCHEMA = { TEST_POINTERS, ARRAY_SIZE(TEST_POINTERS) };

	for (size_t i = 0; i < ARRAY_SIZE(TEST_PROPERTIES); i++)
		TEST_POINTERS[i] = &TEST_PROPERTIES[i];
	return &SCHEMA;
}

static inline const struct query_property *
test_property(const char *name)
{
	return query_schema_find(test_schema(), name);
}

#endif
