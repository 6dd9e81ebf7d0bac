/* segment.c - path segments: one condition as the name of a folder (docs/query.md).
 *
 *     segment = "_all=" query-string / "_where=" json
 *             / "_sort=" [ "-" ] property *( "," [ "-" ] property ) / "_limit=" 1*digit
 *             / property ( "=" [ "!" ] / "!=" ) ( ".." / list )   ; ".." alone: has any value
 *             / property ( ">" / ">=" / "<" / "<=" ) value
 *     list    = item *( "," item )
 *     item    = value / value ".." / ".." value / value ".." value
 *             / number "-" number                                 ; where the type is of numbers
 *     value   = 1*byte
 *
 * Ranges are half-open: the end is not in them. "%XX" is the byte XX anywhere, and then no part of
 * the grammar. What is decoded must be UTF-8 and is brought to NFC. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "query/cond.h"
#include "query/draft.h"
#include "query/number.h"
#include "query/parse.h"

struct segment {
	struct query_draft *draft;
	const struct query_schema *schema;
	const char *text;
	const struct query_property *property;
};

/* A part of the segment, as it was written. */
struct piece {
	const char *text;
	size_t len;
};

static long
place(const struct segment *s, const char *at)
{
	return at - s->text;
}

/* PIECE decoded, in the draft's arena; NULL: the draft has failed. */
static const char *
decode(const struct segment *s, struct piece piece)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	const char *text;

	pxs_percent_decode(&buf, piece.text, piece.len);
	if (buf.error)
		return query_draft_fail_memory(s->draft);
	if (memchr(pxs_buf_text(&buf), '\0', buf.len))
		return query_draft_fail(s->draft, -EINVAL, place(s, piece.text),
					"a value cannot hold a zero byte (%%00)");
	if (!pxs_utf8_valid(pxs_buf_text(&buf), buf.len))
		return query_draft_fail(s->draft, -EINVAL, place(s, piece.text),
					"the value is not valid UTF-8");
	text = pxs_arena_strndup(&s->draft->arena, pxs_buf_text(&buf), buf.len);
	return text ? text : query_draft_fail_memory(s->draft);
}

/* The byte of RAW that gave byte AT of its decoded text. */
static long
raw_place(const char *raw, long at)
{
	long i = 0;

	for (; at > 0 && raw[i]; at--)
		i += raw[i] == '%' && pxs_hex_digit(raw[i + 1]) >= 0 &&
				     pxs_hex_digit(raw[i + 2]) >= 0
			     ? 3
			     : 1;
	return i;
}

/* --- One property --- */

static struct query_node *
refuse_empty(const struct segment *s, const char *at)
{
	return query_draft_fail(s->draft, -EINVAL, place(s, at),
				"empty value; %s=!.. finds documents without one",
				s->property->name);
}

static bool
read_scalar(const struct segment *s, struct piece piece, struct query_scalar *scalar)
{
	if (!piece.len) {
		(void)refuse_empty(s, piece.text);
		return false;
	}
	*scalar = (struct query_scalar){ QUERY_SCALAR_TEXT, decode(s, piece),
					 place(s, piece.text) };
	return scalar->text != NULL;
}

static struct query_node *
parse_value(const struct segment *s, struct piece piece)
{
	struct query_scalar scalar;

	return read_scalar(s, piece, &scalar) ? query_cond_equals(s->draft, s->property, &scalar)
					      : NULL;
}

/* LOW and HIGH: an empty one is an open end, but not both. */
static struct query_node *
parse_range(const struct segment *s, struct piece low, struct piece high)
{
	struct query_scalar low_scalar, high_scalar;
	struct query_limit from = { .inclusive = true };
	struct query_limit to = { 0 };

	if (!low.len && !high.len)
		return query_draft_fail(s->draft, -EINVAL, place(s, low.text),
					"'..' with no bound stands alone, as in %s=..",
					s->property->name);
	if (low.len) {
		if (!read_scalar(s, low, &low_scalar))
			return NULL;
		from.scalar = &low_scalar;
	}
	if (high.len) {
		if (!read_scalar(s, high, &high_scalar))
			return NULL;
		to.scalar = &high_scalar;
	}
	return query_cond_range(s->draft, s->property, from, to);
}

