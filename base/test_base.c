#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/utf8.h"

/* --- buf --- */

static void
buf_grows_piece_by_piece(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	size_t len = 0;

	(void)state;
	assert_string_equal(pxs_buf_text(&buf), "");
	for (int i = 0; i < 5000; i++) {
		pxs_buf_addf(&buf, "%d,", i);
		pxs_buf_add_str(&buf, "ab");
		pxs_buf_add_char(&buf, '\n');
		pxs_buf_add(&buf, "\0x", 2);
		len += (size_t)snprintf(NULL, 0, "%d,", i) + 5;
		assert_int_equal(buf.len, len);
		assert_int_equal(buf.data[len], '\0');
		assert_memory_equal(buf.data + len - 5, "ab\n\0x", 5);
	}
	assert_int_equal(buf.error, 0);
	assert_memory_equal(buf.data, "0,ab\n\0x1,ab\n\0x2,", 16);
}

static void
buf_is_emptied(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	char *stolen;

	(void)state;
	pxs_buf_add_str(&buf, "before");
	pxs_buf_clear(&buf);
	assert_string_equal(pxs_buf_text(&buf), "");
	pxs_buf_add_str(&buf, "x");
	stolen = pxs_buf_steal(&buf);
	assert_string_equal(stolen, "x");
	assert_null(buf.data);
	free(stolen);
	stolen = pxs_buf_steal(&buf);
	assert_string_equal(stolen, "");
	free(stolen);
}

static void
buf_keeps_its_first_failure(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	(void)state;
	pxs_buf_add_str(&buf, "kept");
	assert_null(pxs_buf_reserve(&buf, SIZE_MAX / 2));
	assert_int_equal(buf.error, -ENOMEM);
	pxs_buf_add_str(&buf, "not added");
	assert_string_equal(pxs_buf_text(&buf), "kept");
	assert_null(pxs_buf_steal(&buf));
	assert_int_equal(buf.error, 0);
}

/* --- arena --- */

