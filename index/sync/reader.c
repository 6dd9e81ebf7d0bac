#include "index/sync/reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"

#define NAME_MAX_BYTES 200
#define PROPERTIES_MAX 10000
#define GROUPS_MAX 16

/* --- Properties --- */

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_BYTES && isalpha((unsigned char)name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

/* "Long", "[String]", ... in any case; false: none of ours, or one without values. */
static bool
read_type(const char *text, struct query_property *property)
{
	for (int type = QUERY_TYPE_STRING; type < QUERY_TYPE_PROXY; type++)
		for (int multi = 0; multi < 2; multi++)
			if (strcasecmp(text, query_type_name((enum query_type)type, multi)) == 0) {
				property->type = (enum query_type)type;
				property->multi = multi;
				return true;
			}
	return false;
}

static int
declare(struct reader *reader, const struct query_property *property,
	const struct query_property **ret_declared, struct pxs_error *err)
{
	struct pxs_error why = { 0 };
	int r = index_property_add(reader->index, property, ret_declared, &why);

	if (r == -EEXIST)
		return pxs_error_set(
			err, r, -1, "the upstream's property %s is %s, here it is another type",
			property->name, query_type_name(property->type, property->multi));
	return r < 0 ? pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r)) : 0;
}

static int
declare_entry(struct reader *reader, const char *name, const json_t *entry, struct pxs_error *err)
{
	const json_t *value = json_object_get(entry, "value");
	const char *type = json_string_value(json_object_get(value, "datatype"));
	const char *prompt = json_string_value(json_object_get(entry, "prompt"));
	const struct query_property *declared;
	struct query_property property = {
		.name = name,
		.prompt = prompt ? prompt : name,
		.filter = !json_is_false(json_object_get(entry, "default_filter")),
		.readonly = json_is_true(json_object_get(entry, "readonly")),
	};

	if (!type || !is_name(name) || !read_type(type, &property))
		return 0;
	return declare(reader, &property, &declared, err);
}

/* The entries of LIST, whose names begin with PREFIX: properties, and objects whose keys are groups
 * (spec/pixstor.md 3.1). */
static int
declare_list(struct reader *reader, const char *prefix, const json_t *list, int depth,
	     struct pxs_error *err)
{
	const json_t *entry;
	const json_t *group;
	const char *key;
	size_t i;
	int r = 0;

