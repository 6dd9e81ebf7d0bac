#include "query/interval.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "query/draft.h"
#include "query/moment.h"

static bool
is_real(enum query_type type)
{
	return type == QUERY_TYPE_FLOAT || type == QUERY_TYPE_DOUBLE;
}

static int64_t
least_whole(enum query_type type)
{
	return type == QUERY_TYPE_BOOLEAN ? 0 : type == QUERY_TYPE_INTEGER ? INT32_MIN : INT64_MIN;
}

static int64_t
greatest_whole(enum query_type type)
{
	return type == QUERY_TYPE_BOOLEAN ? 1 : type == QUERY_TYPE_INTEGER ? INT32_MAX : INT64_MAX;
}

/* The first value on the line of TYPE. Empty strings are not stored: they count as absent. */
static struct query_value
least(enum query_type type)
{
	struct query_value value = { .type = type };

	if (type == QUERY_TYPE_STRING)
		value.string = "\x01";
	else if (is_real(type))
		value.real = -DBL_MAX;
	else
		value.integer = least_whole(type);
	return value;
}

struct query_edge
query_edge_whole(enum query_type type, __int128 n)
{
	struct query_edge edge = { .value = { .type = type } };

	edge.beyond = n < least_whole(type) ? -1 : n > greatest_whole(type);
	if (!edge.beyond)
		edge.value.integer = (int64_t)n;
	return edge;
}

static struct query_edge
edge_real(enum query_type type, double real)
{
	struct query_edge edge = { .value = { .type = type, .real = real + 0.0 } };

	if (isinf(real))
		edge.beyond = real < 0 ? -1 : 1;
	return edge;
}

struct query_edge
query_edge_before(const struct query_value *value)
{
	if (is_real(value->type))
		return edge_real(value->type, value->real);
	if (value->type != QUERY_TYPE_STRING)
		return query_edge_whole(value->type, value->integer);
	return (struct query_edge){ .value = *value };
}

struct query_edge
query_edge_after(struct query_draft *draft, const struct query_value *value)
{
	struct query_edge edge = { .value = *value };
	size_t len;
	char *next;

	if (is_real(value->type))
		return edge_real(value->type, nextafter(value->real, INFINITY));
	if (value->type != QUERY_TYPE_STRING)
		return query_edge_whole(value->type, (__int128)value->integer + 1);

	len = strlen(value->string);
	next = pxs_arena_alloc(&draft->arena, len + 2);
	if (!next) {
		query_draft_fail_memory(draft);
		return edge;
	}
	memcpy(next, value->string, len);
	next[len] = '\x01';
	edge.value.string = next;
	return edge;
}

/* Neither of them is relative. */
static int
compare_edges(const struct query_edge *a, const struct query_edge *b)
{
	if (a->beyond || b->beyond)
		return a->beyond - b->beyond;
	return query_value_compare(&a->value, &b->value);
}

/* The empty string stands below the first value that there can be. */
static bool
is_at_bottom(const struct query_edge *edge)
{
	struct query_value first = least(edge->value.type);

	if (edge->relative)
		return false;
	return edge->beyond < 0 ||
	       (edge->beyond == 0 && query_value_compare(&edge->value, &first) <= 0);
}

/* Whether END is the edge right above VALUE. */
static bool
is_next(const struct query_value *value, const struct query_edge *end)
{
	struct query_edge next;
	size_t len;

	if (value->type == QUERY_TYPE_STRING) {
		len = strlen(value->string);
		return !end->beyond && strncmp(end->value.string, value->string, len) == 0 &&
		       strcmp(end->value.string + len, "\x01") == 0;
	}
	next = is_real(value->type) ? edge_real(value->type, nextafter(value->real, INFINITY))
				    : query_edge_whole(value->type, (__int128)value->integer + 1);
	return compare_edges(&next, end) == 0;
}

static struct query_bound
bound_at(const struct query_edge *edge, bool is_low)
{
	return (struct query_bound){ true, is_low, edge->value, edge->relative };
}

static struct query_node *
range_node(struct query_draft *draft, const struct query_property *property,
	   const struct query_span *span)
{
	struct query_node *node = query_draft_node(draft, QUERY_RANGE, property);

	if (node && !is_at_bottom(&span->start))
		node->low = bound_at(&span->start, true);
	if (node && !span->end.beyond)
		node->high = bound_at(&span->end, false);
	return node;
}

struct query_node *
query_interval_node(struct query_draft *draft, const struct query_property *property,
		    const struct query_span *span)
{
	bool low_open = is_at_bottom(&span->start);
	struct query_value first = low_open ? least(property->type) : span->start.value;
	struct query_node *node;

	if (draft->error)
		return NULL;
	if (is_at_bottom(&span->end) || span->start.beyond > 0)
		return query_draft_node(draft, QUERY_NONE, NULL);
	if (span->start.relative || span->end.relative)
		return range_node(draft, property, span);
	if (compare_edges(&span->start, &span->end) >= 0)
		return query_draft_node(draft, QUERY_NONE, NULL);
	if (low_open && span->end.beyond)
		return query_draft_node(draft, QUERY_EXISTS, property);
	if (!is_next(&first, &span->end))
		return range_node(draft, property, span);

	node = query_draft_node(draft, QUERY_EQUALS, property);
	if (node)
		node->value = first;
	return node;
}

