#include "query/test_rows.h"

static const struct test_row ROWS[] = {
	{ "no member", "{}", "everything" },
	{ "text equals as a whole", "{\"core.extension\": \".jpg\"}", "core.extension = \".jpg\"" },
	{ "a number equals", "{\"core.size\": 5}", "core.size = 5" },
	{ "digits in a string", "{\"core.size\": \"27400\"}", "core.size = 27400" },
	{ "64 bits are exact", "{\"core.size\": 9007199254740993}",
	  "core.size = 9007199254740993" },
	{ "64 bits with .0 in a string", "{\"core.size\": \"9007199254740993.0\"}",
	  "core.size = 9007199254740993" },
	{ "the last double that is one whole number", "{\"core.size\": 9007199254740991.0}",
	  "core.size = 9007199254740991" },
	{ "beyond 64 bits no digit matters", "{\"core.size\": {\"lt\": 1e300}}",
	  "core.size exists" },
	{ "3.0 is 3", "{\"core.size\": 3.0}", "core.size = 3" },
	{ "3.5 is no Long", "{\"core.size\": 3.5}", "nothing" },
	{ "a number beyond 32 bits is no Integer", "{\"image.width\": 2147483648}", "nothing" },
	{ "true", "{\"image.has_alpha\": true}", "image.has_alpha = true" },
	{ "true in a string", "{\"image.has_alpha\": \"true\"}", "image.has_alpha = true" },
	{ "the empty string is no value", "{\"core.extension\": \"\"}", "nothing" },
	{ "members are ANDed", "{\"core.size\": 5, \"_all\": \"cats\"}",
	  "(+_all has \"cats\" +core.size = 5)" },
	{ "of equal keys the last counts", "{\"core.size\": 5, \"core.size\": 6}",
	  "core.size = 6" },
	{ "a list is any of", "{\"core.extension\": [\".png\", \".jpg\", \".png\"]}",
	  "(core.extension = \".jpg\" core.extension = \".png\")" },
	{ "an empty list", "{\"core.extension\": []}", "nothing" },
	{ "a range, half-open", "{\"core.size\": {\"gte\": 27400, \"lt\": 44000}}",
	  "core.size in [27400, 44000)" },
	{ "a range, the other way", "{\"core.size\": {\"gt\": 27399, \"lte\": 43999}}",
	  "core.size in [27400, 44000)" },
	{ "bounds that are not whole", "{\"core.size\": {\"gt\": 1.5, \"lte\": 8.5}}",
	  "core.size in [2, 9)" },
	{ "bounds below zero that are not whole", "{\"core.size\": {\"gte\": -1.5, \"lt\": -0.5}}",
	  "core.size = -1" },
	{ "an empty range", "{\"core.size\": {\"gte\": 5, \"lt\": 5}}", "nothing" },
	{ "several bounds of one side", "{\"core.size\": {\"gte\": 5, \"gt\": 5, \"lt\": 9}}",
	  "core.size in [6, 9)" },
	{ "a bound that nothing passes", "{\"core.size\": {\"lte\": 9223372036854775807}}",
	  "core.size exists" },
	{ "a bound that nothing passes, 32 bits", "{\"image.width\": {\"gte\": -2147483648}}",
	  "image.width exists" },
	{ "a bound beyond 32 bits", "{\"image.width\": {\"gt\": 2147483647}}", "nothing" },
	{ "a bound of several beyond 32 bits",
	  "{\"image.width\": {\"gte\": 5, \"gt\": 2147483647}}", "nothing" },
	{ "a bound of several beyond 32 bits, the other way",
	  "{\"image.width\": {\"gt\": 2147483647, \"gte\": 5}}", "nothing" },
	{ "text in order", "{\"core.filename\": {\"gte\": \"a\", \"lt\": \"b\"}}",
	  "core.filename in [\"a\", \"b\")" },
	{ "text in order, ends turned", "{\"core.filename\": {\"gt\": \"a\", \"lte\": \"b\"}}",
	  "core.filename in [\"a\\u0001\", \"b\\u0001\")" },
	{ "one value of a list satisfies a range", "{\"user.scores\": {\"gt\": 5, \"lt\": 9}}",
	  "user.scores in [6, 9)" },
	{ "every value", "{\"user.tags\": {\"and\": [\"a\", \"b\"]}}",
	  "(+user.tags = \"a\" +user.tags = \"b\")" },
	{ "every one of lists and ranges", "{\"user.scores\": {\"and\": [[1, 2], {\"gt\": 5}]}}",
	  "(+(user.scores = 1 user.scores = 2) +user.scores in [6, ))" },
	{ "or", "{\"core.size\": {\"or\": [5, {\"gte\": 9}]}}",
	  "(core.size = 5 core.size in [9, ))" },
	{ "not", "{\"core.size\": {\"not\": 5}}", "(-core.size = 5)" },
	{ "not one of", "{\"core.size\": {\"not\": [5, 7]}}", "(-core.size = 5 -core.size = 7)" },
	{ "not within", "{\"core.size\": {\"not\": {\"gte\": 5, \"lt\": 9}}}",
	  "(-core.size in [5, 9))" },
	{ "not one of none", "{\"core.size\": {\"not\": []}}", "everything" },
	{ "exists", "{\"core.size\": {\"exists\": true}}", "core.size exists" },
	{ "does not exist", "{\"core.size\": {\"exists\": false}}", "(-core.size exists)" },
	{ "a proxy exists", "{\"image.preview\": {\"exists\": true}}", "image.preview exists" },
	{ "prefix", "{\"core.filename\": {\"prefix\": \"cat\"}}",
	  "core.filename has prefix \"cat\"" },
	{ "a prefix of nothing", "{\"core.filename\": {\"prefix\": \"\"}}",
	  "core.filename exists" },
	{ "operators are ANDed", "{\"core.size\": {\"gte\": 5, \"not\": 7}}",
	  "(+core.size in [5, ) -core.size = 7)" },
	{ "an unknown property matches nothing", "{\"nix.da\": 5}", "nothing" },
	{ "a name without namespace is unknown", "{\"size\": {\"gt\": 5}}", "nothing" },
	{ "not an unknown property", "{\"nix.da\": {\"not\": 5}}", "everything" },
	{ "a date in milliseconds", "{\"core.modificationtime\": 1700000000000}",
	  "core.modificationtime in [2023-11-14T22:13:20, 2023-11-14T22:13:20.001)" },
	{ "a date in milliseconds, in a string", "{\"core.modificationtime\": \"1700000000000\"}",
	  "core.modificationtime in [2023-11-14T22:13:20, 2023-11-14T22:13:20.001)" },
	{ "a day equals all of it", "{\"core.modificationtime\": \"2024-02-03\"}",
	  "core.modificationtime in [2024-02-03T00:00:00, 2024-02-04T00:00:00)" },
	{ "gte and lte of a year",
	  "{\"core.modificationtime\": {\"gte\": \"2024\", \"lte\": \"2024\"}}",
	  "core.modificationtime in [2024-01-01T00:00:00, 2025-01-01T00:00:00)" },
	{ "gt and lt of a year",
	  "{\"core.modificationtime\": {\"gt\": \"2022\", \"lt\": \"2024\"}}",
	  "core.modificationtime in [2023-01-01T00:00:00, 2024-01-01T00:00:00)" },
	{ "NFC", "{\"core.filename\": \"cafe\xcc\x81\"}", "core.filename = \"caf\xc3\xa9\"" },
	{ "an escape of JSON in a query string", "{\"_all\": \"\\\"a b\\\"\"}",
	  "_all has phrase \"a b\"" },
	{ "an empty query string", "{\"_all\": \"\"}", "nothing" },

	{ "64 bits with .0 would lose digits", "{\"core.size\": 9007199254740993.0}", NULL,
	  "core.size: expected whole numbers as large as this without", 1 },
	{ "64 bits with an exponent would lose digits", "{\"core.size\": {\"lt\": -1e18}}", NULL,
	  "core.size: expected whole numbers as large as this without", 1 },
	{ "no object", "[]", NULL, "expected an object", 0 },
	{ "no JSON", "{\"core.size\": 5", NULL, "the where clause is no JSON", 15 },
	{ "a broken string", "{\"core.size\": \"\\q\"}", NULL, "the where clause is no JSON", 17 },
	{ "more after the object", "{} {}", NULL, "the where clause is no JSON", 4 },
	{ "too large for 64 bits", "{\"core.size\": 9223372036854775808}", NULL,
	  "more than 64 bits", 33 },
	{ "null", "{\"core.size\": null}", NULL, "core.size: expected a string, a number", 1 },
	{ "null in a list", "{\"core.size\": [5, null]}", NULL, "expected a string, a number", 1 },
	{ "a list in a list", "{\"core.size\": [[5]]}", NULL, "expected a string, a number", 1 },
	{ "an unknown operator", "{\"core.size\": {\"foo\": 5}}", NULL, "unknown operator \"foo\"",
	  1 },
	{ "no operator", "{\"core.size\": {}}", NULL, "expected an operator", 1 },
	{ "no operator in not", "{\"core.size\": {\"not\": {}}}", NULL, "gt, gte, lt and lte", 1 },
	{ "not of not", "{\"core.size\": {\"not\": {\"not\": 5}}}", NULL, "gt, gte, lt and lte",
	  1 },
	{ "and without a list", "{\"core.size\": {\"and\": 5}}", NULL, "a list after \"and\"", 1 },
	{ "exists without a boolean", "{\"core.size\": {\"exists\": 1}}", NULL, "true or false",
	  1 },
	{ "a word for a number", "{\"core.size\": \"x\"}", NULL, "expected a number for core.size",
	  1 },
	{ "a boolean for a number", "{\"core.size\": true}", NULL,
	  "expected a number for core.size", 1 },
	{ "a number for text", "{\"core.filename\": 5}", NULL, "expected text in quotes", 1 },
	{ "a number for a boolean", "{\"image.has_alpha\": 1}", NULL, "expected true or false", 1 },
	{ "a boolean for a date", "{\"core.modificationtime\": true}", NULL, "expected a date", 1 },
	{ "half a millisecond", "{\"core.modificationtime\": 1.5}", NULL, "milliseconds", 1 },
	{ "a boolean has no order", "{\"image.has_alpha\": {\"gt\": false}}", NULL, "has no order",
	  1 },
	{ "_all without a string", "{\"_all\": 5}", NULL, "expected a query string", 1 },
	{ "a fault in _all", "{\"core.size\": 5, \"_all\": \"a (\"}", NULL,
	  "_all, byte 3: expected a word", 17 },
	{ "the second property is named", "{\"core.filename\": \"core.size\", \"core.size\": {}}",
	  NULL, "core.size: expected", 31 },
};

