#include "fs/record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/macros.h"
#include "index/index.h"
#include "query/query.h"

/* Values that need no allocation. */
#define VALUES_LOCAL 16

bool
fs_record_shows(const struct query_property *property)
{
	return property->name[0] != '_' && property->type != QUERY_TYPE_PROXY;
}

/* --- Values --- */

static int
write_list(const struct index_view *view, uint32_t doc, const struct query_property *property,
	   struct pxs_json *json)
{
	struct query_value local[VALUES_LOCAL];
	CLEANUP(free) struct query_value *more = NULL;
	const struct query_value *values = local;
	size_t n = index_doc_values(view, doc, property, local, ARRAY_SIZE(local));

	if (n > ARRAY_SIZE(local)) {
		values = more = calloc(n, sizeof(*more));
		if (!more)
			return -ENOMEM;
		n = index_doc_values(view, doc, property, more, n);
	}
	pxs_json_begin_array(json);
	for (size_t i = 0; i < n; i++)
		query_value_write(&values[i], json);
	pxs_json_end_array(json);
	return json->buf->error;
}

int
fs_record_print_text(const struct index_view *view, uint32_t doc,
		     const struct query_property *property, struct pxs_buf *buf)
{
	struct query_value value;
	struct pxs_json json;

	if (!index_doc_value(view, doc, property, &value))
		return -ENODATA;
	if (property->multi) {
		pxs_json_init(&json, buf, 0);
		return write_list(view, doc, property, &json);
	}
	query_value_print(&value, buf);
	return buf->error;
}

/* --- All of a document --- */

static void
write_id(const struct fs_field *field, struct pxs_json *json)
{
	pxs_json_int(json, index_doc_id(field->view, field->doc));
}

static void
write_etag(const struct fs_field *field, struct pxs_json *json)
{
	char etag[INDEX_ETAG_SIZE];

	index_doc_etag(field->view, field->doc, etag);
	pxs_json_string(json, etag);
}

static void
write_created(const struct fs_field *field, struct pxs_json *json)
{
	query_time_write(index_doc_created_ns(field->view, field->doc), json);
}

static void
write_updated(const struct fs_field *field, struct pxs_json *json)
{
	query_time_write(index_doc_updated_ns(field->view, field->doc), json);
}

static const struct {
	const char *name;
	void (*write)(const struct fs_field *field, struct pxs_json *json);
} FIXED[] = {
	{ "_id", write_id },
	{ "_etag", write_etag },
	{ "_created", write_created },
	{ "_updated", write_updated },
};

int
fs_record_each(const struct index_view *view, uint32_t doc,
	       int (*each)(void *context, const struct fs_field *field), void *context)
{
	const struct query_schema *schema = index_view_schema(view);
	struct fs_field field = { .view = view, .doc = doc };
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < ARRAY_SIZE(FIXED); i++) {
		field.name = field.prompt = FIXED[i].name;
		field.fixed = i;
		r = each(context, &field);
	}
	for (size_t i = 0; r == 0 && i < schema->n_properties; i++) {
		field.property = schema->properties[i];
		field.name = field.property->name;
		field.prompt = field.property->prompt;
		if (fs_record_shows(field.property) &&
		    index_doc_values(view, doc, field.property, NULL, 0) > 0)
			r = each(context, &field);
	}
	return r;
}

int
fs_record_print_value(const struct fs_field *field, struct pxs_json *json)
{
	struct query_value value;

	if (!field->property)
		FIXED[field->fixed].write(field, json);
	else if (field->property->multi)
		return write_list(field->view, field->doc, field->property, json);
	else if (index_doc_value(field->view, field->doc, field->property, &value))
		query_value_write(&value, json);
	return json->buf->error;
}

static int
write_member(void *context, const struct fs_field *field)
{
	struct pxs_json *json = context;

	pxs_json_key(json, field->name);
	return fs_record_print_value(field, json);
}

int
fs_record_print(const struct index_view *view, uint32_t doc, struct pxs_buf *buf)
{
	struct pxs_json json;
	int r;

	pxs_json_init(&json, buf, 2);
	pxs_json_begin_object(&json);
	r = fs_record_each(view, doc, write_member, &json);
	pxs_json_end_object(&json);
	pxs_buf_add_char(buf, '\n');
	return r < 0 ? r : buf->error;
}
