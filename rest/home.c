/* GET / and /version: what is here, and who answers. */
#include <unistd.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "rest/collection.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

static const struct {
	const char *rel;
	const char *href;
	const char *prompt;
} LINKS[] = {
	{ "self", "/", "Home" },
	{ "files", "/files", "Files" },
	{ "saved", "/saved", "Saved searches" },
	{ "changes", "/changes", "Changes" },
	{ "schema", "/schema/files", "Properties that files may have" },
	{ "status", "/status", "Status" },
	{ "failures", "/failures", "Files that could not be read" },
	{ "ingest", "/ingest", "Scans" },
	{ "sync", "/sync", "Upstream" },
	{ "mounts", "/mounts", "Mounts" },
	{ "version", "/version", "Version" },
	{ "service-desc", "/openapi.json", "What can be asked" },
};

int
handle_home(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct pxs_json json;

	(void)err;
	reply_begin(reply, request, REPLY_COLLECTION, &json);
	collection_begin(&json, "/");
	pxs_json_key(&json, "links");
	pxs_json_begin_array(&json);
	for (size_t i = 0; i < ARRAY_SIZE(LINKS); i++)
		collection_link(&json, LINKS[i].rel, LINKS[i].rel, LINKS[i].prompt, LINKS[i].href);
	pxs_json_end_array(&json);
	pxs_json_key(&json, "items");
	pxs_json_begin_array(&json);
	pxs_json_end_array(&json);
	collection_end(&json);
	return reply->body.error;
}

int
handle_version(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct pxs_json json;

	(void)err;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "version", PXS_VERSION);
	pxs_json_key(&json, "pid");
	pxs_json_int(&json, getpid());
	reply_path(&json, "index", index_dir(request->rest->index));
	pxs_json_end_object(&json);
	return reply->body.error;
}
