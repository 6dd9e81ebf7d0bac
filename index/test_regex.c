/* Lucene's expressions: what they become for PCRE2, what they match, what is refused. */
#include "index/regex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/macros.h"

static const struct row {
	const char *name;
	const char *regex, *text;
	bool matches;
	const char *refused; /* part of the sentence, where it is none */
} ROWS[] = {
	{ "all of the text must match", "a.c", "abcd", false, NULL },
	{ "any character", "a.c", "a\u6f22c", true, NULL },
	{ "the longer side of | may be needed", "a|ab", "ab", true, NULL },
	{ "counts", "a{2,3}", "aaa", true, NULL },
	{ "counts have an end", "a{2,3}", "aaaa", false, NULL },
	{ "open counts", "a{2,}", "aaaaa", true, NULL },
	{ "classes", "[a-c\u00e9]+", "ab\u00e9", true, NULL },
	{ "classes without", "[^a-c]", "b", false, NULL },
	{ "a class may hold signs", "[.*|(]+", "*.(", true, NULL },
	{ "a class may hold an escaped bracket", "[\\]a]+", "a]", true, NULL },
	{ "a minus at the end is itself", "[a-]+", "-a", true, NULL },
	{ "quoted text", "\"a.b\"c", "a.bc", true, NULL },
	{ "quoted text is as is", "\"a.b\"c", "axbc", false, NULL },
	{ "quoted text repeats as one", "\"ab\"{2}", "abab", true, NULL },
	{ "any text", "a@z", "amz", true, NULL },
	{ "there are no anchors", "^a$", "^a$", true, NULL },
	{ "there are no classes of PCRE2", "\\d", "d", true, NULL },
	{ "there are no look-arounds", "a(?=b)", NULL, false, "is none" },
	{ "no expression at all is the empty text", "", "", true, NULL },
	{ "an open bracket", "a[b", NULL, false, "a [ without its ] (at its byte 2)" },
	{ "an empty class", "[]", NULL, false, "a class [] of nothing" },
	{ "an open quote", "a\"b", NULL, false, "a \" without its end" },
	{ "an open group", "(a", NULL, false, "is none: missing closing parenthesis" },
	{ "a count of nothing", "a{x}", NULL, false, "a { that is no count" },
	{ "lazy repetition does not exist", "a+?", NULL, false, "repeats a repetition" },
	{ "possessive repetition does not exist", "a{2}+", NULL, false, "repeats a repetition" },
	{ "a lone escape", "a\\", NULL, false, "ends with a lone \\" },
	{ "complement is not supported", "~a", NULL, false, "~ & # <" },
	{ "intervals are not supported", "<1-9>", NULL, false, "~ & # <" },
	{ "intersection is not supported", "a&b", NULL, false, "~ & # <" },
	{ "escaped operators are characters", "a\\&b\\~\\<", "a&b~<", true, NULL },
	{ "too large an expression", "((a{999}){999}){999}", NULL, false, "is none: " },
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	CLEANUP(regex) struct regex *regex = NULL;
	struct pxs_error err = { 0 };
	int r = regex_new(row->regex, &regex, &err);

	if (row->refused) {
		assert_int_equal(r, -EINVAL);
		if (!strstr(err.text, row->refused))
			fail_msg("%s", err.text);
		return;
	}
	if (r < 0)
		fail_msg("%s", err.text);
	assert_int_equal(regex_match(regex, row->text, strlen(row->text)), row->matches);
}

static void
what_every_match_holds_is_found(void **state)
{
	static const struct {
		const char *regex, *literal;
	} HOLDS[] = {
		{ "abc", "abc" },	  { "ab.cde", "cde" },	 { "abc*", "ab" },
		{ "abc+d", "ab" },	  { "abc?", "ab" },	 { "abc{0,2}def", "def" },
		{ "abc|abd", "" },	  { "(abcd)*ef", "ef" }, { "(a|b)cd", "cd" },
		{ "\"abcd\"*e", "e" },	  { "[abc]de", "de" },	 { "a@bc", "bc" },
		{ "(abc", "" },		  { "\\.jpg", ".jpg" },	 { "caf\u00e9*", "caf" },
		{ "a(b(c)d)efg", "efg" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(HOLDS); i++) {
		CLEANUP(regex) struct regex *regex = NULL;
		size_t len;

		if (regex_new(HOLDS[i].regex, &regex, NULL) == 0)
			assert_string_equal(regex_literal(regex, &len), HOLDS[i].literal);
	}
}

static void
what_consists_of_letters_and_digits_is_known(void **state)
{
	static const struct {
		const char *regex;
		bool plain;
	} PLAIN[] = {
		{ "abc", true },	 { "[bc]at[a-z0-9]{1,5}", true },
		{ "(ab|c3)*d?", true },	 { "\"ab\"+", true },
		{ "a.c", false },	 { "a@", false },
		{ "[^a]", false },	 { "[0-z]", false },
		{ "[a-]", false },	 { "a_b", false },
		{ "a\\.b", false },	 { "caf\u00e9", false },
		{ "[a-\u00e9]", false }, { "\"a b\"", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(PLAIN); i++) {
		CLEANUP(regex) struct regex *regex = NULL;

		assert_int_equal(regex_new(PLAIN[i].regex, &regex, NULL), 0);
		if (regex_is_plain(regex) != PLAIN[i].plain)
			fail_msg("/%s/", PLAIN[i].regex);
	}
}

static void
endless_backtracking_ends(void **state)
{
	CLEANUP(regex) struct regex *regex = NULL;
	struct pxs_error err = { 0 };
	char text[200];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 2] = 'b';
	assert_int_equal(regex_new("(a*)*(a|aa)+(a*a*a*)*b", &regex, &err), 0);
	assert_int_equal(regex_match(regex, text, sizeof(text)), -E2BIG);
}

static void
a_long_expression_is_refused(void **state)
{
	struct regex *regex = NULL;
	struct pxs_error err = { 0 };
	char text[REGEX_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[REGEX_MAX + 1] = '\0';
	assert_int_equal(regex_new(text, &regex, &err), -EINVAL);
	assert_non_null(strstr(err.text, "1000 bytes, not 1001"));
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(what_every_match_holds_is_found),
		cmocka_unit_test(what_consists_of_letters_and_digits_is_known),
		cmocka_unit_test(endless_backtracking_ends),
		cmocka_unit_test(a_long_expression_is_refused),
	};
	struct CMUnitTest rows[ARRAY_SIZE(ROWS)];
	int failed;

	/* One named test for each row, so that a failure says which. */
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		rows[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	failed = cmocka_run_group_tests_name("regex rows", rows, NULL, NULL);
	return failed + cmocka_run_group_tests_name("regex", OTHERS, NULL, NULL);
}
