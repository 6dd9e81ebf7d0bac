/* escape.c - "\" and the character behind it: that character; "\u" and four hexadecimal digits: the
 * one of this number, two of them for a surrogate pair. */
#include "query/escape.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/percent.h"
#include "query/draft.h"
#include "query/lex.h"

/* Four hexadecimal digits, -1 if they are not there. */
static int
hex4(const char *text, size_t len)
{
	int value = 0;

	for (size_t i = 0; i < 4; i++) {
		if (i >= len || pxs_hex_digit(text[i]) < 0)
			return -1;
		value = value << 4 | pxs_hex_digit(text[i]);
	}
	return value;
}

static void
add_character(struct pxs_buf *buf, int c)
{
	unsigned char bytes[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char LEAD[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		bytes[i] = (unsigned char)(0x80 | (c & 0x3f));
	bytes[0] = (unsigned char)(LEAD[n] | c);
	pxs_buf_add(buf, bytes, n);
}

/* \uXXXX at TEXT, two of them for a surrogate pair. Bytes read; 0 if it is no character. */
static size_t
add_unicode(struct pxs_buf *buf, const char *text, size_t len)
{
	int high = len > 2 ? hex4(text + 2, len - 2) : -1;
	int low;

	if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
		return 0;
	if (high < 0xd800 || high >= 0xe000) {
		add_character(buf, high);
		return 6;
	}
	low = len >= 12 && text[6] == '\\' && text[7] == 'u' ? hex4(text + 8, len - 8) : -1;
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	add_character(buf, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
	return 12;
}

/* Adds what the escape at AT of TOKEN stands for; how far it reaches, 0 after a failure. */
static size_t
add_escaped(struct query_draft *draft, struct pxs_buf *buf, const struct query_token *token,
	    size_t at)
{
	size_t n = 2;

	if (token->text[at + 1] != 'u')
		pxs_buf_add_char(buf, token->text[at + 1]);
	else
		n = add_unicode(buf, token->text + at, token->len - at);
	if (!n)
		query_draft_fail(draft, -EINVAL, (long)(token->at + at),
				 "expected four hexadecimal digits of a character after '\\u'");
	return n;
}

static bool
is_escape(const struct query_token *token, size_t at)
{
	return token->text[at] == '\\' && at + 1 < token->len;
}

static const char *
finish(struct query_draft *draft, const struct pxs_buf *buf)
{
	if (buf->error)
		return query_draft_fail_memory(draft);
	return query_draft_text(draft, pxs_buf_text(buf), buf->len);
}

const char *
query_unescape(struct query_draft *draft, const struct query_token *token)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	size_t n;

	for (size_t at = 0; at < token->len; at += n) {
		n = 1;
		if (is_escape(token, at))
			n = add_escaped(draft, &buf, token, at);
		else
			pxs_buf_add_char(&buf, token->text[at]);
		if (!n)
			return NULL;
	}
	return finish(draft, &buf);
}

const char *
query_unescape_wild(struct query_draft *draft, const struct query_token *token)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf sign = PXS_BUF_INIT;
	size_t n;

	for (size_t at = 0; at < token->len; at += n) {
		n = 1;
		if (!is_escape(token, at)) {
			pxs_buf_add_char(&buf, token->text[at]);
			continue;
		}
		pxs_buf_clear(&sign);
		n = add_escaped(draft, &sign, token, at);
		if (!n)
			return NULL;
		if (strchr("*?\\", *pxs_buf_text(&sign)))
			pxs_buf_add_char(&buf, '\\');
		pxs_buf_add_str(&buf, pxs_buf_text(&sign));
	}
	if (sign.error)
		return query_draft_fail_memory(draft);
	return finish(draft, &buf);
}

const char *
query_unescape_regex(struct query_draft *draft, const struct query_token *token)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	const char *text = token->text;

	for (size_t at = 0; at < token->len; at++) {
		if (is_escape(token, at) && text[at + 1] != '/')
			pxs_buf_add_char(&buf, text[at++]);
		else if (is_escape(token, at))
			at++;
		pxs_buf_add_char(&buf, text[at]);
	}
	return finish(draft, &buf);
}
