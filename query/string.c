/* string.c - query strings: Lucene's classic syntax, as Elasticsearch has it (spec/pixstor.md 2.2).
 *
 * Words and signs, the longest first; white space is space, \t, \n, \r, U+3000:
 *
 *     ESC     = "\" any                  ; "\u" and four hexadecimal digits are a character
 *     TERM    = tchar *( tchar / "-" / "+" )
 *     tchar   = ESC / any but white space + - ! ( ) : ^ [ ] " { } ~ * ? \
 *     PREFIX  = TERM "*"
 *     WILD    = a TERM with "*" and "?" anywhere       ; any characters, one character
 *     QUOTED  = DQUOTE *( ESC / any but DQUOTE and "\" ) DQUOTE
 *     REGEX   = "/" *( any but "/" / "\/" ) "/"        ; before white space, ")", "^", "~", the end
 *     FUZZY   = "~" [ 1*digit [ "." 1*digit ] ]
 *     BOOST   = "^" 1*digit [ "." 1*digit ]
 *     AND     = "AND" / "&&"   OR = "OR" / "||"   NOT = "NOT" / "!"
 *     BARE    = ( "+" / "-" / "!" ) white-space          ; a word of no letters
 *
 *     query   = clause *( [ AND / OR ] clause )
 *     clause  = [ "+" / "-" / NOT ] [ field ":" ] ( leaf / "(" query ")" [ BOOST ] )
 *     field   = TERM / "*"               ; "\*" in it: all properties with such names
 *                                        ; after "_exists_:" comes a property: has it a value?
 *     leaf    = word [ suffix ] / BARE [ suffix ] / RANGE [ BOOST ] / compare [ BOOST ]
 *     word    = TERM / PREFIX / WILD / REGEX / QUOTED / "*"
 *     suffix  = BOOST [ FUZZY ] / FUZZY [ BOOST ]
 *     RANGE   = ( "[" / "{" ) bound "TO" bound ( "]" / "}" )
 *     bound   = "*" / QUOTED / 1*( any but white space, "]", "}" )
 *     compare = ( ">" / ">=" / "<" / "<=" ) TERM         ; in one piece, after a field alone
 *
 * FUZZY is the number of changes that a TERM may have, the distance that the words of a QUOTED may
 * be moved, and nothing to other leaves.
 *
 * A clause without AND, OR or a sign is optional, an AND makes the clauses on both of its sides
 * necessary. This is not the logic of parentheses: "a OR b AND c" needs b and c, and a only adds to
 * the score. */
#include "query/parse.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "query/draft.h"
#include "query/escape.h"
#include "query/field.h"
#include "query/leaf.h"
#include "query/lex.h"
#include "query/suffix.h"

static const struct query_field ALL_FIELDS = { .kind = QUERY_FIELD_ALL };

struct parser {
	struct query_draft *draft;
	const struct query_schema *schema;
	struct query_lexer lexer;
	struct query_token token; /* the next one */
	int depth;
};

static void
advance(struct parser *p)
{
	p->token = query_lex(&p->lexer);
}

static bool
accept(struct parser *p, enum query_token_kind kind)
{
	if (p->token.kind != kind)
		return false;
	advance(p);
	return true;
}

static struct query_node *
expected(struct parser *p, const char *what)
{
	if (p->token.kind == TOK_END)
		return query_draft_fail(p->draft, -EINVAL, (long)p->token.at,
					"expected %s, but the text ends", what);
	return query_draft_fail(p->draft, -EINVAL, (long)p->token.at, "expected %s, not '%.*s'",
				what, (int)(p->token.len < 40 ? p->token.len : 40), p->token.text);
}

/* --- Leaves --- */

/* suffix = BOOST [ FUZZY ] / FUZZY [ BOOST ]; each once at most. */
static struct query_suffix
parse_suffix(struct parser *p)
{
	struct query_suffix suffix = { 0 };

	for (;;) {
		if (p->token.kind == TOK_BOOST && !suffix.boost.len)
			suffix.boost = p->token;
		else if (p->token.kind == TOK_FUZZY && !suffix.fuzzy.len)
			suffix.fuzzy = p->token;
		else
			return suffix;
		advance(p);
	}
}

