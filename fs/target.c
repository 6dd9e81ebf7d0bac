#include "fs/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/bucket.h"
#include "fs/mount.h"
#include "fs/request.h"
#include "index/index.h"
#include "query/query.h"

/* The next component of *PATH, ended in place; NULL at the end. Empty ones and "." are left out. */
static char *
next_component(char **path)
{
	char *component;

	do
		component = strsep(path, "/");
	while (component && (!*component || !strcmp(component, ".")));
	return component;
}

static void
add_bucket(const struct query_property *property, const char *name, struct pxs_buf *segments)
{
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;

	fs_bucket_print_target(property, name, &target);
	pxs_buf_addf(segments, "%s/", pxs_buf_text(&target) + strlen(FS_BUCKET_UP));
	if (target.error)
		segments->error = target.error;
}

/* Adds the components of PATH as segments only: core.size/1-5 becomes core.size=1-5. */
static int
add_components(struct fs_request *request, char *path, struct pxs_buf *segments)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	const struct query_property *facet = NULL;
	char *component;

	while ((component = next_component(&path))) {
		if (facet) {
			add_bucket(facet, component, segments);
			facet = NULL;
			continue;
		}
		switch (query_name_classify(component, schema)) {
		case QUERY_NAME_SEGMENT:
			pxs_buf_addf(segments, "%s/", component);
			break;
		case QUERY_NAME_FACET:
			facet = query_schema_find(schema, component);
			break;
		case QUERY_NAME_OTHER:
			return pxs_error_set(&request->err, -EINVAL, -1,
					     "'%.100s' is no part of a search", component);
		}
	}
	if (facet)
		return pxs_error_set(&request->err, -EINVAL, -1,
				     "'%s' is a facet folder, not a search", facet->name);
	if (segments->len)
		segments->data[--segments->len] = '\0';
	return segments->error;
}

/* The part of TARGET below /query; NULL if it leads elsewhere. */
static const char *
below_query(const struct fs *fs, const char *target)
{
	static const char UP[] = "../";
	static const char QUERY[] = "query/";
	size_t len = strlen(fs->options.mountpoint);
	const char *rest = target;

	while (!strncmp(rest, UP, sizeof(UP) - 1))
		rest += sizeof(UP) - 1;
	if (rest > target && !strncmp(rest, QUERY, sizeof(QUERY) - 1))
		return rest + sizeof(QUERY) - 1;
	if (!strncmp(target, fs->options.mountpoint, len) && !strncmp(target + len, "/query/", 7))
		return target + len + 7;
	return NULL;
}

int
fs_target_print(struct fs_request *request, const char *target, struct pxs_buf *path)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	const char *below = below_query(request->fs, target);
	CLEANUP(pxs_buf) struct pxs_buf segments = PXS_BUF_INIT;
	CLEANUP(free) char *copy = NULL;
	int r;

	if (!below)
		return pxs_error_set(
			&request->err, -EINVAL, -1,
			"a saved search is made with ln -s ../query/SEARCH saved/NAME");
	copy = strdup(below);
	if (!copy)
		return -ENOMEM;
	r = add_components(request, copy, &segments);
	if (r < 0)
		return r;
	return query_saved_print(pxs_buf_text(&segments), schema, path, &request->err);
}