/* Where the "-" of number "-" number stands in PIECE, 0 if it is none. */
static size_t
find_dash(const struct segment *s, struct piece piece)
{
	size_t len;

	if (!query_type_is_number(s->property->type))
		return 0;
	len = query_number_scan(piece.text);
	return len && len < piece.len && piece.text[len] == '-' ? len : 0;
}

static struct query_node *
parse_item(const struct segment *s, struct piece piece)
{
	const char *dots = memmem(piece.text, piece.len, "..", 2);
	size_t low = dots ? (size_t)(dots - piece.text) : 0;
	size_t dash;

	if (dots)
		return parse_range(s, (struct piece){ piece.text, low },
				   (struct piece){ dots + 2, piece.len - low - 2 });
	dash = find_dash(s, piece);
	if (!dash)
		return parse_value(s, piece);
	if (dash + 1 == piece.len)
		return query_draft_fail(s->draft, -EINVAL, place(s, piece.text + piece.len),
					"expected a number after '-'; %s=%.*s.. is the open range",
					s->property->name, (int)dash, piece.text);
	return parse_range(s, (struct piece){ piece.text, dash },
			   (struct piece){ piece.text + dash + 1, piece.len - dash - 1 });
}

/* list = item *( "," item ) */
static struct query_node *
parse_list(const struct segment *s, const char *text)
{
	struct query_node *any = query_draft_node(s->draft, QUERY_BOOL, NULL);
	size_t n = 0;
	size_t len;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (*text == '!')
			return query_draft_fail(
				s->draft, -EINVAL, place(s, text),
				"'!' stands once, before all values; write a literal "
				"'!' as %%21");
		if (n++ == QUERY_ALTERNATIVES_MAX)
			return query_draft_fail(s->draft, -EINVAL, place(s, text),
						"the list has more than %d values",
						QUERY_ALTERNATIVES_MAX);
		query_draft_add(any, QUERY_SHOULD, parse_item(s, (struct piece){ text, len }));
		if (s->draft->error)
			return NULL;
		if (!text[len])
			return any;
	}
}

/* ".." / list */
static struct query_node *
parse_equality(const struct segment *s, const char *text)
{
	if (strcmp(text, "..") == 0)
		return query_cond_exists(s->draft, s->property);
	return parse_list(s, text);
}

static struct query_node *
parse_comparison(const struct segment *s, const char *text, bool is_low, bool inclusive)
{
	struct query_scalar scalar;
	struct query_limit limit = { &scalar, inclusive };
	struct query_limit open = { 0 };
	const char *comma = strchr(text, ',');

	if (comma)
		return query_draft_fail(
			s->draft, -EINVAL, place(s, comma),
			"a comparison takes one value; write a literal ',' as %%2C");
	if (!read_scalar(s, (struct piece){ text, strlen(text) }, &scalar))
		return NULL;
	return is_low ? query_cond_range(s->draft, s->property, limit, open)
		      : query_cond_range(s->draft, s->property, open, limit);
}

/* TEXT begins with the operator. */
static struct query_node *
parse_operator(const struct segment *s, const char *text)
{
	bool inclusive;

	if (strncmp(text, "=!", 2) == 0 || strncmp(text, "!=", 2) == 0)
		return query_draft_not(s->draft, parse_equality(s, text + 2));
	if (*text == '=')
		return parse_equality(s, text + 1);
	if (*text == '!')
		return query_draft_fail(s->draft, -EINVAL, place(s, text + 1),
					"expected '=' after '!', as in core.size!=5");
	inclusive = text[1] == '=';
	return parse_comparison(s, text + 1 + inclusive, *text == '>', inclusive);
}