bool
query_interval_is(const struct query_node *node)
{
	if (!node->property || node->boosted)
		return false;
	return node->kind == QUERY_EQUALS || node->kind == QUERY_EXISTS ||
	       (node->kind == QUERY_RANGE && !node->folded);
}

/* The edge below what BOUND begins with or, without BELOW, the one above it. */
static struct query_edge
edge_of(struct query_draft *draft, const struct query_bound *bound, bool below)
{
	struct query_edge edge = { .value = bound->value, .relative = bound->relative };

	if (!bound->relative)
		return below ? query_edge_before(&bound->value)
			     : query_edge_after(draft, &bound->value);
	if (!below)
		edge.relative = query_moment_end(&draft->arena, bound->relative);
	if (!edge.relative)
		query_draft_fail_memory(draft);
	return edge;
}

static struct query_span
span_of(struct query_draft *draft, const struct query_node *node)
{
	struct query_value any = { .type = node->property->type };
	struct query_span span = { { .beyond = -1, .value = any }, { .beyond = 1, .value = any } };

	if (node->kind == QUERY_EQUALS) {
		span.start = query_edge_before(&node->value);
		span.end = query_edge_after(draft, &node->value);
	} else if (node->kind == QUERY_RANGE) {
		if (node->low.set)
			span.start = edge_of(draft, &node->low, node->low.inclusive);
		if (node->high.set)
			span.end = edge_of(draft, &node->high, !node->high.inclusive);
	}
	return span;
}

static void
resolve_edge(struct query_edge *edge, int64_t now_ns)
{
	if (edge->relative)
		*edge = query_edge_whole(edge->value.type,
					 query_moment_resolve(edge->relative, now_ns));
}

struct query_node *
query_interval_resolve(struct query_draft *draft, const struct query_node *node, int64_t now_ns)
{
	struct query_span span = span_of(draft, node);

	resolve_edge(&span.start, now_ns);
	resolve_edge(&span.end, now_ns);
	return query_interval_node(draft, node->property, &span);
}

bool
query_interval_is_fixed(const struct query_node *node)
{
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (!query_interval_is_fixed(child))
			return false;
	return !node->low.relative && !node->high.relative;
}

/* A Proxy has no values, a Boolean no order: asking whether there is one stays as it is. */
struct query_node *
query_interval_canon(struct query_draft *draft, const struct query_node *node)
{
	struct query_span span;

	if (node->kind == QUERY_EXISTS)
		return query_draft_node(draft, QUERY_EXISTS, node->property);
	span = span_of(draft, node);
	return query_interval_node(draft, node->property, &span);
}

static bool
is_open(const struct query_edge *edge, bool is_start)
{
	return is_start ? is_at_bottom(edge) : edge->beyond > 0;
}

static bool
same_edge(const struct query_edge *a, const struct query_edge *b)
{
	return a->relative && b->relative && strcmp(a->relative, b->relative) == 0;
}

/* *EDGE becomes the one of the two that leaves less: the greater of two starts, the lesser of two
 * ends. */
static void
narrow(struct query_draft *draft, struct query_edge *edge, const struct query_edge *other,
       bool is_start)
{
	if (!edge->relative && !other->relative) {
		if ((compare_edges(edge, other) < 0) == is_start)
			*edge = *other;
	} else if (is_open(edge, is_start)) {
		*edge = *other;
	} else if (!is_open(other, is_start) && !same_edge(edge, other)) {
		query_draft_fail(draft, -EINVAL, -1,
				 "of two %s, one relative to now, it is not known which one counts",
				 is_start ? "lower bounds" : "upper bounds");
	}
}

struct query_node *
query_interval_meet(struct query_draft *draft, const struct query_node *a,
		    const struct query_node *b)
{
	struct query_span left, right;

	if (a->kind == QUERY_EXISTS)
		return query_interval_canon(draft, b);
	if (b->kind == QUERY_EXISTS)
		return query_interval_canon(draft, a);

	left = span_of(draft, a);
	right = span_of(draft, b);
	if (draft->error)
		return NULL;
	narrow(draft, &left.start, &right.start, true);
	narrow(draft, &left.end, &right.end, false);
	return query_interval_node(draft, a->property, &left);
}

static bool
is_listable(const struct query_node *node)
{
	return query_interval_is(node) && node->kind != QUERY_EXISTS;
}

const struct query_property *
query_interval_list(const struct query_node *any)
{
	const struct query_node *child = any->first_child;
	const struct query_property *property;

	if (any->kind != QUERY_BOOL)
		return is_listable(any) ? any->property : NULL;
	property = child ? child->property : NULL;
	for (; child; child = child->next)
		if (child->occur != QUERY_SHOULD || !is_listable(child) ||
		    child->property != property)
			return NULL;
	return property;
}
