/* ASCII words of at most 64 characters take a handful of operations for each character of the text,
 * all places of the word side by side in one integer (H. Hyyro, "A bit-vector algorithm for
 * computing Levenshtein and Damerau edit distances", 2003). Others take a table of three rows. */
#include "index/fuzzy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "base/macros.h"

#define BITS 64

int
fuzzy_init(struct fuzzy *fuzzy, const char *word, size_t len, unsigned int edits)
{
	const uint8_t *at = (const uint8_t *)word;
	const uint8_t *end = at + len;

	memset(fuzzy, 0, sizeof(*fuzzy));
	fuzzy->edits = edits;
	fuzzy->ascii = true;
	while (at < end) {
		if (fuzzy->n == FUZZY_CHARS_MAX)
			return -E2BIG;
		at += u8_mbtouc(&fuzzy->chars[fuzzy->n], at, (size_t)(end - at));
		fuzzy->ascii &= fuzzy->chars[fuzzy->n] < 0x80;
		if (fuzzy->chars[fuzzy->n] < 0x80 && fuzzy->n < BITS)
			fuzzy->where[fuzzy->chars[fuzzy->n]] |= UINT64_C(1) << fuzzy->n;
		fuzzy->n++;
	}
	fuzzy->ascii &= fuzzy->n > 0 && fuzzy->n <= BITS;
	return 0;
}

/* The distance, or -1 where a byte is not ASCII or the distance must become too large. The names
 * are the paper's. */
static int
distance_by_bits(const struct fuzzy *fuzzy, const char *text, size_t len, bool *ret_ascii)
{
	uint64_t vp = ~UINT64_C(0), vn = 0, d0 = 0, before = 0;
	uint64_t last = UINT64_C(1) << (fuzzy->n - 1);
	size_t most = fuzzy->edits + len, distance = fuzzy->n;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		uint64_t pm, hp, hn;

		if (c >= 0x80) {
			*ret_ascii = false;
			return -1;
		}
		pm = fuzzy->where[c];
		d0 = ((~d0 & pm) << 1 & before) | (((pm & vp) + vp) ^ vp) | pm | vn;
		hp = vn | ~(d0 | vp);
		hn = d0 & vp;
		distance += !!(hp & last);
		distance -= !!(hn & last);
		/* Each character left can save one edit at most. */
		if (distance > most - i - 1)
			return -1;
		hp = hp << 1 | 1;
		vp = hn << 1 | ~(d0 | hp);
		vn = hp & d0;
		before = pm;
	}
	return distance <= fuzzy->edits ? (int)distance : -1;
}

/* One cell of the table: the least edits of the first I characters of the word and J of the text.
 */
static unsigned int
cell(const struct fuzzy *fuzzy, const uint32_t *text, size_t i, size_t j,
     unsigned int rows[3][FUZZY_CHARS_MAX + 1])
{
	const unsigned int *up = rows[(i + 2) % 3], *here = rows[i % 3];
	bool same = fuzzy->chars[i - 1] == text[j - 1];
	unsigned int gap = MIN(up[j], here[j - 1]) + 1;
	unsigned int best = MIN(up[j - 1] + !same, gap);

	if (i > 1 && j > 1 && fuzzy->chars[i - 1] == text[j - 2] &&
	    fuzzy->chars[i - 2] == text[j - 1])
		best = MIN(best, rows[(i + 1) % 3][j - 2] + 1);
	return best;
}

static int
distance_by_table(const struct fuzzy *fuzzy, const uint32_t *text, size_t n)
{
	unsigned int rows[3][FUZZY_CHARS_MAX + 1];

	for (size_t j = 0; j <= n; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= fuzzy->n; i++) {
		rows[i % 3][0] = (unsigned int)i;
		for (size_t j = 1; j <= n; j++)
			rows[i % 3][j] = cell(fuzzy, text, i, j, rows);
	}
	return rows[fuzzy->n % 3][n] <= fuzzy->edits ? (int)rows[fuzzy->n % 3][n] : -1;
}

int
fuzzy_distance(const struct fuzzy *fuzzy, const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + len;
	uint32_t chars[FUZZY_CHARS_MAX];
	bool ascii = true;
	size_t n = 0;

	/* A character has one to four bytes, an edit adds or takes one character. */
	if (len + fuzzy->edits < fuzzy->n || len > (fuzzy->n + fuzzy->edits) * 4)
		return -1;
	if (fuzzy->ascii) {
		int distance = distance_by_bits(fuzzy, text, len, &ascii);

		if (ascii)
			return distance;
	}
	while (at < end) {
		if (n == FUZZY_CHARS_MAX)
			return -1;
		at += u8_mbtouc(&chars[n++], at, (size_t)(end - at));
	}
	return n + fuzzy->edits < fuzzy->n || n > fuzzy->n + fuzzy->edits
		       ? -1
		       : distance_by_table(fuzzy, chars, n);
}
