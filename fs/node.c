#include "fs/node.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "fs/child.h"
#include "fs/mount.h"
#include "fs/request.h"
#include "index/index.h"
#include "query/query.h"

/* Nodes that are kept, each with a query of a few kilobytes. */
#define CACHE_MAX 4096
#define BUCKETS 4096 /* a power of two */

/* A path has at most PATH_MAX bytes and the shortest condition has five ("a.b=c"); the limit bounds
 * our recursion for whoever goes deeper by relative paths. */
#define DEPTH_MAX 1024

struct fs_nodes {
	pthread_mutex_t lock;
	struct fs_node *buckets[BUCKETS];
	struct fs_node *newest, *oldest;
	size_t n;
};

/* --- One node --- */

struct fs_node *
fs_node_new(enum fs_kind kind, const struct fs_node *parent)
{
	struct fs_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	atomic_init(&node->references, 1);
	if (parent) {
		node->parent = parent->id;
		node->depth = parent->depth + 1;
	}
	return node;
}

struct fs_node *
fs_node_ref(struct fs_node *node)
{
	(void)atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
	return node;
}

void
fs_node_put(struct fs_node *node)
{
	if (!node || atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel) > 1)
		return;
	query_free(node->query);
	fs_node_put(node->folder);
	free(node->text);
	free(node->saved_name);
	free(node->saved_path);
	free(node);
}

struct fs_node *
fs_node_folder(struct fs_node *node)
{
	return node->kind == FS_KIND_QUERY ? node : node->folder;
}

/* --- The cache --- */

int
fs_nodes_new(struct fs_nodes **ret_nodes)
{
	struct fs_nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	(void)pthread_mutex_init(&nodes->lock, NULL);
	*ret_nodes = nodes;
	return 0;
}

static struct fs_node **
bucket_of(struct fs_nodes *nodes, uint64_t id)
{
	return &nodes->buckets[id & (BUCKETS - 1)]; /* numbers are given out in turn */
}

static void
unlink_use(struct fs_nodes *nodes, struct fs_node *node)
{
	*(node->newer ? &node->newer->older : &nodes->newest) = node->older;
	*(node->older ? &node->older->newer : &nodes->oldest) = node->newer;
	node->newer = node->older = NULL;
}

static void
link_newest(struct fs_nodes *nodes, struct fs_node *node)
{
	node->older = nodes->newest;
	*(nodes->newest ? &nodes->newest->newer : &nodes->oldest) = node;
	nodes->newest = node;
}

static struct fs_node *
find_locked(struct fs_nodes *nodes, uint64_t id)
{
	struct fs_node *node = *bucket_of(nodes, id);

	while (node && node->id != id)
		node = node->hash_next;
	return node;
}

/* The cache gives up its reference, which is now the caller's. */
static struct fs_node *
remove_locked(struct fs_nodes *nodes, struct fs_node *node)
{
	struct fs_node **place = bucket_of(nodes, node->id);

	while (*place != node)
		place = &(*place)->hash_next;
	*place = node->hash_next;
	unlink_use(nodes, node);
	node->cached = false;
	nodes->n--;
	return node;
}

void
fs_nodes_free(struct fs_nodes *nodes)
{
	if (!nodes)
		return;
	while (nodes->oldest)
		fs_node_put(remove_locked(nodes, nodes->oldest));
	(void)pthread_mutex_destroy(&nodes->lock);
	free(nodes);
}

static struct fs_node *
cache_find(struct fs_nodes *nodes, uint64_t id)
{
	struct fs_node *node;

	(void)pthread_mutex_lock(&nodes->lock);
	node = find_locked(nodes, id);
	if (node) {
		unlink_use(nodes, node);
		link_newest(nodes, node);
		(void)fs_node_ref(node);
	}
	(void)pthread_mutex_unlock(&nodes->lock);
	return node;
}

static void
cache_drop(struct fs_nodes *nodes, struct fs_node *node)
{
	(void)pthread_mutex_lock(&nodes->lock);
	if (!node->cached)
		node = NULL;
	else
		(void)remove_locked(nodes, node);
	(void)pthread_mutex_unlock(&nodes->lock);
	fs_node_put(node);
}

/* Another thread may have derived the same node: the newer one stays. */
static void
cache_add(struct fs_nodes *nodes, struct fs_node *node)
{
	struct fs_node *same;
	struct fs_node *old = NULL;

	(void)pthread_mutex_lock(&nodes->lock);
	same = find_locked(nodes, node->id);
	if (same)
		(void)remove_locked(nodes, same);
	else if (nodes->n == CACHE_MAX)
		old = remove_locked(nodes, nodes->oldest);
	node->hash_next = *bucket_of(nodes, node->id);
	*bucket_of(nodes, node->id) = fs_node_ref(node);
	link_newest(nodes, node);
	node->cached = true;
	nodes->n++;
	(void)pthread_mutex_unlock(&nodes->lock);
	fs_node_put(same);
	fs_node_put(old);
}

