#include "query/test_rows.h"

static const struct test_row ROWS[] = {
	/* spec/pixstor.md 2.2, "Consequences" */
	{ "words stand side by side as OR", "cats dogs", "(_all has \"cats\" _all has \"dogs\")" },
	{ "OR", "cats OR dogs", "(_all has \"cats\" _all has \"dogs\")" },
	{ "|| is OR", "cats || dogs", "(_all has \"cats\" _all has \"dogs\")" },
	{ "AND", "cats AND dogs", "(+_all has \"cats\" +_all has \"dogs\")" },
	{ "&& is AND", "cats && dogs", "(+_all has \"cats\" +_all has \"dogs\")" },
	{ "AND NOT", "cats AND NOT black", "(+_all has \"cats\" -_all has \"black\")" },
	{ "AND ! is AND NOT", "cats AND !black", "(+_all has \"cats\" -_all has \"black\")" },
	{ "an AND makes an earlier OR optional", "a OR b AND c",
	  "(+_all has \"b\" +_all has \"c\" _all has \"a\")" },
	{ "an OR after an AND is optional", "a AND b OR c",
	  "(+_all has \"a\" +_all has \"b\" _all has \"c\")" },
	{ "NOT alone is all the others", "NOT black", "(-_all has \"black\")" },
	{ "- is NOT", "-black", "(-_all has \"black\")" },
	{ "signs", "quick brown +fox -news",
	  "(+_all has \"fox\" _all has \"brown\" _all has \"quick\" -_all has \"news\")" },
	{ "a group is as read", "(cats OR dogs) AND black",
	  "(+(_all has \"cats\" _all has \"dogs\") +_all has \"black\")" },
	{ "AND does not turn a NOT", "NOT a AND b", "(+_all has \"b\" -_all has \"a\")" },
	{ "AND reaches back over a skipped clause", "a AND ... b",
	  "(+_all has \"a\" _all has \"b\")" },
	{ "AND before a skipped clause turns the one before", "cat … AND dog",
	  "(+_all has \"cat\" +_all has \"dog\")" },
	{ "OR beside a skipped clause", "… || NOT x", "(-_all has \"x\")" },
	{ "a skipped clause that must not", "cat AND NOT „…”", "_all has \"cat\"" },
	{ "a phrase of no words is skipped", "cat \"— ·\" AND dog",
	  "(+_all has \"cat\" +_all has \"dog\")" },
	{ "a mark alone is no word", "cat AND \\u0301", "_all has \"cat\"" },
	{ "an emoji is a word", "cat AND 😀", "(+_all has \"cat\" +_all has \"😀\")" },
	{ "+ beside AND", "a AND +b", "(+_all has \"a\" +_all has \"b\")" },

	/* the forms of a clause */
	{ "and, or, not are words", "and or not",
	  "(_all has \"and\" _all has \"not\" _all has \"or\")" },
	{ "ANDy is a word", "ANDy", "_all has \"ANDy\"" },
	{ "a&&b is one word", "a&&b", "_all has \"a&&b\"" },
	{ "an escaped operator is a word", "\\AND", "_all has \"AND\"" },
	{ "a phrase", "\"cats-16.jpg\"", "_all has phrase \"cats-16.jpg\"" },
	{ "escapes in a phrase", "\"a \\\"b\\\\\"", "_all has phrase \"a \\\"b\\\\\"" },
	{ "- within a word", "cats-16.jpg", "_all has \"cats-16.jpg\"" },
	{ "a prefix", "cats-*", "_all has prefix \"cats-\"" },
	{ "an escaped star is no prefix", "a\\*", "_all has \"a*\"" },
	{ "everything", "*", "everything" },
	{ "everything in all fields", "*:*", "everything" },
	{ "a word in all fields", "*:cats", "_all has \"cats\"" },
	{ "_all names all fields", "_all:cats", "_all has \"cats\"" },
	{ "the empty string", "", "nothing" },
	{ "a blank string", " \t\n\xe3\x80\x80", "nothing" },
	{ "signs alone", "... \"-\"", "nothing" },
	{ "signs alone outside ASCII", "… \"—\"", "nothing" },
	{ "signs alone in a property", "core.filename:… cat", "_all has \"cat\"" },
	{ "a sign before a space is no operator", "a - b", "(_all has \"a\" _all has \"b\")" },
	{ "! before a space is no operator", "! a", "_all has \"a\"" },
	{ "U+3000 is white space",
	  "a\xe3\x80\x80"
	  "b",
	  "(_all has \"a\" _all has \"b\")" },
	{ "an escaped space", "new\\ york", "_all has \"new york\"" },
	{ "\\u", "\\u00e9t\\u00E9", "_all has \"été\"" },
	{ "\\u of a surrogate pair", "\\ud83d\\ude00x", "_all has \"\xf0\x9f\x98\x80x\"" },
	{ "NFC", "cafe\xcc\x81", "_all has \"caf\xc3\xa9\"" },
	{ "a group of no words is skipped", "a AND (...)", "_all has \"a\"" },
	{ "< alone is a sign", "<5", "_all has \"<5\"" },

	/* properties */
	{ "a word of a property", "core.filename:cats", "core.filename has \"cats\"" },
	{ "a phrase of a property", "core.filename:\"a b\"", "core.filename has phrase \"a b\"" },
	{ "a prefix of a property", "core.filename:cat*", "core.filename has prefix \"cat\"" },
	{ "a property binds one clause", "core.filename:new york",
	  "(_all has \"york\" core.filename has \"new\")" },
	{ "a group distributes its property", "core.filename:(a AND \"b c\")",
	  "(+core.filename has \"a\" +core.filename has phrase \"b c\")" },
	{ "a property within a group of another", "core.filename:(a core.directory:b)",
	  "(core.directory has \"b\" core.filename has \"a\")" },
	{ "has a value", "core.size:*", "core.size exists" },
	{ "has any value", "_exists_:*", "everything" },
	{ "has any value, beside a word", "_exists_:* AND cat", "_all has \"cat\"" },
	{ "has a value, _exists_", "_exists_:core.size", "core.size exists" },
	{ "an unquoted path is a word", "core.directory:/mmfs1/cats",
	  "core.directory has \"/mmfs1/cats\"" },
	{ "a path in a group", "(core.directory:/mmfs1/cats)",
	  "core.directory has \"/mmfs1/cats\"" },
	{ "a slash within a word", "core.filename:a/b", "core.filename has \"a/b\"" },
	{ "an unknown property matches nothing", "cor.size:5", "nothing" },
	{ "an unknown property beside a word", "cor.size:[1 TO 2] cats", "_all has \"cats\"" },
	{ "not an unknown property", "NOT cor.size:5", "everything" },
	{ "an escaped name", "_plugin_lastupdate.stat\\:\\:StatPlugin:*",
	  "_plugin_lastupdate.stat::StatPlugin exists" },
	{ "a number", "core.size:5", "core.size = 5" },
	{ "a quoted number", "core.size:\"-5\"", "core.size = -5" },
	{ "a number that is not whole", "core.size:3.5", "nothing" },
	{ "3.0 is 3", "core.size:3.0", "core.size = 3" },
	{ "true", "image.has_alpha:true", "image.has_alpha = true" },
	{ "a year", "core.modificationtime:2024",
	  "core.modificationtime in [2024-01-01T00:00:00, 2025-01-01T00:00:00)" },

	/* ranges and comparisons */
	{ "a range, both ends in", "core.size:[1 TO 9]", "core.size in [1, 10)" },
	{ "a range, both ends out", "core.size:{1 TO 9}", "core.size in [2, 9)" },
	{ "mixed brackets", "core.size:{1 TO 9]", "core.size in [2, 10)" },
	{ "an open end", "core.size:[1 TO *]", "core.size in [1, )" },
	{ "two open ends", "core.size:[* TO *]", "core.size exists" },
	{ "a range the wrong way round", "core.size:[9 TO 1]", "nothing" },
	{ "a range of dates with colons",
	  "core.modificationtime:[2020-03-01T00:00 TO \"2020-03-01T00:01\"}",
	  "core.modificationtime in [2020-03-01T00:00:00, 2020-03-01T00:01:00)" },
	{ "a day as inclusive end is all of it", "core.modificationtime:[* TO 2024-02-03]",
	  "core.modificationtime in (, 2024-02-04T00:00:00)" },
	{ "a day as exclusive start is all of it", "core.modificationtime:{2024-02-03 TO *]",
	  "core.modificationtime in [2024-02-04T00:00:00, )" },
	{ "strings are compared folded", "core.filename:[a TO \"b c\"}",
	  "core.filename in folded [\"a\", \"b c\")" },
	{ "a folded range with open ends", "core.filename:[* TO *]", "core.filename exists" },
	{ ">", "core.size:>100", "core.size in [101, )" },
	{ ">=", "core.size:>=100", "core.size in [100, )" },
	{ "<", "core.size:<100", "core.size in (, 100)" },
	{ "<= a negative number", "core.size:<=-5", "core.size in (, -4)" },
	{ "> on text", "core.filename:>v", "core.filename in folded (\"v\", )" },
	{ "comparisons in a group", "core.size:(>=10 AND <20)", "core.size in [10, 20)" },
	{ "signs in a group", "core.size:(+>=10 +<20)", "core.size in [10, 20)" },
	{ "of a list two values may do", "user.scores:(>=10 AND <20)",
	  "(+user.scores in (, 20) +user.scores in [10, ))" },

	/* canonical form */
	{ "twice is once", "a a A", "(_all has \"A\" _all has \"a\")" },
	{ "nested ANDs", "a AND (b AND (c AND d))",
	  "(+_all has \"a\" +_all has \"b\" +_all has \"c\" +_all has \"d\")" },
	{ "nested ORs", "a (b (c d))",
	  "(_all has \"a\" _all has \"b\" _all has \"c\" _all has \"d\")" },
	{ "NOT of NOT", "NOT (NOT a)", "_all has \"a\"" },
	{ "NOT of OR", "NOT (a b)", "(-_all has \"a\" -_all has \"b\")" },
	{ "NOT of NOTs", "NOT (NOT a AND NOT b)", "(_all has \"a\" _all has \"b\")" },
	{ "NOT of AND stays", "NOT (a AND b)", "(-(+_all has \"a\" +_all has \"b\"))" },
	{ "a and not a", "a AND NOT a", "nothing" },
	{ "not everything", "-*", "nothing" },
	{ "everything and a wish", "+* cats", "(+everything _all has \"cats\")" },
	{ "everything or a word", "* cats", "(+everything _all has \"cats\")" },
	{ "a group that must not is its parts", "+a -(b c)",
	  "(+_all has \"a\" -_all has \"b\" -_all has \"c\")" },
	{ "a NOT within an AND is lifted", "(a b -c) AND d",
	  "(+(_all has \"a\" _all has \"b\") +_all has \"d\" -_all has \"c\")" },
	{ "a NOT beside an OR", "(a OR b) AND NOT c",
	  "(_all has \"a\" _all has \"b\" -_all has \"c\")" },

	/* refusals, each at its byte */
	{ "AND at the end", "a AND", NULL, "expected a word, but the text ends", 5 },
	{ "AND at the start", "AND a", NULL, "expected a word, not 'AND'", 0 },
	{ "two operators", "a AND OR b", NULL, "expected a word, not 'OR'", 6 },
	{ "NOT NOT", "NOT NOT a", NULL, "expected a word, not 'NOT'", 4 },
	{ "- at the end", "a -", NULL, "expected a word, but the text ends", 3 },
	{ "an open parenthesis", "(a b", NULL, "expected ')', but the text ends", 4 },
	{ "a closing parenthesis too many", "a)", NULL, "the ')' has no partner", 1 },
	{ "an empty group", "a ()", NULL, "expected a word, not ')'", 3 },
	{ "an open quotation mark", "a \"b", NULL, "the quotation mark has no partner", 2 },
	{ "a lone backslash", "a \\", NULL, "escapes nothing", 2 },
	{ "a bad \\u", "ab\\u12g4", NULL, "four hexadecimal digits", 2 },
	{ "half a surrogate pair", "\\ud83d", NULL, "four hexadecimal digits", 0 },
	{ "\\u0000", "a\\u0000", NULL, "four hexadecimal digits", 1 },
	{ "two colons", "a:b:c", NULL, "write a literal ':'", 3 },
	{ "a range without TO", "core.size:[1 2]", NULL, "expected TO", 13 },
	{ "TO as a bound", "core.filename:[TO TO b]", NULL, "expected a value or *", 15 },
	{ "TO as a bound, quoted", "core.filename:[\"TO\" TO b]",
	  "core.filename in folded [\"TO\", \"b\"]" },
	{ "a boost of nothing", "cats + ^2", "_all has \"cats\"" },
	{ "an escaped space in a bound", "core.filename:[a\\ b TO c]", NULL, "quote a bound", 16 },
	{ "an escaped bracket in a bound", "core.filename:{a TO b\\]}", NULL, "quote a bound", 21 },
	{ "an escaped backslash ends a bound", "core.filename:[a TO b\\\\]",
	  "core.filename in folded [\"a\", \"b\\\\\"]" },
	{ "a range without an end", "core.size:[1 TO 2", NULL, "expected ']' or '}'", 17 },
	{ "a range without a bound", "core.size:[ ]", NULL, "expected a value", 12 },
	{ "a bracket too many", "a ]", NULL, "the bracket closes no range", 2 },
	{ "a comparison with a space", "core.size:>= 10", NULL, "expected a value right after '>='",
	  12 },
	{ "a comparison with a colon", "core.modificationtime:>=2020-03-01T00:00", NULL,
	  "write a literal ':'", 37 },
	{ "a negative number, unquoted", "core.size:-5", NULL, "quote a negative number", 10 },
	{ "not a number", "core.size:abc", NULL, "expected a number for core.size (Long)", 10 },
	{ "not a number, in a range", "core.size:[1 TO x]", NULL, "expected a number", 16 },
	{ "not a boolean", "image.has_alpha:yes", NULL, "expected true or false", 16 },
	{ "a boolean has no order", "image.has_alpha:>false", NULL, "has no order", 17 },
	{ "not a date", "core.modificationtime:2024-13", NULL, "'2024-13' is no date", 22 },
	{ "a date too far away", "core.modificationtime:1600", NULL, "1678 to 2261", 22 },
	{ "a prefix of a number", "core.size:5*", NULL, "core.size is of type Long; prefixes", 10 },
	{ "a wildcard of a number", "core.size:?5", NULL, "core.size is of type Long", 10 },
	{ "a fuzzy number", "core.size:5~1", NULL, "core.size is of type Long", 10 },
	{ "a regex of a number", "core.size:/5/", NULL, "core.size is of type Long", 10 },
	{ "~3", "a cats~3", NULL, "~0, ~1 or ~2", 6 },
	{ "~1.5", "a cats~1.5", NULL, "~0, ~1 or ~2", 6 },
	{ "~ twice", "cats~1~1", NULL, "expected a word, not '~1'", 6 },
	{ "~ alone", "a ~ b", "(_all has \"b\" _all has fuzzy \"a\"~0)", NULL, 0 },
	{ "~ at the start", "~1", NULL, "expected a word, not '~1'", 0 },
	{ "~ after a group", "(a b)~2", NULL, "expected a word, not '~2'", 5 },
	{ "~ after a range", "core.size:[1 TO 2]~1", NULL, "expected a word, not '~1'", 18 },
	{ "a slop too great", "\"a b\"~1000001", NULL, "~1000000 at most", 5 },
	{ "^ without a number", "cats^", NULL, "expected a number right after '^'", 5 },
	{ "^.5", "cats^.5", NULL, "expected a number right after '^'", 5 },
	{ "^-1", "cats^-1", NULL, "expected a number right after '^'", 5 },
	{ "a space behind ^", "cats^ 2", NULL, "expected a number right after '^'", 5 },
	{ "^ twice", "cats^2^3", NULL, "expected a word, not '^3'", 6 },
	{ "a boost too great", "cats^1000001", NULL, "^1000000 at most", 4 },
	{ "a star in a property, not escaped", "core.*:a", NULL, "core.\\*:cats", 0 },
	{ "a star within a property, not escaped", "c*.size:a", NULL, "core.\\*:cats", 0 },
	{ "two stars as a property", "**:a", NULL, "core.\\*:cats", 0 },
	{ "two stars after _exists_", "_exists_:**", NULL, "a property after _exists_", 9 },
	{ "a proxy has no value", "image.preview:x", NULL, "type Proxy", 14 },
	{ "invalid UTF-8", "ab\xff", NULL, "not valid UTF-8", 2 },
};

