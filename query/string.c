/* string.c - query strings: Lucene's classic syntax, as Elasticsearch has it (spec/pixstor.md 2.2).
 *
 * Words and signs, the longest first; white space is space, \t, \n, \r, U+3000:
 *
 *     ESC     = "\" any                  ; "\u" and four hexadecimal digits are a character
 *     TERM    = tchar *( tchar / "-" / "+" )
 *     tchar   = ESC / any but white space + - ! ( ) : ^ [ ] " { } ~ * ? \
 *     PREFIX  = TERM "*"
 *     QUOTED  = DQUOTE *( ESC / any but DQUOTE and "\" ) DQUOTE
 *     AND     = "AND" / "&&"   OR = "OR" / "||"   NOT = "NOT" / "!"
 *     BARE    = ( "+" / "-" / "!" ) white-space          ; a word of no letters
 *
 *     query   = clause *( [ AND / OR ] clause )
 *     clause  = [ "+" / "-" / NOT ] [ field ":" ] ( leaf / "(" query ")" )
 *     field   = TERM / "*"               ; after "_exists_:" comes a property: has it a value?
 *     leaf    = TERM / PREFIX / "*" / QUOTED / BARE / RANGE / compare
 *     RANGE   = ( "[" / "{" ) bound "TO" bound ( "]" / "}" )           ; after a field alone
 *     bound   = "*" / QUOTED / 1*( any but white space, "]", "}" )
 *     compare = ( ">" / ">=" / "<" / "<=" ) TERM         ; in one piece, after a field alone
 *
 * Not spoken yet, and refused by their names: "*" and "?" elsewhere than at the end of a TERM; "~"
 * after a TERM (fuzzy) or QUOTED (nearness); "^" after a leaf or group (boost); "/.../" as a leaf
 * (regular expression); "*" within a field; date math in bounds.
 *
 * A clause without AND, OR or a sign is optional, an AND makes the clauses on both of its sides
 * necessary. This is not the logic of parentheses: "a OR b AND c" needs b and c, and a only adds to
 * the score. */
#include "query/parse.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "query/cond.h"
#include "query/draft.h"
#include "query/lex.h"

/* What the words of a clause are looked for in. */
struct field {
	const struct query_property *property; /* NULL: any property, or, if */
	bool unknown;			       /* the schema has none of this name */
};

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

