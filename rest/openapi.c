/* GET /openapi.json: the table of routes in the words of OpenAPI 3.1. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/route.h"

/* What parameters of routes mean. Those that no row of the table knows are a mistake of ours. */
static const struct parameter {
	const char *name;
	const char *in;
	const char *type;
	const char *text;
} PARAMETERS[] = {
	{ "where", "query", "string",
	  "Conditions as a JSON object: {\"_all\": \"cats\", \"core.size\": {\"gte\": 27400}}" },
	{ "q", "query", "string", "A query string, as the value of _all" },
	{ "path", "query", "string", "A path below query/ of a mount" },
	{ "saved", "query", "string",
	  "The name of a saved search; saved.NAME=VALUE fills in its parameter NAME" },
	{ "name", "query", "string", "The name of a saved search, with its groups" },
	{ "limit", "query", "integer", "At most so many results, in the order asked for" },
	{ "sort", "query", "string", "Properties, separated by commas; descending after a -" },
	{ "projection", "query", "string",
	  "{\"core.size\": 1} shows only this, 0 all but this; {\"filters\": \".\"} asks for ways "
	  "to narrow the search" },
	{ "max_results", "query", "integer", "Entries of a page" },
	{ "page", "query", "integer", "Which page, from 1" },
	{ "after", "query", "string", "A cursor from a link" },
	{ "pretty", "query", "boolean", "Indented" },
	{ "dry_run", "query", "boolean", "Only tell how many would go" },
	{ "expect", "query", "integer",
	  "How many are believed to match; if others do, nothing goes" },
	{ "before", "query", "integer", "Only what was removed before this change" },
	{ "since", "query", "integer", "The change behind which to begin, from a link" },
	{ "wait", "query", "integer", "Seconds to wait for a change, at most 60" },
	{ "mountpoint", "query", "string", "An absolute path" },
	{ "access_token", "query", "string", "The token, where it is not in the header" },
	{ "If-Match", "header", "string", "The etag of the version that is meant" },
	{ "If-None-Match", "header", "string", "Etags of versions that are known" },
	{ "If-Modified-Since", "header", "string", "A date" },
	{ "If-Range", "header", "string", "The version of which a part is known" },
	{ "Range", "header", "string", "bytes=FIRST-LAST" },
};

static const struct {
	const char *kind;
	const char *type;
	const char *schema;
} BODIES[] = {
	{ "template", REPLY_COLLECTION,
	  "{\"type\":\"object\",\"required\":[\"template\"],\"properties\":{\"template\":{\"type\":"
	  "\"object\",\"required\":[\"data\"],\"properties\":{\"data\":{\"type\":\"array\","
	  "\"minItems\":1,\"items\":{\"type\":\"object\",\"required\":[\"name\",\"value\"],"
	  "\"properties\":{\"name\":{\"type\":\"string\"},\"value\":{}}}}}}}}" },
	{ "ingest", REPLY_JSON,
	  "{\"type\":\"object\",\"required\":[\"path\"],\"properties\":{\"path\":{\"type\":"
	  "\"string\"},\"allow_mass_removal\":{\"type\":\"boolean\"},\"forget\":{\"type\":"
	  "\"boolean\"}}}" },
	{ "sync", REPLY_JSON,
	  "{\"type\":\"object\",\"properties\":{\"confirm\":{\"type\":\"boolean\"}}}" },
	{ "saved", REPLY_JSON,
	  "{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"name\":"
	  "{\"type\":\"string\"},\"path\":{\"type\":\"string\"},\"replace\":{\"type\":"
	  "\"boolean\"}}}" },
	{ "mount", REPLY_JSON,
	  "{\"type\":\"object\",\"required\":[\"mountpoint\"],\"properties\":{\"mountpoint\":"
	  "{\"type\":\"string\"},\"options\":{\"type\":\"string\"}}}" },
	{ "form", "application/x-www-form-urlencoded",
	  "{\"type\":\"object\",\"properties\":{\"grant_type\":{\"type\":\"string\"},\"username\":"
	  "{\"type\":\"string\"},\"password\":{\"type\":\"string\"},\"scope\":{\"type\":\"string\"}"
	  ","
	  "\"token\":{\"type\":\"string\"}}}" },
	{ "user", REPLY_JSON,
	  "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"password\":"
	  "{\"type\":\"string\"},\"rights\":{\"type\":\"string\"}}}" },
	{ "token", REPLY_JSON,
	  "{\"type\":\"object\",\"properties\":{\"user\":{\"type\":\"string\"},\"rights\":"
	  "{\"type\":\"string\"},\"label\":{\"type\":\"string\"},\"expires_in\":{\"type\":"
	  "\"integer\"}}}" },
};

/* LEN bytes of TEXT. */
static void
write_parameter(struct pxs_json *json, const char *name, size_t len, const char *in,
		const char *type, const char *text)
{
	pxs_json_begin_object(json);
	pxs_json_key(json, "name");
	pxs_json_stringn(json, name, len);
	pxs_json_pair(json, "in", in);
	if (strcmp(in, "path") == 0) {
		pxs_json_key(json, "required");
		pxs_json_bool(json, true);
	}
	if (text)
		pxs_json_pair(json, "description", text);
	pxs_json_key(json, "schema");
	pxs_json_begin_object(json);
	pxs_json_pair(json, "type", type);
	pxs_json_end_object(json);
	pxs_json_end_object(json);
}

