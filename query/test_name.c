/* test_name.c - names of properties, and names in the mount. */
#include "query/name.h"
#include "query/test_rows.h"

static void
properties_are_found(void **state)
{
	const struct query_schema empty = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TEST_PROPERTIES); i++)
		assert_ptr_equal(test_property(TEST_PROPERTIES[i].name), &TEST_PROPERTIES[i]);
	assert_null(test_property("core.siz"));
	assert_null(test_property("core.sizes"));
	assert_null(test_property(""));
	assert_null(query_schema_find(&empty, "core.size"));
	assert_null(query_schema_nearest(&empty, "core.size"));
}

static const struct nearest_row {
	const char *name, *nearest;
} NEAREST[] = {
	{ "cor.size", "core.size" },
	{ "coer.size", "core.size" },
	{ "core.sise", "core.size" },
	{ "Core.Size", "core.size" },
	{ "core_size", "core.size" },
	{ "size", "core.size" },
	{ "tags", "user.tags" },
	{ "core.extensoin", "core.extension" },
	{ "hsm.status", NULL },
	{ "index.path", NULL }, /* hidden ones are not shown */
	{ "zzz", NULL },
	{ "x", NULL },
	{ "", NULL },
};

static void
check_nearest(void **state)
{
	const struct nearest_row *row = *state;
	const char *nearest = query_schema_nearest(test_schema(), row->name);

	assert_string_equal(nearest ? nearest : "none", row->nearest ? row->nearest : "none");
}

static void
types_have_names(void **state)
{
	(void)state;
	assert_string_equal(query_type_name(QUERY_TYPE_STRING, true), "[String]");
	assert_string_equal(query_type_name(QUERY_TYPE_LONG, false), "Long");
	assert_string_equal(query_type_name(QUERY_TYPE_PROXY, false), "Proxy");
	assert_true(query_type_is_number(QUERY_TYPE_FLOAT));
	assert_false(query_type_is_number(QUERY_TYPE_BOOLEAN));
	assert_false(query_type_is_number(QUERY_TYPE_DATETIME));
}

static const struct name_row {
	const char *name;
	enum query_name kind;
} NAMES[] = {
	{ "core.size=5", QUERY_NAME_SEGMENT },
	{ "core.size=", QUERY_NAME_SEGMENT },
	{ "no.such=5", QUERY_NAME_SEGMENT },
	{ "core.size!=5", QUERY_NAME_SEGMENT },
	{ "core.size>5", QUERY_NAME_SEGMENT },
	{ "core.size<5", QUERY_NAME_SEGMENT },
	{ "a=b", QUERY_NAME_SEGMENT },
	{ "README!", QUERY_NAME_SEGMENT },
	{ "x-y.z_1=b", QUERY_NAME_SEGMENT },
	{ "_all=cats", QUERY_NAME_SEGMENT },
	{ "_where={}", QUERY_NAME_SEGMENT },
	{ "_sort=", QUERY_NAME_SEGMENT },
	{ "_limit=5", QUERY_NAME_SEGMENT },
	{ "_plugin_lastupdate.stat%3a%3AStatPlugin=..", QUERY_NAME_SEGMENT },
	{ "_plugin_lastupdate.stat::StatPlugin=..", QUERY_NAME_SEGMENT },
	{ "core.size", QUERY_NAME_FACET },
	{ "core.siz", QUERY_NAME_OTHER },
	{ "cats.jpg", QUERY_NAME_OTHER },
	{ "1a=b", QUERY_NAME_OTHER },
	{ ".a=b", QUERY_NAME_OTHER },
	{ "a..b=c", QUERY_NAME_OTHER },
	{ "a.=c", QUERY_NAME_OTHER },
	{ "a b=c", QUERY_NAME_OTHER },
	{ "a.%3ab=c", QUERY_NAME_OTHER },
	{ "%63ore.size=5", QUERY_NAME_OTHER },
	{ "core.size%3D5", QUERY_NAME_OTHER },
	{ "=", QUERY_NAME_OTHER },
	{ "", QUERY_NAME_OTHER },
};

static void
check_name(void **state)
{
	const struct name_row *row = *state;

	assert_int_equal(query_name_classify(row->name, test_schema()), row->kind);
}

static void
bytes_are_escaped(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		assert_int_equal(query_name_escapes((unsigned char)c),
				 c < ' ' || c == 0x7f || (c && strchr("/%<>:\"|?*\\", c)));
}

static const struct escape_row {
	const char *text, *as_text, *as_value;
} ESCAPES[] = {
	{ "plain", "plain", "plain" },
	{ "a/b%c", "a%2Fb%25c", "a%2Fb%25c" },
	{ "a,b", "a,b", "a%2Cb" },
	{ "!a!b!", "!a!b!", "%21a!b!" },
	{ ".jpg", ".jpg", ".jpg" },
	{ "a.b", "a.b", "a.b" },
	{ "a..b", "a..b", "a%2E%2Eb" },
	{ "..", ".%2E", "%2E%2E" },
	{ "a.", "a%2E", "a%2E" },
	{ "a ", "a%20", "a%20" },
	{ " a", " a", " a" },
	{ "a-b", "a-b", "a-b" },
	{ "\n", "%0A", "%0A" },
	{ "caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "\xcc\xb8x", "%CC%B8x", "%CC%B8x" },	      /* = and U+0338 would become U+2260 */
	{ ":\xcc\x81x", "%3A%CC%81x", "%3A%CC%81x" }, /* A and U+0301 would become U+00C1 */
	{ "x\xcc\xb8", "x\xcc\xb8", "x\xcc\xb8" },
};

static void
check_escapes(void **state)
{
	const struct escape_row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf value = PXS_BUF_INIT;

	query_name_add_text(&text, row->text);
	query_name_add_value(&value, row->text);
	assert_string_equal(pxs_buf_text(&text), row->as_text);
	assert_string_equal(pxs_buf_text(&value), row->as_value);
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(properties_are_found),
		cmocka_unit_test(types_have_names),
		cmocka_unit_test(bytes_are_escaped),
	};
	struct CMUnitTest tests[ARRAY_SIZE(NEAREST) + ARRAY_SIZE(NAMES) + ARRAY_SIZE(ESCAPES) +
				ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, NEAREST, check_nearest);
	TEST_ROWS_ADD(tests, n, NAMES, check_name);
	TEST_ROWS_ADD(tests, n, ESCAPES, check_escapes);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query_name", tests, NULL, NULL);
}
