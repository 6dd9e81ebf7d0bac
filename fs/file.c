/* OPEN, READ, RELEASE: the content of results, here or at the upstream, and of the files that we
 * make. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "fs/content.h"
#include "fs/handle.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/record.h"
#include "fs/request.h"
#include "fs/served.h"
#include "index/index.h"
#include "index/sync/sync.h"

/* What is read at the upstream may take longer than a search. */
#define REMOTE_DEADLINE_S 30
/* Threads that wait for it at a time; the others go on serving. */
#define REMOTE_READERS_MAX 32

/* One opened file: the real one, one at the upstream, or bytes of ours. */
struct opened {
	struct fs_handle handle;
	int fd;			     /* -1: not the real one */
	struct sync_content *remote; /* NULL: not at the upstream */
	struct fs_content *content;
};

static void
opened_free(struct opened *opened)
{
	if (!opened)
		return;
	if (opened->fd >= 0)
		(void)close(opened->fd);
	sync_content_close(opened->remote);
	fs_content_put(opened->content);
	free(opened);
}
DEFINE_CLEANUP(opened, struct opened *, opened_free)

static void
free_handle(struct fs_handle *handle)
{
	opened_free(container_of(handle, struct opened, handle));
}

static int
opened_new(struct opened **ret_opened)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return -ENOMEM;
	opened->fd = -1;
	opened->handle.free = free_handle;
	*ret_opened = opened;
	return 0;
}

/* --- Real files --- */

static int
explain(struct fs_request *request, const char *path, int r)
{
	static const struct {
		int code;
		const char *why;
	} REASONS[] = {
		{ -ENOENT, "was removed or renamed since it was indexed" },
		{ -ENOTDIR, "was removed or renamed since it was indexed" },
		{ -ESTALE, "was replaced by another file since it was indexed" },
		{ -EACCES, "may not be read by you" },
		{ -EPERM, "may not be read by you" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(REASONS); i++)
		if (r == REASONS[i].code)
			return pxs_error_set(&request->err, r, -1, "%.300s %s", path,
					     REASONS[i].why);
	return pxs_error_set(&request->err, r, -1, "cannot open %.300s: %s", path, strerror(-r));
}

/* The file at PATH, opened with the rights of whoever asks. */
static int
open_real(struct fs_request *request, const char *path)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(request->req);
	struct auth_caller caller;

	auth_caller_from_process(ctx->uid, ctx->gid, ctx->pid, &caller);
	return auth_open_as(&caller, path, O_RDONLY | O_NONBLOCK);
}

/* What lies at PATH, if it is what was indexed. */
static int
open_indexed(struct fs_request *request, uint32_t doc, const char *path, struct stat *ret_st)
{
	CLEANUP(close) int fd = open_real(request, path);

	/* Now a symlink, or a fifo or socket that nobody serves. */
	if (fd == -ELOOP || fd == -ENXIO)
		return explain(request, path, -ESTALE);
	if (fd < 0)
		return explain(request, path, fd);
	if (fstat(fd, ret_st) < 0)
		return -errno;
	if (!index_doc_is_file(request->view, doc, fd, ret_st))
		return explain(request, path, -ESTALE);
	return STEAL_FD(fd);
}

/* The kernel reads as far as st_size says, which is the catalogue's. */
static void
rely_on_size(struct fs_request *request, uint32_t doc, uint64_t size, struct fuse_file_info *fi)
{
	if ((int64_t)size != fs_document_number(request->core.size, request->view, doc, 0))
		fi->direct_io = 1;
}

static int
open_here(struct fs_request *request, uint32_t doc, const char *path, struct opened *opened,
	  struct fuse_file_info *fi)
{
	struct stat st = { 0 };

	opened->fd = open_indexed(request, doc, path, &st);
	if (opened->fd < 0)
		return opened->fd;
	rely_on_size(request, doc, (uint64_t)st.st_size, fi);
	fi->keep_cache = fs_served_is_same(request->fs->served, index_doc_row(request->view, doc),
					   &st);
	return 0;
}

/* --- Files at the upstream --- */

