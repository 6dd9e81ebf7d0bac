/* OPENDIR, READDIR, READDIRPLUS. A page of a large folder must cost little more than the copying of
 * its entries: names and attributes go from the columns straight into the reply. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "fs/attr.h"
#include "fs/listing.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/recent.h"
#include "fs/request.h"
#include "fs/seen.h"
#include "fs/sidecar.h"
#include "fs/watched.h"
#include "index/index.h"

/* Whoever opens it may watch it, too. */
static void
note_watched(struct fs_request *request, const struct fs_listing *listing)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct fs_node *node = listing->node;

	if (!request->fs->watched)
		return;
	if (node->kind == FS_KIND_QUERY && listing->hits)
		hits = index_hits_ref(listing->hits);
	else if (node->kind == FS_KIND_FACET)
		hits = index_search_cached(listing->view, node->folder->query);
	if (hits)
		fs_watched_open(request->fs->watched, node, hits);
}

static int
open_listing(struct fs_request *request, uint64_t id, struct fs_listing **ret_listing)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r;

	if (id & FS_NODE_TAGS)
		return -ENOTDIR;
	r = fs_node_get(request, id, &node);
	if (r == 0)
		r = fs_listing_new(request, node, ret_listing);
	if (r == 0) {
		fs_recent_note(request, node);
		note_watched(request, *ret_listing);
	}
	return r;
}

void
fs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	CLEANUP(fs_request) struct fs_request request;
	struct fs_listing *listing = NULL;
	int r;

	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r == 0)
		r = open_listing(&request, ino, &listing);
	if (r < 0) {
		fs_request_fail(&request, r);
		return;
	}
	fi->fh = (uintptr_t)listing;
	fs_handle_open(request.fs->handles, &listing->handle);
	if (fuse_reply_open(req, fi) == -ENOENT) /* the caller is gone, no RELEASEDIR will come */
		fs_handle_close(request.fs->handles, &listing->handle);
}

void
fs_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct fs *fs = fuse_req_userdata(req);
	struct fs_listing *listing = (struct fs_listing *)(uintptr_t)fi->fh;

	(void)ino;
	fs_handle_close(fs->handles, &listing->handle);
	(void)fuse_reply_err(req, 0);
}

/* One page in the making. */
struct page {
	struct fs_request *request;
	struct fs_listing *listing;
	bool plus;
	char *data;
	size_t size;
	size_t used;
};

/* It may be unlinked by this name. */
static void
note_name(const struct page *page, const char *name, const struct fuse_entry_param *entry)
{
	const struct fs *fs = page->request->fs;
	struct index_view *view = page->listing->view;
	uint32_t doc;

	if (fs->options.deletions_per_minute && fs_node_is_document(entry->ino) &&
	    index_doc_find_row(view, fs_node_row(entry->ino), &doc) == 0)
		fs_seen_note_name(fs->seen, page->listing->node->id, name, index_doc_id(view, doc),
				  index_doc_seq(view, doc));
}

/* False: it does not fit any more. */
static bool
add(struct page *page, const char *name, const struct fuse_entry_param *entry, uint64_t key)
{
	char *data = page->data + page->used;
	size_t room = page->size - page->used;
	size_t need;

	if (page->plus)
		need = fuse_add_direntry_plus(page->request->req, data, room, name, entry,
					      (off_t)key);
	else
		need = fuse_add_direntry(page->request->req, data, room, name, &entry->attr,
					 (off_t)key);
	if (need > room)
		return false;
	page->used += need;
	if (page->plus)
		note_name(page, name, entry);
	return true;
}

/* --- The head --- */

static void
fill_entry(struct fs_request *request, const struct fs_listing_entry *listed,
	   struct fuse_entry_param *entry)
{
	switch (listed->what) {
	case FS_LISTED_FOLDER:
	case FS_LISTED_SEARCH:
		fs_attr_folder(request, listed->id, 0, entry);
		break;
	case FS_LISTED_SAVED:
		fs_attr_saved(request, listed->id, 0, entry);
		break;
	case FS_LISTED_SYMLINK:
		fs_attr_symlink(request, listed->id, listed->size, entry);
		break;
	case FS_LISTED_FILE:
		fs_attr_file(request, listed->id, 0, entry);
		break;
	case FS_LISTED_DOCUMENT:
		fs_attr_document(request, listed->doc, entry);
		break;
	}
	/* Node number 0 has the kernel take the name only and ask for the node when it is needed:
	 * where the size tells something that only a lookup knows, and for the dots. */
	if (listed->key <= FS_KEY_PARENT || listed->what == FS_LISTED_FILE ||
	    listed->what == FS_LISTED_SEARCH)
		entry->ino = 0;
}