/* [ BOOST ] */
static struct query_node *
parse_boost(struct parser *p, struct query_node *node)
{
	struct query_suffix suffix = { .boost = p->token };

	if (!accept(p, TOK_BOOST))
		return node;
	return query_suffix_boost(p->draft, &suffix, node);
}

static struct query_node *
make_leaf(struct parser *p, const struct query_field *field, const struct query_leaf *leaf)
{
	return query_leaf_node(p->draft, p->schema, field, leaf);
}

static const char *
unescape(struct parser *p, const struct query_token *token)
{
	if (token->kind == TOK_WILD)
		return query_unescape_wild(p->draft, token);
	if (token->kind == TOK_REGEX)
		return query_unescape_regex(p->draft, token);
	return query_unescape(p->draft, token);
}

/* word = TERM / PREFIX / WILD / REGEX / QUOTED / "*" */
static struct query_node *
parse_word(struct parser *p, const struct query_field *field)
{
	static const enum query_kind KINDS[] = {
		[TOK_TERM] = QUERY_WORDS,  [TOK_PREFIX] = QUERY_PREFIX, [TOK_WILD] = QUERY_WILDCARD,
		[TOK_REGEX] = QUERY_REGEX, [TOK_QUOTED] = QUERY_PHRASE, [TOK_STAR] = QUERY_EXISTS,
	};
	struct query_token token = p->token;
	struct query_leaf leaf = { .kind = KINDS[token.kind], .at = (long)token.at };
	struct query_suffix suffix;

	advance(p);
	suffix = parse_suffix(p);
	leaf.text = unescape(p, &token);
	if (!leaf.text || !query_suffix_apply(p->draft, &suffix, &leaf))
		return NULL;
	return query_suffix_boost(p->draft, &suffix, make_leaf(p, field, &leaf));
}

/* Fills in SCALAR and lets LIMIT point to it, unless the bound is "*". */
static bool
parse_bound(struct parser *p, struct query_scalar *scalar, struct query_limit *limit)
{
	struct query_token token = query_lex_bound(&p->lexer);

	if (token.kind == TOK_FAULT)
		return false;
	if (token.kind == TOK_STAR)
		return true;
	*scalar = (struct query_scalar){ QUERY_SCALAR_TEXT, query_unescape(p->draft, &token),
					 (long)token.at };
	limit->scalar = scalar;
	return scalar->text != NULL;
}

/* RANGE = ( "[" / "{" ) bound "TO" bound ( "]" / "}" ) */
static struct query_node *
parse_range(struct parser *p, const struct query_field *field)
{
	struct query_leaf leaf = { .kind = QUERY_RANGE, .at = (long)p->token.at };
	struct query_scalar low, high;

	leaf.low.inclusive = *p->token.text == '[';
	if (!parse_bound(p, &low, &leaf.low) || !query_lex_to(&p->lexer) ||
	    !parse_bound(p, &high, &leaf.high) ||
	    !query_lex_close_range(&p->lexer, &leaf.high.inclusive))
		return NULL;
	advance(p);
	return parse_boost(p, make_leaf(p, field, &leaf));
}

/* compare = ( ">" / ">=" / "<" / "<=" ) TERM */
static struct query_node *
parse_compare(struct parser *p, const struct query_field *field)
{
	struct query_token token = p->token;
	bool inclusive = token.len > 1 && token.text[1] == '=';
	size_t sign = inclusive ? 2 : 1;
	struct query_scalar scalar = { QUERY_SCALAR_TEXT, NULL, (long)(token.at + sign) };
	struct query_limit limit = { &scalar, inclusive };
	struct query_leaf leaf = { .kind = QUERY_RANGE, .at = (long)token.at };

	if (token.len == sign)
		return query_draft_fail(p->draft, -EINVAL, scalar.at,
					"expected a value right after '%.*s'", (int)sign,
					token.text);
	*(token.text[0] == '>' ? &leaf.low : &leaf.high) = limit;
	advance(p);
	token.text += sign;
	token.len -= sign;
	token.at += sign;
	scalar.text = query_unescape(p->draft, &token);
	if (!scalar.text)
		return NULL;
	return parse_boost(p, make_leaf(p, field, &leaf));
}