static void
check_row(void **state)
{
	test_row_check(*state, query_add_where);
}

static int
add_repeated(const char *before, const char *item, size_t n, const char *after,
	     struct pxs_error *err)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	assert_int_equal(query_new(&query), 0);
	pxs_buf_add_str(&text, before);
	for (size_t i = 0; i < n; i++)
		pxs_buf_add_str(&text, item);
	pxs_buf_add_str(&text, after);
	return query_add_where(query, pxs_buf_text(&text), test_schema(), err);
}

static void
limits(void **state)
{
	struct pxs_error deep = { 0 }, long_list = { 0 }, large = { 0 };

	(void)state;
	assert_int_equal(add_repeated("", "[", QUERY_DEPTH_MAX + 1, "", &deep), -EINVAL);
	assert_non_null(strstr(deep.text, "nests deeper than 64"));
	assert_int_equal(deep.at, QUERY_DEPTH_MAX);

	assert_int_equal(add_repeated("{\"core.size\": [0", ",0", 1023, "]}", NULL), 0);
	assert_int_equal(add_repeated("{\"core.size\": [0", ",0", 1024, "]}", &long_list), -EINVAL);
	assert_non_null(strstr(long_list.text, "more than 1024 values"));

	assert_int_equal(add_repeated("{", " ", QUERY_WHERE_MAX - 2, "}", NULL), 0);
	assert_int_equal(add_repeated("{", " ", QUERY_WHERE_MAX - 1, "}", &large), -ENAMETOOLONG);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + 1];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, ROWS, check_row);
	tests[n] = (struct CMUnitTest)cmocka_unit_test(limits);
	return cmocka_run_group_tests_name("query_where", tests, NULL, NULL);
}