/* --- Deriving --- */

/* A saved search may be removed, renamed or made anew with the same name: what was derived through
 * it holds only as long as its name stands for the same path. */
static bool
is_current(struct fs *fs, const struct fs_node *node)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	const struct fs_node *folder = node->folder ? node->folder : node;

	if (!folder->saved_name)
		return true;
	return index_saved_get(fs->index, folder->saved_name, &path) == 0 &&
	       strcmp(pxs_buf_text(&path), folder->saved_path) == 0;
}

static int
check_depth(struct fs_request *request, const struct fs_node *parent)
{
	if (parent->depth < DEPTH_MAX)
		return 0;
	return pxs_error_set(&request->err, -ENAMETOOLONG, -1, "more than %d folders deep",
			     DEPTH_MAX);
}

static int
derive(struct fs_request *request, uint64_t id, struct fs_node **ret_node)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(fs_node) struct fs_node *parent = NULL;
	uint64_t parent_id;
	int r;

	r = index_node_name(request->fs->index, id, &parent_id, &name);
	if (r < 0)
		return r;
	if (parent_id >= id) /* a child is numbered after its parent: this ends the recursion */
		return -ENOENT;
	r = fs_node_get(request, parent_id, &parent);
	if (r == 0)
		r = check_depth(request, parent);
	return r < 0 ? r : fs_child_derive(request, parent, pxs_buf_text(&name), ret_node);
}

static int
derive_root(struct fs_node **ret_node)
{
	*ret_node = fs_node_new(FS_KIND_ROOT, NULL);
	return *ret_node ? 0 : -ENOMEM;
}

int
fs_node_get(struct fs_request *request, uint64_t id, struct fs_node **ret_node)
{
	struct fs_nodes *nodes = request->fs->nodes;
	struct fs_node *node = cache_find(nodes, id);
	int r;

	if (node && is_current(request->fs, node)) {
		*ret_node = node;
		return 0;
	}
	if (node) {
		cache_drop(nodes, node);
		fs_node_put(node);
	}

	node = NULL;
	r = id == INDEX_NODE_ROOT ? derive_root(&node) : derive(request, id, &node);
	if (r == -ENOENT || r == -EINVAL)
		return -ESTALE;
	if (r < 0)
		return r;
	assert(node);
	node->id = id;
	cache_add(nodes, node);
	*ret_node = node;
	return 0;
}

int
fs_node_child(struct fs_request *request, struct fs_node *parent, const char *name,
	      struct fs_node **ret_node)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r;

	r = check_depth(request, parent);
	if (r == 0)
		r = fs_child_derive(request, parent, name, &node);
	if (r == 0)
		r = index_node_number(request->fs->index, parent->id, name, &node->id);
	if (r < 0)
		return r;
	assert(node);
	cache_add(request->fs->nodes, node);
	*ret_node = STEAL(node);
	return 0;
}

/* --- Paths --- */

static void
prepend(struct pxs_buf *path, const char *name)
{
	CLEANUP(pxs_buf) struct pxs_buf longer = PXS_BUF_INIT;
	struct pxs_buf swapped;

	pxs_buf_addf(&longer, "/%s%s", name, pxs_buf_text(path));
	swapped = *path;
	*path = longer;
	longer = swapped;
}

/* The name and the parent of what is no name in a folder. */
static uint64_t
name_tagged(struct fs *fs, uint64_t id, struct pxs_buf *name)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(fs->index);
	uint32_t doc;

	if (fs_node_is_link(id)) {
		pxs_buf_add_str(name, "saved");
	} else if (index_doc_find_row(view, fs_node_row(id), &doc) == 0) {
		pxs_buf_addf(name, "id/%" PRId64, index_doc_id(view, doc));
	} else {
		pxs_buf_addf(name, "id/? (row %" PRIu64 ")", fs_node_row(id));
	}
	return INDEX_NODE_ROOT;
}

void
fs_node_print_path(struct fs *fs, uint64_t id, const char *name, struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf part = PXS_BUF_INIT;

	if (name)
		prepend(&path, name);
	for (int depth = 0; id != INDEX_NODE_ROOT && depth < DEPTH_MAX; depth++) {
		pxs_buf_clear(&part);
		if (id & FS_NODE_TAGS)
			id = name_tagged(fs, id, &part);
		else if (index_node_name(fs->index, id, &id, &part) < 0)
			break;
		prepend(&path, pxs_buf_text(&part));
	}
	pxs_buf_add_str(buf, path.len ? path.data : "/");
}
