/* Listing the folders that are neither query nor facet folders. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "fs/listing.h"
#include "fs/memo.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/request.h"
#include "fs/virtual.h"
#include "index/index.h"

/* A name that has a node number. KEY 0: made from that. */
static int
add_named(struct fs_request *request, struct fs_listing *listing, const char *name,
	  enum fs_listed what, uint64_t key)
{
	struct fs_listing_entry entry = { .key = key, .name = name, .what = what };
	int r = index_node_number(request->fs->index, listing->node->id, name, &entry.id);

	if (!key)
		entry.key = FS_KEY_NODES + entry.id;
	return r < 0 ? r : fs_listing_add(listing, &entry);
}

int
fs_list_root(struct fs_request *request, struct fs_listing *listing)
{
	static const struct {
		const char *name;
		enum fs_listed what;
	} NAMES[] = {
		{ ".pxs", FS_LISTED_FOLDER },
		{ "id", FS_LISTED_FOLDER },
		{ "query", FS_LISTED_FOLDER },
		{ "saved", FS_LISTED_SAVED },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(NAMES); i++)
		r = add_named(request, listing, NAMES[i].name, NAMES[i].what, FS_KEY_FIXED + i);
	return r;
}

static int
add_virtuals(struct fs_request *request, struct fs_listing *listing, enum fs_virtual_place place)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < FS_N_VIRTUALS; i++)
		if (FS_VIRTUALS[i].place == place)
			r = add_named(request, listing, FS_VIRTUALS[i].name, FS_LISTED_FILE,
				      FS_KEY_FIXED + i);
	return r;
}

int
fs_list_status(struct fs_request *request, struct fs_listing *listing)
{
	return add_virtuals(request, listing, FS_VIRTUAL_STATUS);
}

/* meta/ and tree/ are left out: a walk (grep -r, cp -r, du) meets each result once. */
int
fs_list_pxs(struct fs_request *request, struct fs_listing *listing)
{
	return add_virtuals(request, listing, FS_VIRTUAL_QUERY);
}

int
fs_list_template(struct fs_request *request, struct fs_listing *listing)
{
	return add_virtuals(request, listing, FS_VIRTUAL_TEMPLATE);
}

/* What NAME is called in GROUP, of LEN bytes (0: saved/ itself); NULL: it does not lie there. */
static const char *
name_in_group(const char *name, const char *group, size_t len)
{
	if (len && (strncmp(name, group, len) != 0 || name[len] != '/'))
		return NULL;
	name += len ? len + 1 : 0;
	return strchr(name, '/') ? NULL : name;
}

int
fs_list_saved(struct fs_request *request, struct fs_listing *listing)
{
	const char *group = listing->node->saved_name ? listing->node->saved_name : "";
	size_t len = strlen(group);
	struct index_saved *saved = NULL;
	size_t n = 0;
	int r = index_saved_list(request->fs->index, &saved, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *name = name_in_group(saved[i].name, group, len);

		if (name)
			r = add_named(request, listing, name, FS_LISTED_SEARCH, 0);
	}
	index_saved_free(saved, n);
	return r;
}

int
fs_list_meta(struct fs_request *request, struct fs_listing *listing)
{
	struct fs_node *folder = listing->node->folder;
	int r;

	r = fs_request_hits(request, folder, &listing->hits);
	return r < 0 ? r : fs_memo_names(request, listing->hits, &listing->names);
}

/* --- tree/ --- */

static int
add_folder(struct fs_request *request, struct fs_listing *listing,
	   const struct fs_tree_entry *found)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	struct fs_listing_entry entry = { .what = FS_LISTED_FOLDER };
	int r;

	fs_name_add_component(&name, found->name, found->len);
	if (name.error)
		return name.error;
	entry.name = name.data;
	r = index_node_number(request->fs->index, listing->node->id, entry.name, &entry.id);
	entry.key = FS_KEY_TREE | entry.id;
	return r < 0 ? r : fs_listing_add(listing, &entry);
}

/* Its name is given later, when it is known which ones are shared; the file name stands in. */
static int
add_document(struct fs_request *request, struct fs_listing *listing, uint32_t doc)
{
	uint64_t row = index_doc_row(listing->view, doc);
	struct fs_listing_entry entry = {
		.key = FS_KEY_ROWS + row,
		.id = fs_node_of_row(row),
		.name = fs_document_text(request->core.filename, listing->view, doc),
		.what = FS_LISTED_DOCUMENT,
		.doc = doc,
	};

	return fs_listing_add(listing, &entry);
}

static int
compare_names(const void *a, const void *b)
{
	const struct fs_listing_entry *entry_a = a;
	const struct fs_listing_entry *entry_b = b;
	int by_name = strcmp(entry_a->name, entry_b->name);

	return by_name ? by_name : (entry_a->key > entry_b->key) - (entry_a->key < entry_b->key);
}

/* From file names to names: those of a folder differ, unless they do so only in normal form. */
static int
name_documents(struct fs_listing *listing)
{
	const struct query_schema *schema = index_view_schema(listing->view);
	const char *previous = NULL;
	char name[FS_NAME_SIZE];

	qsort(listing->head, listing->n_head, sizeof(*listing->head), compare_names);
	for (size_t i = 0; i < listing->n_head; i++) {
		struct fs_listing_entry *entry = &listing->head[i];
		bool shared = previous && !strcmp(previous, entry->name);

		if (entry->what != FS_LISTED_DOCUMENT)
			continue;
		previous = entry->name;
		if (shared || !fs_name_plain(entry->name, schema, FS_NAME_MAX, name))
			(void)fs_name_suffixed(entry->name, index_doc_id(listing->view, entry->doc),
					       schema, FS_NAME_MAX, name);
		entry->name = pxs_arena_strdup(&listing->arena, name);
		if (!entry->name)
			return -ENOMEM;
	}
	return 0;
}

int
fs_list_tree(struct fs_request *request, struct fs_listing *listing)
{
	const struct fs_node *node = listing->node;
	CLEANUP(fs_tree) struct fs_tree *tree = NULL;
	struct fs_tree_entry found;
	size_t place = 0;
	int r;

	r = fs_memo_tree(request, node->folder, &tree);
	while (r == 0 && fs_tree_next(tree, node->text, &place, &found))
		r = found.doc ? add_document(request, listing, found.doc)
			      : add_folder(request, listing, &found);
	return r < 0 ? r : name_documents(listing);
}
