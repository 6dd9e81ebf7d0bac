/* test_moment.c - date math in all three languages (spec/pixstor.md 2.1): the tree, which stays
 * relative, and what it is at one instant. */
#include <inttypes.h>

#include "query/civil.h"
#include "query/moment.h"
#include "query/test_rows.h"

/* 2024-02-15T12:34:56.789, a Thursday of a leap year. */
#define NOW_NS (INT64_C(1708000496) * 1000000000 + 789000000)

/* P: core.modificationtime */
static const struct moment_row {
	const char *name;
	const char *text; /* s:, w:, p: as test_add() has it; "$" stands for P */
	const char *tree; /* without "P in " */
	const char *resolved;
} ROWS[] = {
	/* operations */
	{ "now is the second we are in", "p:$=now..", "[now, )", "[2024-02-15T12:34:56, )" },
	{ "days ago", "p:$=now-7d..", "[now-7d, )", "[2024-02-08T12:34:56, )" },
	{ "in an hour", "p:$=..now+1h", "(, now+1h)", "(, 2024-02-15T13:34:56)" },
	{ "H is h", "p:$=..now+1H", "(, now+1h)", "(, 2024-02-15T13:34:56)" },
	{ "a number of one may be left out", "p:$=now-d..", "[now-1d, )",
	  "[2024-02-14T12:34:56, )" },
	{ "weeks", "p:$=now-2w..", "[now-2w, )", "[2024-02-01T12:34:56, )" },
	{ "minutes and seconds", "p:$=now-4m-56s..", "[now-4m-56s, )", "[2024-02-15T12:30:00, )" },
	{ "months", "p:$=now-13M..", "[now-13M, )", "[2023-01-15T12:34:56, )" },
	{ "years", "p:$=now+2y..", "[now+2y, )", "[2026-02-15T12:34:56, )" },
	{ "several", "p:$=now-1y+1M-1d..", "[now-1y+1M-1d, )", "[2023-03-14T12:34:56, )" },
	{ "a month that is too short", "p:$=now/M-1d-11M..", "[now/M-1d-11M, )",
	  "[2023-02-28T00:00:00, )" },
	{ "a leap day less a year", "p:$=now/M+28d-1y..", "[now/M+28d-1y, )",
	  "[2023-02-28T00:00:00, )" },

	/* rounding down */
	{ "to the second", "p:$=now/s..", "[now/s, )", "[2024-02-15T12:34:56, )" },
	{ "to the minute", "p:$=now%2Fm..", "[now/m, )", "[2024-02-15T12:34:00, )" },
	{ "to the hour", "p:$=now%2Fh..", "[now/h, )", "[2024-02-15T12:00:00, )" },
	{ "to the day", "p:$=now%2Fd..", "[now/d, )", "[2024-02-15T00:00:00, )" },
	{ "to the week, which starts on Monday", "p:$=now%2Fw..", "[now/w, )",
	  "[2024-02-12T00:00:00, )" },
	{ "to the month", "p:$=now%2FM..", "[now/M, )", "[2024-02-01T00:00:00, )" },
	{ "to the year", "p:$=now%2Fy..", "[now/y, )", "[2024-01-01T00:00:00, )" },
	{ "and on from there", "p:$=now-1M%2FM+3d..", "[now-1M/M+3d, )",
	  "[2024-01-04T00:00:00, )" },

	/* which end of the unit counts */
	{ "gte: its start", "w:{\"$\":{\"gte\":\"now/d\"}}", "[now/d, )",
	  "[2024-02-15T00:00:00, )" },
	{ "gt: its end", "w:{\"$\":{\"gt\":\"now/d\"}}", "[now/d+1d, )",
	  "[2024-02-16T00:00:00, )" },
	{ "lt: its start", "w:{\"$\":{\"lt\":\"now/d\"}}", "(, now/d)", "(, 2024-02-15T00:00:00)" },
	{ "lte: its end", "w:{\"$\":{\"lte\":\"now/d\"}}", "(, now/d+1d)",
	  "(, 2024-02-16T00:00:00)" },
	{ "equality: all of it", "w:{\"$\":\"now/d\"}", "[now/d, now/d+1d)",
	  "[2024-02-15T00:00:00, 2024-02-16T00:00:00)" },
	{ "lte now: this second as well", "s:$:<=now", "(, now+1s)", "(, 2024-02-15T12:34:57)" },
	{ "gt now", "s:$:>now", "[now+1s, )", "[2024-02-15T12:34:57, )" },
	{ "the coarsest unit rounded to", "w:{\"$\":\"now/M/d\"}", "[now/M/d, now/M/d+1M)",
	  "[2024-02-01T00:00:00, 2024-03-01T00:00:00)" },
	{ "last month", "w:{\"$\":\"now-1M/M\"}", "[now-1M/M, now-1M/M+1M)",
	  "[2024-01-01T00:00:00, 2024-02-01T00:00:00)" },
	{ "a unit, then further", "w:{\"$\":{\"lte\":\"now/M+1M\"}}", "(, now/M+1M+1M)",
	  "(, 2024-04-01T00:00:00)" },

	/* both ends */
	{ "between", "w:{\"$\":{\"gte\":\"now-7d/d\",\"lt\":\"now/d\"}}", "[now-7d/d, now/d)",
	  "[2024-02-08T00:00:00, 2024-02-15T00:00:00)" },
	{ "between, in a path", "p:$=now-7d%2Fd..now%2Fd", "[now-7d/d, now/d)",
	  "[2024-02-08T00:00:00, 2024-02-15T00:00:00)" },
	{ "between, in a query string", "s:$:[now-7d/d TO now/d}", "[now-7d/d, now/d)",
	  "[2024-02-08T00:00:00, 2024-02-15T00:00:00)" },
	{ "one end relative", "w:{\"$\":{\"gte\":\"2023\",\"lt\":\"now\"}}",
	  "[2023-01-01T00:00:00, now)", "[2023-01-01T00:00:00, 2024-02-15T12:34:56)" },
	{ "the other end relative", "p:$=now-1y..2030", "[now-1y, 2030-01-01T00:00:00)",
	  "[2023-02-15T12:34:56, 2030-01-01T00:00:00)" },
	{ "comparisons in a path", "p:$>=now-7d", "[now-7d, )", "[2024-02-08T12:34:56, )" },
	{ "an unquoted term", "s:$:now-1d/d", "[now-1d/d, now-1d/d+1d)",
	  "[2024-02-14T00:00:00, 2024-02-15T00:00:00)" },
	{ "before all times", "p:$=now-5000y..now", "[now-5000y, now)", "(, 2024-02-15T12:34:56)" },

	/* from a date: at once */
	{ "a date and a month", "w:{\"$\":{\"gte\":\"2024-01-31||+1M\"}}",
	  "[2024-02-29T00:00:00, )", NULL },
	{ "a date, rounded", "w:{\"$\":\"2024-02-15||/M\"}",
	  "[2024-02-01T00:00:00, 2024-03-01T00:00:00)", NULL },
	{ "a month and a month is a month", "w:{\"$\":\"2024-01||+1M\"}",
	  "[2024-02-01T00:00:00, 2024-03-01T00:00:00)", NULL },
	{ "lte a day from a date", "p:$<=2024-02-15%7C%7C-1d", "(, 2024-02-15T00:00:00)", NULL },
	{ "an instant stays one", "w:{\"$\":{\"lte\":\"2024-02-15T00:00:00.000000000||+1d\"}}",
	  "(, 2024-02-16T00:00:00.000000001)", NULL },
	{ "milliseconds", "w:{\"$\":{\"gte\":\"1708000496789||/h\"}}", "[2024-02-15T12:00:00, )",
	  NULL },
	{ "a date in a query string", "s:$:>=2024-01-01||+1M/d", "[2024-02-01T00:00:00, )", NULL },
	{ "bars and nothing", "w:{\"$\":\"2024-02||\"}",
	  "[2024-02-01T00:00:00, 2024-03-01T00:00:00)", NULL },
	{ "before 1970", "w:{\"$\":{\"gte\":\"1969-12-31T23:59:59||/w\"}}",
	  "[1969-12-29T00:00:00, )", NULL },
};

