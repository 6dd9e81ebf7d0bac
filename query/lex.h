/* lex.h - the words and signs of a query string. The rules stand at the head of string.c. */
#ifndef PXS_QUERY_LEX_H
#define PXS_QUERY_LEX_H

#include <stdbool.h>
#include <stddef.h>

struct query_draft;

enum query_token_kind {
	TOK_END,
	TOK_AND,
	TOK_OR,
	TOK_NOT,
	TOK_PLUS,
	TOK_MINUS,
	TOK_BARE, /* an operator followed by a space: a word of no letters */
	TOK_OPEN,
	TOK_CLOSE,
	TOK_COLON,
	TOK_TERM,
	TOK_PREFIX,
	TOK_WILD, /* with a * or ? elsewhere than at its end */
	TOK_STAR,
	TOK_QUOTED,
	TOK_REGEX,
	TOK_FUZZY, /* with its '~' and, maybe, a number */
	TOK_BOOST, /* with its '^' and a number */
	TOK_RANGE, /* its opening bracket; the bounds are read by query_lex_bound() */
	TOK_FAULT, /* not a token; the draft has failed */
};

struct query_token {
	enum query_token_kind kind;
	const char *
		text; /* raw, within the query string; without quotes, slashes and a prefix's '*' */
	size_t len;
	size_t at; /* byte where it starts */
};

struct query_lexer {
	struct query_draft *draft;
	const char *text;
	size_t at; /* of the next byte to read */
};

struct query_token query_lex(struct query_lexer *lexer);

/* A bound within brackets: a TERM (raw), QUOTED, or STAR for an open end. */
struct query_token query_lex_bound(struct query_lexer *lexer);

/* Steps over "TO", over the closing bracket. */
bool query_lex_to(struct query_lexer *lexer);
bool query_lex_close_range(struct query_lexer *lexer, bool *ret_inclusive);

/* Bytes of white space at TEXT: space, \t, \n, \r, U+3000; 0 if there is none. */
size_t query_lex_space(const char *text);

#endif
