/* PATCH and DELETE of a document, and bringing it back. Checks come in the order of spec/pixstor.md
 * 1.2, first against what the caller sees, so that a refusal costs no write; then, as the document
 * may have changed since, again inside the write. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/macros.h"
#include "index/index.h"
#include "rest/collection.h"
#include "rest/handlers.h"
#include "rest/item.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"
#include "rest/template.h"

struct edit {
	const struct request *request;
	struct reply *reply;
	int64_t id;
	const struct template *template; /* of a PATCH */
	struct index_version version;	 /* afterwards */
};

/* --- Which version --- */

static int
refuse_version(struct reply *reply, struct pxs_error *err)
{
	return reply_refuse(reply, MHD_HTTP_PRECONDITION_FAILED, -ESTALE, err,
			    "Client and server etags don't match");
}

/* The request's If-Match must be there and name the version that the caller sees. */
static int
check_version(const struct request *request, struct reply *reply, const struct index_view *view,
	      uint32_t doc, struct pxs_error *err)
{
	const char *list = request_header(request, MHD_HTTP_HEADER_IF_MATCH);
	char etag[INDEX_ETAG_SIZE];

	if (!list)
		return reply_refuse(
			reply, MHD_HTTP_PRECONDITION_REQUIRED, -EINVAL, err,
			"To edit a document its etag must be provided using the If-Match header");
	index_doc_etag(view, doc, etag);
	return item_etag_matches(list, etag) ? 0 : refuse_version(reply, err);
}

/* The same inside the write. */
static int
check_again(const struct edit *edit, const struct index_write *write, struct pxs_error *err)
{
	const char *list = request_header(edit->request, MHD_HTTP_HEADER_IF_MATCH);
	struct index_version version;
	int r = index_write_version(write, edit->id, &version);

	if (r == -ENOENT)
		return refuse_version(edit->reply, err);
	return r < 0 || item_etag_matches(list, version.etag) ? r
							      : refuse_version(edit->reply, err);
}

/* --- The reply --- */

static void
write_datum(struct pxs_json *json, const char *name)
{
	pxs_json_begin_object(json);
	pxs_json_key(json, "prompt");
	pxs_json_string(json, name);
	pxs_json_key(json, "name");
	pxs_json_string(json, name);
	pxs_json_key(json, "value");
}

static void
write_time(struct pxs_json *json, const char *name, int64_t time_ns)
{
	write_datum(json, name);
	query_time_write(time_ns - time_ns % PXS_NS_PER_S, json);
	pxs_json_end_object(json);
}

static void
write_data(struct pxs_json *json, const struct edit *edit)
{
	pxs_json_key(json, "data");
	pxs_json_begin_array(json);
	write_time(json, "_updated", edit->version.updated_ns);
	write_time(json, "_created", edit->version.created_ns);
	write_datum(json, "_status");
	pxs_json_string(json, "OK");
	pxs_json_end_object(json);
	write_datum(json, "_id");
	pxs_json_int(json, edit->id);
	pxs_json_end_object(json);
	write_datum(json, "_etag");
	pxs_json_string(json, edit->version.etag);
	pxs_json_end_object(json);
	pxs_json_end_array(json);
}

/* spec/pixstor.md 1.3, "PATCH 200": only the automatic fields, in this order. */
static int
write_version(struct edit *edit)
{
	struct reply *reply = edit->reply;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	struct pxs_json json;

	(void)memcpy(reply->etag, edit->version.etag, sizeof(reply->etag));
	reply->modified_ns = edit->version.updated_ns;
	pxs_buf_addf(&href, "/files/%" PRId64, edit->id);
	reply_begin(reply, edit->request, REPLY_COLLECTION, &json);
	collection_begin(&json, pxs_buf_text(&href));
	pxs_json_key(&json, "items");
	pxs_json_begin_array(&json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "href");
	pxs_json_string(&json, pxs_buf_text(&href));
	write_data(&json, edit);
	pxs_json_key(&json, "links");
	pxs_json_begin_array(&json);
	pxs_json_end_array(&json);
	pxs_json_end_object(&json);
	pxs_json_end_array(&json);
	pxs_json_key(&json, "links");
	pxs_json_begin_array(&json);
	collection_link(&json, "self", "self", "File", pxs_buf_text(&href));
	pxs_json_end_array(&json);
	collection_end(&json);
	return href.error ? href.error : reply->body.error;
}

/* Who took something away, or gave it back, stands in the log; edits are too many. */
static void
log_edit(const struct edit *edit, const char *what)
{
	pxs_log(edit->template ? PXS_LOG_DEBUG : PXS_LOG_INFO, "%s: %s document %" PRId64,
		edit->request->who.user, what, edit->id);
}

