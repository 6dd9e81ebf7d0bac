/* PATCH and DELETE of a document, and bringing it back. Checks come in the order of spec/pixstor.md
 * 1.2 against what the caller sees, so that a refusal costs no write; as the document may have
 * changed since, edit_patch() looks again inside the write. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/macros.h"
#include "index/edit/edit.h"
#include "index/index.h"
#include "rest/collection.h"
#include "rest/handlers.h"
#include "rest/item.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"
#include "rest/template.h"

/* One change, and what is answered. */
struct change {
	const struct request *request;
	struct edit edit;
	struct reply *reply;
	struct index_version version; /* afterwards */
};

static struct change
change_of(const struct request *request, struct reply *reply)
{
	return (struct change){
		.request = request,
		.edit = { .index = request->rest->index, .user = request->who.user },
		.reply = reply,
	};
}

/* --- Which version --- */

/* Only "*" matches it: no etag has a blank. */
#define NO_ETAG " "

static int
refuse_version(struct reply *reply, struct pxs_error *err)
{
	return reply_refuse(reply, MHD_HTTP_PRECONDITION_FAILED, -ESTALE, err,
			    "Client and server etags don't match");
}

/* The request's If-Match must be there and name the version that the caller sees. That is in ETAG
 * then, and is what he changes; "" if any will do. */
static int
check_version(const struct request *request, struct reply *reply, const struct index_view *view,
	      uint32_t doc, char etag[INDEX_ETAG_SIZE], struct pxs_error *err)
{
	const char *list = request_header(request, MHD_HTTP_HEADER_IF_MATCH);

	if (!list)
		return reply_refuse(
			reply, MHD_HTTP_PRECONDITION_REQUIRED, -EINVAL, err,
			"To edit a document its etag must be provided using the If-Match header");
	index_doc_etag(view, doc, etag);
	if (!item_etag_matches(list, etag))
		return refuse_version(reply, err);
	if (item_etag_matches(list, NO_ETAG))
		etag[0] = '\0';
	return 0;
}

/* What this kind of failure is called here. */
static int
fail(struct reply *reply, int r)
{
	if (r == -ESTALE)
		reply->refusal = MHD_HTTP_PRECONDITION_FAILED;
	if (r == -EEXIST)
		reply->refusal = MHD_HTTP_CONFLICT;
	if (r == -ETIMEDOUT) /* an upstream's silence, not the end of our time */
		reply->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
	return r;
}

/* --- The reply --- */

