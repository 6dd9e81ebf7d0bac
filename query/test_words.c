/* Words and folding: rows of spec/pixstor.md 2.3, and the ASCII path against libunistring's word
 * breaks. */
#include "query/query.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistr.h>
#include <uniwbrk.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"

static int
add_word(void *context, const char *word, size_t len)
{
	struct pxs_buf *words = context;

	if (words->len)
		pxs_buf_add_char(words, '|');
	pxs_buf_add(words, word, len);
	return 0;
}

static void
words_of(const char *text, size_t len, struct pxs_buf *words)
{
	pxs_buf_clear(words);
	assert_int_equal(query_words(text, len, add_word, words), 0);
}

/* --- Rows --- */

static const struct row {
	const char *name;
	const char *text;
	const char *words; /* joined by '|' */
} WORDS[] = {
	{ "a hyphen breaks", "cats-16.jpg", "cats|16|jpg" },
	{ "an underscore joins", "cat_pictures", "cat_pictures" },
	{ "a slash breaks", "/mmfs1/cats", "mmfs1|cats" },
	{ "a space breaks", "New York", "new|york" },
	{ "a leading dot is dropped", ".jpg", "jpg" },
	{ "a mimetype is two words", "image/jpeg", "image|jpeg" },
	{ "a dot after a digit breaks before a letter", "IMG_2041.JPG", "img_2041|jpg" },
	{ "a dot joins letters", "cats.jpg", "cats.jpg" },
	{ "two dots join letters", "foo.tar.gz", "foo.tar.gz" },
	{ "dots join long names", "report.final.pdf", "report.final.pdf" },
	{ "a dot joins digits", "v1.2.mov", "v1.2|mov" },
	{ "a dot joins digits after an underscore", "shot_010.0101.exr", "shot_010.0101|exr" },
	{ "a colon joins letters", "a:b", "a:b" },
	{ "an apostrophe joins letters", "don't", "don't" },
	{ "a typographic apostrophe joins letters", "Don\u2019t", "don\u2019t" },
	{ "a comma joins digits only", "1,000 a,b", "1,000|a|b" },
	{ "a semicolon joins digits only", "1;2 a;b", "1;2|a|b" },
	{ "a colon does not join digits", "10:30", "10|30" },
	{ "two marks break", "a..b 1,,2", "a|b|1|2" },
	{ "a mark at the end is dropped", "end. 5.", "end|5" },
	{ "a mark before an underscore breaks", "a._b", "a|_b" },
	{ "underscores alone are no word", "_ ___ -_-", "" },
	{ "an underscore belongs to its word", "_a b_ __1", "_a|b_|__1" },
	{ "letters and digits join", "a1b2 3d", "a1b2|3d" },
	{ "nothing gives nothing", "", "" },
	{ "punctuation gives nothing", " -/.,:;'\"()", "" },
	{ "U+202F joins", "a\u202fz", "a\u202fz" },
	{ "U+203F joins", "a\u203f1", "a\u203f1" },
	{ "U+2040 joins", "a\u20401", "a\u20401" },
	{ "U+2054 joins", "1\u2054b", "1\u2054b" },
	{ "U+2018 joins letters and digits", "a\u2018b 1\u20182", "a\u2018b|1\u20182" },
	{ "U+2019 joins digits", "1\u20192", "1\u20192" },
	{ "U+2024 joins letters and digits", "a\u2024b 1\u20242", "a\u2024b|1\u20242" },
	{ "U+2027 joins letters", "a\u2027b 1\u20272", "a\u2027b|1|2" },
	{ "an apostrophe joins digits", "1'000", "1'000" },
	{ "U+066C joins digits", "\u0661\u066c\u0662 a\u066cb", "\u0661\u066c\u0662|a|b" },
	{ "a mark between a letter and a digit breaks", "a.1 1.a a'1", "a|1|1|a|a|1" },
	{ "a soft hyphen stays in its word", "a\u00adb", "a\u00adb" },
	{ "a mark attaches before a dot", "e\u0323.a", "\u1eb9.a" },
	{ "U+00B7 joins letters", "l\u00b7l 1\u00b72", "l\u00b7l|1|2" },
	{ "U+2044 joins digits", "1\u20442", "1\u20442" },
	{ "capitals outside ASCII", "\u00c9T\u00c9 \u0416\u0443\u043a \u03a3\u03a3",
	  "\u00e9t\u00e9|\u0436\u0443\u043a|\u03c3\u03c3" },
	{ "a decomposed letter is composed", "e\u0301te\u0301", "\u00e9t\u00e9" },
	{ "lower case that composes is composed", "J\u030c \u01f0", "\u01f0|\u01f0" },
	{ "a compatibility character is kept", "\ufb01n", "\ufb01n" },
	{ "the Angstrom sign is its letter", "\u212b", "\u00e5" },
	{ "Han: one word each", "\u6f22\u5b57x", "\u6f22|\u5b57|x" },
	{ "Hiragana: one word each", "\u3072\u3089", "\u3072|\u3089" },
	{ "Katakana: a run", "\u30ab\u30bf\u30ab\u30ca", "\u30ab\u30bf\u30ab\u30ca" },
	{ "Hangul: a run", "\ud55c\uad6d\uc5b4 \ud55c", "\ud55c\uad6d\uc5b4|\ud55c" },
	{ "scripts meet", "\u6f22\u30ab\u3072-2024.txt", "\u6f22|\u30ab|\u3072|2024|txt" },
	{ "Thai: a run", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0e01",
	  "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35|\u0e01" },
	{ "Khmer: a run", "\u1781\u17d2\u1798\u17c2\u179a", "\u1781\u17d2\u1798\u17c2\u179a" },
	{ "Lao: a run", "\u0ea5\u0eb2\u0ea7 \u0e81", "\u0ea5\u0eb2\u0ea7|\u0e81" },
	{ "Myanmar: a run", "\u1019\u103c\u1014\u103a\u1019\u102c",
	  "\u1019\u103c\u1014\u103a\u1019\u102c" },
	{ "Katakana with its long mark", "\u30b3\u30fc\u30d2\u30fc", "\u30b3\u30fc\u30d2\u30fc" },
	{ "Katakana beside Latin and digits", "\u30ab1a", "\u30ab|1a" },
	{ "Han, decomposed Hangul", "\u6f22\u1112\u1161\u11ab", "\u6f22|\ud55c" },
	{ "a skin tone stays with its emoji", "\U0001f44d\U0001f3fd \U0001f44d",
	  "\U0001f44d\U0001f3fd|\U0001f44d" },
	{ "Thai beside Latin", "a\u0e01\u0e02b", "a|\u0e01\u0e02|b" },
	{ "an emoji sequence is a word", "\U0001f469\u200d\U0001f467!",
	  "\U0001f469\u200d\U0001f467" },
	{ "a flag is a word", "\U0001f1e9\U0001f1ea", "\U0001f1e9\U0001f1ea" },
	{ "emoji style makes an emoji", "\u2764\ufe0f \u2764", "\u2764\ufe0f" },
	{ "signs are no words", "\u20ac \u00a9 \u2192 \u3001", "" },
	{ "a mark alone is no word", "\u0301 a", "a" },
};

