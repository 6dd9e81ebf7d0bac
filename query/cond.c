/* cond.c - conditions on a property, from values as they were written.
 *
 * Whatever a value is, it spans an interval of its type's line (interval.h): a year its days, 3 the
 * one whole number, 3.5 none, between 3 and 4. Equality is the span; a comparison begins or ends at
 * one of its edges. */
#include "query/cond.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "query/draft.h"
#include "query/interval.h"
#include "query/moment.h"
#include "query/number.h"

typedef bool span_fn(struct query_draft *draft, const struct query_property *property,
		     const struct query_scalar *scalar, struct query_span *ret_span);

static bool
refuse(struct query_draft *draft, const struct query_property *property,
       const struct query_scalar *scalar, const char *expected)
{
	query_draft_fail(draft, -EINVAL, scalar->at, "expected %s for %s (%s), not '%.40s'",
			 expected, property->name, query_type_name(property->type, property->multi),
			 scalar->text);
	return false;
}

static bool
span_string(struct query_draft *draft, const struct query_property *property,
	    const struct query_scalar *scalar, struct query_span *ret_span)
{
	struct query_value value = { .type = QUERY_TYPE_STRING };

	if (scalar->kind != QUERY_SCALAR_TEXT)
		return refuse(draft, property, scalar, "text in quotes");
	value.string = query_draft_text(draft, scalar->text, strlen(scalar->text));
	if (!value.string)
		return false;
	ret_span->start = query_edge_before(&value);
	ret_span->end = query_edge_after(draft, &value);
	return !draft->error;
}

static bool
span_whole(struct query_draft *draft, const struct query_property *property,
	   const struct query_scalar *scalar, struct query_span *ret_span)
{
	struct query_number number;
	__int128 floor;

	if (scalar->kind == QUERY_SCALAR_BOOL || !query_number_parse(scalar->text, &number))
		return refuse(draft, property, scalar, "a number");
	floor = number.floor;
	if (number.beyond)
		floor = number.beyond * ((__int128)1 << 64);
	/* What is not whole lies between its neighbours and spans nothing. */
	ret_span->start = query_edge_whole(property->type, floor + !number.whole);
	ret_span->end = query_edge_whole(property->type, floor + 1);
	return true;
}

static bool
span_real(struct query_draft *draft, const struct query_property *property,
	  const struct query_scalar *scalar, struct query_span *ret_span)
{
	struct query_value value = { .type = property->type };
	struct query_number number;

	if (scalar->kind == QUERY_SCALAR_BOOL || !query_number_parse(scalar->text, &number))
		return refuse(draft, property, scalar, "a number");
	value.real = number.real;
	ret_span->start = query_edge_before(&value);
	ret_span->end = query_edge_after(draft, &value);
	return true;
}

static bool
span_boolean(struct query_draft *draft, const struct query_property *property,
	     const struct query_scalar *scalar, struct query_span *ret_span)
{
	bool yes = strcmp(scalar->text, "true") == 0;

	if (!yes && strcmp(scalar->text, "false") != 0)
		return refuse(draft, property, scalar, "true or false");
	ret_span->start = query_edge_whole(QUERY_TYPE_BOOLEAN, yes);
	ret_span->end = query_edge_whole(QUERY_TYPE_BOOLEAN, yes + 1);
	return true;
}

/* JSON numbers are milliseconds (spec/pixstor.md 2.1). */
static bool
span_milliseconds(struct query_draft *draft, const struct query_property *property,
		  const struct query_scalar *scalar, struct query_span *ret_span)
{
	struct query_number number;

	if (!query_number_parse(scalar->text, &number) || !number.whole || number.beyond)
		return refuse(draft, property, scalar, "a whole number of milliseconds");
	ret_span->start = query_edge_whole(property->type, (__int128)number.floor * PXS_NS_PER_MS);
	ret_span->end = query_edge_whole(property->type,
					 ((__int128)number.floor + 1) * PXS_NS_PER_MS);
	return true;
}

static struct query_span
span_of_moment(enum query_type type, const struct query_moment *moment)
{
	struct query_span span = { { .value.type = type }, { .value.type = type } };
	int64_t end_ns = moment->end_ns;

	span.start.relative = moment->from;
	span.end.relative = moment->to;
	if (moment->from)
		return span;
	/* A span is cut at the last nanosecond that there is. */
	span.start = query_edge_whole(type, moment->start_ns);
	span.end = query_edge_whole(type, end_ns + (__int128)(end_ns == INT64_MAX));
	return span;
}

