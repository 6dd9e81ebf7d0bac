#include "rest/collection.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "rest/encoded.h"
#include "rest/projection.h"

/* Lists longer than this are read into memory of their own. */
#define VALUES_USUAL 8

void
collection_begin(struct pxs_json *json, const char *href)
{
	pxs_json_begin_object(json);
	pxs_json_key(json, "collection");
	pxs_json_begin_object(json);
	pxs_json_pair(json, "version", "1.0");
	pxs_json_pair(json, "href", href);
}

void
collection_end(struct pxs_json *json)
{
	pxs_json_end_object(json);
	pxs_json_end_object(json);
}

static void
add_member(struct pxs_json *json, const char *key, const char *text)
{
	pxs_json_pair(json, key, text);
}

static void
begin_link(struct pxs_json *json, const char *rel, const char *name, const char *prompt,
	   const char *href)
{
	pxs_json_begin_object(json);
	add_member(json, "render", "link");
	add_member(json, "href", href);
	add_member(json, "prompt", prompt);
	add_member(json, "name", name);
	add_member(json, "rel", rel);
}

void
collection_link(struct pxs_json *json, const char *rel, const char *name, const char *prompt,
		const char *href)
{
	begin_link(json, rel, name, prompt, href);
	pxs_json_end_object(json);
}

void
collection_link_count(struct pxs_json *json, const char *rel, const char *name, const char *prompt,
		      const char *href, uint64_t count, const char *segment)
{
	begin_link(json, rel, name, prompt, href);
	pxs_json_key(json, "count");
	pxs_json_int(json, (int64_t)count);
	if (segment)
		add_member(json, "segment", segment);
	pxs_json_end_object(json);
}

void
collection_hits(struct pxs_json *json, uint64_t hits)
{
	pxs_json_key(json, "properties");
	pxs_json_begin_array(json);
	pxs_json_begin_object(json);
	add_member(json, "prompt", "Number of matching documents");
	add_member(json, "name", "hits");
	pxs_json_key(json, "value");
	pxs_json_int(json, (int64_t)hits);
	pxs_json_end_object(json);
	pxs_json_end_array(json);
}

void
collection_prompt(const struct query_property *property, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "%s (%s", property->prompt, property->multi ? "list of " : "");
	for (const char *c = query_type_name(property->type, false); *c; c++)
		pxs_buf_add_char(buf, (char)tolower((unsigned char)*c));
	pxs_buf_add_char(buf, ')');
}

/* --- Items --- */

struct collection_field {
	const struct query_property *property;
	char *prompt;
	char *begun; /* {"prompt":...,"name":...,"value": */
	size_t begun_len;
};

struct collection_fields {
	atomic_uint references;
	size_t n_properties;			 /* declared then; there are never fewer */
	const struct query_property *exact_path; /* hidden; NULL where nothing declared it */
	struct encoded *items; /* written with all fields; NULL: these are others */
	size_t n_fields;
	struct collection_field fields[];
};

/* Names that begin with '_' are the index's own; a proxy has no value, it would be a link. */
static bool
is_shown(const struct query_property *property, const struct projection *projection)
{
	return property->name[0] != '_' && property->type != QUERY_TYPE_PROXY &&
	       projection_shows(projection, property->name);
}

/* What stands before every value of PROPERTY. */
static void
print_begun(const struct query_property *property, const char *prompt, struct pxs_buf *buf)
{
	struct pxs_json json;

	pxs_json_init(&json, buf, 0);
	pxs_json_begin_object(&json);
	add_member(&json, "prompt", prompt);
	add_member(&json, "name", property->name);
	pxs_json_key(&json, "value");
}

static int
add_field(struct collection_fields *fields, const struct query_property *property)
{
	CLEANUP(pxs_buf) struct pxs_buf prompt = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf begun = PXS_BUF_INIT;
	struct collection_field *field = &fields->fields[fields->n_fields];

	collection_prompt(property, &prompt);
	print_begun(property, pxs_buf_text(&prompt), &begun);
	fields->n_fields++;
	field->property = property;
	field->begun_len = begun.len;
	field->begun = pxs_buf_steal(&begun);
	field->prompt = pxs_buf_steal(&prompt);
	return field->prompt && field->begun ? 0 : -ENOMEM;
}

