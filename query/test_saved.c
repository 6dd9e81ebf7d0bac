/* Saved searches: what may be saved, and what filling in makes of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "query/test_catalogue.h"

static const struct {
	const char *path;
	const char *saved; /* NULL: refused, and ... */
	const char *says;
} PATHS[] = {
	{ "_all=cats/core.size=5-10", "core.size=5-10/_all=cats", NULL },
	{ "core.extension={kind}", "core.extension={kind}", NULL },
	{ "core.size={from}..{to}/_all={words}", "core.size={from}..{to}/_all={words}", NULL },
	{ "image.has_alpha={yes}", "image.has_alpha={yes}", NULL },
	{ "core.modificationtime={year}..", "core.modificationtime={year}..", NULL },
	{ "core.extension=%7Bkind}", "core.extension=%7Bkind}", NULL },
	{ "core.extension={Kind}", "core.extension={Kind}", NULL },
	{ "core.extension={}", "core.extension={}", NULL },
	{ "_where={\"core.size\":5}", "core.size=5", NULL },
	{ "", NULL, "whole catalogue" },
	{ "core.sice={n}", NULL, "did you mean 'core.size'" },
	{ "core.size=abc{n}", NULL, "abc2001" },
	{ "core.size=x", NULL, "number" },
	{ "_all={a}{b}{c}{d}{e}{f}{g}{h}{i}", NULL, "at most 8" },
};

static void
what_may_be_saved(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(PATHS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf again = PXS_BUF_INIT;
		struct pxs_error err = { 0 };
		int r = query_saved_print(PATHS[i].path, test_schema(), &buf, &err);

		if (PATHS[i].saved) {
			assert_int_equal(r, 0);
			/* The order of canonical segments is not this test's. */
			assert_int_equal(strlen(buf.data), strlen(PATHS[i].saved));
			assert_int_equal(query_saved_print(buf.data, test_schema(), &again, &err),
					 0);
			assert_string_equal(buf.data, again.data);
			if (!strchr(PATHS[i].path, '/'))
				assert_string_equal(buf.data, PATHS[i].saved);
			continue;
		}
		assert_int_equal(r, -EINVAL);
		if (!strstr(err.text, PATHS[i].says))
			fail_msg("%s: %s", PATHS[i].path, err.text);
	}
}

static const struct {
	const char *path;
	const char *text;
	const char *filled; /* NULL: refused, and ... */
	const char *says;
} FILLS[] = {
	{ "core.uid={owner}", "alice", "core.uid=alice", NULL },
	{ "core.uid={owner}", "owner=alice", "core.uid=alice", NULL },
	{ "core.uid={owner}", "a%26b,c", "core.uid=a%26b,c", NULL },
	{ "a.b={x}/c.d={x}", "5", "a.b=5/c.d=5", NULL },
	{ "a.b={from}..{to}", "to=9&from=1", "a.b=1..9", NULL },
	{ "core.uid={owner}", "Owner=alice", "core.uid=Owner=alice", NULL },
	{ "core.uid={owner}", "{owner}", "core.uid={owner}", NULL },
	{ "core.uid={owner}", "owner%3Dalice", "core.uid=owner%3Dalice", NULL },
	{ "core.uid={owner}", "ownr=alice", NULL, "no parameter 'ownr'; it has owner" },
	{ "core.uid={owner}", "", NULL, "needs a value for its parameter 'owner'" },
	{ "core.uid={owner}", "owner=", NULL, "needs a value for its parameter 'owner'" },
	{ "a.b={from}..{to}", "from=1", NULL, "needs a value for its parameter 'to'" },
	{ "a.b={from}..{to}", "1", NULL, "which parameter is '1'" },
	{ "a.b={from}..{to}", "from=1&to=2&kind=3", NULL, "no parameter 'kind'; it has from, to" },
	{ "a.b={x}", "x=1&x=2&x=3&x=4&x=5&x=6&x=7&x=8&x=9", NULL, "at most 8" },
	{ "a.b=5", "x=1", NULL, "no parameter 'x'; it has none" },
};

static void
how_it_is_filled_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FILLS); i++) {
		struct query_argument arguments[QUERY_PARAMETERS_MAX];
		CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
		struct pxs_error err = { 0 };
		size_t n = 0;
		int r = query_saved_arguments(FILLS[i].path, FILLS[i].text, arguments, &n, &err);

		if (r == 0)
			r = query_saved_fill(FILLS[i].path, arguments, n, &buf, &err);
		if (FILLS[i].filled) {
			assert_int_equal(r, 0);
			assert_string_equal(buf.data, FILLS[i].filled);
			continue;
		}
		assert_int_equal(r, -EINVAL);
		if (!strstr(err.text, FILLS[i].says))
			fail_msg("%s %s: %s", FILLS[i].path, FILLS[i].text, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_saved),
		cmocka_unit_test(how_it_is_filled_in),
	};

	return cmocka_run_group_tests_name("query_saved", tests, NULL, NULL);
}