static int
explain(int r, struct pxs_error *err)
{
	if (r == -EROFS)
		return pxs_error_set(err, r, -1,
				     "this document is an upstream's and can only be changed "
				     "there");
	return r;
}

/* --- PATCH --- */

static int
check_type(const struct request *request, struct reply *reply, struct pxs_error *err)
{
	static const char *const TYPES[] = { REPLY_COLLECTION, REPLY_JSON };
	const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
	size_t len = type ? strcspn(type, " \t;") : 0;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(TYPES); i++)
		if (len == strlen(TYPES[i]) && strncasecmp(type, TYPES[i], len) == 0)
			return 0;
	return reply_refuse(reply, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, -EINVAL, err,
			    "the body must be " REPLY_COLLECTION);
}

static int
apply_patch(void *context, struct index_write *write, struct pxs_error *err)
{
	struct edit *edit = context;
	int r = check_again(edit, write, err);

	if (r == 0)
		r = index_write_patch(write, edit->id, edit->template->document,
				      edit->template->emptied, edit->template->n_emptied);
	return r < 0 ? explain(r, err) : index_write_version(write, edit->id, &edit->version);
}

static int
patch(struct edit *edit, const struct template *template, struct pxs_error *err)
{
	int r;

	if (template->faults.len) {
		pxs_buf_add(&edit->reply->message, template->faults.data, template->faults.len);
		return reply_refuse(edit->reply, MHD_HTTP_UNPROCESSABLE_CONTENT, -EINVAL, err,
				    "these values cannot be taken");
	}
	edit->template = template;
	r = index_apply(edit->request->rest->index, apply_patch, edit, err);
	if (r < 0)
		return r;
	log_edit(edit, "changed");
	return write_version(edit);
}

int
handle_patch(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(template) struct template template = { 0 };
	CLEANUP(json_decref) json_t *body = NULL;
	struct edit edit = { .request = request, .reply = reply };
	uint32_t doc = 0;
	int r = check_type(request, reply, err);

	if (r == 0)
		r = request_json(request, &body, err);
	if (r == 0)
		r = request_view(request, &view);
	if (r == 0)
		r = template_read(body, index_view_schema(view), &template, err);
	if (r == 0)
		r = item_find(request, view, &doc, err);
	if (r == 0)
		r = check_version(request, reply, view, doc, err);
	if (r < 0)
		return r;
	edit.id = index_doc_id(view, doc);
	return patch(&edit, &template, err);
}

/* --- DELETE --- */

static int
apply_delete(void *context, struct index_write *write, struct pxs_error *err)
{
	const struct edit *edit = context;
	int r = check_again(edit, write, err);

	if (r == 0)
		r = index_write_delete(write, edit->id, edit->request->who.user);
	return explain(r, err);
}

int
handle_delete(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	struct edit edit = { .request = request, .reply = reply };
	uint32_t doc = 0;
	int r = request_view(request, &view);

	if (r == 0)
		r = item_find(request, view, &doc, err);
	if (r == 0)
		r = check_version(request, reply, view, doc, err);
	if (r < 0)
		return r;
	edit.id = index_doc_id(view, doc);
	r = index_apply(request->rest->index, apply_delete, &edit, err);
	if (r < 0)
		return r;
	log_edit(&edit, "deleted");
	reply->status = MHD_HTTP_NO_CONTENT;
	return 0;
}

/* --- Back again --- */

static int
apply_undelete(void *context, struct index_write *write, struct pxs_error *err)
{
	struct edit *edit = context;
	int r = index_write_undelete(write, edit->id);

	if (r == -EEXIST)
		return reply_refuse(edit->reply, MHD_HTTP_CONFLICT, r, err,
				    "there is a document with this id, it is not deleted");
	if (r == -ENOENT)
		return pxs_error_set(err, r, -1,
				     "no document with the id %" PRId64
				     " was deleted, or it is forgotten by now",
				     edit->id);
	return r < 0 ? r : index_write_version(write, edit->id, &edit->version);
}

int
handle_undelete(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct edit edit = { .request = request, .reply = reply };
	int r = item_id_parse(pxs_buf_text(&request->tail), &edit.id);

	if (r < 0)
		return pxs_error_set(err, r, -1, "there is no document with the id %s",
				     pxs_buf_text(&request->tail));
	r = index_apply(request->rest->index, apply_undelete, &edit, err);
	if (r < 0)
		return r;
	log_edit(&edit, "brought back");
	return write_version(&edit);
}
