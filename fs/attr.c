#include "fs/attr.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "fs/content.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/record.h"
#include "fs/request.h"
#include "fs/saved.h"
#include "index/index.h"

#define MODE_FOLDER (S_IFDIR | 0555)
/* Where documents may be deleted or searches saved; whose right it is, is asked then. */
#define MODE_FOLDER_OPEN (S_IFDIR | 0755)
#define MODE_FOLDER_SHARED (S_IFDIR | 0777)
#define MODE_SYMLINK (S_IFLNK | 0777)
#define MODE_FILE (S_IFREG | 0444)

/* What one user may see the kernel must not tell another from its memory: where it depends on who
 * asks, nothing may be remembered. */
static void
limit_timeouts(const struct fs_request *request, struct fuse_entry_param *entry)
{
	if (!request->fs->options.visibility_unix)
		return;
	entry->attr_timeout = 0;
	entry->entry_timeout = 0;
}

/* Everything of ours is the daemon's, and changed when the catalogue last did. */
static void
fill(struct fs_request *request, uint64_t id, mode_t mode, uint64_t size, double attr_timeout,
     struct fuse_entry_param *entry)
{
	int64_t changed_ns = index_view_changed_ns(fs_request_view(request));
	struct timespec changed;

	if (changed_ns <= 0)
		changed_ns = request->fs->mounted_ns;
	changed.tv_sec = changed_ns / PXS_NS_PER_S;
	changed.tv_nsec = changed_ns % PXS_NS_PER_S;
	*entry = (struct fuse_entry_param){
		.ino = id,
		.attr = {
			.st_ino = id,
			.st_mode = mode,
			.st_nlink = S_ISDIR(mode) ? 2 : 1,
			.st_uid = request->fs->uid,
			.st_gid = request->fs->gid,
			.st_size = (off_t)size,
			.st_blksize = 4096,
			.st_mtim = changed,
			.st_ctim = changed,
			.st_atim = changed,
		},
		.attr_timeout = attr_timeout,
		.entry_timeout = FS_ENTRY_S,
	};
	limit_timeouts(request, entry);
}

void
fs_attr_folder(struct fs_request *request, uint64_t id, uint64_t size,
	       struct fuse_entry_param *entry)
{
	const struct fs_options *options = &request->fs->options;
	mode_t mode = !options->deletions_per_minute ? MODE_FOLDER
		      : options->allow_other	     ? MODE_FOLDER_SHARED
						     : MODE_FOLDER_OPEN;

	fill(request, id, mode, size, FS_FOLDER_ATTR_S, entry);
}

void
fs_attr_saved(struct fs_request *request, uint64_t id, uint64_t size,
	      struct fuse_entry_param *entry)
{
	mode_t mode = request->fs->options.allow_other ? MODE_FOLDER_SHARED : MODE_FOLDER_OPEN;

	fill(request, id, mode, size, FS_FOLDER_ATTR_S, entry);
}

void
fs_attr_symlink(struct fs_request *request, uint64_t id, size_t len, struct fuse_entry_param *entry)
{
	fill(request, id, MODE_SYMLINK, len, FS_ENTRY_S, entry);
}

/* Its length is known when it was made, so the kernel must ask again every time. */
void
fs_attr_file(struct fs_request *request, uint64_t id, uint64_t size, struct fuse_entry_param *entry)
{
	fill(request, id, MODE_FILE, size, 0, entry);
}

void
fs_attr_document(struct fs_request *request, uint32_t doc, struct fuse_entry_param *entry)
{
	*entry = (struct fuse_entry_param){
		.attr_timeout = atomic_load(&request->fs->tells) ? FS_DOCUMENT_ATTR_S
								 : FS_DOCUMENT_S,
		.entry_timeout = FS_DOCUMENT_S,
	};
	fs_document_stat(&request->core, fs_request_view(request), doc, &entry->attr);
	entry->ino = entry->attr.st_ino;
	limit_timeouts(request, entry);
}

static uint64_t
cached_count(struct fs_request *request, const struct fs_node *folder)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	hits = index_search_cached(fs_request_view(request), folder->query);
	return hits ? index_hits_count(hits) : 0;
}

void
fs_attr_node(struct fs_request *request, const struct fs_node *node, struct fuse_entry_param *entry)
{
	size_t len = 0;

	switch (node->kind) {
	case FS_KIND_SAVED:
	case FS_KIND_TEMPLATE:
		fs_attr_saved(request, node->id, 0, entry);
		break;
	case FS_KIND_QUERY:
		if (node->saved_itself)
			fs_attr_saved(request, node->id, cached_count(request, node), entry);
		else
			fs_attr_folder(request, node->id, cached_count(request, node), entry);
		break;
	case FS_KIND_BUCKET:
		fs_attr_symlink(request, node->id, strlen(node->text), entry);
		break;
	case FS_KIND_FILE:
		(void)fs_content_len(request, node, &len);
		fs_attr_file(request, node->id, len, entry);
		break;
	case FS_KIND_ROOT:
	case FS_KIND_STATUS:
	case FS_KIND_IDS:
	case FS_KIND_FACET:
	case FS_KIND_PXS:
	case FS_KIND_META:
	case FS_KIND_TREE:
		fs_attr_folder(request, node->id, 0, entry);
		break;
	}
	if (node->saved_itself)
		entry->entry_timeout = 0; /* the name may mean something else by now */
}

static int
attr_sidecar(struct fs_request *request, uint64_t id, struct fuse_entry_param *entry)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	uint32_t doc;
	int r;

	r = fs_request_document(request, id, &doc);
	if (r == 0)
		r = fs_record_print(fs_request_view(request), doc, &text);
	if (r == 0)
		fs_attr_file(request, id, text.len, entry);
	return r;
}

/* The saved search that a LINK node was made for. */
static int
attr_link(struct fs_request *request, uint64_t id, struct fuse_entry_param *entry)
{
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;
	int r = fs_saved_read_link(request, id, &target);

	if (r == 0)
		fs_attr_symlink(request, id, target.len, entry);
	return r;
}

int
fs_attr_id(struct fs_request *request, uint64_t id, struct fuse_entry_param *entry)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	uint32_t doc;
	int r;

	if (fs_node_is_document(id)) {
		r = fs_request_document(request, id, &doc);
		if (r == 0)
			fs_attr_document(request, doc, entry);
		return r;
	}
	if (fs_node_is_sidecar(id))
		return attr_sidecar(request, id, entry);
	if (fs_node_is_link(id))
		return attr_link(request, id, entry);

	r = fs_node_get(request, id, &node);
	if (r == 0)
		fs_attr_node(request, node, entry);
	return r;
}

void
fs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	CLEANUP(fs_request) struct fs_request request;
	struct fuse_entry_param entry = { 0 };
	int r;

	(void)fi;
	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r == 0)
		r = fs_attr_id(&request, ino, &entry);
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_attr(req, &entry.attr, entry.attr_timeout);
}

void
fs_op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	CLEANUP(fs_request) struct fs_request request;
	CLEANUP(fs_node) struct fs_node *node = NULL;
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;
	int r;

	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r < 0) {
		fs_request_fail(&request, r);
		return;
	}
	if (fs_node_is_link(ino)) {
		r = fs_saved_read_link(&request, ino, &target);
	} else {
		r = ino & FS_NODE_TAGS ? -EINVAL : fs_node_get(&request, ino, &node);
		if (r == 0 && node->kind != FS_KIND_BUCKET)
			r = -EINVAL;
	}
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_readlink(req, node ? node->text : pxs_buf_text(&target));
}
