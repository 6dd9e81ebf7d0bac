/* test_leaf.c - the leaves of query strings: each row is a string, its tree, and the string that
 * the tree prints, which reads back as it. */
#include "base/percent.h"
#include "query/test_rows.h"

static const struct leaf_row {
	const char *name, *text, *expected;
	const char *printed; /* NULL: as TEXT; "": not asked, its path is of other segments */
} ROWS[] = {
	/* wildcards */
	{ "a wildcard within a word", "c?ts", "_all has wildcard \"c?ts\"" },
	{ "a wildcard at the start", "*.jpg", "_all has wildcard \"*.jpg\"" },
	{ "wildcards all over", "?a*b?", "_all has wildcard \"?a*b?\"" },
	{ "a wildcard of a property", "core.filename:*.jp?g",
	  "core.filename has wildcard \"*.jp?g\"" },
	{ "- and + in a wildcard", "*-a+?", "_all has wildcard \"*-a+?\"" },
	{ "an escaped star in a wildcard", "a\\**?", "_all has wildcard \"a\\\\*?*\"", "a\\*?*" },
	{ "escapes of no signs vanish", "\\a*\\b", "_all has wildcard \"a*b\"", "a*b" },
	{ "an escaped backslash stays", "a\\\\*b", "_all has wildcard \"a\\\\\\\\*b\"" },
	{ "what a query string needs is escaped again", "\\+a\\:*\\(b\\ c",
	  "_all has wildcard \"+a:*(b c\"" },
	{ "\\u002a is a literal star", "a\\u002ab?", "_all has wildcard \"a\\\\*b?\"", "a\\*b?" },
	{ "an accent in a wildcard", "cafe\xcc\x81*x", "_all has wildcard \"caf\xc3\xa9*x\"",
	  "caf\xc3\xa9*x" },
	{ "several stars are one", "a**b***c", "_all has wildcard \"a*b*c\"", "a*b*c" },
	{ "an escaped star at the end is no sign", "*a\\*", "_all has wildcard \"*a\\\\*\"" },
	{ "? stands before *", "a*?*?b", "_all has wildcard \"a?\?*b\"", "a?\?*b" },
	{ "two stars at the end are a prefix", "cat**", "_all has prefix \"cat\"", "cat*" },
	{ "a prefix with an escaped star", "a\\*b*", "_all has prefix \"a*b\"" },
	{ "stars alone", "***", "everything", "" },
	{ "stars alone, of a property", "core.size:**", "core.size exists", "" },
	{ "at least one character", "?*", "_all has wildcard \"?*\"" },
	{ "one character", "?", "_all has wildcard \"?\"" },
	{ "of an unknown property", "no.such:a*b", "nothing", "" },

	/* fuzzy */
	{ "a fuzzy word of two letters", "ab~", "_all has fuzzy \"ab\"~0", "ab~0" },
	{ "of three", "abc~", "_all has fuzzy \"abc\"~1", "abc~1" },
	{ "of five", "caf\xc3\xa9s~", "_all has fuzzy \"caf\xc3\xa9s\"~1", "caf\xc3\xa9s~1" },
	{ "of six", "abcdef~", "_all has fuzzy \"abcdef\"~2", "abcdef~2" },
	{ "~0", "cats~0", "_all has fuzzy \"cats\"~0" },
	{ "~1", "cats~1", "_all has fuzzy \"cats\"~1" },
	{ "~2", "core.filename:cats~2", "core.filename has fuzzy \"cats\"~2" },
	{ "the old form, a similarity", "cats~0.5", "_all has fuzzy \"cats\"~2", "cats~2" },
	{ "a similarity that leaves one change", "cats~0.7", "_all has fuzzy \"cats\"~1",
	  "cats~1" },
	{ "a similarity that leaves none", "cats~0.9", "_all has fuzzy \"cats\"~0", "cats~0" },
	{ "~1.0 is ~1", "cats~1.0", "_all has fuzzy \"cats\"~1", "cats~1" },
	{ "a space before ~", "cats ~1", "_all has fuzzy \"cats\"~1", "cats~1" },
	{ "a fuzzy keyword", "AND\\~1 \\AND~1", "(_all has \"AND~1\" _all has fuzzy \"AND\"~1)",
	  "AND\\~1 OR \\AND~1" },
	{ "a fuzzy sign", "\\&&~0 \\||~0", "(_all has fuzzy \"&&\"~0 _all has fuzzy \"||\"~0)",
	  "\\&&~0 OR \\||~0" },
	{ "~ after a wildcard changes nothing", "c?t~1", "_all has wildcard \"c?t\"", "c?t" },
	{ "~ after a prefix changes nothing", "cat*~", "_all has prefix \"cat\"", "cat*" },

	/* phrases with slop */
	{ "nearness", "\"a b\"~2", "_all has phrase \"a b\"~2" },
	{ "nearness of a property", "core.filename:\"a b\"~10",
	  "core.filename has phrase \"a b\"~10" },
	{ "~0 is a plain phrase", "\"a b\"~0", "_all has phrase \"a b\"", "\"a b\"" },
	{ "~ alone is a plain phrase", "\"a b\"~", "_all has phrase \"a b\"", "\"a b\"" },
	{ "a fraction of a move is none", "\"a b\"~2.9", "_all has phrase \"a b\"~2", "\"a b\"~2" },

	/* regular expressions */
	{ "a regex", "/foo.*bar/", "_all has regex \"foo.*bar\"" },
	{ "a regex of a property", "core.filename:/img_[0-9]{4}\\.jpg/",
	  "core.filename has regex \"img_[0-9]{4}\\\\.jpg\"" },
	{ "a slash in a regex", "/a\\/b/", "_all has regex \"a/b\"" },
	{ "a backslash in a regex", "/a\\\\/", "_all has regex \"a\\\\\\\\\"" },
	{ "a regex in parentheses", "(/a b/)", "_all has regex \"a b\"", "/a b/" },
	{ "a regex with a boost", "/a/^2", "_all has regex \"a\"^2" },
	{ "~ after a regex changes nothing", "/a/~", "_all has regex \"a\"", "/a/" },
	{ "the empty regex", "//", "_all has regex \"\"" },
	/* spec/pixstor.md 2.2, surprise 1 */
	{ "an unquoted path is a word", "core.directory:/mmfs1/cats",
	  "core.directory has \"/mmfs1/cats\"", "core.directory:\\/mmfs1/cats" },
	{ "a slash at the end of a path of several", "core.directory:/mmfs1/cats/",
	  "core.directory has \"/mmfs1/cats/\"", "core.directory:\\/mmfs1/cats/" },
	{ "a slash at the end of a path of one makes it a regex", "core.directory:/usr/",
	  "core.directory has regex \"usr\"" },
	{ "a quoted path is a phrase", "core.directory:\"/usr/\"",
	  "core.directory has phrase \"/usr/\"" },
	{ "two slashes at the start", "//server/share", "_all has \"//server/share\"",
	  "\\//server/share" },

	/* boosts */
	{ "a boost of a word", "cats^2", "_all has \"cats\"^2" },
	{ "a boost that is no whole number", "cats^0.25", "_all has \"cats\"^0.25" },
	{ "a boost of nothing", "cats^0", "_all has \"cats\"^0" },
	{ "^1 is none", "cats^1.0", "_all has \"cats\"", "cats" },
	{ "a space before ^", "cats ^2", "_all has \"cats\"^2", "cats^2" },
	{ "a boost of a phrase", "\"a b\"^3", "_all has phrase \"a b\"^3" },
	{ "a boost after ~", "cats~1^2", "_all has fuzzy \"cats\"~1^2" },
	{ "a boost before ~", "cats^2~1", "_all has fuzzy \"cats\"~1^2", "cats~1^2" },
	{ "a boost before ~, of a phrase", "\"a b\"^2~4", "_all has phrase \"a b\"~4^2",
	  "\"a b\"~4^2" },
	{ "a boost of a prefix", "cat*^2", "_all has prefix \"cat\"^2" },
	{ "a boost of a wildcard", "*cat^2", "_all has wildcard \"*cat\"^2" },
	{ "a boost of a number", "core.size:5^2", "core.size = 5^2" },
	{ "a boost of a range", "core.size:[1 TO 9]^2", "core.size in [1, 10)^2",
	  "core.size:[1 TO 10}^2" },
	{ "a boost of a comparison", "core.size:>=5^2", "core.size in [5, )^2",
	  "core.size:[5 TO *]^2" },
	{ "a boost of a folded range", "core.filename:[a TO b]^2",
	  "core.filename in folded [\"a\", \"b\"]^2" },
	{ "a boost of having a value", "core.size:*^2", "core.size exists^2" },
	{ "a boost of _exists_", "_exists_:core.size^2", "core.size exists^2", "core.size:*^2" },
	{ "a boost of everything is none", "*^2", "everything", "" },
	{ "a boost of a group is its members'", "(a b^3)^2", "(_all has \"a\"^2 _all has \"b\"^6)",
	  "a^2 OR b^6" },
	{ "a boost of a group of one property", "core.filename:(a AND b)^2",
	  "(+core.filename has \"a\"^2 +core.filename has \"b\"^2)",
	  "core.filename:(a^2 AND b^2)" },
	{ "boosts of groups multiply", "((a)^2)^3", "_all has \"a\"^6", "a^6" },
	{ "what must not be has none", "a^2 -b^3 -(c^4 AND d)",
	  "(+_all has \"a\"^2 -(+_all has \"c\" +_all has \"d\") -_all has \"b\")",
	  "a^2 AND NOT (c AND d) AND NOT b" },
	{ "boosts alone keep words apart", "a a^2 a^2", "(_all has \"a\" _all has \"a\"^2)",
	  "a OR a^2" },
	{ "and yet contradict", "a^2 AND NOT a", "nothing", "" },
	{ "boosted ranges stay apart", "core.size:>=5^2 AND core.size:<9",
	  "(+core.size in (, 9) +core.size in [5, )^2)", "" },
	{ "the greatest boost", "(a^1000000)^1000000", "_all has \"a\"^1000000", "a^1000000" },
	{ "the least boost is 0", "a^0.0000001", "_all has \"a\"^0", "a^0" },

	/* properties with wildcards */
	{ "some properties", "image.\\*:5", "(image.megapixels = 5 image.width = 5)",
	  "image.megapixels:5 OR image.width:5" },
	{ "a group of some properties", "core.f\\*name:(a AND b*)",
	  "(+core.filename has \"a\" +core.filename has prefix \"b\")",
	  "core.filename:(a AND b*)" },
	{ "some properties, words", "core.\\*i\\*:a",
	  "(core.directory has \"a\" core.extension has \"a\" core.filename has \"a\")",
	  "core.directory:a OR core.extension:a OR core.filename:a" },
	{ "some properties, none of them of such a type", "image.\\*:abc", "nothing", "" },
	{ "some properties, one of them has a value", "_exists_:image.\\*",
	  "(image.has_alpha exists image.megapixels exists image.preview exists image.width "
	  "exists)",
	  "image.has_alpha:* OR image.megapixels:* OR image.preview:* OR image.width:*" },
	{ "no property at all", "nix.\\*:a", "nothing", "" },
	{ "an escaped star alone is all fields", "\\*:a", "_all has \"a\"", "a" },
};

