/* Values are checked as Cerberus does, whose sentences clients know: `user : {'tags': 'must be of
 * list type'}`. Types are not converted: "5" is no integer, 5.0 is none, true is none. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/edit/edit.h"
#include "index/index.h"

/* More are counted, not told. */
#define FAULTS_MAX 50

struct reader {
	const struct query_schema *schema;
	struct edit_values *values;
	size_t n_faults;
};

void
edit_values_done(struct edit_values *values)
{
	index_document_free(values->document);
	free(values->emptied);
	pxs_buf_done(&values->faults);
}

/* --- Faults --- */

static void
add_quoted(struct pxs_buf *buf, const char *text, size_t len)
{
	pxs_buf_add_char(buf, '\'');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'' || text[i] == '\\')
			pxs_buf_add_char(buf, '\\');
		pxs_buf_add_char(buf, text[i]);
	}
	pxs_buf_add_char(buf, '\'');
}

/* video.codec.audio: video : {'codec': {'audio': 'must be of string type'}}. Of a list, the element
 * INDEX is at fault unless that is negative. */
static void
add_fault(struct reader *reader, const char *name, long index, const char *what)
{
	struct pxs_buf *buf = &reader->values->faults;
	int braces = 0;
	size_t len = strcspn(name, ".");

	if (++reader->n_faults > FAULTS_MAX)
		return;
	if (buf->len)
		pxs_buf_add_str(buf, "; ");
	pxs_buf_add(buf, name, len);
	pxs_buf_add_str(buf, " : ");
	for (const char *part = name + len; *part; part += len) {
		part++;
		len = strcspn(part, ".");
		pxs_buf_add_char(buf, '{');
		add_quoted(buf, part, len);
		pxs_buf_add_str(buf, ": ");
		braces++;
	}
	if (index >= 0)
		pxs_buf_addf(buf, "{%ld: ", index);
	add_quoted(buf, what, strlen(what));
	for (braces += index >= 0; braces > 0; braces--)
		pxs_buf_add_char(buf, '}');
}

/* --- Values --- */

static const char *const MUST_BE[] = {
	[QUERY_TYPE_STRING] = "must be of string type",
	[QUERY_TYPE_INTEGER] = "must be of integer type",
	[QUERY_TYPE_LONG] = "must be of integer type",
	[QUERY_TYPE_FLOAT] = "must be of float type",
	[QUERY_TYPE_DOUBLE] = "must be of float type",
	[QUERY_TYPE_BOOLEAN] = "must be of boolean type",
	[QUERY_TYPE_DATETIME] = "must be of datetime type",
	[QUERY_TYPE_PROXY] = "field is read-only",
};

static const char *
check_integer(const json_t *value, int64_t min, int64_t max, struct query_value *ret)
{
	ret->integer = json_integer_value(value);
	if (ret->integer < min)
		return min == INT32_MIN ? "min value is -2147483648"
					: "min value is -9223372036854775807";
	return ret->integer > max ? "max value is 2147483647" : NULL;
}

/* A number is milliseconds, a text ISO 8601; both UTC. */
static const char *
check_datetime(const json_t *value, struct query_value *ret)
{
	static const char FAULT[] = "must be of datetime type";
	int64_t end_ns;

	if (json_is_string(value))
		return query_time_parse(json_string_value(value), &ret->integer, &end_ns, NULL) < 0
			       ? FAULT
			       : NULL;
	if (!json_is_integer(value) ||
	    __builtin_mul_overflow((int64_t)json_integer_value(value), PXS_NS_PER_MS,
				   &ret->integer) ||
	    ret->integer == INT64_MIN)
		return FAULT;
	return NULL;
}

