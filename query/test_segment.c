#include "query/test_rows.h"

static const struct test_row ROWS[] = {
	{ "text equals", "core.extension=.jpg", "core.extension = \".jpg\"" },
	{ "any of", "core.extension=.png,.jpg",
	  "(core.extension = \".jpg\" core.extension = \".png\")" },
	{ "not", "core.extension=!.jpg", "(-core.extension = \".jpg\")" },
	{ "none of", "core.extension=!.jpg,.png",
	  "(-core.extension = \".jpg\" -core.extension = \".png\")" },
	{ "!= is not", "core.size!=5,6", "(-core.size = 5 -core.size = 6)" },
	{ "a number", "core.size=5", "core.size = 5" },
	{ "a number, not whole", "core.size=5.5", "nothing" },
	{ "a negative number", "core.size=-5", "core.size = -5" },
	{ "A-B", "core.size=27400-44000", "core.size in [27400, 44000)" },
	{ "A-B, negative", "core.size=-9--5", "core.size in [-9, -5)" },
	{ "A-B of doubles", "image.megapixels=1e-5-2.5", "image.megapixels in [1e-05, 2.5)" },
	{ "A..B", "core.size=27400..44000", "core.size in [27400, 44000)" },
	{ "A..", "core.size=100..", "core.size in [100, )" },
	{ "..B", "core.size=..100", "core.size in (, 100)" },
	{ "not A..B", "core.size=!10..20", "(-core.size in [10, 20))" },
	{ "values and ranges", "core.size=5,10-20,99..",
	  "(core.size = 5 core.size in [10, 20) core.size in [99, ))" },
	{ "A..B of one value", "core.size=5..6", "core.size = 5" },
	{ "A..A is empty", "core.size=5..5", "nothing" },
	{ "- is literal in text", "core.filename=a-b", "core.filename = \"a-b\"" },
	{ ".. in text is a range", "core.filename=a..b", "core.filename in [\"a\", \"b\")" },
	{ "the first .. counts", "core.filename=.a...b", "core.filename in [\".a\", \".b\")" },
	{ "escaped .., ',' and ! are literal", "core.filename=%21a%2Cb%2E%2Ec",
	  "core.filename = \"!a,b..c\"" },
	{ "! within a value is literal", "core.filename=a!b", "core.filename = \"a!b\"" },
	{ "= within a value is literal", "core.filename=a=b", "core.filename = \"a=b\"" },
	{ "any byte may be escaped", "core%2Efilename=%61%2f", "core.filename = \"a/\"" },
	{ "a % that escapes nothing", "core.filename=100%", "core.filename = \"100%\"" },
	{ "has a value", "core.size=..", "core.size exists" },
	{ "has none", "core.size=!..", "(-core.size exists)" },
	{ "has none, !=", "core.size!=..", "(-core.size exists)" },
	{ "a proxy exists", "image.preview=..", "image.preview exists" },
	{ "a boolean", "image.has_alpha=true", "image.has_alpha = true" },
	{ ">", "core.size>5", "core.size in [6, )" },
	{ ">=", "core.size>=5", "core.size in [5, )" },
	{ "<", "core.size<5", "core.size in (, 5)" },
	{ "<=", "core.size<=5", "core.size in (, 6)" },
	{ "<= of a double", "image.megapixels<=1.5", "image.megapixels in (, 1.5000000000000002)" },
	{ "a year", "core.modificationtime=2024",
	  "core.modificationtime in [2024-01-01T00:00:00, 2025-01-01T00:00:00)" },
	{ "a month up to a day", "core.modificationtime=2024-02..2024-02-10",
	  "core.modificationtime in [2024-02-01T00:00:00, 2024-02-10T00:00:00)" },
	{ "after a month", "core.modificationtime>2024-02",
	  "core.modificationtime in [2024-03-01T00:00:00, )" },
	{ "up to a month", "core.modificationtime<=2024-02",
	  "core.modificationtime in (, 2024-03-01T00:00:00)" },
	{ "an instant", "core.modificationtime=2024-02-03T10%3A11:12.000000000",
	  "core.modificationtime = 2024-02-03T10:11:12" },
	{ "NFC", "core.filename=cafe%CC%81", "core.filename = \"caf\xc3\xa9\"" },
	{ "a query string", "_all=cats AND NOT black", "(+_all has \"cats\" -_all has \"black\")" },
	{ "a query string with escapes", "_all=core.size%3A%3E5", "core.size in [6, )" },
	{ "where", "_where={\"core.size\": 5}", "core.size = 5" },
	{ "where with escapes", "_where=%7B%22core.size%22%3A5}", "core.size = 5" },
	{ "sort", "_sort=-core.size,core.filename", "everything sort -core.size,core.filename" },
	{ "a key to sort by, twice", "_sort=core.size,-core.size", "everything sort core.size" },
	{ "sort by relevance", "_sort=-_score", "everything sort -_score" },
	{ "limit", "_limit=18446744073709551615", "everything limit 18446744073709551615" },
	{ "a hidden property", "_plugin_lastupdate.stat%3A%3aStatPlugin=..",
	  "_plugin_lastupdate.stat::StatPlugin exists" },

	{ "no operator", "core.size", NULL, "expected '=' and a value", 9 },
	{ "the empty segment", "", NULL, "expected '=' and a value", 0 },
	{ "an unknown property", "cor.size=5", NULL,
	  "unknown property 'cor.size'; did you mean 'core.size'?", 0 },
	{ "a name like none", "zzzzzzz=5", NULL, "unknown property 'zzzzzzz'", 0 },
	{ "an empty value", "core.size=", NULL,
	  "empty value; core.size=!.. finds documents without one", 10 },
	{ "an empty negation", "core.size=!", NULL, "empty value", 11 },
	{ "an empty value in a list", "core.size=5,,6", NULL, "empty value", 12 },
	{ "an empty value at the end of a list", "core.size=5,", NULL, "empty value", 12 },
	{ "an empty comparison", "core.size>", NULL, "empty value", 10 },
	{ "! twice", "core.size=!!5", NULL, "'!' stands once", 11 },
	{ "! within a list", "core.extension=.jpg,!.png", NULL, "'!' stands once", 20 },
	{ "! without =", "core.size!5", NULL, "expected '=' after '!'", 10 },
	{ ".. within a list", "core.size=5,..", NULL, "stands alone", 12 },
	{ "A-", "core.size=5-", NULL, "core.size=5.. is the open range", 12 },
	{ "a comparison of two values", "core.size>5,6", NULL, "takes one value", 11 },
	{ "not a number", "core.size=5x", NULL, "expected a number for core.size (Long), not '5x'",
	  10 },
	{ "not a number at the end of a range", "core.size=5-x", NULL, "expected a number", 12 },
	{ "not a number at the end of a list", "core.size=1,5x", NULL, "expected a number", 12 },
	{ "not a date", "core.modificationtime=2024-2025", NULL, "'2024-2025' is no date", 22 },
	{ "not a boolean", "image.has_alpha=1", NULL, "expected true or false", 16 },
	{ "a boolean has no order", "image.has_alpha=false..true", NULL, "has no order", 16 },
	{ "a proxy has no value", "image.preview=x", NULL, "type Proxy", 14 },
	{ "invalid UTF-8", "core.filename=a%ff", NULL, "not valid UTF-8", 14 },
	{ "a zero byte", "core.filename=a%00b", NULL, "zero byte", 14 },
	{ "an empty query string", "_all=", NULL, "empty value after _all=", 5 },
	{ "a fault in a query string is placed in the segment", "_all=%61 %28b", NULL,
	  "expected ')'", 13 },
	{ "not where but", "_where>5", NULL, "expected '=' after _where", 6 },
	{ "a fault in where", "_where={\"core.size\"}", NULL, "the where clause is no JSON", 20 },
	{ "sort by an unknown property", "_sort=core.size,core.filenam", NULL,
	  "did you mean 'core.filename'?", 16 },
	{ "sort by nothing", "_sort=core.size,", NULL, "expected a property to sort by", 16 },
	{ "sort by a proxy", "_sort=image.preview", NULL, "no value to sort by", 6 },
	{ "a limit of none", "_limit=0", NULL, "'0' is no limit", 7 },
	{ "a limit that is no number", "_limit=5x", NULL, "'5x' is no limit", 7 },
	{ "a limit below zero", "_limit=-1", NULL, "'-1' is no limit", 7 },
	{ "a limit beyond 64 bits", "_limit=18446744073709551616", NULL, "is no limit", 7 },
};

