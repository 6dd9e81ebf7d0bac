#include "rest/route.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

static const struct route ROUTES[] = {
	{ "GET", "/", AUTH_READ, ROUTE_QUICK, handle_home, "What is here" },
	{ "GET", "/files", AUTH_READ, ROUTE_WORKS, handle_files,
	  "Templates of queries; with one, a page of what it finds, or how to narrow it down",
	  "where q path limit sort projection max_results page after pretty" },
	{ "DELETE", "/files", AUTH_DELETE, ROUTE_WORKS, handle_purge,
	  "Delete all documents that a query finds; never files", "where q path dry_run expect" },
	{ "GET", "/files/{id}", AUTH_READ, ROUTE_QUICK, handle_item,
	  "A document with all its properties",
	  "projection pretty If-None-Match If-Modified-Since" },
	{ "PATCH", "/files/{id}", AUTH_UPDATE, ROUTE_WORKS, handle_patch,
	  "Change properties of a document", "If-Match pretty", "template" },
	{ "DELETE", "/files/{id}", AUTH_DELETE, ROUTE_WORKS, handle_delete,
	  "Delete a document; never its file", "If-Match" },
	{ "POST", "/files/{id}/undelete", AUTH_DELETE, ROUTE_WORKS, handle_undelete,
	  "Bring back a document that was deleted", "pretty" },
	{ "GET", "/removed", AUTH_DELETE, ROUTE_WORKS, handle_removed,
	  "Documents that can be brought back, newest first", "before max_results pretty" },
	{ "GET", "/changes", AUTH_READ, ROUTE_WAITS, handle_changes,
	  "What changed since a change: wait for the next ones, forget none",
	  "since wait max_results pretty" },
	{ "GET", "/schema/files", AUTH_READ, ROUTE_WORKS, handle_schema,
	  "Properties that files may have", "pretty" },
	{ "GET", "/status", AUTH_READ, ROUTE_WORKS, handle_status, "How the catalogue is",
	  "pretty" },
	{ "GET", "/failures", AUTH_READ, ROUTE_WORKS, handle_failures,
	  "Files that could not be read", "page pretty" },
	{ "GET", "/check", AUTH_OPERATE, ROUTE_WORKS, handle_check,
	  "Compare the parts of the index", "pretty" },
	{ "GET", "/ingest", AUTH_READ, ROUTE_WORKS, handle_jobs, "Scans of trees", "pretty" },
	{ "GET", "/ingest/{job}", AUTH_READ, ROUTE_WORKS, handle_job, "One scan of a tree",
	  "pretty" },
	{ "POST", "/ingest", AUTH_OPERATE, ROUTE_WORKS, handle_job_submit,
	  "Scan a tree, or forget one", "pretty", "ingest" },
	{ "GET", "/mounts", AUTH_READ, ROUTE_WORKS, handle_mounts,
	  "Folders that show the catalogue", "pretty" },
	{ "POST", "/mounts", AUTH_OPERATE, ROUTE_WORKS, handle_mount,
	  "Show the catalogue in a folder", "pretty", "mount" },
	{ "DELETE", "/mounts", AUTH_OPERATE, ROUTE_WORKS, handle_unmount, "Do so no longer",
	  "mountpoint" },
	{ "GET", "/version", AUTH_READ, ROUTE_QUICK, handle_version, "Who answers", "pretty" },
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
