#include "fs/saved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "fs/attr.h"
#include "fs/bucket.h"
#include "fs/edit.h"
#include "fs/mount.h"
#include "fs/name.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/request.h"
#include "index/index.h"
#include "query/query.h"

/* --- Paths --- */

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

static int
add_bucket(struct query *query, const struct query_property *property, const char *name,
	   const struct query_schema *schema, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;

	fs_bucket_print_target(property, name, &target);
	if (target.error)
		return target.error;
	return query_add_segment(query, target.data + strlen(FS_BUCKET_UP), schema, err);
}

static int
add_components(struct query *query, char *path, const struct query_schema *schema,
	       struct pxs_error *err)
{
	const struct query_property *facet = NULL;
	char *component;
	int r = 0;

	while (r == 0 && (component = next_component(&path))) {
		if (facet) {
			r = add_bucket(query, facet, component, schema, err);
			facet = NULL;
			continue;
		}
		switch (query_name_classify(component, schema)) {
		case QUERY_NAME_SEGMENT:
			r = query_add_segment(query, component, schema, err);
			break;
		case QUERY_NAME_FACET:
			facet = query_schema_find(schema, component);
			break;
		case QUERY_NAME_OTHER:
			r = pxs_error_set(err, -EINVAL, -1, "'%.100s' is no part of a search",
					  component);
			break;
		}
	}
	if (r == 0 && facet)
		r = pxs_error_set(err, -EINVAL, -1, "'%s' is a facet folder, not a search",
				  facet->name);
	return r;
}

int
fs_saved_parse(struct fs_request *request, const char *path, struct query **ret_query)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(free) char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	r = query_new(&query);
	if (r == 0)
		r = add_components(query, copy, schema, &request->err);
	if (r == 0)
		*ret_query = STEAL(query);
	return r;
}

/* The part of a link's target below /query; NULL if it leads elsewhere. */
static const char *
below_query(const struct fs *fs, const char *target)
{
	static const char RELATIVE[] = "../query/";
	size_t len = strlen(fs->options.mountpoint);

	if (!strncmp(target, RELATIVE, sizeof(RELATIVE) - 1))
		return target + sizeof(RELATIVE) - 1;
	if (!strncmp(target, fs->options.mountpoint, len) && !strncmp(target + len, "/query/", 7))
		return target + len + 7;
	return NULL;
}

/* Adds the canonical path of the search that TARGET leads to. */
static int
resolve_target(struct fs_request *request, const char *target, struct pxs_buf *path)
{
	const char *below = below_query(request->fs, target);
	CLEANUP(query) struct query *query = NULL;
	int r;

	if (!below)
		return pxs_error_set(
			&request->err, -EINVAL, -1,
			"a saved search is made with ln -s ../query/SEARCH saved/NAME");
	r = fs_saved_parse(request, below, &query);
	if (r == 0)
		r = query_print_path(query, path);
	if (r == 0 && !path->len)
		r = pxs_error_set(&request->err, -EINVAL, -1,
				  "the target names no search, only the whole catalogue");
	return r;
}

/* --- Reading the link form --- */

int
fs_saved_read_link(struct fs_request *request, uint64_t id, struct pxs_buf *target)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	uint64_t parent;
	int r;

	r = index_node_name(request->fs->index, fs_node_row(id), &parent, &name);
	if (r == 0) {
		pxs_buf_add_str(target, "../query/");
		r = index_saved_get(request->fs->index, pxs_buf_text(&name), target);
	}
	return r == -ENOENT ? -ESTALE : r;
}

/* --- Changing them --- */

/* Whether PARENT is saved/; else the request fails with a sentence about what it tried. */
static int
check_parent(struct fs_request *request, uint64_t parent, const char *what)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r = 0;

	if (!(parent & FS_NODE_TAGS))
		r = fs_node_get(request, parent, &node);
	if (r < 0)
		return r;
	if (node && node->kind == FS_KIND_SAVED)
		return 0;
	return pxs_error_set(&request->err, -EPERM, -1, "%s", what);
}

static int
check_name(struct fs_request *request, const char *name)
{
	size_t len = strlen(name);

	if (len > FS_NAME_MAX)
		return pxs_error_set(&request->err, -ENAMETOOLONG, -1,
				     "a saved search's name has at most %d bytes", FS_NAME_MAX);
	if (!pxs_utf8_valid(name, len))
		return pxs_error_set(&request->err, -EINVAL, -1,
				     "a saved search's name must be UTF-8");
	return 0;
}

static int
check_free(struct fs_request *request, const char *name, int r)
{
	if (r != -EEXIST)
		return r;
	return pxs_error_set(&request->err, r, -1, "there is a saved search '%.200s' already",
			     name);
}

static int
save(struct fs_request *request, const char *target, uint64_t parent, const char *name,
     struct fuse_entry_param *entry)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	uint64_t number = 0;
	int r;

	r = check_parent(request, parent, "symlinks can be made in saved/ only");
	if (r == 0)
		r = check_name(request, name);
	if (r == 0)
		r = resolve_target(request, target, &path);
	if (r == 0)
		r = check_free(request, name, index_saved_put(request->fs->index, name, path.data));
	if (r == 0)
		r = index_node_number(request->fs->index, parent, name, &number);
	if (r < 0)
		return r;
	fs_attr_symlink(request, FS_NODE_LINK | number, path.len + strlen("../query/"), entry);
	return 0;
}

/* symlink(2) insists on a symlink; the next lookup, at once, finds the folder. */
void
fs_op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	struct fuse_entry_param entry;
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = save(&request, link, parent, name, &entry);
	if (r < 0) {
		fs_request_fail(&request, r);
		return;
	}
	entry.entry_timeout = 0;
	entry.attr_timeout = 0;
	(void)fuse_reply_entry(req, &entry);
}

static int
rename_saved(struct fs_request *request, uint64_t new_parent, const char *new_name,
	     unsigned int flags)
{
	int r;

	if (flags & ~(unsigned int)RENAME_NOREPLACE)
		return -EINVAL;
	r = check_parent(request, request->node, "only saved searches can be renamed");
	if (r == 0)
		r = check_parent(request, new_parent, "a saved search stays in saved/");
	if (r == 0)
		r = check_name(request, new_name);
	if (r == 0)
		r = check_free(request, new_name,
			       index_saved_rename(request->fs->index, request->name, new_name));
	return r;
}

void
fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	     const char *new_name, unsigned int flags)
{
	CLEANUP(fs_request) struct fs_request request;
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = rename_saved(&request, new_parent, new_name, flags);
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_err(req, 0);
}

void
fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = check_parent(
			&request, parent,
			"a folder of the mount cannot be removed, only saved searches can");
	if (r == 0)
		r = index_saved_remove(request.fs->index, name);
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_err(req, 0);
}

static int
unlink_in(struct fs_request *request, uint64_t parent, const char *name)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r = parent & FS_NODE_TAGS ? -ENOTDIR : fs_node_get(request, parent, &node);

	if (r < 0)
		return r;
	return node->kind == FS_KIND_SAVED ? index_saved_remove(request->fs->index, name)
					   : fs_edit_unlink(request, node, name);
}

void
fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = unlink_in(&request, parent, name);
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_err(req, 0);
}
