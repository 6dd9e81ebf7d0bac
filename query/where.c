/* where.c - where clauses of the REST API (spec/pixstor.md 2.1).
 *
 *     where  = "{" [ member *( "," member ) ] "}"       ; all hold; of equal keys the last counts
 *     member = "_all" ":" string                        ; a query string, string.c
 *            / property ":" cond
 *     cond   = scalar                                   ; equals
 *            / list                                     ; any of; none in the list: nothing
 *            / "{" op *( "," op ) "}"                   ; all hold
 *     op     = ( "gt" / "gte" / "lt" / "lte" ) ":" scalar
 *            / "and" ":" "[" *( item / list ) "]"       ; every one of them
 *            / "or" ":" list
 *            / "not" ":" ( item / list )                ; none of them
 *            / "exists" ":" ( "true" / "false" )
 *            / "prefix" ":" string
 *     list   = "[" *item "]"
 *     item   = scalar / range
 *     range  = "{" 1*( ( "gt" / "gte" / "lt" / "lte" ) ":" scalar ) "}"   ; one value satisfies all
 *     scalar = string / number / "true" / "false"
 *
 * An unknown property has no values. Numbers are JSON's, or strings of digits; dates are strings,
 * or numbers of milliseconds. */
#include "query/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "query/cond.h"
#include "query/draft.h"
#include "query/interval.h"

static void
free_json(json_t *json)
{
	json_decref(json);
}

DEFINE_CLEANUP(json, json_t *, free_json)

struct where {
	struct query_draft *draft;
	const struct query_schema *schema;
	const char *key;		       /* the property whose condition is read */
	const struct query_property *property; /* NULL: unknown */
};

/* Faults are told without their place: see tell_place(). */
static void *
refuse(const struct where *w, const char *expected)
{
	return query_draft_fail(w->draft, -EINVAL, -1, "%.100s: expected %s", w->key, expected);
}

/* Whether REAL may be another whole number than was written: JSON's reals come as doubles, which
 * lie further apart than 1 from 2^53 on. No Long is past 2^63. */
static bool
may_be_rounded(const struct query_property *property, double real)
{
	static const double EXACT = 9007199254740992.0;
	static const double LIMIT = 9223372036854775808.0;

	return property && property->type == QUERY_TYPE_LONG && fabs(real) >= EXACT &&
	       fabs(real) <= LIMIT;
}

/* Fills in SCALAR; a number's digits stand in DIGITS. */
static bool
read_scalar(const struct where *w, const json_t *json, char digits[32], struct query_scalar *scalar)
{
	*scalar = (struct query_scalar){ .text = digits, .at = -1 };
	switch (json_typeof(json)) {
	case JSON_STRING:
		scalar->kind = QUERY_SCALAR_TEXT;
		scalar->text = json_string_value(json);
		return true;
	case JSON_INTEGER:
		scalar->kind = QUERY_SCALAR_NUMBER;
		(void)snprintf(digits, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		return true;
	case JSON_REAL:
		if (may_be_rounded(w->property, json_real_value(json))) {
			(void)refuse(w, "whole numbers as large as this without '.' and 'e', so "
					"that no digit is lost");
			return false;
		}
		scalar->kind = QUERY_SCALAR_NUMBER;
		pxs_double_print(json_real_value(json), digits);
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		scalar->kind = QUERY_SCALAR_BOOL;
		scalar->text = json_is_true(json) ? "true" : "false";
		return true;
	default:
		(void)refuse(w, "a string, a number, true or false");
		return false;
	}
}

static struct query_node *
read_equals(const struct where *w, const json_t *json)
{
	struct query_scalar scalar;
	char digits[32];

	if (!read_scalar(w, json, digits, &scalar))
		return NULL;
	return query_cond_equals(w->draft, w->property, &scalar);
}

/* --- Ranges --- */

static const struct comparison {
	const char *name;
	bool is_low, inclusive;
} COMPARISONS[] = {
	{ "gt", true, false },
	{ "gte", true, true },
	{ "lt", false, false },
	{ "lte", false, true },
};

static const struct comparison *
find_comparison(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(COMPARISONS); i++)
		if (strcmp(COMPARISONS[i].name, name) == 0)
			return &COMPARISONS[i];
	return NULL;
}

static struct query_node *
read_comparison(const struct where *w, const struct comparison *comparison, const json_t *json)
{
	struct query_scalar scalar;
	struct query_limit limit = { &scalar, comparison->inclusive };
	struct query_limit open = { 0 };
	char digits[32];

	if (!read_scalar(w, json, digits, &scalar))
		return NULL;
	return comparison->is_low ? query_cond_range(w->draft, w->property, limit, open)
				  : query_cond_range(w->draft, w->property, open, limit);
}