static void
check_row(void **state)
{
	test_row_check(*state, query_add_segment);
}

static void
lists_are_limited(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	(void)state;
	assert_int_equal(query_new(&query), 0);
	pxs_buf_add_str(&text, "core.size=0");
	for (int i = 1; i < QUERY_ALTERNATIVES_MAX; i++)
		pxs_buf_addf(&text, ",%d", i);
	assert_int_equal(query_add_segment(query, pxs_buf_text(&text), test_schema(), NULL), 0);
	pxs_buf_add_str(&text, ",x");
	assert_int_equal(query_add_segment(query, pxs_buf_text(&text), test_schema(), &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "more than 1024 values"));
	assert_int_equal(err.at, text.len - 1);
}

static void
length_is_limited(void **state)
{
	static char text[QUERY_SEGMENT_MAX + 2];
	CLEANUP(query) struct query *query = NULL;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "core.filename=", 14);
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_segment(query, text, test_schema(), NULL), -ENAMETOOLONG);
	text[QUERY_SEGMENT_MAX] = '\0';
	assert_int_equal(query_add_segment(query, text, test_schema(), NULL), 0);
}

/* Of several in a path the last counts. */
static void
the_last_order_and_limit_count(void **state)
{
	static const char *const SEGMENTS[] = { "_limit=5", "_sort=core.size,core.filename",
						"_sort=-core.size", "_limit=7" };
	CLEANUP(query) struct query *query = NULL;

	(void)state;
	assert_int_equal(query_new(&query), 0);
	for (size_t i = 0; i < ARRAY_SIZE(SEGMENTS); i++)
		assert_int_equal(query_add_segment(query, SEGMENTS[i], test_schema(), NULL), 0);
	assert_int_equal(query->limit, 7);
	assert_int_equal(query->n_sorts, 1);
	assert_true(query->sorts[0].descending);
	assert_ptr_equal(query->sorts[0].property, test_property("core.size"));
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(lists_are_limited),
		cmocka_unit_test(length_is_limited),
		cmocka_unit_test(the_last_order_and_limit_count),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, ROWS, check_row);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query_segment", tests, NULL, NULL);
}
