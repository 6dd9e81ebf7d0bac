/* An array of (folder, document), sorted so that a folder stands before all that is below it, and
 * that in one piece: '/' sorts before every other byte. A directory among the results is an item of
 * its own folder with document 0.
 *
 *     usr            12
 *     usr/share       0	the result /usr/share
 *     usr/share      14
 *     usr/share/doc   3
 *     usr/share-x     5 */
#include "fs/tree.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/document.h"
#include "fs/request.h"
#include "index/index.h"

struct item {
	const char *folder; /* lent by the index */
	uint32_t doc;
};

struct fs_tree {
	atomic_uint references;
	struct item *items;
	size_t n;
};

/* --- Order --- */

static unsigned int
rank(char c)
{
	return c == '/' ? 1 : (unsigned int)(unsigned char)c + (c ? 1 : 0);
}

static int
compare_folders(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (int)rank(*a) - (int)rank(*b);
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *item_a = a;
	const struct item *item_b = b;
	int by_folder = compare_folders(item_a->folder, item_b->folder);

	return by_folder ? by_folder : (item_a->doc > item_b->doc) - (item_a->doc < item_b->doc);
}

/* The part of FOLDER after PREFIX and a slash; "" if it is PREFIX; NULL if it is not below it. */
static const char *
below(const char *folder, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(folder, prefix, len) != 0)
		return NULL;
	if (!len || !folder[len])
		return folder + len;
	return folder[len] == '/' ? folder + len + 1 : NULL;
}

/* --- Making it --- */

static struct item
item_of(const struct fs_core *core, const struct index_view *view, uint32_t doc)
{
	bool is_folder = fs_document_type(core, view, doc) == FS_DOCUMENT_DIRECTORY;
	const char *folder = fs_document_text(is_folder ? core->pathname : core->directory, view,
					      doc);

	return (struct item){ folder + (*folder == '/'), is_folder ? 0 : doc };
}

struct adding {
	struct fs_tree *tree;
	const struct index_view *view;
	struct fs_core core;
};

static int
add_hit(void *context, uint32_t doc)
{
	struct adding *adding = context;

	adding->tree->items[adding->tree->n++] = item_of(&adding->core, adding->view, doc);
	return 0;
}

int
fs_tree_new(struct fs_request *request, struct index_hits *hits, struct fs_tree **ret_tree)
{
	CLEANUP(fs_tree) struct fs_tree *tree = NULL;
	struct adding adding = { .view = index_hits_view(hits) };
	uint64_t count = index_hits_count(hits);
	int r;

	if (count > FS_TREE_MAX)
		return pxs_error_set(&request->err, -EFBIG, -1,
				     "tree/ shows at most %d results; narrow the search",
				     FS_TREE_MAX);
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	atomic_init(&tree->references, 1);
	tree->items = calloc(count + 1, sizeof(*tree->items));
	if (!tree->items)
		return -ENOMEM;

	adding.tree = tree;
	fs_core_find(&adding.core, index_view_schema(adding.view));
	r = fs_request_each_hit(request, hits, count, add_hit, &adding);
	if (r < 0)
		return r;
	qsort(tree->items, tree->n, sizeof(*tree->items), compare_items);
	*ret_tree = STEAL(tree);
	return 0;
}

struct fs_tree *
fs_tree_ref(struct fs_tree *tree)
{
	(void)atomic_fetch_add_explicit(&tree->references, 1, memory_order_relaxed);
	return tree;
}

void
fs_tree_put(struct fs_tree *tree)
{
	if (!tree || atomic_fetch_sub_explicit(&tree->references, 1, memory_order_acq_rel) > 1)
		return;
	free(tree->items);
	free(tree);
}

/* --- Finding --- */

/* The first item at or after FOLDER. */
static size_t
lower_bound(const struct fs_tree *tree, const char *folder)
{
	size_t low = 0;
	size_t high = tree->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_folders(tree->items[middle].folder, folder) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
fs_tree_has(const struct fs_tree *tree, const char *folder)
{
	size_t place = lower_bound(tree, folder);

	return !*folder || (place < tree->n && below(tree->items[place].folder, folder));
}

/* The first item after PLACE that is neither in the folder which the first LEN bytes of PLACE's
 * name, nor below it. Steps double first, as most folders are small. */
static size_t
skip_folder(const struct fs_tree *tree, size_t place, size_t len)
{
	const char *folder = tree->items[place].folder;
	size_t step = 1;

	while (step) {
		size_t next = place + step;
		bool inside = next < tree->n && !strncmp(tree->items[next].folder, folder, len) &&
			      (tree->items[next].folder[len] == '\0' ||
			       tree->items[next].folder[len] == '/');

		if (inside)
			place = next;
		step = inside ? step * 2 : step / 2;
	}
	return place + 1;
}

bool
fs_tree_next(const struct fs_tree *tree, const char *folder, size_t *place,
	     struct fs_tree_entry *ret_entry)
{
	size_t at = *place ? *place : lower_bound(tree, folder);
	const char *rest = NULL;

	/* Folders that are results stand here themselves, among what lies in them. */
	while (at < tree->n && (rest = below(tree->items[at].folder, folder)) && !*rest &&
	       !tree->items[at].doc)
		at++;
	if (at >= tree->n || !rest)
		return false;

	if (!*rest) {
		*ret_entry = (struct fs_tree_entry){ .doc = tree->items[at].doc };
		*place = at + 1;
		return true;
	}
	ret_entry->doc = 0;
	ret_entry->name = rest;
	ret_entry->len = strcspn(rest, "/");
	*place = skip_folder(tree, at, (size_t)(rest - tree->items[at].folder) + ret_entry->len);
	return true;
}

/* --- Finding a document by its name --- */

static bool
folder_contains(const struct fs_scope *scope, uint32_t doc)
{
	const struct fs_tree_folder *folder = scope->set;
	struct item item = { folder->folder, doc };

	return bsearch(&item, folder->tree->items, folder->tree->n, sizeof(item), compare_items);
}

static int
folder_each_named(const struct fs_scope *scope, const char *filename,
		  int (*each)(void *context, uint32_t doc), void *context)
{
	const struct fs_tree_folder *folder = scope->set;
	const struct fs_tree *tree = folder->tree;
	int r = 0;

	for (size_t i = lower_bound(tree, folder->folder);
	     r == 0 && i < tree->n && !strcmp(tree->items[i].folder, folder->folder); i++)
		if (tree->items[i].doc && !strcmp(fs_document_text(scope->core->filename,
								   scope->view, tree->items[i].doc),
						  filename))
			r = each(context, tree->items[i].doc);
	return r;
}

void
fs_scope_of_folder(struct fs_scope *scope, struct fs_tree_folder *folder, struct index_view *view,
		   const struct fs_core *core)
{
	static const struct fs_scope_ops FOLDER = { folder_contains, folder_each_named };

	*scope = (struct fs_scope){ view, core, &FOLDER, folder };
}