static int
fields_new(const struct query_schema *schema, const struct projection *projection,
	   struct collection_fields **ret_fields)
{
	CLEANUP(collection_fields)
	struct collection_fields *fields = calloc(
		1, sizeof(*fields) + schema->n_properties * sizeof(fields->fields[0]));
	int r = 0;

	if (!fields)
		return -ENOMEM;
	atomic_init(&fields->references, 1);
	fields->n_properties = schema->n_properties;
	fields->exact_path = query_schema_find(schema, "_index.path");
	for (size_t i = 0; i < schema->n_properties && r == 0; i++)
		if (is_shown(schema->properties[i], projection))
			r = add_field(fields, schema->properties[i]);
	if (r < 0)
		return r;
	*ret_fields = STEAL(fields);
	return 0;
}

void
collection_fields_put(struct collection_fields *fields)
{
	if (!fields || atomic_fetch_sub(&fields->references, 1) != 1)
		return;
	for (size_t i = 0; i < fields->n_fields; i++) {
		free(fields->fields[i].prompt);
		free(fields->fields[i].begun);
	}
	free(fields);
}

int
collection_cache_init(struct collection_cache *cache)
{
	(void)pthread_mutex_init(&cache->lock, NULL);
	return encoded_open(&cache->items);
}

void
collection_cache_done(struct collection_cache *cache)
{
	collection_fields_put(cache->all);
	encoded_close(cache->items);
	(void)pthread_mutex_destroy(&cache->lock);
}

int
collection_fields_get(struct collection_cache *cache, const struct index_view *view,
		      const struct projection *projection, struct collection_fields **ret_fields)
{
	const struct query_schema *schema = index_view_schema(view);
	int r = 0;

	if (projection->rules)
		return fields_new(schema, projection, ret_fields);
	(void)pthread_mutex_lock(&cache->lock);
	if (!cache->all || cache->all->n_properties != schema->n_properties) {
		collection_fields_put(STEAL(cache->all));
		r = fields_new(schema, projection, &cache->all);
		if (r == 0)
			cache->all->items = cache->items;
	}
	if (r == 0) {
		atomic_fetch_add(&cache->all->references, 1);
		*ret_fields = cache->all;
	}
	(void)pthread_mutex_unlock(&cache->lock);
	return r;
}

/* What goes before and behind a value: in an item's "data", or without PROMPT in a flat object. */
static void
begin_datum(struct pxs_json *json, const char *prompt, const char *name)
{
	if (!prompt) {
		pxs_json_key(json, name);
		return;
	}
	pxs_json_begin_object(json);
	add_member(json, "prompt", prompt);
	add_member(json, "name", name);
	pxs_json_key(json, "value");
}

static void
end_datum(struct pxs_json *json, bool flat)
{
	if (!flat)
		pxs_json_end_object(json);
}

/* The values that one document has of one property. */
struct values {
	struct query_value usual[VALUES_USUAL];
	struct query_value *many; /* more than that; or NULL */
	size_t n;
};

static inline void
values_cleanup(struct values *values)
{
	free(values->many);
}

static int
values_read(struct values *values, const struct index_view *view, uint32_t doc,
	    const struct query_property *property)
{
	values->many = NULL;
	values->n = index_doc_values(view, doc, property, values->usual, VALUES_USUAL);
	if (values->n <= VALUES_USUAL)
		return 0;
	values->many = calloc(values->n, sizeof(*values->many));
	if (!values->many)
		return -ENOMEM;
	(void)index_doc_values(view, doc, property, values->many, values->n);
	return 0;
}

static void
values_write(const struct values *values, struct pxs_json *json, bool multi)
{
	const struct query_value *value = values->many ? values->many : values->usual;

	if (!multi) {
		query_value_write(value, json);
		return;
	}
	pxs_json_begin_array(json);
	for (size_t i = 0; i < values->n; i++)
		query_value_write(&value[i], json);
	pxs_json_end_array(json);
}

static int
write_field(struct pxs_json *json, const struct index_view *view, uint32_t doc,
	    const struct collection_field *field, bool flat)
{
	CLEANUP(values) struct values values;
	int r = values_read(&values, view, doc, field->property);

	if (r < 0 || values.n == 0)
		return r;
	if (!flat && !json->indent) {
		pxs_json_begun_object(json, field->begun, field->begun_len);
		values_write(&values, json, field->property->multi);
		pxs_json_end_begun(json);
		return 0;
	}
	begin_datum(json, flat ? NULL : field->prompt, field->property->name);
	values_write(&values, json, field->property->multi);
	end_datum(json, flat);
	return 0;
}

