#include "fs/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/listing.h"
#include "fs/mount.h"
#include "fs/name.h"
#include "fs/node.h"
#include "fs/request.h"
#include "index/index.h"
#include "query/query.h"

/* Names from the root to a folder in /query. */
#define DEPTH 2

/* The node in /query that NODE lies below, or is. */
static int
get_first(struct fs_request *request, const struct fs_node *node, struct fs_node **ret_first)
{
	uint64_t id = node->id;
	int r = 0;

	for (unsigned int depth = node->depth; r == 0 && depth > DEPTH; depth--) {
		CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;

		r = index_node_name(request->fs->index, id, &id, &name);
	}
	return r < 0 ? r : fs_node_get(request, id, ret_first);
}

/* Adds FIRST's canonical name: "core.size>5" is no name for every machine. -ENAMETOOLONG: it is one
 * of several folders, or of none. */
static int
print_name(const struct fs_node *first, struct pxs_buf *name)
{
	int r = query_print_path(first->query, name);

	if (r < 0)
		return r;
	return !name->len || name->len > FS_NAME_MAX || strchr(name->data, '/') ? -ENAMETOOLONG : 0;
}

/* That it cannot be noted is no reason to refuse what was asked for. */
void
fs_recent_note(struct fs_request *request, const struct fs_node *node)
{
	CLEANUP(fs_node) struct fs_node *first = NULL;
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	const struct fs_node *folder = node->kind == FS_KIND_QUERY ? node : node->folder;
	int r;

	if (!folder || !folder->query || folder->saved_name || folder->depth < DEPTH)
		return;
	r = get_first(request, folder, &first);
	if (r == 0 && first->query)
		r = print_name(first, &name);
	if (r == 0 && name.len)
		(void)index_recent_note(request->fs->index, fs_request_uid(request), name.data);
}

/* --- Listing --- */

/* NAME, unless it means no query (any more): its property may be gone. */
static int
add(struct fs_request *request, struct fs_listing *listing, const char *name)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	struct fs_listing_entry entry = { .name = name, .what = FS_LISTED_SEARCH };
	int r = fs_node_child(request, listing->node, name, &node);

	if (r == -ENOENT || r == -EINVAL) {
		request->err = (struct pxs_error){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	entry.id = node->id;
	entry.key = FS_KEY_RECENT | (node->id & (FS_KEY_RECENT - 1));
	return fs_listing_add(listing, &entry);
}

static int
compare_keys(const void *a, const void *b)
{
	uint64_t key_a = ((const struct fs_listing_entry *)a)->key;
	uint64_t key_b = ((const struct fs_listing_entry *)b)->key;

	return (key_a > key_b) - (key_a < key_b);
}

/* In the order of their numbers, which stays the same while others come and go: reading may go on
 * in a listing that is opened later. */
int
fs_recent_list(struct fs_request *request, struct fs_listing *listing)
{
	CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
	size_t before = listing->n_head;
	int r = index_recent_list(request->fs->index, fs_request_uid(request), &names);

	for (size_t at = 0; r == 0 && at < names.len; at += strlen(names.data + at) + 1)
		r = add(request, listing, names.data + at);
	if (listing->n_head > before)
		qsort(listing->head + before, listing->n_head - before, sizeof(*listing->head),
		      compare_keys);
	return r;
}
