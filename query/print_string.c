/* print_string.c - a tree as a query string (the grammar is in string.c).
 *
 * The shortest form that keeps the meaning: "a AND b AND NOT c" where nothing is optional, "a OR b"
 * where nothing else stands beside, "+a b -c" for the rest; and "P:(a OR b)" where all is about P.
 */
#include "query/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "query/boost.h"
#include "query/lex.h"
#include "query/query.h"
#include "query/value.h"

/* What a '\' goes before: where it opens a word, and anywhere in it. */
static bool
needs_escape(const char *at, bool first)
{
	if (first && strchr("+-/<>", *at))
		return true;
	return strchr("\\()^[]\"{}~*?:!", *at) || query_lex_space(at);
}

/* These would read as operators. */
static bool
is_keyword(const char *text)
{
	static const char *const KEYWORDS[] = { "AND", "OR", "NOT", "&&", "||" };

	for (size_t i = 0; i < ARRAY_SIZE(KEYWORDS); i++)
		if (strcmp(text, KEYWORDS[i]) == 0)
			return true;
	return false;
}

static void
add_word(struct pxs_buf *buf, const char *text)
{
	bool keyword = is_keyword(text);

	for (const char *at = text; *at; at++) {
		if (needs_escape(at, at == text) || (keyword && at == text))
			pxs_buf_add_char(buf, '\\');
		pxs_buf_add_char(buf, *at);
	}
}

/* Its signs and their escapes mean the same here. */
static void
add_wildcard(struct pxs_buf *buf, const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at == '\\' && at[1])
			pxs_buf_add_char(buf, *at++);
		else if (!strchr("*?", *at) && needs_escape(at, at == text))
			pxs_buf_add_char(buf, '\\');
		pxs_buf_add_char(buf, *at);
	}
}

static void
add_regex(struct pxs_buf *buf, const char *text)
{
	pxs_buf_add_char(buf, '/');
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			pxs_buf_add_char(buf, *text++);
		else if (*text == '/')
			pxs_buf_add_char(buf, '\\');
		pxs_buf_add_char(buf, *text);
	}
	pxs_buf_add_char(buf, '/');
}

static void
add_quoted(struct pxs_buf *buf, const char *text)
{
	pxs_buf_add_char(buf, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			pxs_buf_add_char(buf, '\\');
		pxs_buf_add_char(buf, *text);
	}
	pxs_buf_add_char(buf, '"');
}

/* Whether TEXT means itself between the brackets of a range. */
static bool
is_plain_bound(const char *text)
{
	if (!*text || strcmp(text, "*") == 0 || strcmp(text, "TO") == 0)
		return false;
	for (; *text; text++)
		if (strchr("]}\"\\", *text) || query_lex_space(text))
			return false;
	return true;
}

static void
add_bound(struct pxs_buf *buf, const struct query_bound *bound)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (!bound->set) {
		pxs_buf_add_char(buf, '*');
		return;
	}
	if (bound->relative)
		pxs_buf_add_str(&text, bound->relative);
	else if (bound->value.type == QUERY_TYPE_DATETIME)
		query_time_print_short(bound->value.integer, &text);
	else
		query_value_print(&bound->value, &text);
	if (text.error)
		buf->error = text.error;
	else if (is_plain_bound(pxs_buf_text(&text)))
		pxs_buf_add_str(buf, pxs_buf_text(&text));
	else
		add_quoted(buf, pxs_buf_text(&text));
}

static void
add_range(struct pxs_buf *buf, const struct query_node *node)
{
	pxs_buf_add_char(buf, !node->low.set || node->low.inclusive ? '[' : '{');
	add_bound(buf, &node->low);
	pxs_buf_add_str(buf, " TO ");
	add_bound(buf, &node->high);
	pxs_buf_add_char(buf, !node->high.set || node->high.inclusive ? ']' : '}');
}

/* A value that is no text. A negative number, whose '-' would be an operator, and an instant, whose
 * colons would, stand in quotes. */
static void
add_equals(struct pxs_buf *buf, const struct query_value *value)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	query_value_print_exact(value, &text);
	if (text.error)
		buf->error = text.error;
	else if (*pxs_buf_text(&text) == '-' || value->type == QUERY_TYPE_DATETIME)
		add_quoted(buf, pxs_buf_text(&text));
	else
		pxs_buf_add_str(buf, pxs_buf_text(&text));
}