static bool
span_date(struct query_draft *draft, const struct query_property *property,
	  const struct query_scalar *scalar, struct query_span *ret_span)
{
	struct pxs_error fault = { 0 };
	struct query_moment moment;
	int r;

	if (scalar->kind == QUERY_SCALAR_NUMBER)
		return span_milliseconds(draft, property, scalar, ret_span);
	if (scalar->kind == QUERY_SCALAR_BOOL)
		return refuse(draft, property, scalar, "a date in quotes");
	r = query_moment_parse(&draft->arena, scalar->text, &moment, &fault);
	if (r == -ENOMEM)
		query_draft_fail_memory(draft);
	else if (r < 0)
		query_draft_fail(draft, -EINVAL, scalar->at, "%s: %s", property->name, fault.text);
	else
		*ret_span = span_of_moment(property->type, &moment);
	return r == 0;
}

static bool
span_proxy(struct query_draft *draft, const struct query_property *property,
	   const struct query_scalar *scalar, struct query_span *ret_span)
{
	(void)ret_span;
	query_draft_fail(draft, -EINVAL, scalar->at,
			 "%s is of type Proxy and has no value; one can only ask whether it exists",
			 property->name);
	return false;
}

static span_fn *const SPANS[] = {
	[QUERY_TYPE_STRING] = span_string, [QUERY_TYPE_INTEGER] = span_whole,
	[QUERY_TYPE_LONG] = span_whole,	   [QUERY_TYPE_FLOAT] = span_real,
	[QUERY_TYPE_DOUBLE] = span_real,   [QUERY_TYPE_BOOLEAN] = span_boolean,
	[QUERY_TYPE_DATETIME] = span_date, [QUERY_TYPE_PROXY] = span_proxy,
};

struct query_node *
query_cond_equals(struct query_draft *draft, const struct query_property *property,
		  const struct query_scalar *scalar)
{
	struct query_span span;

	if (!property)
		return query_draft_node(draft, QUERY_NONE, NULL);
	if (!SPANS[property->type](draft, property, scalar, &span))
		return NULL;
	return query_interval_node(draft, property, &span);
}

/* The edge of LIMIT: where its span starts or ends; open without one. */
static bool
edge_of(struct query_draft *draft, const struct query_property *property, struct query_limit limit,
	bool is_low, struct query_edge *ret_edge)
{
	struct query_span span;

	*ret_edge = (struct query_edge){ .beyond = is_low ? -1 : 1,
					 .value = { .type = property->type } };
	if (!limit.scalar)
		return true;
	if (!SPANS[property->type](draft, property, limit.scalar, &span))
		return false;
	*ret_edge = limit.inclusive == is_low ? span.start : span.end;
	return true;
}

struct query_node *
query_cond_range(struct query_draft *draft, const struct query_property *property,
		 struct query_limit low, struct query_limit high)
{
	const struct query_scalar *any = low.scalar ? low.scalar : high.scalar;
	struct query_span span;

	if (!property)
		return query_draft_node(draft, QUERY_NONE, NULL);
	if (any && property->type == QUERY_TYPE_BOOLEAN)
		return query_draft_fail(draft, -EINVAL, any->at,
					"%s is of type Boolean, which has no order to compare by",
					property->name);
	if (!edge_of(draft, property, low, true, &span.start) ||
	    !edge_of(draft, property, high, false, &span.end))
		return NULL;
	return query_interval_node(draft, property, &span);
}

struct query_node *
query_cond_exists(struct query_draft *draft, const struct query_property *property)
{
	return query_draft_node(draft, property ? QUERY_EXISTS : QUERY_NONE, property);
}

struct query_node *
query_cond_prefix(struct query_draft *draft, const struct query_property *property,
		  const char *text, long at)
{
	struct query_node *node;

	if (property && property->type != QUERY_TYPE_STRING)
		return query_draft_fail(
			draft, -EINVAL, at, "%s is of type %s; only text can begin with '%.40s'",
			property->name, query_type_name(property->type, property->multi), text);
	node = query_draft_node(draft, QUERY_PREFIX, property);
	if (node)
		node->text = query_draft_text(draft, text, strlen(text));
	return draft->error ? NULL : node;
}