/* Both comparisons hold of one value. */
static struct query_node *
narrow(const struct where *w, struct query_node *range, struct query_node *more)
{
	if (!range || !more || more->kind == QUERY_NONE)
		return more;
	return range->kind == QUERY_NONE ? range : query_interval_meet(w->draft, range, more);
}

/* The comparisons among the members of OBJECT as one range; NULL without a failure if it has none.
 * *RET_OTHERS: the number of other members. */
static struct query_node *
read_range(const struct where *w, json_t *object, size_t *ret_others)
{
	const struct comparison *comparison;
	struct query_node *range = NULL;
	const char *name;
	json_t *value;

	*ret_others = 0;
	json_object_foreach (object, name, value) {
		comparison = find_comparison(name);
		if (!comparison) {
			++*ret_others;
			continue;
		}
		range = narrow(w, range, read_comparison(w, comparison, value));
		if (w->draft->error)
			return NULL;
	}
	return range;
}

/* item = scalar / range */
static struct query_node *
read_item(const struct where *w, json_t *json)
{
	struct query_node *range;
	size_t others;

	if (!json_is_object(json))
		return read_equals(w, json);
	range = read_range(w, json, &others);
	if (!w->draft->error && (!range || others))
		return refuse(w, "gt, gte, lt and lte alone in a range");
	return range;
}

/* --- Lists --- */

/* list = "[" *item "]"; any of them */
static struct query_node *
read_list(const struct where *w, json_t *array)
{
	struct query_node *any;
	json_t *json;
	size_t i;

	if (json_array_size(array) > QUERY_ALTERNATIVES_MAX)
		return query_draft_fail(w->draft, -EINVAL, -1,
					"%.100s: the list has more than %d values", w->key,
					QUERY_ALTERNATIVES_MAX);
	if (!json_array_size(array))
		return query_draft_node(w->draft, QUERY_NONE, NULL);
	any = query_draft_node(w->draft, QUERY_BOOL, NULL);
	json_array_foreach (array, i, json) {
		query_draft_add(any, QUERY_SHOULD, read_item(w, json));
		if (w->draft->error)
			return NULL;
	}
	return any;
}

static struct query_node *
read_item_or_list(const struct where *w, json_t *json)
{
	return json_is_array(json) ? read_list(w, json) : read_item(w, json);
}

/* --- Operators --- */

static struct query_node *
op_and(const struct where *w, json_t *json)
{
	struct query_node *all = query_draft_node(w->draft, QUERY_BOOL, NULL);
	json_t *item;
	size_t i;

	if (!json_is_array(json))
		return refuse(w, "a list after \"and\"");
	json_array_foreach (json, i, item) {
		query_draft_add(all, QUERY_MUST, read_item_or_list(w, item));
		if (w->draft->error)
			return NULL;
	}
	return all;
}

static struct query_node *
op_or(const struct where *w, json_t *json)
{
	return json_is_array(json) ? read_list(w, json) : refuse(w, "a list after \"or\"");
}

static struct query_node *
op_not(const struct where *w, json_t *json)
{
	return query_draft_not(w->draft, read_item_or_list(w, json));
}

static struct query_node *
op_exists(const struct where *w, json_t *json)
{
	struct query_node *exists = query_cond_exists(w->draft, w->property);

	if (!json_is_boolean(json))
		return refuse(w, "true or false after \"exists\"");
	return json_is_true(json) ? exists : query_draft_not(w->draft, exists);
}

static struct query_node *
op_prefix(const struct where *w, json_t *json)
{
	if (!json_is_string(json))
		return refuse(w, "a string after \"prefix\"");
	if (!w->property)
		return query_draft_node(w->draft, QUERY_NONE, NULL);
	if (!json_string_length(json))
		return query_cond_exists(w->draft, w->property);
	return query_cond_prefix(w->draft, w->property, json_string_value(json), -1);
}

static const struct {
	const char *name;
	struct query_node *(*read)(const struct where *w, json_t *json);
} OPS[] = {
	{ "and", op_and },	 { "or", op_or },	  { "not", op_not },
	{ "exists", op_exists }, { "prefix", op_prefix },
};

static struct query_node *
read_op(const struct where *w, const char *name, json_t *json)
{
	for (size_t i = 0; i < ARRAY_SIZE(OPS); i++)
		if (strcmp(OPS[i].name, name) == 0)
			return OPS[i].read(w, json);
	return query_draft_fail(
		w->draft, -EINVAL, -1,
		"%.100s: unknown operator \"%.40s\"; expected gt, gte, lt, lte, and, "
		"or, not, exists or prefix",
		w->key, name);
}

static struct query_node *
read_ops(const struct where *w, json_t *object)
{
	struct query_node *all = query_draft_node(w->draft, QUERY_BOOL, NULL);
	const char *name;
	json_t *value;
	size_t others;

	if (!json_object_size(object))
		return refuse(w, "an operator within the braces, as in {\"gte\": 5}");
	query_draft_add(all, QUERY_MUST, read_range(w, object, &others));
	json_object_foreach (object, name, value) {
		if (w->draft->error)
			return NULL;
		if (!find_comparison(name))
			query_draft_add(all, QUERY_MUST, read_op(w, name, value));
	}
	return w->draft->error ? NULL : all;
}

