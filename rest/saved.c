#include "rest/saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/percent.h"
#include "index/index.h"
#include "query/query.h"
#include "rest/handlers.h"
#include "rest/href.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

#define PARAMETER_SIZE (sizeof(SAVED_PARAMETER) + QUERY_PARAMETER_NAME_MAX)

/* --- Asking one --- */

/* Whether parameters came that the search has not. */
struct unknown {
	const struct query_parameters *parameters;
	const char *name; /* NULL: none */
};

static void
look_for_unknown(void *context, const char *name)
{
	struct unknown *unknown = context;

	for (size_t i = 0; i < unknown->parameters->n; i++)
		if (strcmp(unknown->parameters->names[i], name) == 0)
			return;
	unknown->name = name;
}

/* Adds PARAMETER's value to VALUE, where a range or a list stays one; none where it did not come,
 * which query_saved_fill() tells. */
static int
add_value(const struct request *request, const char *parameter, struct pxs_buf *value)
{
	char name[PARAMETER_SIZE];
	const char *text;

	(void)snprintf(name, sizeof(name), "%s%s", SAVED_PARAMETER, parameter);
	text = request_param(request, name);
	if (text)
		pxs_percent_encode(value, text, strlen(text), query_segment_escapes);
	return value->error;
}

static int
fill(const struct request *request, const char *path, const struct query_parameters *parameters,
     struct pxs_buf *filled, struct pxs_error *err)
{
	struct pxs_buf values[QUERY_PARAMETERS_MAX] = { PXS_BUF_INIT };
	struct query_argument arguments[QUERY_PARAMETERS_MAX];
	int r = 0;

	for (size_t i = 0; i < parameters->n && r == 0; i++) {
		const char *name = parameters->names[i];

		r = add_value(request, name, &values[i]);
		arguments[i] = (struct query_argument){ name, strlen(name),
							pxs_buf_text(&values[i]), values[i].len };
	}
	if (r == 0)
		r = query_saved_fill(path, arguments, parameters->n, filled, err);
	for (size_t i = 0; i < parameters->n; i++)
		pxs_buf_done(&values[i]);
	return r;
}

int
saved_print_path(struct request *request, const char *name, struct pxs_buf *path,
		 struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf template = PXS_BUF_INIT;
	struct query_parameters parameters = { 0 };
	struct unknown unknown = { .parameters = &parameters };
	int r = index_saved_get(request->rest->index, name, &template);

	if (r == -ENOENT || (r == 0 && !template.len))
		return pxs_error_set(err, -ENOENT, -1, "there is no saved search '%.100s'", name);
	if (r == 0)
		r = query_saved_parameters(template.data, &parameters);
	if (r < 0)
		return r;
	request_each_param(request, SAVED_PARAMETER, look_for_unknown, &unknown);
	if (unknown.name)
		return pxs_error_set(err, -EINVAL, -1,
				     "the saved search '%.60s' has no parameter '%.40s'", name,
				     unknown.name);
	return fill(request, template.data, &parameters, path, err);
}

/* --- The billboard --- */

/* Where a search leads: by its path, or by its name and values for clients to put. */
static void
print_href(const struct index_saved *saved, const struct query_parameters *parameters,
	   struct pxs_buf *buf)
{
	struct href href = { .path = saved->path };

	if (!parameters->n) {
		href_print(&href, buf);
		return;
	}
	pxs_buf_add_str(buf, "/files/?saved=");
	href_print_value(saved->name, buf);
	for (size_t i = 0; i < parameters->n; i++)
		pxs_buf_addf(buf, "&%s%s={%s%s}", SAVED_PARAMETER, parameters->names[i],
			     SAVED_PARAMETER, parameters->names[i]);
}

static void
write_data(struct pxs_json *json, const struct query_parameters *parameters)
{
	char name[PARAMETER_SIZE];

	pxs_json_key(json, "data");
	pxs_json_begin_array(json);
	for (size_t i = 0; i < parameters->n; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", SAVED_PARAMETER, parameters->names[i]);
		pxs_json_begin_object(json);
		pxs_json_pair(json, "prompt", parameters->names[i]);
		pxs_json_pair(json, "name", name);
		pxs_json_pair(json, "value", "");
		pxs_json_end_object(json);
	}
	pxs_json_end_array(json);
}