/* TEXT with "$" replaced by the property. */
static int
add(struct query *query, const char *text, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	for (; *text; text++)
		if (*text == '$')
			pxs_buf_add_str(&buf, "core.modificationtime");
		else if (buf.len > 2 && buf.data[0] == 'p' && *text == '/')
			pxs_buf_add_str(&buf, "%2F");
		else
			pxs_buf_add_char(&buf, *text);
	return test_add(query, pxs_buf_text(&buf), err);
}

static void
assert_tree(const struct query *query, const char *expected)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	assert_int_equal(query_print_text(query, &text), 0);
	assert_memory_equal(pxs_buf_text(&text), "core.modificationtime in ", 25);
	assert_string_equal(pxs_buf_text(&text) + 25, expected);
}

static void
check_row(void **state)
{
	const struct moment_row *row = *state;
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *resolved = NULL;
	struct pxs_error err = { 0 };

	assert_int_equal(query_new(&query), 0);
	if (add(query, row->text, &err) < 0)
		fail_msg("%s: %s", row->text, err.text);
	assert_tree(query, row->tree);
	assert_int_equal(query_is_relative(query), row->resolved != NULL);
	assert_int_equal(query_resolve(query, NOW_NS, &resolved), 0);
	assert_tree(resolved, row->resolved ? row->resolved : row->tree);
	assert_false(query_is_relative(resolved));
}