/* Signs alone are no words: such a clause is skipped. Other scripts are left to the index. */
static bool
has_words(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80 || (*text >= '0' && *text <= '9') ||
		    (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
			return true;
	return false;
}

static struct query_node *
none(struct parser *p)
{
	return query_draft_node(p->draft, QUERY_NONE, NULL);
}

/* WORDS or PHRASE; on a property that holds no text, the value itself. NULL without a failure: it
 * has no words. */
static struct query_node *
parse_text(struct parser *p, enum query_kind kind, struct field field)
{
	struct query_token token = p->token;
	struct query_scalar scalar = { QUERY_SCALAR_TEXT, NULL, (long)token.at };
	struct query_node *node;

	advance(p);
	scalar.text = query_unescape(p->draft, &token);
	if (!scalar.text)
		return NULL;
	if (field.unknown)
		return none(p);
	if (field.property && field.property->type != QUERY_TYPE_STRING)
		return query_cond_equals(p->draft, field.property, &scalar);
	if (!has_words(scalar.text))
		return NULL;

	node = query_draft_node(p->draft, kind, field.property);
	if (node)
		node->text = scalar.text;
	return node;
}

static struct query_node *
parse_prefix(struct parser *p, struct field field)
{
	struct query_token token = p->token;
	const char *text;

	advance(p);
	text = query_unescape(p->draft, &token);
	if (!text)
		return NULL;
	if (field.unknown)
		return none(p);
	return query_cond_prefix(p->draft, field.property, text, (long)token.at);
}

/* "*": everything, or, of a field, whatever has it. */
static struct query_node *
parse_star(struct parser *p, struct field field)
{
	advance(p);
	if (field.unknown)
		return none(p);
	if (field.property)
		return query_cond_exists(p->draft, field.property);
	return query_draft_node(p->draft, QUERY_ALL, NULL);
}

/* Strings are compared case-folded here (spec/pixstor.md 2.2), which the index does. */
static void
set_folded_bound(struct query_limit limit, struct query_bound *bound)
{
	if (!limit.scalar)
		return;
	bound->set = true;
	bound->inclusive = limit.inclusive;
	bound->value.type = QUERY_TYPE_STRING;
	bound->value.string = limit.scalar->text;
}

static struct query_node *
make_range(struct parser *p, struct field field, struct query_limit low, struct query_limit high)
{
	struct query_node *node;

	if (field.unknown)
		return none(p);
	if (field.property->type != QUERY_TYPE_STRING)
		return query_cond_range(p->draft, field.property, low, high);

	node = query_draft_node(p->draft, QUERY_RANGE, field.property);
	if (!node)
		return NULL;
	node->folded = true;
	set_folded_bound(low, &node->low);
	set_folded_bound(high, &node->high);
	return node;
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
parse_range(struct parser *p, struct field field)
{
	struct query_limit low = { .inclusive = *p->token.text == '[' };
	struct query_limit high = { 0 };
	struct query_scalar low_scalar, high_scalar;

	if (!field.property && !field.unknown)
		return query_draft_fail(
			p->draft, -EINVAL, (long)p->token.at,
			"a range needs a property before it, as in core.size:[1 TO 9]; "
			"escape a literal bracket with '\\'");
	if (!parse_bound(p, &low_scalar, &low) || !query_lex_to(&p->lexer) ||
	    !parse_bound(p, &high_scalar, &high) ||
	    !query_lex_close_range(&p->lexer, &high.inclusive))
		return NULL;
	advance(p);
	return make_range(p, field, low, high);
}

/* compare = ( ">" / ">=" / "<" / "<=" ) TERM */
static struct query_node *
parse_compare(struct parser *p, struct field field)
{
	struct query_token token = p->token;
	bool is_low = token.text[0] == '>';
	bool inclusive = token.len > 1 && token.text[1] == '=';
	size_t sign = inclusive ? 2 : 1;
	struct query_scalar scalar = { QUERY_SCALAR_TEXT, NULL, (long)(token.at + sign) };
	struct query_limit limit = { &scalar, inclusive };
	struct query_limit open = { 0 };

	if (token.len == sign)
		return query_draft_fail(p->draft, -EINVAL, scalar.at,
					"expected a value right after '%.*s'", (int)sign,
					token.text);
	advance(p);
	token.text += sign;
	token.len -= sign;
	token.at += sign;
	scalar.text = query_unescape(p->draft, &token);
	if (!scalar.text)
		return NULL;
	return is_low ? make_range(p, field, limit, open) : make_range(p, field, open, limit);
}

static struct query_node *
parse_term(struct parser *p, struct field field)
{
	if ((field.property || field.unknown) && strchr("<>", p->token.text[0]))
		return parse_compare(p, field);
	return parse_text(p, QUERY_WORDS, field);
}

static struct query_node *parse_group(struct parser *p, struct field field);

/* leaf = TERM / PREFIX / "*" / QUOTED / BARE / RANGE / compare; or a group */
static struct query_node *
parse_leaf(struct parser *p, struct field field)
{
	switch (p->token.kind) {
	case TOK_TERM:
		return parse_term(p, field);
	case TOK_QUOTED:
		return parse_text(p, QUERY_PHRASE, field);
	case TOK_PREFIX:
		return parse_prefix(p, field);
	case TOK_STAR:
		return parse_star(p, field);
	case TOK_RANGE:
		return parse_range(p, field);
	case TOK_OPEN:
		return parse_group(p, field);
	case TOK_BARE:
		advance(p);
		return NULL;
	case TOK_MINUS:
		if (field.property || field.unknown)
			return expected(p, "a value (quote a negative number: \"-5\")");
		return expected(p, "a word");
	case TOK_FAULT:
		return NULL;
	default:
		return expected(p, "a word");
	}
}

/* "_exists_:core.size" */
static struct query_node *
parse_exists(struct parser *p)
{
	struct query_token token = p->token;
	const char *name;

	if (token.kind != TOK_TERM && token.kind != TOK_QUOTED)
		return expected(p, "a property after _exists_:");
	advance(p);
	name = query_unescape(p->draft, &token);
	if (!name)
		return NULL;
	return query_cond_exists(p->draft, query_schema_find(p->schema, name));
}

/* What stands before the ':', which was read already. */
static struct query_node *
parse_in_field(struct parser *p, const struct query_token *token)
{
	struct field field = { 0 };
	const char *name;

	if (token->kind == TOK_STAR)
		return parse_leaf(p, field);
	name = query_unescape(p->draft, token);
	if (!name)
		return NULL;
	if (token->kind == TOK_PREFIX || strchr(name, '*'))
		return query_draft_fail(p->draft, -EINVAL, (long)token->at,
					"properties with wildcards are not supported yet");
	if (strcmp(name, "_exists_") == 0)
		return parse_exists(p);
	if (strcmp(name, "_all") == 0)
		return parse_leaf(p, field);

	field.property = query_schema_find(p->schema, name);
	field.unknown = !field.property;
	return parse_leaf(p, field);
}

/* [ field ":" ] ( leaf / "(" query ")" ); a field binds this one clause. */
static struct query_node *
parse_clause(struct parser *p, struct field field)
{
	struct query_token token = p->token;
	struct query_lexer after = p->lexer;

	if (token.kind == TOK_TERM || token.kind == TOK_PREFIX || token.kind == TOK_STAR) {
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
parse_query(struct parser *p, struct field field)
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

/* "(" query ")" */
static struct query_node *
parse_group(struct parser *p, struct field field)
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
	return p->draft->error ? NULL : group;
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
		root = parse_query(&p, (struct field){ 0 });
	if (!draft->error && p.token.kind != TOK_END)
		return query_draft_fail(draft, -EINVAL, (long)p.token.at,
					"the ')' has no partner; expected a word");
	if (draft->error)
		return NULL;
	return root ? root : none(&p);
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