static int
write_query(struct pxs_json *json, const struct index_saved *saved)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	struct query_parameters parameters = { 0 };
	int r = query_saved_parameters(saved->path, &parameters);

	if (r < 0)
		return r;
	print_href(saved, &parameters, &href);
	pxs_json_begin_object(json);
	pxs_json_pair(json, "rel", "saved");
	pxs_json_pair(json, "name", saved->name);
	pxs_json_pair(json, "href", pxs_buf_text(&href));
	pxs_json_pair(json, "prompt", saved->name);
	write_data(json, &parameters);
	pxs_json_end_object(json);
	return href.error;
}

int
saved_write_queries(struct pxs_json *json, struct index *index)
{
	struct index_saved *saved = NULL;
	size_t n = 0;
	int r = index_saved_list(index, &saved, &n);

	for (size_t i = 0; i < n && r == 0; i++)
		if (*saved[i].path) /* else it is a group */
			r = write_query(json, &saved[i]);
	index_saved_free(saved, n);
	return r;
}

/* --- /saved --- */

static int
write_entry(struct pxs_json *json, const struct index_saved *saved)
{
	CLEANUP(pxs_buf) struct pxs_buf created = PXS_BUF_INIT;
	struct query_parameters parameters = { 0 };
	int r = query_saved_parameters(saved->path, &parameters);

	query_time_print(saved->created_ns, &created);
	pxs_json_begin_object(json);
	pxs_json_pair(json, "name", saved->name);
	if (*saved->path)
		pxs_json_pair(json, "path", saved->path);
	pxs_json_pair(json, "created", pxs_buf_text(&created));
	if (*saved->path) {
		pxs_json_key(json, "parameters");
		pxs_json_begin_array(json);
		for (size_t i = 0; i < parameters.n; i++)
			pxs_json_string(json, parameters.names[i]);
		pxs_json_end_array(json);
	}
	pxs_json_end_object(json);
	return r < 0 ? r : created.error;
}

static int
reply_saved(struct request *request, struct reply *reply)
{
	struct index_saved *saved = NULL;
	struct pxs_json json;
	size_t n = 0;
	int r = index_saved_list(request->rest->index, &saved, &n);

	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "saved");
	pxs_json_begin_array(&json);
	for (size_t i = 0; i < n && r == 0; i++)
		r = write_entry(&json, &saved[i]);
	pxs_json_end_array(&json);
	pxs_json_end_object(&json);
	index_saved_free(saved, n);
	return r < 0 ? r : reply->body.error;
}

int
handle_saved(struct request *request, struct reply *reply, struct pxs_error *err)
{
	(void)err;
	return reply_saved(request, reply);
}

/* Adds PATH as it is to be saved. */
static int
print_checked(const struct request *request, const char *path, struct pxs_buf *buf,
	      struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	int r = request_view(request, &view);

	return r < 0 ? r : query_saved_print(path, index_view_schema(view), buf, err);
}

int
handle_saved_put(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	CLEANUP(pxs_buf) struct pxs_buf canonical = PXS_BUF_INIT;
	const char *name;
	const json_t *path;
	int r = request_json(request, &body, err);

	if (r < 0)
		return r;
	name = json_string_value(json_object_get(body, "name"));
	path = json_object_get(body, "path");
	if (!name || (path && !json_is_string(path)))
		return pxs_error_set(err, -EINVAL, -1,
				     "\"name\" must be the saved search's, and \"path\" a path "
				     "below query/; without it a group is made");
	if (path)
		r = print_checked(request, json_string_value(path), &canonical, err);
	if (r == 0)
		r = index_saved_put(request->rest->index, name, pxs_buf_text(&canonical),
				    json_is_true(json_object_get(body, "replace")), err);
	reply->status = 201;
	return r < 0 ? r : reply_saved(request, reply);
}

int
handle_saved_remove(struct request *request, struct reply *reply, struct pxs_error *err)
{
	const char *name = request_param(request, "name");

	if (!name)
		return pxs_error_set(err, -EINVAL, -1,
				     "the parameter name says which saved search is to go");
	reply->status = 204;
	return index_saved_remove(request->rest->index, name, err);
}
