#include "rest/mounts.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/rest.h"
#include "rest/server.h"

void
mounts_write(struct pxs_json *json, const struct rest *rest)
{
	CLEANUP(pxs_buf) struct pxs_buf list = PXS_BUF_INIT;

	if (rest->control)
		rest->control->mounts(rest->control->context, &list);
	pxs_json_begin_array(json);
	for (size_t at = 0; at < list.len; at += strlen(list.data + at) + 1) {
		pxs_json_begin_object(json);
		reply_path(json, "mountpoint", list.data + at);
		pxs_json_end_object(json);
	}
	pxs_json_end_array(json);
	if (list.error)
		json->buf->error = list.error;
}

static int
reply_mounts(const struct request *request, struct reply *reply)
{
	struct pxs_json json;

	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "mounts");
	mounts_write(&json, request->rest);
	pxs_json_end_object(&json);
	return reply->body.error;
}

int
handle_mounts(struct request *request, struct reply *reply, struct pxs_error *err)
{
	(void)err;
	return reply_mounts(request, reply);
}

static int
check_mountpoint(const struct request *request, const char *mountpoint, struct pxs_error *err)
{
	if (!request->rest->control)
		return pxs_error_set(err, -EOPNOTSUPP, -1,
				     "nothing can be mounted here: this is no daemon");
	if (!mountpoint || mountpoint[0] != '/')
		return pxs_error_set(err, -EINVAL, -1,
				     "\"mountpoint\" must be the absolute path of a folder");
	return 0;
}

int
handle_mount(struct request *request, struct reply *reply, struct pxs_error *err)
{
	const struct rest_control *control = request->rest->control;
	CLEANUP(json_decref) json_t *body = NULL;
	CLEANUP(pxs_buf) struct pxs_buf mountpoint = PXS_BUF_INIT;
	const char *options;
	int r = request_json(request, &body, err);

	if (r == 0)
		r = request_json_path(body, "mountpoint", &mountpoint, err);
	if (r == 0)
		r = check_mountpoint(request, pxs_buf_text(&mountpoint), err);
	if (r < 0)
		return r;
	options = json_string_value(json_object_get(body, "options"));
	r = control->mount(control->context, pxs_buf_text(&mountpoint), options ? options : "",
			   err);
	if (r < 0)
		return r;
	reply->status = 201;
	return reply_mounts(request, reply);
}

int
handle_unmount(struct request *request, struct reply *reply, struct pxs_error *err)
{
	const struct rest_control *control = request->rest->control;
	const char *mountpoint = request_param(request, "mountpoint");
	int r = check_mountpoint(request, mountpoint, err);

	if (r == 0)
		r = control->unmount(control->context, mountpoint, err);
	if (r < 0)
		return r;
	reply->status = 204;
	return 0;
}