static struct query_node *
parse_term(struct parser *p, const struct query_field *field)
{
	if (field->kind != QUERY_FIELD_ALL && strchr("<>", p->token.text[0]))
		return parse_compare(p, field);
	return parse_word(p, field);
}

static struct query_node *parse_group(struct parser *p, const struct query_field *field);

/* leaf = word [ suffix ] / BARE / RANGE [ BOOST ] / compare [ BOOST ]; or a group */
static struct query_node *
parse_leaf(struct parser *p, const struct query_field *field)
{
	switch (p->token.kind) {
	case TOK_TERM:
		return parse_term(p, field);
	case TOK_QUOTED:
	case TOK_PREFIX:
	case TOK_WILD:
	case TOK_REGEX:
	case TOK_STAR:
		return parse_word(p, field);
	case TOK_RANGE:
		return parse_range(p, field);
	case TOK_OPEN:
		return parse_group(p, field);
	case TOK_BARE:
		advance(p);
		(void)parse_suffix(p);
		return NULL;
	case TOK_MINUS:
		if (field->kind != QUERY_FIELD_ALL)
			return expected(p, "a value (quote a negative number: \"-5\")");
		return expected(p, "a word");
	case TOK_FAULT:
		return NULL;
	default:
		return expected(p, "a word");
	}
}

/* --- Clauses --- */

/* Several stars are a word, but no name. */
static bool
is_any_name(const struct query_token *token)
{
	return token->kind == TOK_STAR && token->text[1] != '*';
}

/* "_exists_:core.size"; "_exists_:*" is everything, as in Lucene */
static struct query_node *
parse_exists(struct parser *p)
{
	struct query_leaf leaf = { .kind = QUERY_EXISTS, .at = (long)p->token.at };
	struct query_token token = p->token;
	struct query_field field;
	const char *name;

	if (is_any_name(&token)) {
		advance(p);
		return parse_boost(p, make_leaf(p, &ALL_FIELDS, &leaf));
	}
	if (token.kind != TOK_TERM && token.kind != TOK_QUOTED)
		return expected(p, "a property after _exists_:");
	advance(p);
	name = query_unescape(p->draft, &token);
	if (!name)
		return NULL;
	field = query_field_named(p->schema, name);
	return parse_boost(p, make_leaf(p, &field, &leaf));
}

/* What stands before the ':', which was read already. */
static struct query_node *
parse_in_field(struct parser *p, const struct query_token *token)
{
	struct query_field field;
	const char *name;

	if (is_any_name(token))
		return parse_leaf(p, &ALL_FIELDS);
	if (token->kind != TOK_TERM)
		return query_draft_fail(p->draft, -EINVAL, (long)token->at,
					"in the name of a property write '*' as '\\*', as in "
					"core.\\*:cats");
	name = query_unescape(p->draft, token);
	if (!name)
		return NULL;
	if (strcmp(name, "_exists_") == 0)
		return parse_exists(p);
	field = query_field_named(p->schema, name);
	return parse_leaf(p, &field);
}

/* [ field ":" ] ( leaf / "(" query ")" ); a field binds this one clause. */
static struct query_node *
parse_clause(struct parser *p, const struct query_field *field)
{
	struct query_token token = p->token;
	struct query_lexer after = p->lexer;

	if (token.kind == TOK_TERM || token.kind == TOK_PREFIX || token.kind == TOK_WILD ||
	    token.kind == TOK_STAR) {
		advance(p);
		if (accept(p, TOK_COLON))
			return parse_in_field(p, &token);
		p->lexer = after;
		p->token = token;
	}
	return p->draft->error ? NULL : parse_leaf(p, field);
}

/* The clauses of one query or group; the order of reading is needed for "last". */
struct clauses {
	struct query_node *group;
	struct query_node *last;
	size_t n;
};

/* Lucene's addClause() with OR as the default operator (spec/pixstor.md 2.2, boolean assembly).
 * CLAUSE is NULL where it has no words. */