/* The fault of VALUE; NULL: it has none and is in *RET. */
static const char *
check_value(enum query_type type, const json_t *value, struct query_value *ret)
{
	bool right = false;

	ret->type = type;
	switch (type) {
	case QUERY_TYPE_STRING:
		ret->string = json_string_value(value);
		right = ret->string;
		break;
	case QUERY_TYPE_INTEGER:
	case QUERY_TYPE_LONG:
		if (json_is_integer(value))
			return type == QUERY_TYPE_INTEGER
				       ? check_integer(value, INT32_MIN, INT32_MAX, ret)
				       : check_integer(value, -INT64_MAX, INT64_MAX, ret);
		break;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		ret->real = json_number_value(value);
		right = json_is_number(value);
		break;
	case QUERY_TYPE_BOOLEAN:
		ret->integer = json_is_true(value);
		right = json_is_boolean(value);
		break;
	case QUERY_TYPE_DATETIME:
		return check_datetime(value, ret);
	case QUERY_TYPE_PROXY:
		break;
	}
	return right ? NULL : MUST_BE[type];
}

/* -EINVAL: a fault was added. */
static int
add_value(struct reader *reader, const struct query_property *property, const json_t *value,
	  long index)
{
	struct query_value checked = { 0 };
	const char *fault = json_is_null(value) ? "null value not allowed"
						: check_value(property->type, value, &checked);
	int r = fault ? -EINVAL : index_document_add(reader->values->document, property, &checked);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		add_fault(reader, property->name, index, fault ? fault : "cannot be kept");
	return r;
}

static void
add_emptied(struct reader *reader, const struct query_property *property)
{
	reader->values->emptied[reader->values->n_emptied++] = property;
}

static int
add_list(struct reader *reader, const struct query_property *property, const json_t *list)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(list)) {
		add_fault(reader, property->name, -1,
			  json_is_null(list) ? "null value not allowed" : "must be of list type");
		return 0;
	}
	if (json_array_size(list) > INDEX_LIST_MAX)
		add_fault(reader, property->name, -1, "max length is 1024");
	if (json_array_size(list) == 0)
		add_emptied(reader, property);
	json_array_foreach (list, i, value) {
		int r = 0;

		if (json_is_string(value) && json_string_length(value) == 0)
			add_fault(reader, property->name, (long)i, "empty values not allowed");
		else
			r = add_value(reader, property, value, (long)i);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static int
add_property(struct reader *reader, const char *name, const json_t *value)
{
	const struct query_property *property = query_schema_find(reader->schema, name);
	int r = 0;

	if (!property || name[0] == '_')
		add_fault(reader, name, -1, "unknown field");
	else if (property->readonly || property->type == QUERY_TYPE_PROXY)
		add_fault(reader, name, -1, "field is read-only");
	else if (property->multi)
		r = add_list(reader, property, value);
	else if (json_is_string(value) && json_string_length(value) == 0 &&
		 property->type == QUERY_TYPE_STRING)
		add_emptied(reader, property);
	else
		r = add_value(reader, property, value, -1);
	return r == -ENOMEM ? r : 0;
}

/* --- All of them --- */

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the schema, which is that of names. */
static int
add_all(struct reader *reader, const json_t *given)
{
	size_t n = json_object_size(given);
	CLEANUP(free) const char **names = calloc(MAX(n, (size_t)1), sizeof(*names));
	const char *name;
	json_t *value;
	size_t i = 0;
	int r = 0;

	reader->values->emptied = calloc(MAX(n, (size_t)1), sizeof(*reader->values->emptied));
	if (!names || !reader->values->emptied)
		return -ENOMEM;
	json_object_foreach ((json_t *)given, name, value)
		names[i++] = name;
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; i < n && r == 0; i++)
		r = add_property(reader, names[i], json_object_get(given, names[i]));
	if (reader->n_faults > FAULTS_MAX)
		pxs_buf_addf(&reader->values->faults, "; and %zu more",
			     reader->n_faults - FAULTS_MAX);
	return r < 0 ? r : reader->values->faults.error;
}

int
edit_values_read(struct edit_values *values, const struct query_schema *schema, const json_t *given)
{
	struct reader reader = { .schema = schema, .values = values };
	int r = index_document_new(&values->document);

	values->given = given;
	if (r == 0)
		r = add_all(&reader, given);
	return r < 0 || values->faults.len ? r : index_document_seal(values->document);
}
