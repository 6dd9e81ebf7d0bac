#include "query/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>
#include <unictype.h>
#include <uniwbrk.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/utf8.h"

/* --- Folding: lower case by simple mapping, in NFC. Words are cut out of folded text, so the words
 * of a value, the whole value and what a query asks for agree letter by letter. --- */

static bool
is_ascii(const char *text, size_t len)
{
	unsigned char any = 0;

	for (size_t i = 0; i < len; i++)
		any |= (unsigned char)text[i];
	return any < 0x80;
}

static int
fold_ascii(const char *text, size_t len, struct pxs_buf *buf)
{
	char *to = pxs_buf_reserve(buf, len);

	if (!to)
		return buf->error;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool upper = c >= 'A' && c <= 'Z';

		to[i] = (char)(upper ? c | 0x20 : c);
	}
	to[len] = '\0';
	buf->len += len;
	return 0;
}

/* Characters that normalisation to NFC neither changes, reorders nor joins to their neighbours, as
 * long as all of the text is made of them; so are their lower cases. */
static const struct {
	ucs4_t first, last;
} STABLE[] = {
	{ 0x0000, 0x02ff }, /* Latin */
	{ 0x0391, 0x03c9 }, /* Greek */
	{ 0x0400, 0x0482 }, /* Cyrillic */
	{ 0x3041, 0x3096 }, /* Hiragana */
	{ 0x30a1, 0x30fe }, /* Katakana */
	{ 0x4e00, 0x9fff }, /* Han */
	{ 0xac00, 0xd7a3 }, /* Hangul syllables */
};

static bool
char_is_stable(ucs4_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(STABLE); i++)
		if (c <= STABLE[i].last)
			return c >= STABLE[i].first;
	return false;
}

static bool
is_stable(const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + len;
	ucs4_t c;

	while (at < end) {
		at += u8_mbtouc_unsafe(&c, at, (size_t)(end - at));
		if (!char_is_stable(c))
			return false;
	}
	return true;
}

static int
add_lower(const char *text, size_t len, struct pxs_buf *buf)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + len;
	uint8_t *to;
	ucs4_t c;

	while (at < end) {
		to = (uint8_t *)pxs_buf_reserve(buf, 4);
		if (!to)
			break;
		at += u8_mbtouc_unsafe(&c, at, (size_t)(end - at));
		buf->len += (size_t)u8_uctomb(to, uc_tolower(c), 4);
	}
	pxs_buf_add(buf, "", 0);
	return buf->error;
}

static int
add_nfc(const char *text, size_t len, struct pxs_buf *buf)
{
	CLEANUP(free) uint8_t *nfc = NULL;
	size_t nfc_len;

	nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)text, len, NULL, &nfc_len);
	if (!nfc)
		return -errno;

	pxs_buf_add(buf, nfc, nfc_len);
	return buf->error;
}

/* Lower case may join what capitals did not: J and caron stay two, U+01F0 is their lower case. */
static int
fold_unstable(const char *text, size_t len, struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf nfc = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf lower = PXS_BUF_INIT;
	int r;

	r = add_nfc(text, len, &nfc);
	if (r < 0)
		return r;
	r = add_lower(nfc.data, nfc.len, &lower);
	if (r < 0)
		return r;
	return add_nfc(lower.data, lower.len, buf);
}

int
query_fold(const char *text, size_t len, struct pxs_buf *buf)
{
	if (is_ascii(text, len))
		return fold_ascii(text, len, buf);
	if (!pxs_utf8_valid(text, len))
		return -EILSEQ;
	if (is_stable(text, len))
		return add_lower(text, len, buf);
	return fold_unstable(text, len, buf);
}

/* --- Words --- */