static void
check_words(void **state)
{
	const struct row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf words = PXS_BUF_INIT;

	words_of(row->text, strlen(row->text), &words);
	assert_string_equal(pxs_buf_text(&words), row->words);
}

static const struct fold_row {
	const char *name, *text, *folded;
} FOLDS[] = {
	{ "ASCII", "/Usr/SHARE/[@`{Z", "/usr/share/[@`{z" },
	{ "nothing", "", "" },
	{ "Latin", "\u00c4\u00d6\u00dc\u00df", "\u00e4\u00f6\u00fc\u00df" },
	{ "composition", "E\u0301.TXT", "\u00e9.txt" },
	{ "a kana and its mark", "\u304b\u3099", "\u304c" },
	{ "marks in order", "a\u0301\u0323", "\u1ea1\u0301" },
	{ "composition after lower case", "W\u030a", "\u1e98" },
	{ "the dotted capital I", "\u0130", "i" },
	{ "a longer lower case", "\u023a", "\u2c65" },
};

static void
check_fold(void **state)
{
	const struct fold_row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;

	assert_int_equal(query_fold(row->text, strlen(row->text), &folded), 0);
	assert_string_equal(pxs_buf_text(&folded), row->folded);
}

/* --- Words, further --- */

static void
long_words_are_split_at_a_character(void **state)
{
	static const char *const LETTERS[] = { "a", "\u00e9", "\u0e01", "\U00010400" };
	/* 255 of one byte, 127 of two, 85 of three, 63 of four. */
	static const size_t FIRST[] = { 255, 254, 255, 252 };
	CLEANUP(pxs_buf) struct pxs_buf words = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(LETTERS); i++) {
		pxs_buf_clear(&text);
		for (size_t k = 0; k < 300; k++)
			pxs_buf_add_str(&text, LETTERS[i]);
		words_of(text.data, text.len, &words);
		assert_int_equal(strcspn(words.data, "|"), FIRST[i]);
		for (const char *word = words.data; word; word = strchr(word, '|')) {
			word += *word == '|';
			assert_in_range(strcspn(word, "|"), 1, QUERY_WORD_MAX);
		}
	}
}

