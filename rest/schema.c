/* GET /schema/files: the declared properties, in the shape that plugins declare them
 * (spec/pixstor.md 3.1): namespaces, each an array of properties and of groups one level down. */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "index/index.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

struct walk {
	struct pxs_json *json;
	const struct query_schema *schema;
	size_t at; /* the next property */
};

static void
write_property(struct pxs_json *json, const struct query_property *property, const char *name)
{
	pxs_json_begin_object(json);
	pxs_json_pair(json, "name", name);
	pxs_json_pair(json, "prompt", property->prompt);
	pxs_json_key(json, "value");
	pxs_json_begin_object(json);
	pxs_json_pair(json, "datatype", query_type_name(property->type, property->multi));
	pxs_json_end_object(json);
	if (property->readonly) {
		pxs_json_key(json, "readonly");
		pxs_json_bool(json, true);
	}
	if (!property->filter) {
		pxs_json_key(json, "default_filter");
		pxs_json_bool(json, false);
	}
	pxs_json_end_object(json);
}

static bool
is_below(const struct walk *walk, const char *prefix, size_t len)
{
	return walk->at < walk->schema->n_properties &&
	       strncmp(walk->schema->properties[walk->at]->name, prefix, len) == 0;
}

/* All properties whose names begin with the LEN bytes of PREFIX, which ends with a dot; names come
 * in order, so those of one group stand together. Depth is that of the dots in declared names. */
static void
write_group(struct walk *walk, const char *prefix, size_t len)
{
	pxs_json_begin_array(walk->json);
	while (is_below(walk, prefix, len)) {
		const struct query_property *property = walk->schema->properties[walk->at];
		const char *rest = property->name + len;
		const char *dot = strchr(rest, '.');

		if (!dot || walk->json->depth > PXS_JSON_DEPTH_MAX) {
			write_property(walk->json, property, rest);
			walk->at++;
			continue;
		}
		CLEANUP(free) char *group = strndup(rest, (size_t)(dot - rest));

		pxs_json_begin_object(walk->json);
		pxs_json_key(walk->json, group ? group : "");
		write_group(walk, property->name, (size_t)(dot - property->name) + 1);
		pxs_json_end_object(walk->json);
		if (!group)
			walk->json->buf->error = -ENOMEM;
	}
	pxs_json_end_array(walk->json);
}

static void
write_namespaces(struct walk *walk)
{
	pxs_json_begin_object(walk->json);
	while (walk->at < walk->schema->n_properties) {
		const char *name = walk->schema->properties[walk->at]->name;
		size_t len = strcspn(name, ".");
		CLEANUP(free) char *group = strndup(name, len);

		if (!group)
			walk->json->buf->error = -ENOMEM;
		if (!group || name[0] == '_' || !name[len]) { /* hidden: our own */
			walk->at++;
			continue;
		}
		pxs_json_key(walk->json, group);
		write_group(walk, name, len + 1);
	}
	pxs_json_end_object(walk->json);
}

int
handle_schema(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(request->rest->index);
	struct pxs_json json;
	struct walk walk = { .json = &json };

	(void)err;
	if (!view)
		return -ENOMEM;
	walk.schema = index_view_schema(view);
	reply_begin(reply, request, REPLY_JSON, &json);
	write_namespaces(&walk);
	return reply->body.error;
}