/* Each language prints the relative query so that all read it back. */
static void
all_languages_keep_it(void **state)
{
	static const char PATH[] = "core.modificationtime=now-7d%2Fd..now,2001-01-01..2002-01-01";
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	struct query_key key, key_again;

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_segment(query, PATH, test_schema(), NULL), 0);
	assert_int_equal(query_print_path(query, &path), 0);
	assert_string_equal(pxs_buf_text(&path),
			    "core.modificationtime=2001-01-01..2002-01-01,now-7d%2Fd..now");
	assert_int_equal(query_print_where(query, &where), 0);
	assert_string_equal(pxs_buf_text(&where),
			    "{\"core.modificationtime\": [{\"gte\": \"2001-01-01T00:00:00\", "
			    "\"lt\": \"2002-01-01T00:00:00\"}, {\"gte\": \"now-7d/d\", \"lt\": "
			    "\"now\"}]}");
	assert_int_equal(query_new(&again), 0);
	assert_int_equal(query_add_where(again, pxs_buf_text(&where), test_schema(), NULL), 0);
	assert_int_equal(query_key(query, &key), 0);
	assert_int_equal(query_key(again, &key_again), 0);
	assert_memory_equal(&key, &key_again, sizeof(key));
}

/* Within one second the resolved query is the same, so that what was found is found again. */
static void
resolves_by_the_second(void **state)
{
	static const int64_t TIMES[] = { NOW_NS, NOW_NS + 210999999, NOW_NS + 211000000 };
	CLEANUP(query) struct query *query = NULL;
	struct query_key keys[ARRAY_SIZE(TIMES)];

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(add(query, "p:$=now-7d..", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(TIMES); i++) {
		CLEANUP(query) struct query *resolved = NULL;

		assert_int_equal(query_resolve(query, TIMES[i], &resolved), 0);
		assert_int_equal(query_key(resolved, &keys[i]), 0);
	}
	assert_memory_equal(&keys[0], &keys[1], sizeof(keys[0]));
	assert_memory_not_equal(&keys[0], &keys[2], sizeof(keys[0]));
}

/* Ends that could not be told apart before, and the rest of the tree, fall into place. */
static void
resolving_simplifies(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *resolved = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(add(query, "s:(a OR $:>now-7d^2) AND $:[now-1y TO now-2y] -$:now", NULL),
			 0);
	assert_int_equal(add(query, "p:_sort=-$", NULL), 0);
	assert_int_equal(add(query, "p:_limit=3", NULL), 0);
	assert_int_equal(query_resolve(query, NOW_NS, &resolved), 0);
	assert_int_equal(query_print_text(resolved, &text), 0);
	assert_string_equal(pxs_buf_text(&text), "nothing sort -core.modificationtime limit 3");
}

static const struct refusal_row {
	const char *name, *text, *reason;
	long at;
} REFUSALS[] = {
	{ "no unit", "p:$=now-7", "after 'now', as in now-7d/d", 22 },
	{ "an unknown unit", "p:$=now-7x", "expected +, - or /", 22 },
	{ "a month is M", "p:$=now-7D", "one of y M w d h m s", 22 },
	{ "a word that begins with now", "p:$=nowhere", "after 'now'", 22 },
	{ "a space", "s:$:\"now -7d\"", "after 'now'", 22 },
	{ "rounding to several", "p:$=now/2d", "after 'now'", 22 },
	{ "a number that is too long", "p:$=now-7d+1234567890d", "after 'now-7d'", 22 },
	{ "a date that is none", "p:$=2024-13%7C%7C-1d", "'2024-13' is no date", 22 },
	{ "a date without bars", "p:$=2024-01-01-1d", "is no date", 22 },
	{ "too far from a date", "p:$=2024%7C%7C+500y", "1678 to 2261", 22 },
	{ "two lower bounds", "w:{\"$\":{\"gte\":\"2024\",\"gt\":\"now-7d\"}}",
	  "not known which one counts", 1 },
};

static void
check_refusal(void **state)
{
	const struct refusal_row *row = *state;
	CLEANUP(query) struct query *query = NULL;
	struct pxs_error err = { 0 };

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(add(query, row->text, &err), -EINVAL);
	if (!strstr(err.text, row->reason))
		assert_string_equal(err.text, row->reason);
	assert_int_equal(err.at, row->at);
}

/* Documents have instants; only queries may compute. */
static void
values_are_not_computed(void **state)
{
	struct query_value value;
	struct pxs_error err = { 0 };

	(void)state;
	assert_int_equal(query_value_parse(QUERY_TYPE_DATETIME, "now-7d", NULL, &value, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "only a query's dates"));
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(all_languages_keep_it),
		cmocka_unit_test(resolves_by_the_second),
		cmocka_unit_test(resolving_simplifies),
		cmocka_unit_test(values_are_not_computed),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(REFUSALS) + ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, ROWS, check_row);
	TEST_ROWS_ADD(tests, n, REFUSALS, check_refusal);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query_moment", tests, NULL, NULL);
}