static struct query_node *
parse_property(struct segment *s, const char *name, const char *operator)
{
	const char *nearest;

	s->property = query_schema_find(s->schema, name);
	if (s->property)
		return parse_operator(s, operator);
	nearest = query_schema_nearest(s->schema, name);
	if (nearest)
		return query_draft_fail(s->draft, -EINVAL, 0,
					"unknown property '%.100s'; did you mean '%.100s'?", name,
					nearest);
	return query_draft_fail(s->draft, -EINVAL, 0, "unknown property '%.100s'", name);
}

/* --- The segments that begin with '_' --- */

static int
add_condition(struct query *query, struct segment *s, struct query_node *condition)
{
	return query_draft_finish(s->draft, condition, query);
}

static int
add_all(struct query *query, struct segment *s, const char *text)
{
	return add_condition(query, s, query_string_parse(s->draft, text, s->schema));
}

static int
add_where(struct query *query, struct segment *s, const char *text)
{
	return add_condition(query, s, query_where_parse(s->draft, text, strlen(text), s->schema));
}

static int
set_sort(struct query *query, struct segment *s, const char *text)
{
	return query_set_sort(query, text, s->schema, s->draft->err);
}

static int
set_limit(struct query *query, struct segment *s, const char *text)
{
	uintmax_t limit;

	errno = 0;
	limit = strtoumax(text, NULL, 10);
	if (text[strspn(text, "0123456789")] || errno || !limit)
		return pxs_error_set(s->draft->err, -EINVAL, 0,
				     "'%.40s' is no limit; expected a whole number from 1, as in "
				     "_limit=100",
				     text);
	query->limit = limit;
	return 0;
}

static const struct special {
	const char *name;
	int (*add)(struct query *query, struct segment *s, const char *text);
} SPECIALS[] = {
	{ "_all", add_all },
	{ "_where", add_where },
	{ "_sort", set_sort },
	{ "_limit", set_limit },
};

static const struct special *
find_special(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(SPECIALS); i++)
		if (strcmp(SPECIALS[i].name, name) == 0)
			return &SPECIALS[i];
	return NULL;
}

/* The text decodes as a whole; faults in it are told by their place in the segment. */
static int
add_special(struct query *query, struct segment *s, const struct special *special,
	    const char *operator)
{
	struct pxs_error fault = { 0 };
	struct pxs_error *err = s->draft->err;
	const char *raw = operator+ 1;
	const char *text;
	int r;

	if (*operator!= '=')
		return pxs_error_set(err, -EINVAL, place(s, operator), "expected '=' after %s",
				     special->name);
	if (!*raw)
		return pxs_error_set(err, -EINVAL, place(s, raw),
				     "empty value after %s=", special->name);
	text = decode(s, (struct piece){ raw, strlen(raw) });
	if (!text)
		return s->draft->error;

	s->draft->err = &fault;
	r = special->add(query, s, text);
	if (!fault.code)
		return r;
	return pxs_error_set(err, r, fault.at < 0 ? -1 : place(s, raw) + raw_place(raw, fault.at),
			     "%s", fault.text);
}

/* --- The whole --- */

int
query_add_segment(struct query *query, const char *segment, const struct query_schema *schema,
		  struct pxs_error *err)
{
	CLEANUP(query_draft) struct query_draft draft = { 0 };
	struct segment s = { .draft = &draft, .schema = schema, .text = segment };
	const char *operator= segment + strcspn(segment, "=!<>");
	const struct special *special;
	const char *name;
	int r;

	if (strlen(segment) > QUERY_SEGMENT_MAX)
		return pxs_error_set(err, -ENAMETOOLONG, QUERY_SEGMENT_MAX,
				     "the segment is longer than %d bytes", QUERY_SEGMENT_MAX);
	r = query_draft_begin(&draft, query, err);
	if (r < 0)
		return r;
	if (!*operator)
		return pxs_error_set(
			err, -EINVAL, place(&s, operator),
			"expected '=' and a value after the property, as in core.size=5");
	name = decode(&s, (struct piece){ segment, (size_t)(operator- segment) });
	if (!name)
		return draft.error;

	special = find_special(name);
	if (special)
		return add_special(query, &s, special, operator);
	return add_condition(query, &s, parse_property(&s, name, operator));
}
