#include "fs/listing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"
#include "fs/node.h"
#include "fs/request.h"
#include "index/index.h"

typedef int (*list_fn)(struct fs_request *request, struct fs_listing *listing);

/* /id lists nothing: it has every document. */
static int
list_nothing(struct fs_request *request, struct fs_listing *listing)
{
	(void)request;
	(void)listing;
	return 0;
}

static const list_fn LISTS[] = {
	[FS_KIND_ROOT] = fs_list_root,
	[FS_KIND_STATUS] = fs_list_status,
	[FS_KIND_IDS] = list_nothing,
	[FS_KIND_SAVED] = fs_list_saved,
	[FS_KIND_TEMPLATE] = fs_list_template,
	[FS_KIND_QUERY] = fs_list_query,
	[FS_KIND_FACET] = fs_list_facet,
	[FS_KIND_PXS] = fs_list_pxs,
	[FS_KIND_META] = fs_list_meta,
	[FS_KIND_TREE] = fs_list_tree,
	[FS_KIND_FILE] = NULL,
};

int
fs_listing_add(struct fs_listing *listing, const struct fs_listing_entry *entry)
{
	size_t cap = listing->cap_head ? listing->cap_head * 2 : 32;
	struct fs_listing_entry *head;
	char *name = pxs_arena_strdup(&listing->arena, entry->name);

	if (!name)
		return -ENOMEM;
	if (listing->n_head == listing->cap_head) {
		head = realloc(listing->head, cap * sizeof(*head));
		if (!head)
			return -ENOMEM;
		listing->head = head;
		listing->cap_head = cap;
	}
	listing->head[listing->n_head] = *entry;
	listing->head[listing->n_head++].name = name;
	return 0;
}

static int
add_dots(struct fs_listing *listing)
{
	const struct fs_node *node = listing->node;
	struct fs_listing_entry self = {
		.key = FS_KEY_SELF,
		.id = node->id,
		.name = ".",
	};
	struct fs_listing_entry parent = {
		.key = FS_KEY_PARENT,
		.id = node->kind == FS_KIND_ROOT ? node->id : node->parent,
		.name = "..",
	};
	int r = fs_listing_add(listing, &self);

	return r < 0 ? r : fs_listing_add(listing, &parent);
}

static int
compare_keys(const void *a, const void *b)
{
	uint64_t key_a = ((const struct fs_listing_entry *)a)->key;
	uint64_t key_b = ((const struct fs_listing_entry *)b)->key;

	return (key_a > key_b) - (key_a < key_b);
}

static void
free_handle(struct fs_handle *handle)
{
	fs_listing_free(container_of(handle, struct fs_listing, handle));
}

int
fs_listing_new(struct fs_request *request, struct fs_node *node, struct fs_listing **ret_listing)
{
	CLEANUP(fs_listing) struct fs_listing *listing = NULL;
	int r;

	if ((size_t)node->kind >= ARRAY_SIZE(LISTS) || !LISTS[node->kind])
		return -ENOTDIR;
	listing = calloc(1, sizeof(*listing));
	if (!listing)
		return -ENOMEM;
	listing->handle.free = free_handle;
	(void)pthread_mutex_init(&listing->lock, NULL);
	listing->node = fs_node_ref(node);
	listing->view = index_view_ref(fs_request_view(request));
	listing->viewer = request->viewer;
	listing->sorted = node->kind != FS_KIND_QUERY;

	r = add_dots(listing);
	if (r == 0)
		r = LISTS[node->kind](request, listing);
	if (r < 0)
		return r;
	if (listing->sorted)
		qsort(listing->head, listing->n_head, sizeof(*listing->head), compare_keys);
	*ret_listing = STEAL(listing);
	return 0;
}

void
fs_listing_free(struct fs_listing *listing)
{
	if (!listing)
		return;
	fs_names_put(listing->names);
	index_hits_put(listing->hits);
	index_view_put(listing->view);
	fs_node_put(listing->node);
	free(listing->head);
	pxs_arena_done(&listing->arena);
	(void)pthread_mutex_destroy(&listing->lock);
	free(listing);
}