size_t
query_word_cut(const char *text, size_t len)
{
	size_t end = QUERY_WORD_MAX;

	if (len <= QUERY_WORD_MAX)
		return len;
	while (end > QUERY_WORD_MAX - 3 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	return end;
}

static int
give(const char *word, size_t len, query_word_each *each, void *context)
{
	size_t piece;
	int r = 0;

	while (!r && len) {
		piece = query_word_cut(word, len);
		r = each(context, word, piece);
		word += piece;
		len -= piece;
	}
	return r;
}

/* What UAX #29 makes of ASCII: letters, digits and '_' join each other; a mark joins its neighbours
 * when both are letters, or both digits. A mark's bit is that of what it joins, moved up. */
enum {
	LETTER = 1,
	DIGIT = 2,
	LINK = 4,
	MARK_SHIFT = 3,
	LETTER_MARK = LETTER << MARK_SHIFT,
	DIGIT_MARK = DIGIT << MARK_SHIFT,
};

static const unsigned char ASCII[128] = {
	['0' ... '9'] = DIGIT,
	['A' ... 'Z'] = LETTER,
	['a' ... 'z'] = LETTER,
	['_'] = LINK,
	[':'] = LETTER_MARK,
	['.'] = LETTER_MARK | DIGIT_MARK,
	['\''] = LETTER_MARK | DIGIT_MARK,
	[','] = DIGIT_MARK,
	[';'] = DIGIT_MARK,
};

/* The end of the word that begins at AT; SEEN has the classes found in it. */
static size_t
ascii_word_end(const char *text, size_t len, size_t at, unsigned int *seen)
{
	unsigned int class;
	unsigned int last = 0;

	*seen = 0;
	for (; at < len; at++) {
		class = ASCII[(unsigned char)text[at]];
		if (class >> MARK_SHIFT && at + 1 < len)
			class = class >> MARK_SHIFT & last & ASCII[(unsigned char)text[at + 1]];
		else
			class &= LETTER | DIGIT | LINK;
		if (!class)
			break;
		last = class;
		*seen |= class;
	}
	return at;
}

static int
ascii_words(const char *text, size_t len, query_word_each *each, void *context)
{
	unsigned int seen;
	size_t end;
	int r = 0;

	for (size_t at = 0; !r && at < len; at = end + 1) {
		end = ascii_word_end(text, len, at, &seen);
		if (seen & (LETTER | DIGIT))
			r = give(text + at, end - at, each, context);
	}
	return r;
}

/* What stands between two breaks of UAX #29. */
enum piece {
	PIECE_NONE, /* no word: spaces, punctuation, marks alone */
	PIECE_WORD,
	PIECE_RUN, /* of a script without spaces (Thai, Khmer ...): joined to its like */
};

/* UAX #29 leaves the property "other" to those alphabetic characters that it cannot tell words of:
 * ideographs and Hiragana, one word each as in Lucene, and the scripts of South East Asia. */
static enum piece
char_piece(ucs4_t c)
{
	switch (uc_wordbreak_property(c)) {
	case WBP_ALETTER:
	case WBP_HL:
	case WBP_NUMERIC:
	case WBP_KATAKANA:
	case WBP_RI:
		return PIECE_WORD;
	case WBP_OTHER:
		break;
	default:
		return PIECE_NONE;
	}
	if (!uc_is_property_alphabetic(c))
		return uc_is_property_emoji_presentation(c) ? PIECE_WORD : PIECE_NONE;
	if (uc_is_property_ideographic(c) || !strcmp(uc_script(c)->name, "Hiragana"))
		return PIECE_WORD;
	return PIECE_RUN;
}

/* Variation selector 16 makes an emoji of a character that is text by default. */
#define EMOJI_STYLE 0xfe0f

static enum piece
piece_kind(const uint8_t *at, const uint8_t *end)
{
	enum piece kind = PIECE_NONE;
	bool emoji = false;
	ucs4_t c;

	while (kind == PIECE_NONE && at < end) {
		at += u8_mbtouc_unsafe(&c, at, (size_t)(end - at));
		if (emoji && c == EMOJI_STYLE)
			return PIECE_WORD;
		emoji = uc_is_property_emoji(c);
		kind = char_piece(c);
	}
	return kind;
}

/* The end of the piece that begins at AT, a run taken whole. */
static size_t
piece_end(const char *text, const char *breaks, size_t len, size_t at, enum piece *ret_kind)
{
	const uint8_t *bytes = (const uint8_t *)text;
	enum piece kind = PIECE_NONE;
	enum piece next;
	size_t end = at;

	while (at < len) {
		do
			end++;
		while (end < len && !breaks[end]);
		next = piece_kind(bytes + at, bytes + end);
		if (kind == PIECE_RUN && next != PIECE_RUN)
			break;
		kind = next;
		at = end;
		if (kind != PIECE_RUN)
			break;
	}
	*ret_kind = kind;
	return at;
}

static int
unicode_words(const char *text, size_t len, query_word_each *each, void *context)
{
	CLEANUP(free) char *breaks = malloc(len + 1);
	enum piece kind;
	size_t end;
	int r = 0;

	if (!breaks)
		return -ENOMEM;
	u8_wordbreaks((const uint8_t *)text, len, breaks);
	for (size_t at = 0; !r && at < len; at = end) {
		end = piece_end(text, breaks, len, at, &kind);
		if (kind != PIECE_NONE)
			r = give(text + at, end - at, each, context);
	}
	return r;
}

int
query_words_folded(const char *text, size_t len, query_word_each *each, void *context)
{
	return is_ascii(text, len) ? ascii_words(text, len, each, context)
				   : unicode_words(text, len, each, context);
}

int
query_words(const char *text, size_t len, query_word_each *each, void *context)
{
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;
	int r;

	r = query_fold(text, len, &folded);
	if (r < 0)
		return r;
	return query_words_folded(pxs_buf_text(&folded), folded.len, each, context);
}

static int
say_yes(void *context, const char *word, size_t len)
{
	(void)context;
	(void)word;
	(void)len;
	return 1;
}

int
query_has_words(const char *text)
{
	return query_words(text, strlen(text), say_yes, NULL);
}
