/* print_where.c - a query as a where clause (the grammar is in where.c), its members in the order
 * of a path's segments. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "query/print.h"
#include "query/query.h"
#include "query/split.h"
#include "query/value.h"

/* The ", " between what is on one level. */
struct writer {
	struct pxs_buf *buf;
	bool first;
};

static void
add_string(struct pxs_buf *buf, const char *text)
{
	struct pxs_json json;

	pxs_json_init(&json, buf, 0);
	pxs_json_string(&json, text);
}

static void
separate(struct writer *w)
{
	if (!w->first)
		pxs_buf_add_str(w->buf, ", ");
	w->first = false;
}

static void
add_key(struct writer *w, const char *key)
{
	separate(w);
	add_string(w->buf, key);
	pxs_buf_add_str(w->buf, ": ");
}

static void
add_value(struct pxs_buf *buf, const struct query_value *value, bool exact)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (value->type == QUERY_TYPE_STRING) {
		add_string(buf, value->string);
	} else if (value->type != QUERY_TYPE_DATETIME) {
		query_value_print(value, buf);
	} else {
		if (exact)
			query_value_print_exact(value, &text);
		else
			query_value_print(value, &text);
		add_string(buf, pxs_buf_text(&text));
		if (text.error)
			buf->error = text.error;
	}
}

static void
add_bound(struct writer *w, const char *key, const struct query_bound *bound)
{
	if (!bound->set)
		return;
	add_key(w, key);
	if (bound->relative)
		add_string(w->buf, bound->relative);
	else
		add_value(w->buf, &bound->value, false);
}

static void
add_bounds(struct writer *w, const struct query_node *range)
{
	add_bound(w, "gte", &range->low);
	add_bound(w, "lt", &range->high);
}

/* item = scalar / range */
static void
add_item(struct pxs_buf *buf, const struct query_node *node)
{
	struct writer object = { buf, true };

	if (node->kind == QUERY_EQUALS) {
		add_value(buf, &node->value, true);
		return;
	}
	pxs_buf_add_char(buf, '{');
	add_bounds(&object, node);
	pxs_buf_add_char(buf, '}');
}

/* list = "[" *item "]" */
static void
add_list(struct pxs_buf *buf, const struct query_node *any)
{
	struct writer array = { buf, true };

	pxs_buf_add_char(buf, '[');
	for (const struct query_node *child = any->first_child; child; child = child->next) {
		separate(&array);
		add_item(buf, child);
	}
	pxs_buf_add_char(buf, ']');
}

static void
add_item_or_list(struct pxs_buf *buf, const struct query_node *node)
{
	if (node->kind == QUERY_BOOL)
		add_list(buf, node);
	else
		add_item(buf, node);
}

/* What is said of one property: nodes from FIRST up to END, which is about another. */
struct said {
	const struct query_node *first, *end;
};

static const struct query_property *
property_of(const struct query_node *node)
{
	return node->kind == QUERY_BOOL ? node->first_child->property : node->property;
}

/* What LIST begins with about PROPERTY. */
static struct said
take(const struct query_node *list, const struct query_property *property)
{
	struct said said = { list, list };

	while (said.end && property_of(said.end) == property)
		said.end = said.end->next;
	return said;
}

static bool
is_one(struct said said)
{
	return said.first != said.end && said.first->next == said.end;
}

/* The first node that can stand on its own as KIND: a range by its bounds, a list as "or". */
static const struct query_node *
find(struct said said, enum query_kind kind)
{
	for (const struct query_node *node = said.first; node != said.end; node = node->next)
		if (node->kind == kind)
			return node;
	return NULL;
}

/* "and": what is not told by its own key. */
static void
add_and(struct writer *w, struct said said, const struct query_node *range,
	const struct query_node *list)
{
	struct writer array = { w->buf, true };

	for (const struct query_node *node = said.first; node != said.end; node = node->next) {
		if (node == range || node == list || node->kind == QUERY_EXISTS)
			continue;
		if (array.first) {
			add_key(w, "and");
			pxs_buf_add_char(w->buf, '[');
		}
		separate(&array);
		add_item_or_list(w->buf, node);
	}
	if (!array.first)
		pxs_buf_add_char(w->buf, ']');
}

static void
add_musts(struct writer *w, struct said said)
{
	const struct query_node *range = find(said, QUERY_RANGE);
	const struct query_node *list = find(said, QUERY_BOOL);

	if (range)
		add_bounds(w, range);
	if (list) {
		add_key(w, "or");
		add_list(w->buf, list);
	}
	add_and(w, said, range, list);
	if (find(said, QUERY_EXISTS)) {
		add_key(w, "exists");
		pxs_buf_add_str(w->buf, "true");
	}
}

/* "not" with one item or a list; "exists": false. */
static void
add_must_nots(struct writer *w, struct said said)
{
	struct writer array = { w->buf, true };
	const struct query_node *exists = find(said, QUERY_EXISTS);
	bool one = is_one(said);

	for (const struct query_node *node = said.first; node != said.end; node = node->next) {
		if (node == exists)
			continue;
		if (array.first) {
			add_key(w, "not");
			pxs_buf_add_str(w->buf, one ? "" : "[");
		}
		separate(&array);
		add_item(w->buf, node);
	}
	if (!array.first && !one)
		pxs_buf_add_char(w->buf, ']');
	if (exists) {
		add_key(w, "exists");
		pxs_buf_add_str(w->buf, "false");
	}
}

/* property ":" cond */
static void
add_member(struct writer *w, const struct query_property *property, struct said musts,
	   struct said must_nots)
{
	struct writer object = { w->buf, true };
	bool alone = is_one(musts) && must_nots.first == must_nots.end;

	add_key(w, property->name);
	if (alone && musts.first->kind == QUERY_EQUALS) {
		add_item(w->buf, musts.first);
		return;
	}
	if (alone && musts.first->kind == QUERY_BOOL) {
		add_list(w->buf, musts.first);
		return;
	}
	pxs_buf_add_char(w->buf, '{');
	add_musts(&object, musts);
	add_must_nots(&object, must_nots);
	pxs_buf_add_char(w->buf, '}');
}

static void
add_members(struct writer *w, const struct query_split *split)
{
	const struct query_node *must = split->musts;
	const struct query_node *must_not = split->must_nots;

	while (must || must_not) {
		const struct query_property *property = must ? property_of(must) : NULL;
		struct said musts, must_nots;

		if (!property || (must_not && strcmp(must_not->property->name, property->name) < 0))
			property = must_not->property;
		musts = take(must, property);
		must_nots = take(must_not, property);
		add_member(w, property, musts, must_nots);
		must = musts.end;
		must_not = must_nots.end;
	}
}

int
query_print_where(const struct query *query, struct pxs_buf *buf)
{
	CLEANUP(query_split) struct query_split split;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct writer object = { buf, true };
	int r;

	r = query_split(query->root, &split);
	if (r < 0)
		return r;
	pxs_buf_add_char(buf, '{');
	if (split.text) {
		query_print_string(split.text, &text);
		add_key(&object, "_all");
		add_string(buf, pxs_buf_text(&text));
		if (text.error)
			buf->error = text.error;
	}
	add_members(&object, &split);
	pxs_buf_add_char(buf, '}');
	return buf->error;
}
