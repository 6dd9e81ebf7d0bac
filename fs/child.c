#include "fs/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "fs/bucket.h"
#include "fs/memo.h"
#include "fs/mount.h"
#include "fs/name.h"
#include "fs/node.h"
#include "fs/request.h"
#include "fs/saved.h"
#include "fs/tree.h"
#include "fs/virtual.h"
#include "index/index.h"
#include "query/query.h"

typedef int (*derive_fn)(struct fs_request *request, struct fs_node *parent, const char *name,
			 struct fs_node **ret_node);

/* A node that belongs to the query folder that PARENT is or belongs to; NULL: out of memory. */
static struct fs_node *
new_member(enum fs_kind kind, struct fs_node *parent)
{
	struct fs_node *node = fs_node_new(kind, parent);

	if (node)
		node->folder = fs_node_ref(fs_node_folder(parent));
	return node;
}

static int
finish(struct fs_node *node, struct fs_node **ret_node)
{
	if (!node)
		return -ENOMEM;
	*ret_node = node;
	return 0;
}

/* --- / --- */

static int
derive_in_root(struct fs_request *request, struct fs_node *parent, const char *name,
	       struct fs_node **ret_node)
{
	static const struct {
		const char *name;
		enum fs_kind kind;
	} NAMES[] = {
		{ ".pxs", FS_KIND_STATUS },
		{ "id", FS_KIND_IDS },
		{ "query", FS_KIND_QUERY },
		{ "saved", FS_KIND_SAVED },
	};
	CLEANUP(fs_node) struct fs_node *node = NULL;
	size_t i = 0;
	int r = 0;

	(void)request;
	while (i < ARRAY_SIZE(NAMES) && strcmp(name, NAMES[i].name) != 0)
		i++;
	if (i == ARRAY_SIZE(NAMES))
		return -ENOENT;

	node = fs_node_new(NAMES[i].kind, parent);
	if (node && node->kind == FS_KIND_QUERY)
		r = query_new(&node->query);
	return r < 0 ? r : finish(STEAL(node), ret_node);
}

/* /.pxs, and .pxs in a query folder. */
static int
derive_file(enum fs_virtual_place place, struct fs_node *parent, const char *name,
	    struct fs_node **ret_node)
{
	const struct fs_virtual *file = fs_virtual_find(place, name);
	struct fs_node *node;

	if (!file)
		return -ENOENT;
	node = place == FS_VIRTUAL_STATUS ? fs_node_new(FS_KIND_FILE, parent)
					  : new_member(FS_KIND_FILE, parent);
	if (node)
		node->file = file;
	return finish(node, ret_node);
}

static int
derive_in_status(struct fs_request *request, struct fs_node *parent, const char *name,
		 struct fs_node **ret_node)
{
	(void)request;
	return derive_file(FS_VIRTUAL_STATUS, parent, name, ret_node);
}

/* --- A query folder --- */

/* _sort and _limit choose among the results of the conditions, they are none. */
static bool
is_condition(const char *segment)
{
	return strncmp(segment, "_sort=", 6) != 0 && strncmp(segment, "_limit=", 7) != 0;
}

static int
copy_saved(const struct fs_node *parent, struct fs_node *node)
{
	if (!parent->saved_name)
		return 0;
	node->saved_name = strdup(parent->saved_name);
	node->saved_path = strdup(parent->saved_path);
	return node->saved_name && node->saved_path ? 0 : -ENOMEM;
}

static int
derive_segment(struct fs_request *request, struct fs_node *parent, const char *name,
	       struct fs_node **ret_node)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	CLEANUP(fs_node) struct fs_node *node = fs_node_new(FS_KIND_QUERY, parent);
	int r;

	if (!node)
		return -ENOMEM;
	r = copy_saved(parent, node);
	if (r == 0)
		r = query_copy(parent->query, &node->query);
	if (r == 0)
		r = query_add_segment(node->query, name, schema, &request->err);
	if (r < 0)
		return r;
	node->conditions = parent->conditions + is_condition(name);
	*ret_node = STEAL(node);
	return 0;
}

static int
derive_facet(struct fs_request *request, struct fs_node *parent, const char *name,
	     struct fs_node **ret_node)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	struct fs_node *node = new_member(FS_KIND_FACET, parent);

	if (node)
		node->property = query_schema_find(schema, name);
	return finish(node, ret_node);
}