static void
check_row(void **state)
{
	test_row_check(*state, query_add_string);
}

/* DEPTH parentheses around a word. */
static int
parse_nested(size_t depth, struct pxs_error *err)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	assert_int_equal(query_new(&query), 0);
	for (size_t i = 0; i < depth; i++)
		pxs_buf_add_char(&text, '(');
	pxs_buf_add_char(&text, 'a');
	for (size_t i = 0; i < depth; i++)
		pxs_buf_add_char(&text, ')');
	return query_add_string(query, pxs_buf_text(&text), test_schema(), err);
}

static void
depth_is_limited(void **state)
{
	struct pxs_error err = { 0 };

	(void)state;
	assert_int_equal(parse_nested(QUERY_DEPTH_MAX, NULL), 0);
	assert_int_equal(parse_nested(QUERY_DEPTH_MAX + 1, &err), -EINVAL);
	assert_int_equal(err.at, QUERY_DEPTH_MAX);
	assert_non_null(strstr(err.text, "64 parentheses"));
}

static void
length_is_limited(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	char text[QUERY_TEXT_MAX + 2];
	struct pxs_error err = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	text[QUERY_TEXT_MAX + 1] = '\0';
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, text, test_schema(), &err), -ENAMETOOLONG);
	assert_int_equal(err.at, QUERY_TEXT_MAX);
	text[QUERY_TEXT_MAX] = '\0';
	assert_int_equal(query_add_string(query, text, test_schema(), NULL), 0);
}

static void
count_is_limited(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	(void)state;
	assert_int_equal(query_new(&query), 0);
	for (int i = 0; i <= QUERY_ALTERNATIVES_MAX; i++)
		pxs_buf_addf(&text, "%x ", i);
	assert_true(text.len <= QUERY_TEXT_MAX + 1000);
	text.data[QUERY_TEXT_MAX] = '\0';
	assert_int_equal(query_add_string(query, pxs_buf_text(&text), test_schema(), &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "more than 1024 conditions"));
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(length_is_limited),
		cmocka_unit_test(count_is_limited),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, ROWS, check_row);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query_string", tests, NULL, NULL);
}
