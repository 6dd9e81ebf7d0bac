#include "index/ingest/pathname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/percent.h"

static const struct row {
	const char *name;
	const char *bytes;
	const char *text;
	const char *exact;
	bool same;
} ROWS[] = {
	{ "plain ASCII stays", "/a/b.txt", "/a/b.txt", "/a/b.txt", true },
	{ "the root stays", "/", "/", "/", true },
	{ "a percent sign stays in valid names", "/50%", "/50%", "/50%25", true },
	{ "a newline and a quote stay", "/a\n\"b", "/a\n\"b", "/a%0A\"b", true },
	{ "composed stays", "/caf\xC3\xA9", "/caf\xC3\xA9", "/caf%C3%A9", true },
	{ "decomposed is composed", "/cafe\xCC\x81", "/caf\xC3\xA9", "/cafe%CC%81", false },
	{ "a bad byte is escaped", "/a\xFFz", "/a%FFz", "/a%FFz", false },
	{ "with it every percent sign of the name", "/a%\xFF", "/a%25%FF", "/a%25%FF", false },
	{ "but not those of its neighbours", "/5%/\xFF/6%", "/5%/%FF/6%", "/5%25/%FF/6%25", false },
	{ "a cut character", "/a\xC3", "/a%C3", "/a%C3", false },
	{ "an overlong slash is two bad bytes", "/\xC0\xAF", "/%C0%AF", "/%C0%AF", false },
	{ "a surrogate", "/\xED\xA0\x80", "/%ED%A0%80", "/%ED%A0%80", false },
	{ "good characters beside bad bytes", "/\xC3\xA9\xFE\xC3\xA9", "/\xC3\xA9%FE\xC3\xA9",
	  "/%C3%A9%FE%C3%A9", false },
	{ "a slash at the end stays", "/\xC3\xA9/", "/\xC3\xA9/", "/%C3%A9/", true },
	{ "a mark after a slash does not touch it", "/a/\xCC\xB8", "/a/\xCC\xB8", "/a/%CC%B8",
	  true },
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf exact = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf back = PXS_BUF_INIT;

	assert_int_equal(pathname_add_text(&text, row->bytes, strlen(row->bytes)), row->same);
	assert_string_equal(pxs_buf_text(&text), row->text);
	pathname_add_exact(&exact, row->bytes, strlen(row->bytes));
	assert_string_equal(pxs_buf_text(&exact), row->exact);
	pxs_percent_decode(&back, exact.data, exact.len);
	assert_string_equal(pxs_buf_text(&back), row->bytes);
}

static void
within(void **state)
{
	(void)state;
	assert_true(pathname_within("/a/b", "/a"));
	assert_true(pathname_within("/a", "/a"));
	assert_true(pathname_within("/a", "/"));
	assert_false(pathname_within("/ab", "/a"));
	assert_false(pathname_within("/", "/a"));
	assert_false(pathname_within("/a", "/a/b"));
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	tests[ARRAY_SIZE(ROWS)] = (struct CMUnitTest)cmocka_unit_test(within);
	return cmocka_run_group_tests_name("pathname", tests, NULL, NULL);
}
