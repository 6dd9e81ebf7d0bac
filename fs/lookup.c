/* LOOKUP: from a name in a folder to a node. Runs no query but to find a result by its name. */
#include "fs/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/attr.h"
#include "fs/memo.h"
#include "fs/mount.h"
#include "fs/names.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/probe.h"
#include "fs/request.h"
#include "fs/seen.h"
#include "fs/sidecar.h"
#include "fs/tree.h"
#include "index/index.h"

/* --- Documents by name --- */

static int
find_result(struct fs_request *request, const struct fs_node *folder, const char *name, size_t max,
	    uint32_t *ret_doc)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct fs_scope scope;
	int r = fs_request_hits(request, folder, &hits);

	if (r < 0)
		return r;
	fs_scope_of_hits(&scope, hits, &request->core);
	return fs_names_resolve(&scope, name, max, ret_doc);
}

static int
lookup_result(struct fs_request *request, struct fs_node *parent, const char *name,
	      struct fuse_entry_param *entry)
{
	uint32_t doc;
	int r = find_result(request, parent, name, FS_NAME_MAX, &doc);

	if (r == 0)
		fs_attr_document(request, doc, entry);
	return r;
}

/* "NAME.json" for the result NAME. */
static int
lookup_sidecar(struct fs_request *request, struct fs_node *parent, const char *name,
	       struct fuse_entry_param *entry)
{
	CLEANUP(free) char *result = fs_sidecar_result_name(name);
	uint32_t doc;
	int r;

	if (!result)
		return -ENOENT;
	r = find_result(request, parent->folder, result, FS_SIDECAR_NAME_MAX, &doc);
	if (r == 0)
		r = fs_attr_id(request,
			       FS_NODE_SIDECAR | index_doc_row(fs_request_view(request), doc),
			       entry);
	return r;
}

/* A result in its original folder. */
static int
lookup_in_tree(struct fs_request *request, struct fs_node *parent, const char *name,
	       struct fuse_entry_param *entry)
{
	CLEANUP(fs_tree) struct fs_tree *tree = NULL;
	struct fs_tree_folder folder = { .folder = parent->text };
	struct fs_scope scope;
	uint32_t doc;
	int r;

	r = fs_memo_tree(request, parent->folder, &tree);
	if (r < 0)
		return r;
	folder.tree = tree;
	fs_scope_of_folder(&scope, &folder, fs_request_view(request), &request->core);
	r = fs_names_resolve(&scope, name, FS_NAME_MAX, &doc);
	if (r == 0)
		fs_attr_document(request, doc, entry);
	return r;
}

/* A document by its decimal _id. */
static int
lookup_id(struct fs_request *request, struct fs_node *parent, const char *name,
	  struct fuse_entry_param *entry)
{
	uint32_t doc;
	char *end;
	long long id;

	(void)parent;
	if (name[0] < '1' || name[0] > '9') /* one spelling for each */
		return -ENOENT;
	errno = 0;
	id = strtoll(name, &end, 10);
	if (*end || errno || index_doc_find(fs_request_view(request), id, &doc) < 0)
		return -ENOENT;
	fs_attr_document(request, doc, entry);
	return 0;
}

int
fs_lookup_document(struct fs_request *request, struct fs_node *parent, const char *name,
		   struct fuse_entry_param *entry)
{
	switch (parent->kind) {
	case FS_KIND_QUERY:
		return lookup_result(request, parent, name, entry);
	case FS_KIND_META:
		return lookup_sidecar(request, parent, name, entry);
	case FS_KIND_TREE:
		return lookup_in_tree(request, parent, name, entry);
	case FS_KIND_IDS:
		return lookup_id(request, parent, name, entry);
	default:
		return -ENOENT;
	}
}

/* --- "." and "..", which NFS asks for of any node --- */

/* Documents and their sidecars are at home in id/. */
static int
parent_of(struct fs_request *request, uint64_t id, uint64_t *ret_parent)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r;

	if (id & FS_NODE_TAGS)
		return index_node_number(request->fs->index, INDEX_NODE_ROOT,
					 fs_node_is_link(id) ? "saved" : "id", ret_parent);
	r = fs_node_get(request, id, &node);
	if (r < 0)
		return r;
	*ret_parent = node->kind == FS_KIND_ROOT ? id : node->parent;
	return 0;
}

static int
lookup_dots(struct fs_request *request, uint64_t id, const char *name,
	    struct fuse_entry_param *entry)
{
	int r = 0;

	if (!strcmp(name, ".."))
		r = parent_of(request, id, &id);
	return r < 0 ? r : fs_attr_id(request, id, entry);
}

/* --- All names --- */

/* How long the kernel may believe that PARENT has no NAME. */
static double
absent_s(const struct fs_node *parent, const char *name)
{
	if (parent->kind == FS_KIND_SAVED)
		return 0; /* it may be saved by other doors, and "by=x" goes with "by" */
	return fs_probe_is(name) ? FS_PROBE_S : FS_ABSENT_S;
}

static int
lookup(struct fs_request *request, uint64_t parent_id, const char *name,
       struct fuse_entry_param *entry)
{
	CLEANUP(fs_node) struct fs_node *parent = NULL;
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return lookup_dots(request, parent_id, name, entry);
	if (parent_id & FS_NODE_TAGS)
		return -ENOTDIR;
	r = fs_node_get(request, parent_id, &parent);
	if (r < 0)
		return r;

	r = fs_node_child(request, parent, name, &node);
	if (r == 0)
		fs_attr_node(request, node, entry);
	else if (r == -ENOENT)
		r = fs_lookup_document(request, parent, name, entry);
	if (r == -ENOENT)
		*entry = (struct fuse_entry_param){ .entry_timeout = absent_s(parent, name) };
	return r;
}

/* It may be unlinked by this name. */
static void
note_name(struct fs_request *request, const struct fuse_entry_param *entry)
{
	uint32_t doc;

	if (request->fs->options.deletions_per_minute && fs_node_is_document(entry->ino) &&
	    fs_request_document(request, entry->ino, &doc) == 0)
		fs_seen_note_name(request->fs->seen, request->node, request->name,
				  index_doc_id(request->view, doc),
				  index_doc_seq(request->view, doc));
}

void
fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	struct fuse_entry_param entry = { 0 };
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = lookup(&request, parent, name, &entry);
	if (r == 0)
		note_name(&request, &entry);
	/* Node number 0 lets the kernel remember that there is nothing. */
	if (r == -ENOENT && !request.fs->options.visibility_unix)
		r = 0;
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_entry(req, &entry);
}