static int
stop_at_second(void *context, const char *word, size_t len)
{
	int *calls = context;

	(void)word;
	(void)len;
	return ++*calls == 2 ? 42 : 0;
}

static void
the_callback_ends_the_walk(void **state)
{
	int calls = 0;

	(void)state;
	assert_int_equal(query_words("a b c", 5, stop_at_second, &calls), 42);
	assert_int_equal(calls, 2);
	calls = 0;
	assert_int_equal(query_words("\u00e9 b c", 6, stop_at_second, &calls), 42);
	assert_int_equal(calls, 2);
}

static void
text_that_is_not_utf8_is_refused(void **state)
{
	static const char *const TEXTS[] = { "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf" };
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
		assert_int_equal(query_words(TEXTS[i], strlen(TEXTS[i]), add_word, &buf), -EILSEQ);
		assert_int_equal(query_fold(TEXTS[i], strlen(TEXTS[i]), &buf), -EILSEQ);
	}
}

/* --- Random text --- */

/* xorshift64*: the same strings on every machine for one seed. */
static uint64_t random_state;

static uint32_t
random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * UINT64_C(2685821657736338717) >> 32) % n);
}

static void
random_start(void)
{
	const char *given = getenv("PXS_SEED");

	random_state = given ? strtoull(given, NULL, 0) : (uint64_t)pxs_clock_now_ns();
	random_state |= 1;
	print_message("PXS_SEED=%llu\n", (unsigned long long)random_state);
}

/* Words as section 2.3 of the specification has them, straight from the library. */
static void
reference_words(const char *text, size_t len, struct pxs_buf *words)
{
	char breaks[64];
	size_t end;

	pxs_buf_clear(words);
	u8_wordbreaks((const uint8_t *)text, len, breaks);
	for (size_t at = 0; at < len; at = end) {
		bool word = false;

		for (end = at; end < len && (end == at || !breaks[end]); end++)
			word |= (text[end] >= 'a' && text[end] <= 'z') ||
				(text[end] >= '0' && text[end] <= '9');
		if (word)
			add_word(words, text + at, end - at);
	}
}

static size_t
random_ascii(char text[64])
{
	static const char LIKELY[] = "abcxyz0189__..,,;;::''\"\" -/\t\n";
	size_t len = random_below(40);

	for (size_t i = 0; i < len; i++) {
		uint32_t any = random_below(128);
		uint32_t likely = (unsigned char)LIKELY[random_below(sizeof(LIKELY) - 1)];

		text[i] = (char)(tolower)((int)(random_below(8) ? likely : any));
	}
	text[len] = '\0';
	return len;
}

