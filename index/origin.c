#include "index/origin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "index/column.h"

static const struct query_property PROPERTIES[ORIGIN_COUNT] = {
	[ORIGIN_ETAG] = { .name = "_origin.etag",
			  .prompt = "Etag of the upstream",
			  .type = QUERY_TYPE_STRING,
			  .readonly = true },
	[ORIGIN_CREATED] = { .name = "_origin.created",
			     .prompt = "Creation at the upstream",
			     .type = QUERY_TYPE_DATETIME,
			     .readonly = true },
	[ORIGIN_UPDATED] = { .name = "_origin.updated",
			     .prompt = "Last change at the upstream",
			     .type = QUERY_TYPE_DATETIME,
			     .readonly = true },
};

int
index_origin_declare(struct index *index, struct index_origin *ret_origin, struct pxs_error *err)
{
	struct index_origin origin;
	int r = 0;

	for (int i = 0; i < ORIGIN_COUNT && r >= 0; i++)
		r = index_property_add(index, &PROPERTIES[i], &origin.properties[i], err);
	if (r < 0)
		return r;
	*ret_origin = origin;
	return 0;
}

int
index_document_set_origin(struct index_document *document, const struct index_origin *origin,
			  const char *etag, int64_t created_ns, int64_t updated_ns)
{
	size_t len = strlen(etag);
	int r;

	if (len == 0 || len >= INDEX_ETAG_SIZE)
		return -EINVAL;
	r = index_document_add_string(document, origin->properties[ORIGIN_ETAG], etag, len);
	if (r == 0)
		r = index_document_add_int(document, origin->properties[ORIGIN_CREATED],
					   created_ns);
	if (r == 0)
		r = index_document_add_int(document, origin->properties[ORIGIN_UPDATED],
					   updated_ns);
	return r;
}

void
origin_note(const struct column *origin[ORIGIN_COUNT], const struct column *column)
{
	for (int i = 0; i < ORIGIN_COUNT; i++)
		if (strcmp(column_property(column)->name, PROPERTIES[i].name) == 0)
			origin[i] = column;
}

bool
origin_etag(const struct column *const origin[ORIGIN_COUNT], uint32_t doc,
	    char etag[INDEX_ETAG_SIZE])
{
	struct query_value value;

	if (!origin[ORIGIN_ETAG] || column_values(origin[ORIGIN_ETAG], doc, &value, 1) == 0)
		return false;
	(void)snprintf(etag, INDEX_ETAG_SIZE, "%s", value.string);
	return true;
}

bool
origin_time(const struct column *const origin[ORIGIN_COUNT], enum index_origin_field field,
	    uint32_t doc, int64_t *ret_ns)
{
	struct query_value value;

	if (!origin[field] || column_values(origin[field], doc, &value, 1) == 0)
		return false;
	*ret_ns = value.integer;
	return true;
}