static const struct parameter *
find_parameter(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(PARAMETERS); i++)
		if (strlen(PARAMETERS[i].name) == len &&
		    strncmp(PARAMETERS[i].name, name, len) == 0)
			return &PARAMETERS[i];
	return NULL;
}

static void
write_parameters(struct pxs_json *json, const struct route *route)
{
	const char *hole = strchr(route->path, '{');

	pxs_json_key(json, "parameters");
	pxs_json_begin_array(json);
	if (hole)
		write_parameter(json, hole + 1, strcspn(hole + 1, "}"), "path", "string", NULL);
	for (const char *name = route->parameters ? route->parameters : ""; *name;) {
		size_t len = strcspn(name, " ");
		const struct parameter *parameter = find_parameter(name, len);

		if (parameter)
			write_parameter(json, name, len, parameter->in, parameter->type,
					parameter->text);
		name += len + (name[len] == ' ');
	}
	pxs_json_end_array(json);
}

static void
write_body(struct pxs_json *json, const struct route *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(BODIES); i++) {
		if (!route->body || strcmp(BODIES[i].kind, route->body) != 0)
			continue;
		pxs_json_key(json, "requestBody");
		pxs_json_begin_object(json);
		pxs_json_key(json, "required");
		pxs_json_bool(json, true);
		pxs_json_key(json, "content");
		pxs_json_begin_object(json);
		pxs_json_key(json, BODIES[i].type);
		pxs_json_begin_object(json);
		pxs_json_key(json, "schema");
		pxs_json_raw(json, BODIES[i].schema);
		pxs_json_end_object(json);
		pxs_json_end_object(json);
		pxs_json_end_object(json);
	}
}

static void
write_response(struct pxs_json *json, const char *status)
{
	pxs_json_key(json, status);
	pxs_json_begin_object(json);
	pxs_json_pair(json, "description", reply_reason((unsigned int)atoi(status)));
	pxs_json_end_object(json);
}

/* Its own, "200 304 404"; what anybody may hear who has to wait for his turn; and the rest. */
static void
write_responses(struct pxs_json *json, const struct route *route)
{
	char status[8];

	pxs_json_key(json, "responses");
	pxs_json_begin_object(json);
	for (const char *at = route->statuses ? route->statuses : "200"; *at;) {
		size_t len = strcspn(at, " ");

		(void)snprintf(status, sizeof(status), "%.*s", (int)len, at);
		write_response(json, status);
		at += len + (at[len] == ' ');
	}
	if (route->pace != ROUTE_QUICK) {
		write_response(json, "429");
		write_response(json, "503");
	}
	pxs_json_key(json, "default");
	pxs_json_begin_object(json);
	pxs_json_pair(json, "description", "An error object: title, code, message");
	pxs_json_end_object(json);
	pxs_json_end_object(json);
}

static void
write_operation(struct pxs_json *json, const struct route *route)
{
	char method[16] = "";

	for (size_t i = 0; route->method[i] && i + 1 < sizeof(method); i++)
		method[i] = (char)(route->method[i] | 0x20);
	pxs_json_key(json, method);
	pxs_json_begin_object(json);
	if (route->summary)
		pxs_json_pair(json, "summary", route->summary);
	if (!route->rights) {
		pxs_json_key(json, "security");
		pxs_json_raw(json, "[]");
	} else {
		pxs_json_pair(json, "x-right", auth_right_name(route->rights & -route->rights));
	}
	write_parameters(json, route);
	write_body(json, route);
	write_responses(json, route);
	pxs_json_end_object(json);
}

/* All rows of one path stand together, below the first of them. */
static bool
is_first_of_path(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(route_at(i)->path, route_at(at)->path) == 0)
			return false;
	return true;
}

static void
write_paths(struct pxs_json *json)
{
	pxs_json_key(json, "paths");
	pxs_json_begin_object(json);
	for (size_t i = 0; route_at(i); i++) {
		if (!is_first_of_path(i))
			continue;
		pxs_json_key(json, route_at(i)->path);
		pxs_json_begin_object(json);
		for (size_t j = i; route_at(j); j++)
			if (strcmp(route_at(j)->path, route_at(i)->path) == 0)
				write_operation(json, route_at(j));
		pxs_json_end_object(json);
	}
	pxs_json_end_object(json);
}

int
handle_openapi(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct pxs_json json;

	(void)err;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "openapi", "3.1.0");
	pxs_json_key(&json, "info");
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "title", "pxs");
	pxs_json_pair(
		&json, "description",
		"A file catalogue, as Collection+JSON. Clients follow links and fill in templates "
		"from /files; the same tree stands at /api/.");
	pxs_json_pair(&json, "version", PXS_VERSION);
	pxs_json_end_object(&json);
	pxs_json_key(&json, "servers");
	pxs_json_raw(&json, "[{\"url\":\"/\"},{\"url\":\"/api\"}]");
	pxs_json_key(&json, "security");
	pxs_json_raw(&json, "[{\"bearer\":[]},{\"basic\":[]}]");
	pxs_json_key(&json, "components");
	pxs_json_raw(&json, "{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":"
			    "\"bearer\"},\"basic\":{\"type\":\"http\",\"scheme\":\"basic\","
			    "\"description\":\"The token is the user name; no password.\"}}}");
	write_paths(&json);
	pxs_json_end_object(&json);
	return reply->body.error;
}
