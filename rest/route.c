#include "rest/route.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

static const struct route ROUTES[] = {
	{ "GET", "/", AUTH_READ, ROUTE_QUICK, handle_home, "What is here", "pretty", NULL, "200" },
	{ "GET", "/files", AUTH_READ, ROUTE_WORKS, handle_files,
	  "Templates of queries; with a query, a page of what it finds, or how to narrow it down",
	  "where q path saved limit sort projection max_results page after pretty", NULL,
	  "200 400 416" },
	{ "DELETE", "/files", AUTH_DELETE, ROUTE_WORKS, handle_purge,
	  "Delete all documents that a query finds; never files",
	  "where q path saved dry_run expect", NULL, "200 204 400 412" },
	{ "GET", "/explain", AUTH_READ, ROUTE_WORKS, handle_explain,
	  "How a query is understood and answered: its tree, what each leaf found and where",
	  "where q path saved limit sort pretty", NULL, "200 400" },
	{ "GET", "/files/{id}", AUTH_READ, ROUTE_QUICK, handle_item,
	  "A document with all its properties", "projection pretty If-None-Match If-Modified-Since",
	  NULL, "200 304 400 404" },
	{ "PATCH", "/files/{id}", AUTH_UPDATE, ROUTE_WORKS, handle_patch,
	  "Change properties of a document", "If-Match pretty", "template",
	  "200 400 404 412 413 415 422 428" },
	{ "DELETE", "/files/{id}", AUTH_DELETE, ROUTE_WORKS, handle_delete,
	  "Delete a document; never its file", "If-Match", NULL, "204 404 412 428" },
	{ "GET", "/files/{id}/content", AUTH_READ, ROUTE_READS, handle_content,
	  "The bytes of its file, for those who may read it",
	  "Range If-Range If-None-Match If-Modified-Since", NULL, "200 206 304 404 416 502" },
	{ "POST", "/files/{id}/undelete", AUTH_DELETE, ROUTE_WORKS, handle_undelete,
	  "Bring back a document that was deleted", "pretty", NULL, "200 404 409" },
	{ "GET", "/saved", AUTH_READ, ROUTE_WORKS, handle_saved, "Saved searches", "pretty", NULL,
	  "200" },
	{ "POST", "/saved", AUTH_UPDATE, ROUTE_WORKS, handle_saved_put,
	  "Save a search, or make a group of them", "pretty", "saved", "201 400" },
	{ "DELETE", "/saved", AUTH_UPDATE, ROUTE_WORKS, handle_saved_remove,
	  "Remove a saved search or an empty group", "name", NULL, "204 400 404" },
	{ "GET", "/removed", AUTH_DELETE, ROUTE_WORKS, handle_removed,
	  "Documents that can be brought back, newest first", "before max_results pretty", NULL,
	  "200 400" },
	{ "GET", "/changes", AUTH_READ, ROUTE_WAITS, handle_changes,
	  "What changed after a change; waits for the next one if asked to",
	  "since wait max_results pretty", NULL, "200 400 410" },
	{ "GET", "/schema/files", AUTH_READ, ROUTE_WORKS, handle_schema,
	  "Properties that files may have", "pretty", NULL, "200" },
	{ "GET", "/status", AUTH_READ, ROUTE_WORKS, handle_status, "How the catalogue is", "pretty",
	  NULL, "200" },
	{ "GET", "/failures", AUTH_READ | AUTH_BYPASS, ROUTE_WORKS, handle_failures,
	  "Files that could not be read", "page pretty", NULL, "200" },
	{ "GET", "/check", AUTH_OPERATE, ROUTE_WORKS, handle_check,
	  "Compare the parts of the index", "pretty", NULL, "200" },
	{ "POST", "/repair", AUTH_OPERATE, ROUTE_WORKS, handle_repair,
	  "Make all parts of the index anew from its record, then compare them", "pretty", NULL,
	  "200 507" },
	{ "GET", "/ingest", AUTH_READ, ROUTE_WORKS, handle_jobs, "Scans of trees", "pretty", NULL,
	  "200" },
	{ "GET", "/ingest/{job}", AUTH_READ, ROUTE_WORKS, handle_job, "One scan of a tree",
	  "pretty", NULL, "200 404" },
	{ "POST", "/ingest", AUTH_OPERATE, ROUTE_WORKS, handle_job_submit,
	  "Scan a tree, or forget one", "pretty", "ingest", "202 400 403 404" },
	{ "GET", "/sync", AUTH_READ, ROUTE_WORKS, handle_sync, "How the upstream is", "pretty",
	  NULL, "200" },
	{ "POST", "/sync", AUTH_OPERATE, ROUTE_WORKS, handle_sync_now,
	  "Ask the upstream now, or confirm that documents may go", "pretty", "sync",
	  "202 400 404" },
	{ "GET", "/mounts", AUTH_READ, ROUTE_WORKS, handle_mounts,
	  "Folders that show the catalogue", "pretty", NULL, "200" },
	{ "POST", "/mounts", AUTH_OPERATE, ROUTE_WORKS, handle_mount,
	  "Show the catalogue in a folder", "pretty", "mount", "201 400 404 501" },
	{ "DELETE", "/mounts", AUTH_OPERATE, ROUTE_WORKS, handle_unmount, "Do so no longer",
	  "mountpoint", NULL, "204 400 404 501" },
	{ "GET", "/version", AUTH_READ, ROUTE_QUICK, handle_version, "Who answers", "pretty", NULL,
	  "200" },
	{ "GET", "/metrics", AUTH_READ, ROUTE_WORKS, handle_metrics, "Figures for Prometheus", NULL,
	  NULL, "200" },
	{ "GET", "/healthz", 0, ROUTE_QUICK, handle_health, "Whether the daemon lives", NULL, NULL,
	  "200" },
	{ "GET", "/readyz", 0, ROUTE_QUICK, handle_ready, "Whether it can answer", NULL, NULL,
	  "200 503" },
	{ "GET", "/openapi.json", 0, ROUTE_QUICK, handle_openapi, "This description", "pretty",
	  NULL, "200" },
	{ "POST", "/oauth2/token", 0, ROUTE_LOGS_IN, handle_token,
	  "A token for a name and a password", NULL, "form", "200 400 401" },
	{ "GET", "/oauth2/token_info", 0, ROUTE_QUICK, handle_token_info,
	  "Whose a token is, what it may and how long", "access_token", NULL, "200 400" },
	{ "POST", "/oauth2/revoke", 0, ROUTE_LOGS_IN, handle_token_revoke, "End a token", NULL,
	  "form", "200 400 401" },
	{ "GET", "/.well-known/oauth-authorization-server", 0, ROUTE_QUICK, handle_oauth_metadata,
	  "Where tokens are given", NULL, NULL, "200 400" },
	{ "GET", "/users", AUTH_OPERATE, ROUTE_WORKS, handle_users, "Users of pxs's own", "pretty",
	  NULL, "200 501" },
	{ "POST", "/users", AUTH_OPERATE, ROUTE_LOGS_IN, handle_user_add, "One more user", "pretty",
	  "user", "201 400 501" },
	{ "PATCH", "/users/{name}", AUTH_OPERATE, ROUTE_LOGS_IN, handle_user_change,
	  "Another password, other rights", NULL, "user", "204 400 404 501" },
	{ "DELETE", "/users/{name}", AUTH_OPERATE, ROUTE_WORKS, handle_user_remove,
	  "Remove a user with his tokens", NULL, NULL, "204 404 501" },
	{ "GET", "/tokens", AUTH_OPERATE, ROUTE_WORKS, handle_tokens, "Tokens that are valid",
	  "pretty", NULL, "200 501" },
	{ "POST", "/tokens", AUTH_OPERATE, ROUTE_WORKS, handle_token_create,
	  "A token without a password", "pretty", "token", "201 400 501" },
	{ "DELETE", "/tokens/{id}", AUTH_OPERATE, ROUTE_WORKS, handle_token_remove, "End a token",
	  NULL, NULL, "204 404 501" },
	{ "GET", "/certificate", AUTH_READ, ROUTE_QUICK, handle_certificate,
	  "The certificate that clients see", "pretty", NULL, "200 404" },
};

