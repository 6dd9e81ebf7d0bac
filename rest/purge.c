/* DELETE /files?where=: all that a query finds, in one transaction. Documents go, never files. A
 * query that asks for everything, or for nothing in particular, is refused: it is a mistake. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "index/index.h"
#include "rest/collection.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/search.h"
#include "rest/server.h"

#define DOCS_AT_ONCE 4096

/* {"_all": ""} */
static bool
is_blank(const char *where)
{
	json_t *object = where ? json_loads(where, 0, NULL) : NULL;
	const char *text = json_string_value(json_object_get(object, "_all"));
	bool blank = text && text[strspn(text, " \t\r\n")] == '\0';

	json_decref(object);
	return blank;
}

static int
check_query(const struct search *search, struct pxs_error *err)
{
	const char *q = search->href.q;

	if (search->asked && search->query->root->kind != QUERY_ALL &&
	    !is_blank(search->href.where) && !(q && q[strspn(q, " \t\r\n")] == '\0'))
		return 0;
	return pxs_error_set(err, -EINVAL, -1,
			     "to delete documents a where is needed that says which; this one "
			     "would delete all");
}

/* `expect` is how many whoever asks believes that there are. */
static int
check_count(const struct request *request, struct reply *reply, uint64_t hits,
	    struct pxs_error *err)
{
	const char *text = request_param(request, "expect");
	char *end;
	uint64_t expected;

	if (!text)
		return 0;
	errno = 0;
	expected = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-') {
		return pxs_error_set(err, -EINVAL, -1, "expect must be a number of documents");
	}
	if (expected == hits)
		return 0;
	reply->refusal = MHD_HTTP_PRECONDITION_FAILED;
	return pxs_error_set(err, -ESTALE, -1,
			     "%" PRIu64 " documents were expected, but %" PRIu64
			     " match; nothing was deleted",
			     expected, hits);
}

/* Only the versions that were found: what changed since may match no more. */
static int
delete_one(struct index_write *write, const struct index_view *view, uint32_t doc, const char *user,
	   uint64_t *deleted)
{
	int64_t id = index_doc_id(view, doc);
	char etag[INDEX_ETAG_SIZE];
	struct index_version version;
	int r = index_write_version(write, id, &version);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	index_doc_etag(view, doc, etag);
	if (strcmp(etag, version.etag) != 0)
		return 0;
	*deleted += 1;
	return index_write_delete(write, id, user);
}

static int
delete_found(const struct request *request, const struct search *search, uint64_t *deleted,
	     struct pxs_error *err)
{
	CLEANUP(index_write) struct index_write *write = NULL;
	CLEANUP(free) uint32_t *docs = calloc(DOCS_AT_ONCE, sizeof(*docs));
	size_t n = 0;
	int r = docs ? index_write_begin(request->rest->index, &write) : -ENOMEM;

	for (uint64_t row = 0; r == 0; row = index_doc_row(search->view, docs[n - 1])) {
		r = index_hits_after(search->hits, row, &search->budget, docs, DOCS_AT_ONCE, &n);
		for (size_t i = 0; i < n && r == 0; i++)
			r = delete_one(write, search->view, docs[i], request->who.user, deleted);
		if (n == 0)
			break;
	}
	if (r == -EROFS)
		return pxs_error_set(err, r, -1,
				     "some of these documents are an upstream's and can only be "
				     "deleted there; nothing was deleted");
	return r < 0 ? r : index_write_commit(STEAL(write), err);
}

static int
tell(struct reply *reply, const struct request *request, const struct search *search)
{
	struct pxs_json json;

	reply_begin(reply, request, REPLY_COLLECTION, &json);
	collection_begin(&json, "/files");
	collection_hits(&json, index_hits_count(search->hits));
	pxs_json_key(&json, "items");
	pxs_json_begin_array(&json);
	pxs_json_end_array(&json);
	collection_end(&json);
	return reply->body.error;
}

static bool
is_dry(const struct request *request)
{
	const char *text = request_param(request, "dry_run");

	return text && strcmp(text, "0") != 0;
}

int
handle_purge(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(search) struct search search = { 0 };
	uint64_t deleted = 0;
	int r = search_parse(&search, request, err);

	if (r == 0)
		r = check_query(&search, err);
	if (r == 0)
		r = search_find(&search, request, err);
	if (r == 0)
		r = check_count(request, reply, index_hits_count(search.hits), err);
	if (r == 0 && is_dry(request))
		return tell(reply, request, &search);
	if (r == 0)
		r = delete_found(request, &search, &deleted, err);
	if (r < 0)
		return r;
	pxs_log(PXS_LOG_INFO, "%s: deleted %" PRIu64 " documents (request %s)", request->who.user,
		deleted, request->id);
	reply->status = MHD_HTTP_NO_CONTENT;
	reply->hits = (int64_t)deleted;
	return 0;
}