static void
arena_memory_is_apart_and_zeroed(void **state)
{
	struct pxs_arena arena = { 0 };
	char *pieces[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t size = i % 97 + 1;

		pieces[i] = pxs_arena_alloc(&arena, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 251), size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		for (size_t j = 0; j < i % 97 + 1; j++)
			assert_int_equal((unsigned char)pieces[i][j], i % 251);
	assert_true(arena.total > 0);
	pxs_arena_done(&arena);
	assert_null(arena.blocks);
}

static void
arena_copies_text(void **state)
{
	struct pxs_arena arena = { 0 };

	(void)state;
	assert_string_equal(pxs_arena_strdup(&arena, "abc"), "abc");
	assert_string_equal(pxs_arena_strndup(&arena, "abc", 2), "ab");
	assert_string_equal(pxs_arena_strndup(&arena, NULL, 0), "");
	assert_non_null(pxs_arena_alloc(&arena, 5 << 20));
	assert_null(pxs_arena_alloc(&arena, SIZE_MAX - 8));
	pxs_arena_done(&arena);
}

/* --- error --- */

static void
error_keeps_the_first_fault(void **state)
{
	struct pxs_error err = { 0 };

	(void)state;
	assert_string_equal(pxs_error_text(&err, -ENOENT), strerror(ENOENT));
	assert_string_equal(pxs_error_text(NULL, -ENOENT), strerror(ENOENT));
	assert_int_equal(pxs_error_set(NULL, -EINVAL, 3, "x"), -EINVAL);
	assert_int_equal(pxs_error_set(&err, -EINVAL, 3, "line\nbreak \x1b[31m%d\x7f", 5), -EINVAL);
	assert_int_equal(pxs_error_set(&err, -EIO, 4, "second"), -EIO);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(err.at, 3);
	assert_string_equal(err.text, "line?break ?[31m5?");
	assert_string_equal(pxs_error_text(&err, -EIO), err.text);
}

static void
error_cuts_long_text(void **state)
{
	struct pxs_error err = { 0 };
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	pxs_error_set(&err, -EINVAL, -1, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

/* --- json --- */

static void
write_json(struct pxs_json *json)
{
	pxs_json_begin_object(json);
	pxs_json_key(json, "a\"b");
	pxs_json_begin_array(json);
	pxs_json_int(json, INT64_MIN);
	pxs_json_bool(json, true);
	pxs_json_null(json);
	pxs_json_double(json, 0.1);
	pxs_json_double(json, NAN);
	pxs_json_begin_array(json);
	pxs_json_end_array(json);
	pxs_json_end_array(json);
	pxs_json_key(json, "c");
	pxs_json_begin_object(json);
	pxs_json_end_object(json);
	pxs_json_key(json, "d");
	pxs_json_raw(json, "{}");
	pxs_json_end_object(json);
}

static void
json_is_written(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct pxs_json json;

	(void)state;
	pxs_json_init(&json, &buf, 0);
	write_json(&json);
	assert_string_equal(pxs_buf_text(&buf),
			    "{\"a\\\"b\":[-9223372036854775808,true,null,0.1,null,[]],\"c\":{},"
			    "\"d\":{}}");
}

static void
json_is_indented(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct pxs_json json;

	(void)state;
	pxs_json_init(&json, &buf, 2);
	write_json(&json);
	assert_string_equal(pxs_buf_text(&buf), "{\n"
						"  \"a\\\"b\": [\n"
						"    -9223372036854775808,\n"
						"    true,\n"
						"    null,\n"
						"    0.1,\n"
						"    null,\n"
						"    []\n"
						"  ],\n"
						"  \"c\": {},\n"
						"  \"d\": {}\n"
						"}");
}

struct text_row {
	const char *name;
	const char *in, *out;
	size_t len; /* of in; 0: up to its NUL */
};

static const struct text_row JSON_STRINGS[] = {
	{ "json: plain", "caf\xc3\xa9 / \x7f", "\"caf\xc3\xa9 / \x7f\"" },
	{ "json: quotes", "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "json: controls", "\b\f\n\r\t\x01\x1f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\"" },
	{ "json: a zero byte", "a\0b", "\"a\\u0000b\"", 3 },
	{ "json: invalid bytes", "a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "json: a surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "json: a cut character", "\xf0\x9f\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "json: empty", "", "\"\"" },
};

static void
check_json_string(void **state)
{
	const struct text_row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct pxs_json json;

	pxs_json_init(&json, &buf, 0);
	pxs_json_stringn(&json, row->in, row->len ? row->len : strlen(row->in));
	assert_string_equal(pxs_buf_text(&buf), row->out);
}

static void
doubles_are_short_and_exact(void **state)
{
	static const struct {
		double value;
		const char *text;
	} ROWS[] = {
		{ 0, "0" },
		{ 0.1, "0.1" },
		{ 1e300, "1e+300" },
		{ 5e-324, NULL },
		{ 1.0 / 3, NULL },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ -2.5, "-2.5" },
		{ 1e21, "1e+21" },
		{ 123456789012345680.0, NULL },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		pxs_double_print(ROWS[i].value, text);
		assert_true(strtod(text, NULL) == ROWS[i].value);
		assert_true(strlen(text) <= 24);
		if (ROWS[i].text)
			assert_string_equal(text, ROWS[i].text);
	}
}

/* --- percent --- */

static const struct text_row DECODED[] = {
	{ "percent: plain", "abc", "abc" },
	{ "percent: both cases", "%2f%2F%e9", "//\xe9" },
	{ "percent: once only", "%2541", "%41" },
	{ "percent: no escape", "100%", "100%" },
	{ "percent: half an escape", "%4", "%4" },
	{ "percent: not hexadecimal", "%4g%g4%%41", "%4g%g4%A" },
	{ "percent: empty", "", "" },
};

static void
check_decoded(void **state)
{
	const struct text_row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	pxs_percent_decode(&buf, row->in, strlen(row->in));
	assert_string_equal(pxs_buf_text(&buf), row->out);
}

static bool
is_odd(unsigned char c)
{
	return c == '%' || (c & 1);
}

static void
percent_encoding_returns(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf encoded = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf decoded = PXS_BUF_INIT;
	char bytes[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	pxs_percent_encode(&encoded, bytes, sizeof(bytes), is_odd);
	assert_int_equal(encoded.len, 256 + 2 * 128); /* '%' is 0x25, odd */
	assert_non_null(memmem(encoded.data, encoded.len, "%FF", 3));
	pxs_percent_decode(&decoded, encoded.data, encoded.len);
	assert_int_equal(decoded.len, sizeof(bytes));
	assert_memory_equal(decoded.data, bytes, sizeof(bytes));
	for (int i = 0; i < 256; i++)
		assert_int_equal(pxs_hex_digit((char)i) >= 0,
				 i && strchr("0123456789abcdefABCDEF", i) != NULL);
}

/* --- utf8 --- */

/* What is valid, by the definition: decode, and look at the value. */
static size_t
slow_char(const unsigned char *c, size_t len)
{
	static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = c[0] < 0x80	      ? 1
		      : (c[0] & 0xe0) == 0xc0 ? 2
		      : (c[0] & 0xf0) == 0xe0 ? 3
		      : (c[0] & 0xf8) == 0xf0 ? 4
					      : 0;
	uint32_t value;

	if (!size || size > len)
		return 0;
	if (size == 1)
		return 1;
	value = c[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (c[i] & 0x3f);
	}
	if (value < LEAST[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	return size;
}

/* All first and second bytes, with third and fourth ones from each class. */
static void
utf8_is_what_the_definition_says(void **state)
{
	static const unsigned char MORE[] = { 0x00, 0x41, 0x80, 0xbf, 0xc0, 0xff };
	unsigned char text[4];

	(void)state;
	for (unsigned int i = 0; i < 0x10000 * ARRAY_SIZE(MORE) * ARRAY_SIZE(MORE); i++) {
		unsigned int rest = i >> 16;

		text[0] = (unsigned char)i;
		text[1] = (unsigned char)(i >> 8);
		text[2] = MORE[rest % ARRAY_SIZE(MORE)];
		text[3] = MORE[rest / ARRAY_SIZE(MORE)];
		for (size_t len = 1; len <= 4; len++)
			if (pxs_utf8_char((char *)text, len) != slow_char(text, len))
				fail_msg("%02x %02x %02x %02x, %zu bytes", text[0], text[1],
					 text[2], text[3], len);
	}
}

static void
utf8_prefix_ends_at_the_fault(void **state)
{
	char text[64];

	(void)state;
	for (size_t fault = 0; fault < sizeof(text); fault++)
		for (size_t len = 0; len <= sizeof(text); len++) {
			memset(text, 'a', sizeof(text));
			text[fault] = '\xff';
			assert_int_equal(pxs_utf8_valid_prefix(text, len),
					 fault < len ? fault : len);
		}
	assert_int_equal(pxs_utf8_valid_prefix("abcdefg\xc3\xa9hijk\xc3", 14), 13);
	assert_true(pxs_utf8_valid("\xf0\x9f\x98\x80", 4));
	assert_false(pxs_utf8_valid("\xf0\x9f\x98\x80", 3));
}

static size_t
add_rows(struct CMUnitTest *tests, size_t n, const struct text_row *rows, size_t n_rows,
	 void (*check)(void **state))
{
	for (size_t i = 0; i < n_rows; i++)
		tests[n + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check,
			.initial_state = (void *)&rows[i],
		};
	return n + n_rows;
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(buf_grows_piece_by_piece),
		cmocka_unit_test(buf_is_emptied),
		cmocka_unit_test(buf_keeps_its_first_failure),
		cmocka_unit_test(arena_memory_is_apart_and_zeroed),
		cmocka_unit_test(arena_copies_text),
		cmocka_unit_test(error_keeps_the_first_fault),
		cmocka_unit_test(error_cuts_long_text),
		cmocka_unit_test(json_is_written),
		cmocka_unit_test(json_is_indented),
		cmocka_unit_test(doubles_are_short_and_exact),
		cmocka_unit_test(percent_encoding_returns),
		cmocka_unit_test(utf8_is_what_the_definition_says),
		cmocka_unit_test(utf8_prefix_ends_at_the_fault),
	};
	struct CMUnitTest
		tests[ARRAY_SIZE(OTHERS) + ARRAY_SIZE(JSON_STRINGS) + ARRAY_SIZE(DECODED)];
	size_t n = ARRAY_SIZE(OTHERS);

	memcpy(tests, OTHERS, sizeof(OTHERS));
	n = add_rows(tests, n, JSON_STRINGS, ARRAY_SIZE(JSON_STRINGS), check_json_string);
	n = add_rows(tests, n, DECODED, ARRAY_SIZE(DECODED), check_decoded);
	assert_int_equal(n, ARRAY_SIZE(tests));
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