static void
ascii_agrees_with_libunistring(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf expected = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf words = PXS_BUF_INIT;
	char text[64];
	size_t len;

	(void)state;
	random_start();
	for (int i = 0; i < 200000; i++) {
		len = random_ascii(text);
		reference_words(text, len, &expected);
		words_of(text, len, &words);
		if (strcmp(pxs_buf_text(&words), pxs_buf_text(&expected)) != 0)
			fail_msg("\"%s\": %s, not %s", text, pxs_buf_text(&words),
				 pxs_buf_text(&expected));
	}
}

/* A word outside ASCII sends the whole text the other way. */
static void
ascii_agrees_with_the_unicode_path(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf expected = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf words = PXS_BUF_INIT;
	char text[64];
	size_t len;

	(void)state;
	random_start();
	for (int i = 0; i < 50000; i++) {
		len = random_ascii(text);
		words_of(text, len, &expected);
		add_word(&expected, "\u00e9", 2);
		memcpy(text + len, " \u00e9", 4);
		words_of(text, len + 3, &words);
		if (strcmp(pxs_buf_text(&words), pxs_buf_text(&expected)) != 0)
			fail_msg("\"%s\": %s, not %s", text, pxs_buf_text(&words),
				 pxs_buf_text(&expected));
	}
}

/* A character that may change under normalisation sends the whole text through it. */
static void
stable_text_needs_no_normalisation(void **state)
{
	static const struct {
		uint32_t first, last;
	} RANGES[] = { { 'A', 'Z' },	   { 0xc0, 0x2ff },    { 0x391, 0x3a1 },
		       { 0x3a3, 0x3c9 },   { 0x400, 0x482 },   { 0x3041, 0x3096 },
		       { 0x30a1, 0x30fe }, { 0x4e00, 0x9fff }, { 0xac00, 0xd7a3 } };
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf quick = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;

	(void)state;
	random_start();
	for (int i = 0; i < 20000; i++) {
		pxs_buf_clear(&text);
		pxs_buf_clear(&quick);
		pxs_buf_clear(&full);
		for (int k = 0; k < 12; k++) {
			size_t at = random_below(ARRAY_SIZE(RANGES));
			uint32_t size = RANGES[at].last - RANGES[at].first + 1;
			uint8_t bytes[4];

			pxs_buf_add(&text, bytes,
				    (size_t)u8_uctomb(bytes, RANGES[at].first + random_below(size),
						      sizeof(bytes)));
		}
		assert_int_equal(query_fold(text.data, text.len, &quick), 0);
		pxs_buf_add_str(&quick, " \u1e9b\u0323");
		pxs_buf_add_str(&text, " \u1e9b\u0323");
		assert_int_equal(query_fold(text.data, text.len, &full), 0);
		assert_string_equal(quick.data, full.data);
	}
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(long_words_are_split_at_a_character),
		cmocka_unit_test(the_callback_ends_the_walk),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(ascii_agrees_with_libunistring),
		cmocka_unit_test(ascii_agrees_with_the_unicode_path),
		cmocka_unit_test(stable_text_needs_no_normalisation),
	};
	struct CMUnitTest tests[ARRAY_SIZE(WORDS) + ARRAY_SIZE(FOLDS) + ARRAY_SIZE(OTHERS)];
	struct CMUnitTest *test = tests;

	/* One named test for each row, so that a failure says which. */
	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		*test++ = (struct CMUnitTest){
			.name = WORDS[i].name,
			.test_func = check_words,
			.initial_state = (void *)(uintptr_t)&WORDS[i],
		};
	for (size_t i = 0; i < ARRAY_SIZE(FOLDS); i++)
		*test++ = (struct CMUnitTest){
			.name = FOLDS[i].name,
			.test_func = check_fold,
			.initial_state = (void *)(uintptr_t)&FOLDS[i],
		};
	memcpy(test, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