/* --- Members --- */

static struct query_node *
read_all(const struct where *w, json_t *json)
{
	if (!json_is_string(json))
		return refuse(w, "a query string");
	return query_string_parse(w->draft, json_string_value(json), w->schema);
}

static struct query_node *
read_member(struct where *w, const char *key, json_t *json)
{
	w->key = key;
	if (strcmp(key, "_all") == 0)
		return read_all(w, json);
	w->property = query_schema_find(w->schema, key);
	return json_is_object(json) ? read_ops(w, json) : read_item_or_list(w, json);
}

static struct query_node *
read_where(struct where *w, json_t *object)
{
	struct query_node *all = query_draft_node(w->draft, QUERY_BOOL, NULL);
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		query_draft_add(all, QUERY_MUST, read_member(w, key, value));
		if (w->draft->error)
			return NULL;
	}
	return all;
}

/* --- Text --- */

/* Where KEY stands in TEXT, or -1. */
static long
find_key(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *end;

	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
		end = at + len;
		if (at == text || at[-1] != '"' || *end != '"')
			continue;
		if (end[1 + strspn(end + 1, " \t\r\n")] == ':')
			return at - 1 - text;
	}
	return -1;
}

/* jansson does not keep the place of values, so a fault is placed at the key that was read; one
 * within a query string tells its own place as well. */
static void
tell_place(const struct where *w, const char *text, const struct pxs_error *fault)
{
	long at = find_key(text, w->key);

	if (fault->at < 0)
		(void)pxs_error_set(w->draft->err, w->draft->error, at, "%s", fault->text);
	else
		(void)pxs_error_set(w->draft->err, w->draft->error, at, "_all, byte %ld: %s",
				    fault->at, fault->text);
}

static struct query_node *
read_root(struct query_draft *draft, const char *text, json_t *root,
	  const struct query_schema *schema)
{
	struct where w = { .draft = draft, .schema = schema, .key = "" };
	struct pxs_error *err = draft->err;
	struct pxs_error fault = { 0 };
	struct query_node *node;

	draft->err = &fault;
	node = read_where(&w, root);
	draft->err = err;
	if (fault.code)
		tell_place(&w, text, &fault);
	return node;
}

/* The byte where arrays and objects nest too deep, or -1. */
static long
too_deep(const char *json, size_t len)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (json[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += json[i] == '\\';
		else if (json[i] == '[' || json[i] == '{')
			depth++;
		else if (json[i] == ']' || json[i] == '}')
			depth--;
		if (depth > QUERY_DEPTH_MAX)
			return (long)i;
	}
	return -1;
}

static struct query_node *
refuse_json(struct query_draft *draft, const json_error_t *error, size_t len)
{
	long at = error->position < 0 ? -1 : (long)MIN((size_t)error->position, len);

	if (!error->text[0]) /* so jansson tells of memory that ran out */
		return query_draft_fail_memory(draft);
	if (json_error_code(error) == json_error_numeric_overflow)
		return query_draft_fail(draft, -EINVAL, at,
					"a number has more than 64 bits; leave a bound out where "
					"nothing is beyond it");
	return query_draft_fail(draft, -EINVAL, at, "the where clause is no JSON: %s", error->text);
}

struct query_node *
query_where_parse(struct query_draft *draft, const char *json, size_t len,
		  const struct query_schema *schema)
{
	CLEANUP(json) json_t *root = NULL;
	json_error_t error = { 0 };
	long at = too_deep(json, len);

	if (at >= 0)
		return query_draft_fail(draft, -EINVAL, at,
					"the where clause nests deeper than %d levels",
					QUERY_DEPTH_MAX);
	root = json_loadb(json, len, 0, &error);
	if (!root)
		return refuse_json(draft, &error, len);
	if (!json_is_object(root))
		return query_draft_fail(draft, -EINVAL, 0,
					"expected an object, as in {\"core.size\": {\"gte\": 5}}");
	return read_root(draft, json, root, schema);
}

int
query_add_where(struct query *query, const char *json, const struct query_schema *schema,
		struct pxs_error *err)
{
	CLEANUP(query_draft) struct query_draft draft = { 0 };
	size_t len = strlen(json);
	int r;

	if (len > QUERY_WHERE_MAX)
		return pxs_error_set(err, -ENAMETOOLONG, QUERY_WHERE_MAX,
				     "the where clause is longer than %d bytes", QUERY_WHERE_MAX);
	r = query_draft_begin(&draft, query, err);
	if (r < 0)
		return r;
	return query_draft_finish(&draft, query_where_parse(&draft, json, len, schema), query);
}