static void
add_leaf(struct pxs_buf *buf, const struct query_node *node)
{
	switch (node->kind) {
	case QUERY_NONE:
		pxs_buf_add_str(buf, "NOT *");
		break;
	case QUERY_ALL:
	case QUERY_EXISTS:
		pxs_buf_add_char(buf, '*');
		break;
	case QUERY_WORDS:
		add_word(buf, node->text);
		break;
	case QUERY_PHRASE:
		add_quoted(buf, node->text);
		if (node->slop)
			pxs_buf_addf(buf, "~%" PRIu32, node->slop);
		break;
	case QUERY_PREFIX:
		add_word(buf, node->text);
		pxs_buf_add_char(buf, '*');
		break;
	case QUERY_WILDCARD:
		add_wildcard(buf, node->text);
		break;
	case QUERY_FUZZY:
		add_word(buf, node->text);
		pxs_buf_addf(buf, "~%d", node->edits);
		break;
	case QUERY_REGEX:
		add_regex(buf, node->text);
		break;
	case QUERY_EQUALS:
		add_equals(buf, &node->value);
		break;
	default:
		add_range(buf, node);
		break;
	}
	query_boost_print(node, buf);
}

/* The one property that all leaves below NODE are about; NULL if there is none. */
static const struct query_property *
common_property(const struct query_node *node)
{
	const struct query_node *child = node->first_child;
	const struct query_property *property;

	if (node->kind != QUERY_BOOL)
		return node->property;
	property = common_property(child);
	for (child = child->next; property && child; child = child->next)
		if (common_property(child) != property)
			return NULL;
	return property;
}

static bool
has(const struct query_node *node, enum query_occur occur)
{
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (child->occur == occur)
			return true;
	return false;
}

static void add_clauses(struct pxs_buf *buf, const struct query_node *node,
			const struct query_property *field);

/* NODE as one clause. FIELD: what the group around it names already. */
static void
add_clause(struct pxs_buf *buf, const struct query_node *node, const struct query_property *field)
{
	const struct query_property *property = field ? field : common_property(node);

	if (property && !field) {
		add_word(buf, property->name);
		pxs_buf_add_char(buf, ':');
	}
	if (node->kind != QUERY_BOOL) {
		add_leaf(buf, node);
		return;
	}
	pxs_buf_add_char(buf, '(');
	add_clauses(buf, node, property);
	pxs_buf_add_char(buf, ')');
}

static void
add_joined(struct pxs_buf *buf, const struct query_node *node, const struct query_property *field,
	   const char *joint)
{
	for (const struct query_node *child = node->first_child; child; child = child->next) {
		if (child != node->first_child)
			pxs_buf_add_str(buf, joint);
		if (child->occur == QUERY_MUST_NOT)
			pxs_buf_add_str(buf, "NOT ");
		add_clause(buf, child, field);
	}
}

static void
add_signed(struct pxs_buf *buf, const struct query_node *node, const struct query_property *field)
{
	static const char *const SIGNS[] = {
		[QUERY_MUST] = "+",
		[QUERY_SHOULD] = "",
		[QUERY_MUST_NOT] = "-",
	};

	for (const struct query_node *child = node->first_child; child; child = child->next) {
		if (child != node->first_child)
			pxs_buf_add_char(buf, ' ');
		pxs_buf_add_str(buf, SIGNS[child->occur]);
		add_clause(buf, child, field);
	}
}

static void
add_clauses(struct pxs_buf *buf, const struct query_node *node, const struct query_property *field)
{
	if (!has(node, QUERY_SHOULD))
		add_joined(buf, node, field, " AND ");
	else if (!has(node, QUERY_MUST) && !has(node, QUERY_MUST_NOT))
		add_joined(buf, node, field, " OR ");
	else
		add_signed(buf, node, field);
}

void
query_print_string(const struct query_node *node, struct pxs_buf *buf)
{
	if (node->kind == QUERY_BOOL && !(common_property(node) && node->first_child->next))
		add_clauses(buf, node, NULL);
	else
		add_clause(buf, node, NULL);
}
