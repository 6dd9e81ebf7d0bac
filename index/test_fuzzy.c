/* Edits, moved words and needles against the plain definitions, on random texts. */
#include "index/fuzzy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "index/find_bytes.h"
#include "index/sloppy.h"
#include "index/test_random.h"

static int
setup(void **state)
{
	(void)state;
	start_random();
	return 0;
}

static size_t
below(size_t n)
{
	return (size_t)random() % n;
}

/* --- Edits --- */

/* Of characters: the first row of each language; one is of two bytes. */
static const char *const LETTERS[] = { "a", "b", "c", "\u00e9" };

static size_t
random_word(int *letters, char *text, size_t n_letters, size_t longest)
{
	size_t n = below(longest + 1);

	for (size_t i = 0; i < n; i++) {
		letters[i] = (int)below(n_letters);
		text = stpcpy(text, LETTERS[letters[i]]);
	}
	*text = '\0';
	return n;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
plain_distance(const int *a, size_t n, const int *b, size_t m)
{
	size_t d[80][80];

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = least(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
					least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

static void
edits_are_counted_as_defined(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		int a[80], b[80];
		char word[200], text[200];
		size_t letters = 2 + below(3), longest = below(20) ? 8 : 75;
		size_t n = random_word(a, word, letters, longest);
		size_t m = random_word(b, text, letters, longest);
		size_t expected = plain_distance(a, n, b, m);
		unsigned int edits = (unsigned int)below(3);
		struct fuzzy fuzzy;
		int found;

		assert_int_equal(fuzzy_init(&fuzzy, word, strlen(word), edits), 0);
		found = fuzzy_distance(&fuzzy, text, strlen(text));
		if (found != (expected <= edits ? (int)expected : -1))
			fail_msg("%s ~%u %s: %d, not %zu", word, edits, text, found, expected);
	}
}

static void
a_long_word_is_refused(void **state)
{
	char word[FUZZY_CHARS_MAX + 2];
	struct fuzzy fuzzy;

	(void)state;
	memset(word, 'a', sizeof(word));
	assert_int_equal(fuzzy_init(&fuzzy, word, FUZZY_CHARS_MAX, 2), 0);
	assert_int_equal(fuzzy_distance(&fuzzy, word, FUZZY_CHARS_MAX), 0);
	assert_int_equal(fuzzy_init(&fuzzy, word, FUZZY_CHARS_MAX + 1, 2), -E2BIG);
}

/* --- Moved words --- */

enum { WORDS_MAX = 4, PLACES_MAX = 5 };

struct draw {
	uint32_t places[WORDS_MAX][PLACES_MAX];
	struct sloppy_word words[WORDS_MAX];
	size_t n;
};

/* -1: two of them are the same. */
static long
width_of(const uint32_t *chosen, size_t n)
{
	long low = 1000, high = -1000;

	for (size_t i = 0; i < n; i++) {
		low = MIN(low, (long)chosen[i] - (long)i);
		high = MAX(high, (long)chosen[i] - (long)i);
		for (size_t k = 0; k < i; k++)
			if (chosen[i] == chosen[k])
				return -1;
	}
	return high - low;
}

/* Every choice, one after the other. */
static long
least_width(const struct draw *draw, size_t at, uint32_t *chosen)
{
	long best = -1;

	if (at == draw->n)
		return width_of(chosen, at);
	for (size_t i = 0; i < draw->words[at].n; i++) {
		long width;

		chosen[at] = draw->words[at].positions[i];
		width = least_width(draw, at + 1, chosen);
		if (width >= 0 && (best < 0 || width < best))
			best = width;
	}
	return best;
}

static void
draw_words(struct draw *draw)
{
	*draw = (struct draw){ .n = 1 + below(WORDS_MAX) };
	for (size_t i = 0; i < draw->n; i++) {
		struct sloppy_word *word = &draw->words[i];
		uint32_t at = (uint32_t)below(4);

		word->positions = draw->places[i];
		for (word->n = 0; word->n < below(PLACES_MAX + 1); at += 1 + (uint32_t)below(4))
			draw->places[i][word->n++] = at;
		/* A word said twice. */
		if (i > 0 && below(3) == 0)
			*word = draw->words[below(i)];
	}
}

static void
the_least_width_is_found(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct draw draw;
		uint32_t chosen[WORDS_MAX], slop = (uint32_t)below(8);
		long expected;
		int64_t found;

		draw_words(&draw);
		expected = least_width(&draw, 0, chosen);
		found = sloppy_width(draw.words, draw.n, slop, NULL);
		if (expected < 0 || expected > (long)slop)
			assert_int_equal(found, -ENOENT);
		else
			assert_int_equal(found, expected);
	}
}

/* --- Needles --- */

static void
needles_are_found_where_memmem_finds_them(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		char hay[100], needle[6];
		size_t len = below(sizeof(hay)), n = 1 + below(sizeof(needle) - 1);

		for (size_t k = 0; k < len; k++)
			hay[k] = (char)('a' + below(3));
		for (size_t k = 0; k < n; k++)
			needle[k] = (char)('a' + below(3));
		assert_ptr_equal(find_bytes(hay, len, needle, n), memmem(hay, len, needle, n));
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(edits_are_counted_as_defined),
		cmocka_unit_test(a_long_word_is_refused),
		cmocka_unit_test(the_least_width_is_found),
		cmocka_unit_test(needles_are_found_where_memmem_finds_them),
	};

	return cmocka_run_group_tests_name("fuzzy", TESTS, setup, NULL);
}
