#include "query/lex.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "query/draft.h"

size_t
query_lex_space(const char *text)
{
	if (*text && strchr(" \t\n\r", *text))
		return 1;
	return strncmp(text, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

static void
skip_space(struct query_lexer *lexer)
{
	size_t n;

	while ((n = query_lex_space(lexer->text + lexer->at)))
		lexer->at += n;
}

static struct query_token
fault(struct query_lexer *lexer, size_t at, const char *reason)
{
	query_draft_fail(lexer->draft, -EINVAL, (long)at, "%s", reason);
	return (struct query_token){ .kind = TOK_FAULT, .at = at };
}

static struct query_token
take(struct query_lexer *lexer, enum query_token_kind kind, size_t len)
{
	struct query_token token = { kind, lexer->text + lexer->at, len, lexer->at };

	lexer->at += len;
	return token;
}

/* Bytes of "\" and the character behind it; 0 if it is the last byte. */
static size_t
escape(const char *text)
{
	return text[1] ? 1 + pxs_utf8_char(text + 1, strlen(text + 1)) : 0;
}

/* DQUOTE *( any but ["\] / ESC ) DQUOTE */
static struct query_token
lex_quoted(struct query_lexer *lexer)
{
	const char *text = lexer->text + lexer->at;
	struct query_token token = { TOK_QUOTED, text + 1, 0, lexer->at };
	size_t len = 1;

	while (text[len] != '"') {
		size_t n = text[len] == '\\' ? escape(text + len) : text[len] != '\0';

		if (!n)
			return fault(lexer, lexer->at,
				     "the quotation mark has no partner; expected '\"'");
		len += n;
	}
	token.len = len - 1;
	lexer->at += len + 1;
	return token;
}

/* "/" *( any but / or "\/" ) "/", and then the end, white space, ")", "^" or "~"; so that an
 * unquoted path is a TERM (spec/pixstor.md 2.2, surprise 1). */
static bool
is_regex(const char *text)
{
	size_t len = 1;

	while (text[len] && text[len] != '/')
		len += text[len] == '\\' && text[len + 1] ? 2 : 1;
	if (text[len] != '/')
		return false;
	len++;
	return text[len] == '\0' || query_lex_space(text + len) || strchr(")^~", text[len]);
}

/* Bytes of one character of a word. All but what the grammar needs, and that with a "\" before it.
 * '/' is one of them, for paths and media types. */
static size_t
term_char(const char *text)
{
	if (*text == '\\')
		return escape(text);
	if (*text == '\0' || query_lex_space(text) || strchr("!():^[]\"{}~", *text))
		return 0;
	return 1;
}

static bool
equals(const struct query_token *token, const char *word)
{
	return strlen(word) == token->len && memcmp(token->text, word, token->len) == 0;
}

static struct query_token
keyword_or_term(struct query_token token)
{
	static const struct {
		const char *word;
		enum query_token_kind kind;
	} KEYWORDS[] = {
		{ "AND", TOK_AND }, { "&&", TOK_AND },	{ "OR", TOK_OR },
		{ "||", TOK_OR },   { "NOT", TOK_NOT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(KEYWORDS); i++)
		if (equals(&token, KEYWORDS[i].word))
			token.kind = KEYWORDS[i].kind;
	return token;
}

/* TERM, PREFIX, "*". Wildcards elsewhere than at the end are not spoken yet. */
static struct query_token
lex_word(struct query_lexer *lexer)
{
	const char *text = lexer->text + lexer->at;
	size_t wild = SIZE_MAX; /* the first of * and ? */
	struct query_token token;
	size_t len = 0;
	size_t n;

	while ((n = term_char(text + len))) {
		if (wild == SIZE_MAX && (text[len] == '*' || text[len] == '?'))
			wild = len;
		len += n;
	}
	if (!len)
		return fault(lexer, lexer->at, "a '\\' at the end escapes nothing");
	if (wild != SIZE_MAX && (wild + 1 < len || text[wild] == '?'))
		return fault(lexer, lexer->at + wild,
			     "wildcards elsewhere than at the end of a word are not supported yet; "
			     "write a literal * or ? as \\* or \\?");

	token = take(lexer, TOK_TERM, len);
	if (wild == SIZE_MAX)
		return keyword_or_term(token);
	token.kind = len == 1 ? TOK_STAR : TOK_PREFIX;
	token.len--;
	return token;
}

/* + - ! before white space are no operators. */
static struct query_token
lex_operator(struct query_lexer *lexer, enum query_token_kind kind)
{
	if (query_lex_space(lexer->text + lexer->at + 1))
		kind = TOK_BARE;
	return take(lexer, kind, 1);
}

struct query_token
query_lex(struct query_lexer *lexer)
{
	const char *text;

	skip_space(lexer);
	text = lexer->text + lexer->at;
	switch (*text) {
	case '\0':
		return take(lexer, TOK_END, 0);
	case '(':
		return take(lexer, TOK_OPEN, 1);
	case ')':
		return take(lexer, TOK_CLOSE, 1);
	case ':':
		return take(lexer, TOK_COLON, 1);
	case '[':
	case '{':
		return take(lexer, TOK_RANGE, 1);
	case '+':
		return lex_operator(lexer, TOK_PLUS);
	case '-':
		return lex_operator(lexer, TOK_MINUS);
	case '!':
		return lex_operator(lexer, TOK_NOT);
	case '"':
		return lex_quoted(lexer);
	case '~':
		return fault(lexer, lexer->at,
			     "fuzzy search and nearness (~) are not supported yet");
	case '^':
		return fault(lexer, lexer->at, "boosts (^) are not supported yet");
	case ']':
	case '}':
		return fault(lexer, lexer->at, "the bracket closes no range; escape it with '\\'");
	case '/':
		if (is_regex(text))
			return fault(lexer, lexer->at,
				     "regular expressions (/.../) are not supported yet; put a "
				     "path in double quotes");
		return lex_word(lexer);
	default:
		return lex_word(lexer);
	}
}

/* DQUOTE 1*( any ) DQUOTE / 1*( any but white space, "]", "}" ) */
struct query_token
query_lex_bound(struct query_lexer *lexer)
{
	const char *text;
	size_t len = 0;

	skip_space(lexer);
	text = lexer->text + lexer->at;
	if (*text == '"')
		return lex_quoted(lexer);
	while (text[len] && !query_lex_space(text + len) && !strchr("]}", text[len]))
		len += text[len] == '\\' && text[len + 1] ? 2 : 1;
	if (!len)
		return fault(lexer, lexer->at, "expected a value or * as a bound of the range");
	return take(lexer, len == 1 && *text == '*' ? TOK_STAR : TOK_TERM, len);
}

bool
query_lex_to(struct query_lexer *lexer)
{
	skip_space(lexer);
	if (strncmp(lexer->text + lexer->at, "TO", 2) != 0 ||
	    !query_lex_space(lexer->text + lexer->at + 2)) {
		(void)fault(lexer, lexer->at, "expected TO between the bounds, as in [1 TO 9]");
		return false;
	}
	lexer->at += 2;
	return true;
}

bool
query_lex_close_range(struct query_lexer *lexer, bool *ret_inclusive)
{
	char c;

	skip_space(lexer);
	c = lexer->text[lexer->at];
	if (c != ']' && c != '}') {
		(void)fault(lexer, lexer->at, "expected ']' or '}' at the end of the range");
		return false;
	}
	lexer->at++;
	*ret_inclusive = c == ']';
	return true;
}

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

const char *
query_unescape(struct query_draft *draft, const struct query_token *token)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	const char *text = token->text;

	for (size_t i = 0; i < token->len;) {
		size_t n = 1;

		if (text[i] != '\\' || i + 1 == token->len) {
			pxs_buf_add_char(&buf, text[i]);
		} else if (text[i + 1] != 'u') {
			pxs_buf_add_char(&buf, text[i + 1]);
			n = 2;
		} else {
			n = add_unicode(&buf, text + i, token->len - i);
		}
		if (!n)
			return query_draft_fail(draft, -EINVAL, (long)(token->at + i),
						"expected four hexadecimal digits of a character "
						"after '\\u'");
		i += n;
	}
	if (buf.error)
		return query_draft_fail_memory(draft);
	return query_draft_text(draft, pxs_buf_text(&buf), buf.len);
}
