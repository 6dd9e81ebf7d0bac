#include "fs/saved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/request.h"
#include "fs/virtual.h"
#include "index/index.h"
#include "query/query.h"

void
fs_saved_print_name(const struct fs_node *parent, const char *name, struct pxs_buf *full)
{
	if (parent->saved_name)
		pxs_buf_addf(full, "%s/", parent->saved_name);
	pxs_buf_add_str(full, name);
}

/* --- From names to nodes --- */

/* The node of the saved search or group NAME, which stands for PATH. */
static struct fs_node *
new_node(enum fs_kind kind, const struct fs_node *parent, const char *name, const char *path)
{
	CLEANUP(fs_node) struct fs_node *node = fs_node_new(kind, parent);

	if (!node)
		return NULL;
	node->saved_itself = true;
	node->saved_name = strdup(name);
	node->saved_path = strdup(path);
	if (!node->saved_name || !node->saved_path)
		return NULL;
	return STEAL(node);
}

/* FILLED is PATH, with its parameters filled in. */
static int
derive_search(struct fs_request *request, const struct fs_node *parent, const char *name,
	      const char *path, const char *filled, struct fs_node **ret_node)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	CLEANUP(fs_node) struct fs_node *node = new_node(FS_KIND_QUERY, parent, name, path);
	int r;

	if (!node)
		return -ENOMEM;
	r = query_new(&node->query);
	if (r == 0)
		r = query_add_path(node->query, filled, schema, &request->err);
	if (r < 0)
		return r;
	node->conditions = 1;
	*ret_node = STEAL(node);
	return 0;
}

static int
derive_saved(struct fs_request *request, const struct fs_node *parent, const char *name,
	     const char *path, struct fs_node **ret_node)
{
	struct query_parameters parameters = { 0 };
	int r = query_saved_parameters(path, &parameters);

	if (r < 0)
		return r;
	if (*path && !parameters.n)
		return derive_search(request, parent, name, path, path, ret_node);
	*ret_node = new_node(*path ? FS_KIND_TEMPLATE : FS_KIND_SAVED, parent, name, path);
	return *ret_node ? 0 : -ENOMEM;
}

/* NAME's search PATH with what TEXT, behind the "=", fills in. */
static int
derive_filled(struct fs_request *request, const struct fs_node *parent, const char *name,
	      const char *path, const char *text, struct fs_node **ret_node)
{
	CLEANUP(pxs_buf) struct pxs_buf filled = PXS_BUF_INIT;
	struct query_argument arguments[QUERY_PARAMETERS_MAX];
	size_t n = 0;
	int r;

	r = query_saved_arguments(path, text, arguments, &n, &request->err);
	if (r == 0)
		r = query_saved_fill(path, arguments, n, &filled, &request->err);
	if (r < 0)
		return r;
	return derive_search(request, parent, name, path, pxs_buf_text(&filled), ret_node);
}

static bool
needs_values(const char *path)
{
	struct query_parameters parameters = { 0 };

	return query_saved_parameters(path, &parameters) == 0 && parameters.n > 0;
}

/* FULL is no saved search's name: the part of it before one of its "=" may be. */
static int
derive_by_arguments(struct fs_request *request, const struct fs_node *parent, const char *full,
		    struct fs_node **ret_node)
{
	const char *slash = strrchr(full, '/');
	const char *at = slash ? slash : full;

	while ((at = strchr(at, '='))) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
		CLEANUP(free) char *name = strndup(full, (size_t)(at++ - full));
		int r = name ? index_saved_get(request->fs->index, name, &path) : -ENOMEM;

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && needs_values(pxs_buf_text(&path)))
			return derive_filled(request, parent, name, pxs_buf_text(&path), at,
					     ret_node);
	}
	return -ENOENT;
}

int
fs_saved_derive(struct fs_request *request, struct fs_node *parent, const char *name,
		struct fs_node **ret_node)
{
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	int r;

	fs_saved_print_name(parent, name, &full);
	if (full.error)
		return full.error;
	r = index_saved_get(request->fs->index, full.data, &path);
	if (r == -ENOENT)
		return derive_by_arguments(request, parent, full.data, ret_node);
	if (r < 0)
		return r;
	return derive_saved(request, parent, full.data, pxs_buf_text(&path), ret_node);
}

/* --- A search that needs values --- */

/* "by-owner=VALUE", "pictures=owner=VALUE&kind=VALUE" */
static void
print_usage(const struct fs_node *folder, struct pxs_buf *buf)
{
	struct query_parameters parameters = { 0 };

	(void)query_saved_parameters(folder->saved_path, &parameters);
	pxs_buf_addf(buf, "saved/%s=", folder->saved_name);
	for (size_t i = 0; i < parameters.n; i++)
		if (parameters.n == 1)
			pxs_buf_add_str(buf, "VALUE");
		else
			pxs_buf_addf(buf, "%s%s=VALUE", i ? "&" : "", parameters.names[i]);
}

int
fs_saved_derive_in_template(struct fs_request *request, struct fs_node *parent, const char *name,
			    struct fs_node **ret_node)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	CLEANUP(pxs_buf) struct pxs_buf usage = PXS_BUF_INIT;
	const struct fs_virtual *file = fs_virtual_find(FS_VIRTUAL_TEMPLATE, name);
	struct fs_node *node;

	if (!file && query_name_classify(name, schema) == QUERY_NAME_OTHER)
		return -ENOENT;
	if (!file) {
		print_usage(parent, &usage);
		return pxs_error_set(&request->err, -EINVAL, -1,
				     "this saved search needs values first: %.160s",
				     pxs_buf_text(&usage));
	}
	node = fs_node_new(FS_KIND_FILE, parent);
	if (!node)
		return -ENOMEM;
	node->file = file;
	node->folder = fs_node_ref(parent);
	*ret_node = node;
	return 0;
}

int
fs_print_template(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	(void)request;
	pxs_buf_addf(buf, "This saved search,\n\n    %s\n\nneeds values:\n\n    ls \"",
		     folder->saved_path);
	print_usage(folder, buf);
	pxs_buf_add_str(buf,
			"\"\n\nA value is written as in a path of query/: A..B is a range, %26 "
			"stands for &, %2F for /.\n");
	return buf->error;
}

/* --- Reading the link form --- */

int
fs_saved_read_link(struct fs_request *request, uint64_t id, struct pxs_buf *target)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;
	CLEANUP(fs_node) struct fs_node *parent = NULL;
	uint64_t parent_id;
	int r;

	r = index_node_name(request->fs->index, fs_node_row(id), &parent_id, &name);
	if (r == 0)
		r = fs_node_get(request, parent_id, &parent);
	if (r == 0) {
		fs_saved_print_name(parent, pxs_buf_text(&name), &full);
		for (unsigned int i = 0; i < parent->depth; i++)
			pxs_buf_add_str(target, "../");
		pxs_buf_add_str(target, "query/");
		r = index_saved_get(request->fs->index, pxs_buf_text(&full), target);
	}
	return r == -ENOENT ? -ESTALE : r;
}