/* The same tree stands at / and at /api/ (spec/pixstor.md 1.0). */
static const char *
skip_base(const char *path)
{
	static const char BASE[] = "/api";
	size_t len = sizeof(BASE) - 1;

	if (strncmp(path, BASE, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return path;
	return path[len] ? path + len : "/";
}

/* Whether PATH, of LEN bytes without a slash at the end, has the shape of PATTERN; where, what
 * stands for the part in braces. */
static bool
matches(const char *pattern, const char *path, size_t len, const char **ret_tail,
	size_t *ret_tail_len)
{
	const char *hole = strchrnul(pattern, '{');
	const char *behind = *hole ? strchr(hole, '}') + 1 : hole;
	size_t fixed = (size_t)(hole - pattern);
	size_t fixed_behind = strlen(behind);

	*ret_tail = "";
	*ret_tail_len = 0;
	if (len < fixed + fixed_behind || strncmp(path, pattern, fixed) != 0 ||
	    strncmp(path + len - fixed_behind, behind, fixed_behind) != 0)
		return false;
	if (!*hole)
		return len == fixed;
	*ret_tail = path + fixed;
	*ret_tail_len = len - fixed - fixed_behind;
	return *ret_tail_len > 0 && !memchr(*ret_tail, '/', *ret_tail_len);
}

bool
route_is_for_logins(const struct route *route)
{
	return strncmp(route->path, "/oauth2/", 8) == 0 ||
	       strncmp(route->path, "/.well-known/", 13) == 0;
}

static void
add_allowed(struct pxs_buf *allowed, const char *method)
{
	pxs_buf_addf(allowed, "%s%s", allowed->len ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		pxs_buf_add_str(allowed, ", HEAD");
}

const struct route *
route_at(size_t i)
{
	return i < ARRAY_SIZE(ROUTES) ? &ROUTES[i] : NULL;
}

int
route_find(const char *method, const char *path, const struct route **ret_route,
	   struct pxs_buf *tail, struct pxs_buf *allowed)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	const char *part;
	size_t part_len;
	size_t len;

	path = skip_base(path);
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < ARRAY_SIZE(ROUTES); i++) {
		if (!matches(ROUTES[i].path, path, len, &part, &part_len))
			continue;
		if (strcmp(ROUTES[i].method, wanted) == 0) {
			*ret_route = &ROUTES[i];
			pxs_buf_add(tail, part, part_len);
			return tail->error;
		}
		add_allowed(allowed, ROUTES[i].method);
	}
	if (!allowed->len)
		return -ENOENT;
	pxs_buf_add_str(allowed, ", OPTIONS");
	return -EOPNOTSUPP;
}