/* Where to go on after KEY: at the entry behind it or, if it is gone, behind where it would be. */
static size_t
place_after(const struct fs_listing *listing, uint64_t key)
{
	size_t place = 0;

	if (!key)
		return 0;
	for (size_t i = 0; i < listing->n_head; i++)
		if (listing->head[i].key == key)
			return i + 1;
	if (!listing->sorted)
		return listing->n_head;
	while (place < listing->n_head && listing->head[place].key < key)
		place++;
	return place;
}

static bool
add_head(struct page *page, uint64_t key)
{
	const struct fs_listing *listing = page->listing;
	struct fuse_entry_param entry;

	for (size_t i = place_after(listing, key); i < listing->n_head; i++) {
		fill_entry(page->request, &listing->head[i], &entry);
		if (!add(page, listing->head[i].name, &entry, listing->head[i].key))
			return false;
	}
	return true;
}

/* --- The results --- */

typedef bool (*add_fn)(struct page *page, uint32_t doc);

static bool
add_result(struct page *page, uint32_t doc)
{
	const struct fs_listing *listing = page->listing;
	struct fs_request *request = page->request;
	uint64_t key = FS_KEY_ROWS + index_doc_row(listing->view, doc);
	struct fuse_entry_param entry;
	char name[FS_NAME_SIZE];

	(void)fs_names_print(listing->names, &request->core, listing->view, doc, FS_NAME_MAX, name);
	fs_attr_document(request, doc, &entry);
	return add(page, name, &entry, key);
}

static bool
add_sidecar(struct page *page, uint32_t doc)
{
	const struct fs_listing *listing = page->listing;
	struct fs_request *request = page->request;
	uint64_t row = index_doc_row(listing->view, doc);
	struct fuse_entry_param entry;
	char name[FS_NAME_SIZE];
	size_t len;

	len = fs_names_print(listing->names, &request->core, listing->view, doc,
			     FS_SIDECAR_NAME_MAX, name);
	memcpy(name + len, FS_SIDECAR_END, sizeof(FS_SIDECAR_END));
	fs_attr_file(request, FS_NODE_SIDECAR | row, 0, &entry);
	entry.ino = 0; /* its size is worked out when it is looked up */
	return add(page, name, &entry, FS_KEY_ROWS + row);
}

/* 1: the result after ROW is *RET_DOC; 0: there is none; or -errno. */
static int
next_result(struct page *page, uint64_t row, uint32_t *ret_doc)
{
	struct fs_listing *listing = page->listing;
	int r;

	if (row != listing->row_ahead || listing->at_ahead == listing->n_ahead) {
		r = index_hits_after(listing->hits, row, &page->request->budget, listing->ahead,
				     ARRAY_SIZE(listing->ahead), &listing->n_ahead);
		if (r < 0)
			return r;
		listing->at_ahead = 0;
		listing->row_ahead = row;
	}
	if (listing->at_ahead == listing->n_ahead)
		return 0;
	*ret_doc = listing->ahead[listing->at_ahead];
	return 1;
}

static int
add_results(struct page *page, uint64_t key)
{
	struct fs_listing *listing = page->listing;
	add_fn add_one = listing->node->kind == FS_KIND_META ? add_sidecar : add_result;
	uint64_t row = key > FS_KEY_ROWS ? key - FS_KEY_ROWS : 0;
	uint32_t doc;
	int r;

	(void)pthread_mutex_lock(&listing->lock);
	while ((r = next_result(page, row, &doc)) > 0 && add_one(page, doc)) {
		row = index_doc_row(listing->view, doc);
		listing->row_ahead = row;
		listing->at_ahead++;
	}
	(void)pthread_mutex_unlock(&listing->lock);
	return MIN(r, 0);
}

static int
fill_page(struct page *page, uint64_t key)
{
	if (key < FS_KEY_ROWS || !page->listing->hits)
		if (!add_head(page, key))
			return 0;
	return page->listing->hits ? add_results(page, key) : 0;
}

static void
read_page(fuse_req_t req, uint64_t id, size_t size, uint64_t key, const struct fuse_file_info *fi,
	  bool plus)
{
	CLEANUP(fs_request) struct fs_request request;
	CLEANUP(free) char *data = malloc(size);
	struct page page = {
		.request = &request,
		.listing = (struct fs_listing *)(uintptr_t)fi->fh,
		.plus = plus,
		.data = data,
		.size = size,
	};
	int r = -ENOMEM;

	fs_request_init(&request, req, id, NULL);
	fs_request_use_view(&request, page.listing->view, page.listing->viewer);
	if (data)
		r = fill_page(&page, key);
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_buf(req, data, page.used);
}

void
fs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	read_page(req, ino, size, (uint64_t)off, fi, false);
}

void
fs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	read_page(req, ino, size, (uint64_t)off, fi, true);
}