/* Begin to wait for it. -EAGAIN: too many do. */
static int
enter_remote(struct fs_request *request)
{
	struct fs *fs = request->fs;

	if (atomic_fetch_add(&fs->remote_readers, 1) >= REMOTE_READERS_MAX) {
		(void)atomic_fetch_sub(&fs->remote_readers, 1);
		return pxs_error_set(&request->err, -EAGAIN, -1,
				     "%d readers wait for the upstream already; try again",
				     REMOTE_READERS_MAX);
	}
	request->budget.deadline_ns = pxs_clock_steady_ns() + REMOTE_DEADLINE_S * PXS_NS_PER_S;
	return 0;
}

static void
leave_remote(struct fs_request *request)
{
	(void)atomic_fetch_sub(&request->fs->remote_readers, 1);
}

/* There we are who --user names, with his rights: for who started us, and for root. */
static int
check_remote(struct fs_request *request, const char *path)
{
	uid_t uid = fs_request_uid(request);

	if (uid == 0 || uid == request->fs->uid)
		return 0;
	return pxs_error_set(&request->err, -EACCES, -1,
			     "%.200s does not lie here, and what the upstream has only the "
			     "daemon's user and root may read",
			     path);
}

/* What is not at PATH here; HERE is the error of that, which holds if it is not there either. */
static int
open_there(struct fs_request *request, uint32_t doc, const char *path, int here,
	   struct opened *opened, struct fuse_file_info *fi)
{
	struct pxs_error why = { 0 };
	int r;

	request->err = (struct pxs_error){ 0 }; /* why it cannot be had here */
	r = check_remote(request, path);
	if (r == 0)
		r = enter_remote(request);
	if (r < 0)
		return r;
	r = sync_content_open(request->fs->options.sync, index_doc_id(request->view, doc),
			      &request->budget, &opened->remote, &why);
	leave_remote(request);
	if (r == 0)
		rely_on_size(request, doc, sync_content_size(opened->remote), fi);
	else if (r != -ECANCELED)
		r = pxs_error_set(&request->err, r == -ENOENT ? here : r, -1,
				  "%.90s does not lie here, and %s", path, pxs_error_text(&why, r));
	return r;
}

static int
open_file(struct fs_request *request, uint32_t doc, struct opened *opened,
	  struct fuse_file_info *fi)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	int r;

	(void)index_doc_path(request->view, doc, &path);
	if (path.error)
		return path.error;
	if (!path.len)
		return pxs_error_set(&request->err, -ENXIO, -1, "this document has no file");
	r = open_here(request, doc, path.data, opened, fi);
	if (request->fs->options.sync && (r == -ENOENT || r == -ENOTDIR || r == -ESTALE))
		r = open_there(request, doc, path.data, r, opened, fi);
	return r;
}

/* --- Bytes of ours --- */

/* Its length is not known before it is made, so the kernel must not rely on st_size. */
static int
open_text(struct pxs_buf *text, struct opened *opened, struct fuse_file_info *fi)
{
	fi->direct_io = 1;
	opened->content = fs_content_new(text);
	return opened->content ? 0 : -ENOMEM;
}

static int
open_symlink(struct fs_request *request, uint32_t doc, struct opened *opened,
	     struct fuse_file_info *fi)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	pxs_buf_add_str(&text, fs_document_text(request->core.target, request->view, doc));
	return open_text(&text, opened, fi);
}

static int
open_document(struct fs_request *request, uint64_t id, struct opened *opened,
	      struct fuse_file_info *fi)
{
	uint32_t doc;
	int r = fs_request_document(request, id, &doc);

	if (r < 0)
		return r;
	switch (fs_document_type(&request->core, request->view, doc)) {
	case FS_DOCUMENT_FILE:
		return open_file(request, doc, opened, fi);
	case FS_DOCUMENT_SYMLINK:
		return open_symlink(request, doc, opened, fi);
	case FS_DOCUMENT_DIRECTORY:
		return pxs_error_set(&request->err, -EISDIR, -1,
				     "this document is a directory, which has no content");
	case FS_DOCUMENT_OTHER:
		break;
	}
	return pxs_error_set(&request->err, -ENXIO, -1,
			     "this document is a device, socket or fifo, which is not opened");
}

