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

/* Bytes of "/" *( any but / or "\/" ) "/" at TEXT, with the end, white space, ")", "^" or "~"
 * behind it; so that an unquoted path is a TERM (spec/pixstor.md 2.2, surprise 1). 0 if it is none.
 */
static size_t
scan_regex(const char *text)
{
	size_t len = 1;

	while (text[len] && text[len] != '/')
		len += text[len] == '\\' && text[len + 1] ? 2 : 1;
	if (text[len] != '/')
		return 0;
	len++;
	return query_lex_space(text + len) || strchr(")^~", text[len]) ? len : 0;
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

/* Bytes of the word at TEXT; *RET_WILD: where the first of its * and ? stands, SIZE_MAX if none. */
static size_t
scan_word(const char *text, size_t *ret_wild)
{
	size_t len = 0;
	size_t n;

	*ret_wild = SIZE_MAX;
	while ((n = term_char(text + len))) {
		if (*ret_wild == SIZE_MAX && (text[len] == '*' || text[len] == '?'))
			*ret_wild = len;
		len += n;
	}
	return len;
}

/* TERM, PREFIX, WILD, "*"; several stars are one. */
static struct query_token
lex_word(struct query_lexer *lexer)
{
	const char *text = lexer->text + lexer->at;
	struct query_token token;
	size_t wild;
	size_t len = scan_word(text, &wild);

	if (!len)
		return fault(lexer, lexer->at, "a '\\' at the end escapes nothing");
	token = take(lexer, TOK_TERM, len);
	if (wild == SIZE_MAX)
		return keyword_or_term(token);
	if (wild + strspn(text + wild, "*") < len) {
		token.kind = TOK_WILD;
		return token;
	}
	token.kind = wild == 0 ? TOK_STAR : TOK_PREFIX;
	token.len = wild;
	return token;
}

/* Bytes of 1*digit [ "." 1*digit ] at TEXT. */
static size_t
scan_decimal(const char *text)
{
	static const char DIGITS[] = "0123456789";
	size_t whole = strspn(text, DIGITS);
	size_t fraction = whole && text[whole] == '.' ? strspn(text + whole + 1, DIGITS) : 0;

	return fraction ? whole + 1 + fraction : whole;
}

/* BOOST = "^" 1*digit [ "." 1*digit ] */
static struct query_token
lex_boost(struct query_lexer *lexer)
{
	size_t len = scan_decimal(lexer->text + lexer->at + 1);

	if (!len)
		return fault(lexer, lexer->at + 1,
			     "expected a number right after '^', as in cats^2.5; write a literal "
			     "'^' as '\\^'");
	return take(lexer, TOK_BOOST, 1 + len);
}

/* REGEX = "/" *( any but / or "\/" ) "/" */
static struct query_token
lex_regex(struct query_lexer *lexer, size_t len)
{
	struct query_token token = take(lexer, TOK_REGEX, len);

	token.text++;
	token.len -= 2;
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
	size_t regex;

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
		return take(lexer, TOK_FUZZY, 1 + scan_decimal(text + 1));
	case '^':
		return lex_boost(lexer);
	case ']':
	case '}':
		return fault(lexer, lexer->at, "the bracket closes no range; escape it with '\\'");
	case '/':
		regex = scan_regex(text);
		return regex ? lex_regex(lexer, regex) : lex_word(lexer);
	default:
		return lex_word(lexer);
	}
}

/* What ends a bound, even behind a "\". */
static bool
ends_bound(const char *text)
{
	return query_lex_space(text) || strchr("]}", *text); /* and the end of the text */
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
	while (!ends_bound(text + len)) {
		if (text[len] == '\\' && ends_bound(text + len + 1))
			return fault(lexer, lexer->at + len,
				     "a '\\' escapes nothing here; quote a bound that has white "
				     "space or brackets");
		len += text[len] == '\\' ? 2 : 1;
	}
	if (!len || (len == 2 && strncmp(text, "TO", 2) == 0))
		return fault(
			lexer, lexer->at,
			"expected a value or * as a bound of the range; quote the word \"TO\"");
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
