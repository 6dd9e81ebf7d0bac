/* node.h - what stands behind a node number.
 *
 * The kernel, and NFS clients across restarts, hold nothing of us but 64-bit numbers:
 *
 *     1 << 63 | row	a document
 *     1 << 62 | row	.pxs/meta/<result>.json of that document
 *     1 << 61 | n	saved search n in the moment it is made, when symlink(2) wants a symlink
 *     n		a name in a folder: index_node_name() tells its parent's number and the
 *			name, up to the root, which is 1
 *
 * From the chain of names each node is derived again whenever it is not in the cache of those used
 * lately; so nothing is lost at a restart, and FORGET has nothing to do. */
#ifndef PXS_FS_NODE_H
#define PXS_FS_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct fs;
struct fs_nodes;
struct fs_request;
struct fs_virtual;
struct pxs_buf;

#define FS_NODE_DOCUMENT (UINT64_C(1) << 63)
#define FS_NODE_SIDECAR (UINT64_C(1) << 62)
#define FS_NODE_LINK (UINT64_C(1) << 61)
#define FS_NODE_TAGS (FS_NODE_DOCUMENT | FS_NODE_SIDECAR | FS_NODE_LINK)

static inline uint64_t
fs_node_of_row(uint64_t row)
{
	return FS_NODE_DOCUMENT | row;
}

static inline bool
fs_node_is_document(uint64_t id)
{
	return id & FS_NODE_DOCUMENT;
}

static inline bool
fs_node_is_sidecar(uint64_t id)
{
	return (id & FS_NODE_TAGS) == FS_NODE_SIDECAR;
}

static inline bool
fs_node_is_link(uint64_t id)
{
	return (id & FS_NODE_TAGS) == FS_NODE_LINK;
}

static inline uint64_t
fs_node_row(uint64_t id)
{
	return id & ~FS_NODE_TAGS;
}

enum fs_kind {
	FS_KIND_ROOT,
	FS_KIND_STATUS,	  /* /.pxs */
	FS_KIND_IDS,	  /* /id */
	FS_KIND_SAVED,	  /* /saved and the groups in it */
	FS_KIND_TEMPLATE, /* /saved/NAME where the search needs values */
	FS_KIND_QUERY,	  /* /query and every query folder in it, /saved/NAME and those in it */
	FS_KIND_FACET,	  /* a property's name in a query folder */
	FS_KIND_BUCKET,	  /* symlink in a facet folder */
	FS_KIND_PXS,	  /* .pxs in a query folder */
	FS_KIND_META,	  /* .pxs/meta */
	FS_KIND_TREE,	  /* .pxs/tree and the folders in it */
	FS_KIND_FILE,	  /* one of the files in /.pxs or .pxs */
};

/* Derived from its parent and its name, and never changed then. Counted references. */
struct fs_node {
	uint64_t id;
	enum fs_kind kind;
	uint64_t parent;
	unsigned int depth; /* names from the root */

	/* QUERY: its query. Others inside a query folder or TEMPLATE: that folder, held. */
	struct query *query;
	struct fs_node *folder;
	unsigned int conditions; /* QUERY: segments that narrow it */

	const struct query_property *property; /* FACET, BUCKET */
	char *text;		       /* BUCKET: target. TREE: folder, without first slash */
	const struct fs_virtual *file; /* FILE */

	/* Reached through a saved search, or a group of them: its name, and the path that it stood
	 * for ("": a group). */
	char *saved_name;
	char *saved_path;
	bool saved_itself; /* it is that */

	atomic_uint references;
	bool cached;
	struct fs_node *hash_next;
	struct fs_node *newer, *older; /* in the order of use */
};

int fs_nodes_new(struct fs_nodes **ret_nodes);
void fs_nodes_free(struct fs_nodes *nodes);

/* A new node that nobody else knows. NULL: out of memory. */
struct fs_node *fs_node_new(enum fs_kind kind, const struct fs_node *parent);
struct fs_node *fs_node_ref(struct fs_node *node);
void fs_node_put(struct fs_node *node);
DEFINE_CLEANUP(fs_node, struct fs_node *, fs_node_put)

/* The node called ID, which is no document, sidecar or link. -ESTALE: there is no such node (any
 * more); others as fs_node_child(). */
int fs_node_get(struct fs_request *request, uint64_t id, struct fs_node **ret_node);

/* NAME in PARENT; gives it a number. -ENOENT: there is none, but NAME may be a result; -EINVAL: the
 * request has the sentence; -ENOMEM and what searching may answer. */
int fs_node_child(struct fs_request *request, struct fs_node *parent, const char *name,
		  struct fs_node **ret_node);

/* The query folder that NODE is or belongs to; NULL for those of no query. Lent. */
struct fs_node *fs_node_folder(struct fs_node *node);

/* Adds where NAME (NULL: nothing more) in node ID is below the mountpoint, for people. */
void fs_node_print_path(struct fs *fs, uint64_t id, const char *name, struct pxs_buf *buf);

#endif