static int
open_sidecar(struct fs_request *request, uint64_t id, struct opened *opened,
	     struct fuse_file_info *fi)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	uint32_t doc;
	int r = fs_request_document(request, id, &doc);

	if (r == 0)
		r = fs_record_print(request->view, doc, &text);
	return r < 0 ? r : open_text(&text, opened, fi);
}

static int
open_virtual(struct fs_request *request, uint64_t id, struct opened *opened,
	     struct fuse_file_info *fi)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r = fs_node_get(request, id, &node);

	if (r == 0 && node->kind != FS_KIND_FILE)
		r = -EISDIR;
	if (r == 0)
		r = fs_content_get(request, node, &opened->content);
	fi->direct_io = 1;
	return r;
}

static int
open_any(struct fs_request *request, uint64_t id, struct opened *opened, struct fuse_file_info *fi)
{
	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC)
		return pxs_error_set(&request->err, -EROFS, -1,
				     "files cannot be written here; change the file itself");
	if (fs_node_is_document(id))
		return open_document(request, id, opened, fi);
	if (fs_node_is_sidecar(id))
		return open_sidecar(request, id, opened, fi);
	return open_virtual(request, id, opened, fi);
}

static int
open_new(struct fs_request *request, uint64_t id, struct fuse_file_info *fi,
	 struct opened **ret_opened)
{
	CLEANUP(opened) struct opened *opened = NULL;
	int r = opened_new(&opened);

	if (r == 0)
		r = open_any(request, id, opened, fi);
	if (r == 0)
		*ret_opened = STEAL(opened);
	return r;
}

/* --- Requests --- */

void
fs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	CLEANUP(fs_request) struct fs_request request;
	struct opened *opened = NULL;
	int r;

	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r == 0)
		r = open_new(&request, ino, fi, &opened);
	if (r < 0) {
		fs_request_fail(&request, r);
		return;
	}
	fi->fh = (uintptr_t)opened;
	fs_handle_open(request.fs->handles, &opened->handle);
	if (fuse_reply_open(req, fi) == -ENOENT) /* the caller is gone, no RELEASE will come */
		fs_handle_close(request.fs->handles, &opened->handle);
}

/* Once the reply is written the reader may close the file, in another thread of ours. */
static void
read_content(fuse_req_t req, struct fs_content *shared, size_t size, off_t off)
{
	CLEANUP(fs_content) struct fs_content *content = fs_content_ref(shared);
	size_t at = MIN((size_t)off, content->len);

	(void)fuse_reply_buf(req, content->data + at, MIN(size, content->len - at));
}

static void
read_remote(fuse_req_t req, uint64_t id, const struct opened *opened, size_t size, off_t off)
{
	CLEANUP(fs_request) struct fs_request request;
	CLEANUP(free) char *bytes = malloc(size);
	size_t len = 0;
	int r = bytes ? 0 : -ENOMEM;

	fs_request_init(&request, req, id, NULL);
	if (r == 0)
		r = enter_remote(&request);
	if (r == 0) {
		r = sync_content_read(opened->remote, (uint64_t)off, bytes, size, &request.budget,
				      &len, &request.err);
		leave_remote(&request);
	}
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_buf(req, bytes, len);
}

void
fs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	const struct opened *opened = (const struct opened *)(uintptr_t)fi->fh;
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	if (opened->remote) {
		read_remote(req, ino, opened, size, off);
		return;
	}
	if (opened->content) {
		read_content(req, opened->content, size, off);
		return;
	}
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = opened->fd;
	buf.buf[0].pos = off;
	(void)fuse_reply_data(req, &buf, FUSE_BUF_SPLICE_MOVE);
}

void
fs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct fs *fs = fuse_req_userdata(req);
	struct opened *opened = (struct opened *)(uintptr_t)fi->fh;

	(void)ino;
	fs_handle_close(fs->handles, &opened->handle);
	(void)fuse_reply_err(req, 0);
}