	if (depth > GROUPS_MAX)
		return pxs_error_set(err, -EPROTO, -1, "the schema nests deeper than %d groups",
				     GROUPS_MAX);
	json_array_foreach (list, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));
		CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;

		if (name) {
			pxs_buf_addf(&full, "%s.%s", prefix, name);
			r = full.error ? full.error
				       : declare_entry(reader, pxs_buf_text(&full), entry, err);
		} else {
			json_object_foreach ((json_t *)entry, key, group) {
				pxs_buf_clear(&full);
				pxs_buf_addf(&full, "%s.%s", prefix, key);
				r = declare_list(reader, pxs_buf_text(&full), group, depth + 1,
						 err);
				if (r < 0)
					break;
			}
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int
reader_schema(struct reader *reader, const json_t *schema, struct pxs_error *err)
{
	const json_t *list;
	const char *key;
	int r = 0;

	if (!json_is_object(schema) || json_object_size(schema) > PROPERTIES_MAX)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's schema is no object");
	json_object_foreach ((json_t *)schema, key, list) {
		r = declare_list(reader, key, list, 0, err);
		if (r < 0)
			break;
	}
	return r;
}

/* "File size (long)", "Tags (list of string)": spec/pixstor.md 1.3. */
static bool
type_of_prompt(const char *prompt, struct query_property *property)
{
	static const char LIST[] = "list of ";
	const char *open = prompt ? strrchr(prompt, '(') : NULL;
	char type[32];
	size_t len;
	bool multi;

	if (!open)
		return false;
	multi = strncasecmp(open + 1, LIST, strlen(LIST)) == 0;
	open += 1 + (multi ? strlen(LIST) : 0);
	len = strcspn(open, ")");
	if (len >= sizeof(type))
		return false;
	(void)memcpy(type, open, len);
	type[len] = '\0';
	if (!read_type(type, property))
		return false;
	property->multi |= multi;
	return true;
}

static bool
type_of_value(const json_t *value, struct query_property *property)
{
	property->multi = json_is_array(value);
	if (property->multi)
		value = json_array_get(value, 0);
	if (json_is_string(value))
		property->type = QUERY_TYPE_STRING;
	else if (json_is_integer(value))
		property->type = QUERY_TYPE_LONG;
	else if (json_is_real(value))
		property->type = QUERY_TYPE_DOUBLE;
	else if (json_is_boolean(value))
		property->type = QUERY_TYPE_BOOLEAN;
	else
		return false;
	return true;
}

/* NULL in *RET: nothing that could be declared. */
static int
infer(struct reader *reader, const json_t *datum, const char *name,
      const struct query_property **ret, struct pxs_error *err)
{
	const char *prompt = json_string_value(json_object_get(datum, "prompt"));
	struct query_property property = { .name = name, .filter = true };
	CLEANUP(free) char *head = prompt ? strdup(prompt) : NULL;
	char *type = head ? strrchr(head, '(') : NULL;

	*ret = NULL;
	if (!is_name(name) || (!type_of_prompt(prompt, &property) &&
			       !type_of_value(json_object_get(datum, "value"), &property)))
		return 0;
	if (type && type > head)
		type[-1] = '\0';
	property.prompt = head ? head : name;
	return declare(reader, &property, ret, err);
}

/* --- Answers --- */

static const json_t *
collection_of(const json_t *answer)
{
	return json_object_get(answer, "collection");
}

int
reader_items(const json_t *answer, const json_t **ret_items, struct pxs_error *err)
{
	*ret_items = json_object_get(collection_of(answer), "items");
	if (json_is_array(*ret_items))
		return 0;
	return pxs_error_set(err, -EPROTO, -1, "the upstream's answer is no collection");
}

static const json_t *
find(const json_t *list, const char *key, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *text = json_string_value(json_object_get(entry, key));

		if (text && strcmp(text, name) == 0)
			return entry;
	}
	return NULL;
}

static const json_t *
property_of(const json_t *answer, const char *name)
{
	const json_t *list = json_object_get(collection_of(answer), "properties");

	return json_object_get(find(list, "name", name), "value");
}

int
reader_number(const json_t *answer, const char *name, int64_t *ret_number)
{
	const json_t *value = property_of(answer, name);

	if (!json_is_integer(value))
		return -ENOENT;
	*ret_number = json_integer_value(value);
	return 0;
}

int
reader_page(const json_t *answer, size_t max, const json_t **ret_items, int64_t *ret_hits,
	    struct pxs_error *err)
{
	int r = reader_items(answer, ret_items, err);

	if (r < 0)
		return r;
	if (json_array_size(*ret_items) > max)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's page has %zu documents",
				     json_array_size(*ret_items));
	if (reader_number(answer, "hits", ret_hits) < 0 || *ret_hits < 0)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's page has no hits");
	return 0;
}

const char *
reader_text(const json_t *answer, const char *name)
{
	return json_string_value(property_of(answer, name));
}

const char *
reader_link(const json_t *answer, const char *rel)
{
	const json_t *list = json_object_get(collection_of(answer), "links");

	return json_string_value(json_object_get(find(list, "rel", rel), "href"));
}

const json_t *
reader_value(const json_t *item, const char *name)
{
	return json_object_get(find(json_object_get(item, "data"), "name", name), "value");
}

int
reader_identity(const json_t *item, int64_t *ret_id, const char **ret_etag, struct pxs_error *err)
{
	const json_t *id = reader_value(item, "_id");
	const char *etag = json_string_value(reader_value(item, "_etag"));

	if (!json_is_integer(id) || json_integer_value(id) <= 0)
		return pxs_error_set(err, -EPROTO, -1, "the upstream lists a document without _id");
	if (!etag || !*etag || strlen(etag) >= INDEX_ETAG_SIZE)
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream's document %" JSON_INTEGER_FORMAT
				     " has no _etag of 1 to %d bytes",
				     json_integer_value(id), INDEX_ETAG_SIZE - 1);
	*ret_id = json_integer_value(id);
	*ret_etag = etag;
	return 0;
}

/* --- Documents --- */

