#include "rest/route.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

static const struct route ROUTES[] = {
	{ "GET", "/", AUTH_READ, handle_home },
	{ "GET", "/version", AUTH_READ, handle_version },
	{ "GET", "/files", AUTH_READ, handle_files },
	{ "GET", "/files/{}", AUTH_READ, handle_item },
	{ "GET", "/schema/files", AUTH_READ, handle_schema },
	{ "GET", "/status", AUTH_READ, handle_status },
	{ "GET", "/failures", AUTH_READ, handle_failures },
	{ "GET", "/check", AUTH_OPERATE, handle_check },
	{ "GET", "/ingest", AUTH_READ, handle_jobs },
	{ "GET", "/ingest/{}", AUTH_READ, handle_job },
	{ "POST", "/ingest", AUTH_OPERATE, handle_job_submit },
	{ "GET", "/mounts", AUTH_READ, handle_mounts },
	{ "POST", "/mounts", AUTH_OPERATE, handle_mount },
	{ "DELETE", "/mounts", AUTH_OPERATE, handle_unmount },
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

/* Whether PATH, of LEN bytes without a slash at the end, has the shape of PATTERN. */
static bool
matches(const char *pattern, const char *path, size_t len)
{
	const char *hole = strstr(pattern, "{}");
	size_t fixed = hole ? (size_t)(hole - pattern) : strlen(pattern);

	if (len < fixed || strncmp(path, pattern, fixed) != 0)
		return false;
	if (!hole)
		return len == fixed;
	return len > fixed && !memchr(path + fixed, '/', len - fixed);
}

static void
add_tail(struct pxs_buf *tail, const char *pattern, const char *path, size_t len)
{
	const char *hole = strstr(pattern, "{}");

	if (hole)
		pxs_buf_add(tail, path + (hole - pattern), len - (size_t)(hole - pattern));
}

static void
add_allowed(struct pxs_buf *allowed, const char *method)
{
	pxs_buf_addf(allowed, "%s%s", allowed->len ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		pxs_buf_add_str(allowed, ", HEAD");
}

int
route_find(const char *method, const char *path, const struct route **ret_route,
	   struct pxs_buf *tail, struct pxs_buf *allowed)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	size_t len;

	path = skip_base(path);
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < ARRAY_SIZE(ROUTES); i++) {
		if (!matches(ROUTES[i].path, path, len))
			continue;
		if (strcmp(ROUTES[i].method, wanted) == 0) {
			*ret_route = &ROUTES[i];
			add_tail(tail, ROUTES[i].path, path, len);
			return tail->error;
		}
		add_allowed(allowed, ROUTES[i].method);
	}
	if (!allowed->len)
		return -ENOENT;
	pxs_buf_add_str(allowed, ", OPTIONS");
	return -EOPNOTSUPP;
}
