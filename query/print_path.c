/* print_path.c - a query as the path of its folder (the grammar is in segment.c).
 *
 * First _all=, then the properties by name: what must hold, a segment each, and what must not, in
 * one segment; then _sort= and _limit=. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "query/draft.h"
#include "query/name.h"
#include "query/print.h"
#include "query/split.h"
#include "query/value.h"

/* The mount's longest name that is emitted. */
#define NAME_BYTES_MAX 255

static void
add_value(struct pxs_buf *buf, const struct query_value *value, bool exact)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (exact)
		query_value_print_exact(value, &text);
	else if (value->type == QUERY_TYPE_DATETIME)
		query_time_print_short(value->integer, &text);
	else
		query_value_print(value, &text);
	if (text.error)
		buf->error = text.error;
	query_name_add_value(buf, pxs_buf_text(&text));
}

/* "A-B" reads better than "A..B" where no other '-' is about. */
static bool
joins_by_dash(const struct query_node *range)
{
	const struct query_value *low = &range->low.value;

	if (!query_type_is_number(range->property->type) || !range->low.set || !range->high.set)
		return false;
	if (range->property->type == QUERY_TYPE_INTEGER || range->property->type == QUERY_TYPE_LONG)
		return low->integer >= 0;
	return low->real >= 1e-3 || low->real == 0; /* "1e-05" has one */
}

static void
add_bound(struct pxs_buf *buf, const struct query_bound *bound)
{
	if (bound->relative)
		query_name_add_value(buf, bound->relative);
	else if (bound->set)
		add_value(buf, &bound->value, false);
}

/* A value or a range. */
static void
add_item(struct pxs_buf *buf, const struct query_node *node)
{
	if (node->kind == QUERY_EQUALS) {
		add_value(buf, &node->value, true);
		return;
	}
	add_bound(buf, &node->low);
	pxs_buf_add_str(buf, joins_by_dash(node) ? "-" : "..");
	add_bound(buf, &node->high);
}

static const struct query_property *
property_of(const struct query_node *node)
{
	return node->kind == QUERY_BOOL ? node->first_child->property : node->property;
}

static void
begin(struct pxs_buf *buf, size_t start)
{
	if (buf->len > start)
		pxs_buf_add_char(buf, '/');
}

static void
add_must(struct pxs_buf *buf, const struct query_node *node)
{
	const struct query_node *item = node->kind == QUERY_BOOL ? node->first_child : node;

	query_name_add_text(buf, property_of(node)->name);
	pxs_buf_add_char(buf, '=');
	if (node->kind == QUERY_EXISTS) {
		pxs_buf_add_str(buf, "..");
		return;
	}
	add_item(buf, item);
	if (node->kind != QUERY_BOOL)
		return;
	while ((item = item->next)) {
		pxs_buf_add_char(buf, ',');
		add_item(buf, item);
	}
}

/* All at the start of LIST that are about one property; a segment of its own for EXISTS, which is
 * the last of them. The first node that was not told. */
static const struct query_node *
add_must_nots(struct pxs_buf *buf, const struct query_node *list)
{
	const struct query_property *property = list->property;
	const char *joint = "";

	query_name_add_text(buf, property->name);
	pxs_buf_add_str(buf, "=!");
	if (list->kind == QUERY_EXISTS) {
		pxs_buf_add_str(buf, "..");
		return list->next;
	}
	for (; list && list->property == property && list->kind != QUERY_EXISTS;
	     list = list->next) {
		pxs_buf_add_str(buf, joint);
		add_item(buf, list);
		joint = ",";
	}
	return list;
}

static void
add_conditions(struct pxs_buf *buf, size_t start, const struct query_split *split)
{
	const struct query_node *must = split->musts;
	const struct query_node *must_not = split->must_nots;

	while (must || must_not) {
		begin(buf, start);
		if (must &&
		    (!must_not || strcmp(property_of(must)->name, must_not->property->name) <= 0)) {
			add_must(buf, must);
			must = must->next;
		} else {
			must_not = add_must_nots(buf, must_not);
		}
	}
}

static void
add_named_text(struct pxs_buf *buf, size_t start, const char *name, const struct pxs_buf *text)
{
	if (text->error)
		buf->error = text->error;
	begin(buf, start);
	pxs_buf_add_str(buf, name);
	query_name_add_text(buf, pxs_buf_text(text));
}

static int
add_root(struct pxs_buf *buf, size_t start, const struct query_node *root)
{
	CLEANUP(query_split) struct query_split split;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	int r;

	r = query_split(root, &split);
	if (r < 0)
		return r;
	if (split.text) {
		query_print_string(split.text, &text);
		add_named_text(buf, start, "_all=", &text);
	}
	add_conditions(buf, start, &split);
	return buf->error;
}

/* Segments that are too long for the parser would not come back. */
static bool
is_too_long(const char *path)
{
	size_t len;

	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (len > QUERY_SEGMENT_MAX)
			return true;
		if (!path[len])
			return false;
	}
}

/* R, with what was added after START taken back on failure. */
static int
finish(struct pxs_buf *buf, size_t start, int r)
{
	if (r < 0 && buf->data) {
		buf->len = start;
		buf->data[start] = '\0';
	}
	return r;
}

int
query_print_path(const struct query *query, struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf keys = PXS_BUF_INIT;
	size_t start = buf->len;
	int r;

	r = add_root(buf, start, query->root);
	if (r < 0)
		return finish(buf, start, r);
	if (query->n_sorts) {
		query_print_sort(query, &keys);
		add_named_text(buf, start, "_sort=", &keys);
	}
	if (query->limit) {
		begin(buf, start);
		pxs_buf_addf(buf, "_limit=%" PRIu64, query->limit);
	}
	r = buf->error;
	if (r == 0 && buf->data && is_too_long(buf->data + start))
		r = -ENAMETOOLONG;
	return finish(buf, start, r);
}

int
query_print_segment(const struct query_node *condition, struct pxs_buf *buf)
{
	CLEANUP(query) struct query *query = NULL;
	size_t start = buf->len;
	int r;

	r = query_new(&query);
	if (r == 0)
		r = query_add_condition(query, condition);
	if (r == 0)
		r = query_print_path(query, buf);
	if (r == 0 && strchr(pxs_buf_text(buf) + start, '/'))
		r = -EINVAL;
	if (r == 0 && buf->len - start > NAME_BYTES_MAX)
		r = -ENAMETOOLONG;
	return finish(buf, start, r);
}