int64_t
reader_time(const json_t *item, const char *name)
{
	const char *text = json_string_value(reader_value(item, name));
	int64_t start = 0;
	int64_t end;

	if (!text || query_time_parse(text, &start, &end, NULL) < 0)
		return 0;
	return start;
}

static bool
read_time(const json_t *json, int64_t *ret_ns)
{
	int64_t end;

	return json_is_string(json) &&
	       query_time_parse(json_string_value(json), ret_ns, &end, NULL) == 0;
}

/* False: JSON is no value of such a property. Strings are not for here. */
static bool
read_value(const json_t *json, struct query_value *value)
{
	switch (value->type) {
	case QUERY_TYPE_INTEGER:
	case QUERY_TYPE_LONG:
		value->integer = json_integer_value(json);
		return json_is_integer(json);
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		value->real = json_number_value(json);
		return json_is_number(json);
	case QUERY_TYPE_BOOLEAN:
		value->integer = json_is_true(json);
		return json_is_boolean(json);
	case QUERY_TYPE_DATETIME:
		return read_time(json, &value->integer);
	default:
		return false;
	}
}

/* -EINVAL: JSON is no value of PROPERTY. */
static int
add_value(struct index_document *document, const struct query_property *property,
	  const json_t *json)
{
	struct query_value value = { .type = property->type };

	if (property->type == QUERY_TYPE_STRING && json_is_string(json))
		return index_document_add_string(document, property, json_string_value(json),
						 json_string_length(json));
	return read_value(json, &value) ? index_document_add(document, property, &value) : -EINVAL;
}

static int
add_values(struct reader *reader, struct index_document *document,
	   const struct query_property *property, const json_t *json)
{
	size_t n = json_is_array(json) ? json_array_size(json) : 1;

	if (!property->multi && json_is_array(json))
		n = MIN(n, (size_t)1);
	for (size_t i = 0; i < n && i < INDEX_LIST_MAX; i++) {
		const json_t *one = json_is_array(json) ? json_array_get(json, i) : json;
		int r = add_value(document, property, one);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			atomic_fetch_add(&reader->faults, 1);
	}
	if (n > INDEX_LIST_MAX)
		atomic_fetch_add(&reader->faults, 1);
	return 0;
}

static int
add_datum(struct reader *reader, const struct query_schema *schema, const json_t *datum,
	  struct index_document *document, struct pxs_error *err)
{
	const char *name = json_string_value(json_object_get(datum, "name"));
	const json_t *value = json_object_get(datum, "value");
	const struct query_property *property;
	int r = 0;

	if (!name || name[0] == '_' || !value || json_is_null(value))
		return 0;
	property = query_schema_find(schema, name);
	if (!property && schema->n_properties < PROPERTIES_MAX)
		r = infer(reader, datum, name, &property, err);
	if (r < 0)
		return r;
	if (!property) {
		atomic_fetch_add(&reader->faults, 1);
		return 0;
	}
	return add_values(reader, document, property, value);
}

/* Where core.pathname is not the bytes on disk (rest/collection.c writes it). */
static int
add_exact_path(const json_t *item, const struct query_schema *schema,
	       struct index_document *document)
{
	const char *path = json_string_value(json_object_get(item, "path_escaped"));
	const struct query_property *property = query_schema_find(schema, "_index.path");

	if (!path || !*path || !property)
		return 0;
	return index_document_add_string(document, property, path, strlen(path));
}

int
reader_document(struct reader *reader, const json_t *item, struct index_document *document,
		struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(reader->index);
	const struct query_schema *schema = index_view_schema(view);
	const json_t *data = json_object_get(item, "data");
	const json_t *datum;
	const char *etag = "";
	int64_t id = 0;
	size_t i;
	int r = reader_identity(item, &id, &etag, err);

	if (r < 0)
		return r;
	index_document_set_id(document, id);
	json_array_foreach (data, i, datum) {
		r = add_datum(reader, schema, datum, document, err);
		if (r < 0)
			return r;
	}
	r = add_exact_path(item, schema, document);
	if (r == 0)
		r = index_document_set_origin(document, &reader->origin, etag,
					      reader_time(item, "_created"),
					      reader_time(item, "_updated"));
	return r < 0 ? r : index_document_seal(document);
}
