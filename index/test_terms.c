/* Terms and streams. */
#include "index/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "query/query.h"

static const struct query_property TITLE = { .name = "common.title", .number = 0 };
static const struct query_property FILENAME = { .name = "core.filename", .number = 4 };

static void
tags_are_short_prefix_free_and_without_nul(void **state)
{
	static const struct {
		uint32_t number;
		size_t size;
	} TAGS[] = {
		{ 0, 2 },     { 1, 2 },	    { 125, 2 },	  { 126, 2 },	  { 127, 3 },
		{ 128, 3 },   { 381, 3 },   { 382, 3 },	  { 16445, 3 },	  { 16446, 3 },
		{ 16447, 4 }, { 16448, 4 }, { 81471, 4 }, { 4178046, 4 },
	};
	struct pxs_buf tags[ARRAY_SIZE(TAGS)] = { 0 };
	struct query_property property = { .name = "a.b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TAGS); i++) {
		property.number = TAGS[i].number;
		terms_tagged(&tags[i], &property, "", 0);
		assert_int_equal(tags[i].len, TAGS[i].size);
		assert_int_equal(tags[i].data[0], 1);
		assert_null(memchr(tags[i].data, 0, tags[i].len));
	}
	for (size_t i = 0; i < ARRAY_SIZE(TAGS); i++)
		for (size_t k = 0; k < ARRAY_SIZE(TAGS); k++)
			if (i != k && tags[i].len <= tags[k].len)
				assert_memory_not_equal(tags[i].data, tags[k].data, tags[i].len);
	for (size_t i = 0; i < ARRAY_SIZE(TAGS); i++)
		pxs_buf_done(&tags[i]);
}

static void
terms_tell_their_word_and_property(void **state)
{
	static const uint32_t NUMBERS[] = { 0, 126, 127, 381, 382, 16446, 16447, 81471, 4178046 };
	struct query_property property = { .name = "a.b" };
	uint32_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NUMBERS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;

		property.number = NUMBERS[i];
		terms_tagged(&term, &property, "word", 4);
		assert_string_equal(terms_word(term.data, &number), "word");
		assert_int_equal(number, NUMBERS[i]);
	}
	assert_string_equal(terms_word("27400", &number), "27400");
	assert_int_equal(number, TERMS_NO_PROPERTY);
	assert_null(terms_word(terms_gap(), &number));
	assert_null(terms_word("\x01", &number));
	assert_null(terms_word("\x01\xc1\x05", &number));
}

/* --- Streams, printed as: a term for each position, '=' before those that share it --- */

static void
print_stream(const struct pxs_buf *stream, struct pxs_buf *text)
{
	const char *term;
	size_t at = 0;
	size_t len;
	bool same;

	pxs_buf_clear(text);
	while (terms_stream_next(stream->data, stream->len, &at, &term, &len, &same)) {
		pxs_buf_add_char(text, same ? '=' : ' ');
		for (size_t i = 0; i < len; i++) {
			if ((unsigned char)term[i] < 0x20)
				pxs_buf_addf(text, "<%d>", term[i]);
			else
				pxs_buf_add_char(text, term[i]);
		}
	}
	assert_int_equal(at, stream->len);
}

static void
a_stream_has_numbers_values_words_and_tags(void **state)
{
	static const char *const NUMBERS[] = { "27400", "0", "true", "0", "-1.5" };
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NUMBERS); i++)
		assert_int_equal(terms_stream_add_number(&stream, NUMBERS[i], strlen(NUMBERS[i])),
				 0);
	assert_int_equal(terms_stream_add_string(&stream, &TITLE, "New York.", 9), 0);
	assert_int_equal(terms_stream_add_string(&stream, &TITLE, "a.b", 3), 0);
	print_stream(&stream, &text);
	assert_string_equal(text.data, " 27400=0=true=-1.5"
				       " <1><1>new <1><1>york <1><1>a.b");
}

static void
a_file_name_has_its_parts_beside_it(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	assert_int_equal(terms_stream_add_string(&stream, &FILENAME, "X_foo.tar.gz-b", 14), 0);
	print_stream(&stream, &text);
	assert_string_equal(text.data, " <1><5>x_foo.tar.gz=<1><5>x_foo.tar=<1><5>x_foo"
				       "=<1><5>tar=<1><5>gz <1><5>b");

	pxs_buf_clear(&stream);
	assert_int_equal(terms_stream_add_string(&stream, &FILENAME, "cats.jpg", 8), 0);
	print_stream(&stream, &text);
	assert_string_equal(text.data, " <1><5>cats.jpg=<1><5>cats=<1><5>jpg");
}

static void
a_list_has_gaps(void **state)
{
	static const struct query_property TAGS = { .name = "t.tags", .number = 8, .multi = true };
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	assert_int_equal(terms_stream_add_string(&stream, &TAGS, "red cat", 7), 0);
	assert_int_equal(terms_stream_add_string(&stream, &TAGS, "--", 2), 0);
	assert_int_equal(terms_stream_add_string(&stream, &TAGS, "blue", 4), 0);
	print_stream(&stream, &text);
	assert_string_equal(text.data, " <1><9>red <1><9>cat <2> <2> <1><9>blue <2>");
}

static void
a_damaged_stream_ends(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} DAMAGED[] = {
		{ "\1", 1 }, { "\2\0a", 3 }, { "\0\0a", 3 }, { "\0\x80", 2 }, { "\xff\xffz", 3 }
	};
	const char *term;
	size_t len;
	bool same;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(DAMAGED); i++) {
		size_t at = 0;

		assert_false(terms_stream_next(DAMAGED[i].bytes, DAMAGED[i].len, &at, &term, &len,
					       &same));
		assert_int_equal(at, 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(tags_are_short_prefix_free_and_without_nul),
		cmocka_unit_test(terms_tell_their_word_and_property),
		cmocka_unit_test(a_stream_has_numbers_values_words_and_tags),
		cmocka_unit_test(a_file_name_has_its_parts_beside_it),
		cmocka_unit_test(a_list_has_gaps),
		cmocka_unit_test(a_damaged_stream_ends),
	};

	return cmocka_run_group_tests_name("terms", TESTS, NULL, NULL);
}