static struct query *
parse(const char *text)
{
	struct query *query = NULL;
	struct pxs_error err = { 0 };

	assert_int_equal(query_new(&query), 0);
	if (query_add_string(query, text, test_schema(), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return query;
}

/* The query string within QUERY's path, not escaped. */
static char *
print(const struct query *query)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	assert_int_equal(query_print_path(query, &path), 0);
	pxs_percent_decode(&text, pxs_buf_text(&path), path.len);
	if (strncmp(pxs_buf_text(&text), "_all=", 5) != 0)
		fail_msg("no query string: %s", pxs_buf_text(&text));
	return strdup(pxs_buf_text(&text) + 5);
}

static void
check_row(void **state)
{
	const struct leaf_row *row = *state;
	CLEANUP(query) struct query *query = parse(row->text);
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(free) char *printed = NULL;
	struct query_key key, key_again;

	assert_int_equal(query_print_text(query, &text), 0);
	assert_string_equal(pxs_buf_text(&text), row->expected);
	if (row->printed && !*row->printed) /* segments of its own */
		return;
	printed = print(query);
	assert_string_equal(printed, row->printed ? row->printed : row->text);
	again = parse(printed);
	assert_int_equal(query_key(query, &key), 0);
	assert_int_equal(query_key(again, &key_again), 0);
	assert_memory_equal(&key, &key_again, sizeof(key));
}

static void
keys_differ(void **state)
{
	static const char *const TEXTS[] = {
		"cats",	     "cats~0",	  "cats~1", "cats~2",	   "cats*",    "/cats/",
		"c?ts",	     "c*ts",	  "cats^2", "cats^2.5",	   "cats~1^2", "\"a b\"",
		"\"a b\"~1", "\"a b\"~2", "a b",    "\"a b\"~1^2", "/a b/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
		for (size_t j = 0; j < i; j++) {
			CLEANUP(query) struct query *a = parse(TEXTS[i]);
			CLEANUP(query) struct query *b = parse(TEXTS[j]);
			struct query_key key_a, key_b;

			assert_int_equal(query_key(a, &key_a), 0);
			assert_int_equal(query_key(b, &key_b), 0);
			assert_memory_not_equal(&key_a, &key_b, sizeof(key_a));
		}
}

/* Without a field, a range is looked for in whatever "_all" holds of its type: no dates. */
static void
range_in_all_fields(void **state)
{
	CLEANUP(query) struct query *query = parse("[2024 TO 2024]");
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	assert_int_equal(query_print_text(query, &text), 0);
	assert_string_equal(pxs_buf_text(&text),
			    "(core.directory in folded [\"2024\", \"2024\"] "
			    "core.extension in folded [\"2024\", \"2024\"] "
			    "core.filename in folded [\"2024\", \"2024\"] core.size = 2024 "
			    "image.megapixels = 2024 image.width = 2024 user.factor = 2024 "
			    "user.scores = 2024 user.tags in folded [\"2024\", \"2024\"])");
}

static void
patterns_are_limited(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	char text[QUERY_PATTERN_MAX + 4];
	struct pxs_error err = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = text[QUERY_PATTERN_MAX + 2] = '/';
	text[QUERY_PATTERN_MAX + 3] = '\0';
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, text, test_schema(), &err), -EINVAL);
	assert_non_null(strstr(err.text, "longer than 1000 bytes"));
	assert_int_equal(err.at, 0);
	text[QUERY_PATTERN_MAX + 1] = '/';
	text[QUERY_PATTERN_MAX + 2] = '\0';
	assert_int_equal(query_add_string(query, text, test_schema(), NULL), 0);
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(range_in_all_fields),
		cmocka_unit_test(patterns_are_limited),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, ROWS, check_row);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query_leaf", tests, NULL, NULL);
}
