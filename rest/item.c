#include "rest/item.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "rest/collection.h"
#include "rest/export.h"
#include "rest/handlers.h"
#include "rest/projection.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

int
item_id_parse(const char *text, int64_t *ret_id)
{
	size_t len = strlen(text);
	int64_t id;

	if (len == 0 || len > 19 || strspn(text, "0123456789") != len || text[0] == '0')
		return -ENOENT;
	errno = 0;
	id = strtoll(text, NULL, 10);
	if (errno)
		return -ENOENT;
	*ret_id = id;
	return 0;
}

bool
item_etag_matches(const char *list, const char *etag)
{
	size_t etag_len = strlen(etag);

	for (const char *tag = list; *tag;) {
		size_t len;

		tag += strspn(tag, " \t,");
		if (strncmp(tag, "W/", 2) == 0)
			tag += 2;
		tag += *tag == '"';
		len = strcspn(tag, "\", \t");
		if ((len == 1 && *tag == '*') || (len == etag_len && strncmp(tag, etag, len) == 0))
			return true;
		tag += len + (tag[len] == '"');
	}
	return false;
}

int
item_find(const struct request *request, const struct index_view *view, uint32_t *ret_doc,
	  struct pxs_error *err)
{
	const char *text = pxs_buf_text(&request->tail);
	int64_t id;
	int r = item_id_parse(text, &id);

	if (r == 0)
		r = index_doc_find(view, id, ret_doc);
	if (r == -ENOENT)
		return pxs_error_set(err, r, -1, "there is no document with the id %s", text);
	return r;
}

static int
write_document(struct pxs_json *json, const struct index_view *view, uint32_t doc,
	       const struct collection_fields *fields)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	int r;

	pxs_buf_addf(&href, "/files/%" PRId64, index_doc_id(view, doc));
	collection_begin(json, pxs_buf_text(&href));
	pxs_json_key(json, "links");
	pxs_json_begin_array(json);
	collection_link(json, "self", "self", "File", pxs_buf_text(&href));
	collection_link(json, "parent", "parent", "Home", "/");
	collection_link(json, "collection", "collection", "Files", "/files");
	pxs_json_end_array(json);
	pxs_json_key(json, "items");
	pxs_json_begin_array(json);
	r = collection_item(json, view, doc, fields);
	pxs_json_end_array(json);
	collection_end(json);
	return r < 0 ? r : href.error;
}

/* The client has this version already. A date counts only without an etag, and whole seconds only
 * (RFC 9110 section 13.1). */
bool
item_is_known(const struct request *request, const struct reply *reply)
{
	const char *list = request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *date = request_header(request, MHD_HTTP_HEADER_IF_MODIFIED_SINCE);
	int64_t since_ns;

	if (list)
		return item_etag_matches(list, reply->etag);
	return date && reply_date_parse(date, &since_ns) == 0 &&
	       reply->modified_ns / PXS_NS_PER_S <= since_ns / PXS_NS_PER_S;
}

static int
reply_document(struct request *request, struct reply *reply, const struct index_view *view,
	       uint32_t doc, const struct projection *projection)
{
	CLEANUP(collection_fields) struct collection_fields *fields = NULL;
	struct pxs_json json;
	int r;

	index_doc_etag(view, doc, reply->etag);
	reply->modified_ns = index_doc_updated_ns(view, doc);
	if (item_is_known(request, reply)) {
		reply->status = 304;
		return 0;
	}
	r = collection_fields_get(&request->rest->fields, view, projection, &fields);
	if (r < 0)
		return r;
	if (request_prefers(request, EXPORT_LINES)) {
		reply->type = EXPORT_LINES;
		return collection_line(&reply->body, view, doc, fields);
	}
	reply_begin(reply, request, REPLY_COLLECTION, &json);
	return write_document(&json, view, doc, fields);
}

int
handle_item(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	const char *text = request_param(request, "projection");
	struct projection projection = { 0 };
	uint32_t doc = 0;
	int r = request_view(request, &view);

	if (r == 0 && text) {
		r = projection_parse(text, &projection, err);
		request->faulty = "projection";
	}
	if (r == 0)
		r = item_find(request, view, &doc, err);
	if (r == 0)
		r = reply_document(request, reply, view, doc, &projection);
	projection_done(&projection);
	return r < 0 ? r : reply->body.error;
}