static void
add_clause(struct clauses *clauses, bool conj_and, enum query_token_kind sign,
	   struct query_node *clause)
{
	enum query_occur occur = QUERY_SHOULD;

	if (conj_and && clauses->last && clauses->last->occur != QUERY_MUST_NOT)
		clauses->last->occur = QUERY_MUST;
	if (!clause)
		return;
	if (sign == TOK_MINUS)
		occur = QUERY_MUST_NOT;
	else if (sign == TOK_PLUS || conj_and)
		occur = QUERY_MUST;
	query_draft_add(clauses->group, occur, clause);
	clauses->last = clause;
	clauses->n++;
}

static enum query_token_kind
parse_sign(struct parser *p)
{
	if (accept(p, TOK_PLUS))
		return TOK_PLUS;
	if (accept(p, TOK_MINUS) || accept(p, TOK_NOT))
		return TOK_MINUS;
	return TOK_END;
}

/* query = clause *( [ AND / OR ] clause ). NULL without a failure: it has no words. */
static struct query_node *
parse_query(struct parser *p, const struct query_field *field)
{
	struct clauses clauses = { .group = query_draft_node(p->draft, QUERY_BOOL, NULL) };
	enum query_token_kind sign;
	struct query_node *clause;
	bool conj_and = false;

	do {
		sign = parse_sign(p);
		clause = parse_clause(p, field);
		if (p->draft->error)
			return NULL;
		add_clause(&clauses, conj_and, sign, clause);
		conj_and = accept(p, TOK_AND);
		if (conj_and || accept(p, TOK_OR))
			continue;
		if (p->token.kind == TOK_COLON)
			return expected(p, "a space or an operator (write a literal ':' as '\\:')");
		if (p->token.kind == TOK_END || p->token.kind == TOK_CLOSE)
			return clauses.n ? clauses.group : NULL;
	} while (!p->draft->error);
	return NULL;
}

/* "(" query ")" [ BOOST ] */
static struct query_node *
parse_group(struct parser *p, const struct query_field *field)
{
	size_t open = p->token.at;
	struct query_node *group;

	if (++p->depth > QUERY_DEPTH_MAX)
		return query_draft_fail(p->draft, -EINVAL, (long)open,
					"more than %d parentheses within each other",
					QUERY_DEPTH_MAX);
	advance(p);
	group = parse_query(p, field);
	p->depth--;
	if (!p->draft->error && !accept(p, TOK_CLOSE))
		return expected(p, "')'");
	return p->draft->error ? NULL : parse_boost(p, group);
}

struct query_node *
query_string_parse(struct query_draft *draft, const char *text, const struct query_schema *schema)
{
	struct parser p = { .draft = draft, .schema = schema, .lexer = { draft, text, 0 } };
	size_t len = strlen(text);
	size_t valid = pxs_utf8_valid_prefix(text, len);
	struct query_node *root = NULL;

	if (valid < len)
		return query_draft_fail(draft, -EINVAL, (long)valid, "the text is not valid UTF-8");
	advance(&p);
	if (p.token.kind != TOK_END)
		root = parse_query(&p, &ALL_FIELDS);
	if (!draft->error && p.token.kind != TOK_END)
		return query_draft_fail(draft, -EINVAL, (long)p.token.at,
					"the ')' has no partner; expected a word");
	if (draft->error)
		return NULL;
	return root ? root : query_draft_node(draft, QUERY_NONE, NULL);
}

int
query_add_string(struct query *query, const char *text, const struct query_schema *schema,
		 struct pxs_error *err)
{
	CLEANUP(query_draft) struct query_draft draft = { 0 };
	int r;

	if (strlen(text) > QUERY_TEXT_MAX)
		return pxs_error_set(err, -ENAMETOOLONG, QUERY_TEXT_MAX,
				     "the query string is longer than %d bytes", QUERY_TEXT_MAX);
	r = query_draft_begin(&draft, query, err);
	if (r < 0)
		return r;
	return query_draft_finish(&draft, query_string_parse(&draft, text, schema), query);
}