static int
derive_in_query(struct fs_request *request, struct fs_node *parent, const char *name,
		struct fs_node **ret_node)
{
	if (!strcmp(name, ".pxs"))
		return finish(new_member(FS_KIND_PXS, parent), ret_node);

	switch (query_name_classify(name, index_view_schema(fs_request_view(request)))) {
	case QUERY_NAME_SEGMENT:
		return derive_segment(request, parent, name, ret_node);
	case QUERY_NAME_FACET:
		return derive_facet(request, parent, name, ret_node);
	case QUERY_NAME_OTHER:
		break;
	}
	return -ENOENT;
}

/* --- A facet folder: any value that parses has its symlink, listed or not --- */

static int
derive_in_facet(struct fs_request *request, struct fs_node *parent, const char *name,
		struct fs_node **ret_node)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;
	CLEANUP(fs_node) struct fs_node *node = NULL;
	CLEANUP(query) struct query *query = NULL;
	int r;

	fs_bucket_print_target(parent->property, name, &target);
	if (target.error)
		return target.error;
	r = query_new(&query);
	if (r == 0)
		r = query_add_segment(query, target.data + strlen(FS_BUCKET_UP), schema,
				      &request->err);
	if (r < 0)
		return r;

	node = new_member(FS_KIND_BUCKET, parent);
	if (!node)
		return -ENOMEM;
	node->property = parent->property;
	node->text = pxs_buf_steal(&target);
	if (!node->text)
		return -ENOMEM;
	*ret_node = STEAL(node);
	return 0;
}

/* --- .pxs in a query folder --- */

/* Takes TEXT, NULL where memory is out. */
static int
derive_tree(struct fs_node *parent, char *text, struct fs_node **ret_node)
{
	CLEANUP(fs_node) struct fs_node *node = new_member(FS_KIND_TREE, parent);

	if (!node || !text) {
		free(text);
		return -ENOMEM;
	}
	node->text = text;
	*ret_node = STEAL(node);
	return 0;
}

static int
derive_in_pxs(struct fs_request *request, struct fs_node *parent, const char *name,
	      struct fs_node **ret_node)
{
	(void)request;
	if (!strcmp(name, "meta"))
		return finish(new_member(FS_KIND_META, parent), ret_node);
	if (!strcmp(name, "tree"))
		return derive_tree(parent, strdup(""), ret_node);
	return derive_file(FS_VIRTUAL_QUERY, parent, name, ret_node);
}

/* A folder is there if a result lies in it or below, or is it. */
static int
derive_in_tree(struct fs_request *request, struct fs_node *parent, const char *name,
	       struct fs_node **ret_node)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(fs_tree) struct fs_tree *tree = NULL;
	int r;

	if (*parent->text)
		pxs_buf_addf(&path, "%s/", parent->text);
	r = fs_name_decode(name, &path);
	if (r < 0 || path.error)
		return r < 0 ? r : path.error;
	r = fs_memo_tree(request, parent->folder, &tree);
	if (r < 0)
		return r;
	if (!fs_tree_has(tree, path.data))
		return -ENOENT;
	return derive_tree(parent, pxs_buf_steal(&path), ret_node);
}

/* Folders whose names are all documents, and what is no folder, have no rule. */
static const derive_fn RULES[] = {
	[FS_KIND_ROOT] = derive_in_root,   [FS_KIND_STATUS] = derive_in_status,
	[FS_KIND_SAVED] = fs_saved_derive, [FS_KIND_TEMPLATE] = fs_saved_derive_in_template,
	[FS_KIND_QUERY] = derive_in_query, [FS_KIND_FACET] = derive_in_facet,
	[FS_KIND_PXS] = derive_in_pxs,	   [FS_KIND_TREE] = derive_in_tree,
};

int
fs_child_derive(struct fs_request *request, struct fs_node *parent, const char *name,
		struct fs_node **ret_node)
{
	if ((size_t)parent->kind >= ARRAY_SIZE(RULES) || !RULES[parent->kind])
		return -ENOENT;
	return RULES[parent->kind](request, parent, name, ret_node);
}