static void
write_datum(struct pxs_json *json, const char *name)
{
	pxs_json_begin_object(json);
	pxs_json_pair(json, "prompt", name);
	pxs_json_pair(json, "name", name);
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
write_data(struct pxs_json *json, const struct change *change)
{
	pxs_json_key(json, "data");
	pxs_json_begin_array(json);
	write_time(json, "_updated", change->version.updated_ns);
	write_time(json, "_created", change->version.created_ns);
	write_datum(json, "_status");
	pxs_json_string(json, "OK");
	pxs_json_end_object(json);
	write_datum(json, "_id");
	pxs_json_int(json, change->edit.id);
	pxs_json_end_object(json);
	write_datum(json, "_etag");
	pxs_json_string(json, change->version.etag);
	pxs_json_end_object(json);
	pxs_json_end_array(json);
}

/* spec/pixstor.md 1.3, "PATCH 200": only the automatic fields, in this order. */
static int
write_version(const struct change *change, const struct request *request)
{
	struct reply *reply = change->reply;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	struct pxs_json json;

	(void)memcpy(reply->etag, change->version.etag, sizeof(reply->etag));
	reply->modified_ns = change->version.updated_ns;
	pxs_buf_addf(&href, "/files/%" PRId64, change->edit.id);
	reply_begin(reply, request, REPLY_COLLECTION, &json);
	collection_begin(&json, pxs_buf_text(&href));
	pxs_json_key(&json, "items");
	pxs_json_begin_array(&json);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "href", pxs_buf_text(&href));
	write_data(&json, change);
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
log_change(enum pxs_log_level level, const struct change *change, const char *what)
{
	pxs_log(level, "%s: %s document %" PRId64 " (request %s)", change->edit.user, what,
		change->edit.id, change->request->id);
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
patch(struct change *change, const struct edit_values *values, struct pxs_error *err)
{
	int r;

	if (values->faults.len) {
		pxs_buf_add(&change->reply->message, values->faults.data, values->faults.len);
		return reply_refuse(change->reply, MHD_HTTP_UNPROCESSABLE_CONTENT, -EINVAL, err,
				    "these values cannot be taken");
	}
	r = edit_patch(&change->edit, values, &change->version, err);
	if (r == 0)
		log_change(PXS_LOG_DEBUG, change, "changed");
	return fail(change->reply, r);
}

/* The document that the request is about, and of which version he speaks. */
static int
find_version(const struct request *request, const struct index_view *view, struct change *change,
	     char etag[INDEX_ETAG_SIZE], struct pxs_error *err)
{
	uint32_t doc = 0;
	int r = item_find(request, view, &doc, err);

	if (r == 0)
		r = check_version(request, change->reply, view, doc, etag, err);
	if (r < 0)
		return r;
	change->edit.id = index_doc_id(view, doc);
	change->edit.etag = etag[0] ? etag : NULL;
	return 0;
}

int
handle_patch(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(edit_values) struct edit_values values = { 0 };
	CLEANUP(json_decref) json_t *body = NULL;
	CLEANUP(json_decref) json_t *given = NULL;
	struct change change = change_of(request, reply);
	char etag[INDEX_ETAG_SIZE] = "";
	int r = check_type(request, reply, err);

	if (r == 0)
		r = request_json(request, &body, err);
	if (r == 0)
		r = request_view(request, &view);
	if (r == 0)
		r = template_read(body, &given, err);
	if (r == 0)
		r = edit_values_read(&values, index_view_schema(view), given);
	if (r == 0)
		r = find_version(request, view, &change, etag, err);
	if (r == 0)
		r = patch(&change, &values, err);
	return r < 0 ? r : write_version(&change, request);
}

/* --- DELETE --- */

int
handle_delete(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	struct change change = change_of(request, reply);
	char etag[INDEX_ETAG_SIZE] = "";
	int r = request_view(request, &view);

	if (r == 0)
		r = find_version(request, view, &change, etag, err);
	if (r == 0)
		r = fail(reply, edit_delete(&change.edit, err));
	if (r < 0)
		return r;
	log_change(PXS_LOG_INFO, &change, "deleted");
	reply->status = MHD_HTTP_NO_CONTENT;
	return 0;
}

/* --- Back again --- */

/* What he could not see, and did not remove himself, was never there for him. */
static int
check_known(const struct request *request, int64_t id, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	uint32_t doc;
	int r = request_view(request, &view);

	if (r < 0 || index_doc_find(view, id, &doc) == 0)
		return r;
	r = index_removed_is_known(view, id, request->who.user);
	return r == 0 ? edit_refuse_undelete(id, err) : r < 0 ? r : 0;
}

int
handle_undelete(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct change change = change_of(request, reply);
	int r = item_id_parse(pxs_buf_text(&request->tail), &change.edit.id);

	if (r < 0)
		return pxs_error_set(err, r, -1, "there is no document with the id %s",
				     pxs_buf_text(&request->tail));
	if (!(request->who.rights & AUTH_BYPASS))
		r = check_known(request, change.edit.id, err);
	if (r == 0)
		r = fail(reply, edit_undelete(&change.edit, &change.version, err));
	if (r < 0)
		return r;
	log_change(PXS_LOG_INFO, &change, "brought back");
	return write_version(&change, request);
}