/* The automatic fields: their prompts are their names, their times have whole seconds. */
static void
write_own_fields(struct pxs_json *json, const struct index_view *view, uint32_t doc, bool flat)
{
	const struct {
		const char *name;
		int64_t time_ns;
	} times[] = {
		{ "_created", index_doc_created_ns(view, doc) },
		{ "_updated", index_doc_updated_ns(view, doc) },
	};
	char etag[INDEX_ETAG_SIZE];

	begin_datum(json, flat ? NULL : "_id", "_id");
	pxs_json_int(json, index_doc_id(view, doc));
	end_datum(json, flat);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		begin_datum(json, flat ? NULL : times[i].name, times[i].name);
		query_time_write(times[i].time_ns - times[i].time_ns % PXS_NS_PER_S, json);
		end_datum(json, flat);
	}
	index_doc_etag(view, doc, etag);
	begin_datum(json, flat ? NULL : "_etag", "_etag");
	pxs_json_string(json, etag);
	end_datum(json, flat);
}

static int
write_fields(struct pxs_json *json, const struct index_view *view, uint32_t doc,
	     const struct collection_fields *fields, bool flat)
{
	int r = 0;

	write_own_fields(json, view, doc, flat);
	for (size_t i = 0; i < fields->n_fields && r == 0; i++)
		r = write_field(json, view, doc, &fields->fields[i], flat);
	return r;
}

static void
write_exact_path(struct pxs_json *json, const struct index_view *view, uint32_t doc,
		 const struct collection_fields *fields)
{
	struct query_value exact;

	if (fields->exact_path && index_doc_value(view, doc, fields->exact_path, &exact))
		add_member(json, "path_escaped", exact.string);
}

static int
write_item(struct pxs_json *json, const struct index_view *view, uint32_t doc,
	   const struct collection_fields *fields)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	int r;

	pxs_buf_addf(&href, "/files/%" PRId64, index_doc_id(view, doc));
	pxs_json_begin_object(json);
	add_member(json, "href", pxs_buf_text(&href));
	pxs_json_key(json, "data");
	pxs_json_begin_array(json);
	r = write_fields(json, view, doc, fields, false);
	pxs_json_end_array(json);
	pxs_json_key(json, "links");
	pxs_json_begin_array(json);
	pxs_json_end_array(json);
	write_exact_path(json, view, doc, fields);
	pxs_json_end_object(json);
	return r < 0 ? r : href.error;
}

/* With all fields and on one line it is the same text for everybody who asks. */
static int
write_item_once(struct pxs_json *json, const struct index_view *view, uint32_t doc,
		const struct collection_fields *fields)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	char etag[INDEX_ETAG_SIZE];
	struct pxs_json item;
	int r;

	index_doc_etag(view, doc, etag);
	if (encoded_find(fields->items, etag, fields->n_properties, &text)) {
		pxs_json_raw(json, pxs_buf_text(&text));
		return text.error;
	}
	pxs_json_init(&item, &text, 0);
	r = write_item(&item, view, doc, fields);
	pxs_json_raw(json, pxs_buf_text(&text));
	if (r == 0)
		encoded_keep(fields->items, etag, fields->n_properties, &text);
	return r < 0 ? r : text.error;
}

int
collection_item(struct pxs_json *json, const struct index_view *view, uint32_t doc,
		const struct collection_fields *fields)
{
	if (fields->items && !json->indent)
		return write_item_once(json, view, doc, fields);
	return write_item(json, view, doc, fields);
}

int
collection_line(struct pxs_buf *buf, const struct index_view *view, uint32_t doc,
		const struct collection_fields *fields)
{
	struct pxs_json json;
	int r;

	pxs_json_init(&json, buf, 0);
	pxs_json_begin_object(&json);
	r = write_fields(&json, view, doc, fields, true);
	write_exact_path(&json, view, doc, fields);
	pxs_json_end_object(&json);
	pxs_buf_add_char(buf, '\n');
	return r;
}
