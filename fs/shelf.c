/* Changing saved/ by the verbs of a file system: ln -s, mkdir, mv, rmdir. Saved searches are shared
 * by all users, so it takes the right to change documents. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "fs/attr.h"
#include "fs/edit.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/request.h"
#include "fs/rights.h"
#include "fs/saved.h"
#include "fs/target.h"
#include "index/index.h"

/* The folder PARENT, which must be saved/ or a group; else the request fails with a sentence about
 * what it tried. */
static int
get_shelf(struct fs_request *request, uint64_t parent, const char *what, struct fs_node **ret_node)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r = 0;

	if (!(parent & FS_NODE_TAGS))
		r = fs_node_get(request, parent, &node);
	if (r < 0)
		return r;
	if (!node || node->kind != FS_KIND_SAVED)
		return pxs_error_set(&request->err, -EPERM, -1, "%s", what);
	*ret_node = STEAL(node);
	return 0;
}

/* Adds the full name of NAME in PARENT, where whoever asks may change it; PARENT itself is the
 * caller's to put. */
static int
enter(struct fs_request *request, uint64_t parent, const char *name, const char *what,
      struct pxs_buf *full, struct fs_node **ret_parent)
{
	struct auth_principal who;
	int r = get_shelf(request, parent, what, ret_parent);

	if (r == 0)
		r = fs_rights_check(request, AUTH_UPDATE, &who);
	if (r < 0)
		return r;
	fs_saved_print_name(*ret_parent, name, full);
	return full->error;
}

static void
reply_result(struct fs_request *request, int r)
{
	if (r < 0)
		fs_request_fail(request, r);
	else
		(void)fuse_reply_err(request->req, 0);
}

/* The next lookup, at once, finds the folder that it is. */
static void
reply_made(struct fs_request *request, struct fuse_entry_param *entry, int r)
{
	if (r < 0) {
		fs_request_fail(request, r);
		return;
	}
	entry->entry_timeout = 0;
	entry->attr_timeout = 0;
	(void)fuse_reply_entry(request->req, entry);
}

/* --- symlink(2), which insists on a symlink --- */

static int
save(struct fs_request *request, const char *target, struct fuse_entry_param *entry)
{
	CLEANUP(fs_node) struct fs_node *parent = NULL;
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf shown = PXS_BUF_INIT;
	uint64_t number = 0;
	int r;

	r = enter(request, request->node, request->name, "symlinks can be made in saved/ only",
		  &full, &parent);
	if (r == 0)
		r = fs_target_print(request, target, &path);
	if (r == 0)
		r = index_saved_put(request->fs->index, full.data, pxs_buf_text(&path), false,
				    &request->err);
	if (r == 0)
		r = index_node_number(request->fs->index, request->node, request->name, &number);
	if (r == 0)
		r = fs_saved_read_link(request, FS_NODE_LINK | number, &shown);
	if (r == 0)
		fs_attr_symlink(request, FS_NODE_LINK | number, shown.len, entry);
	return r;
}

void
fs_op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	struct fuse_entry_param entry = { 0 };
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = save(&request, link, &entry);
	reply_made(&request, &entry, r);
}

/* --- mkdir(2): a group --- */

static int
make_group(struct fs_request *request, struct fuse_entry_param *entry)
{
	CLEANUP(fs_node) struct fs_node *parent = NULL;
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;
	uint64_t number = 0;
	int r;

	r = enter(request, request->node, request->name,
		  "folders can be made in saved/ only, as groups of saved searches", &full,
		  &parent);
	if (r == 0)
		r = index_saved_put(request->fs->index, full.data, "", false, &request->err);
	if (r == 0)
		r = index_node_number(request->fs->index, request->node, request->name, &number);
	if (r == 0)
		fs_attr_saved(request, number, 0, entry);
	return r;
}

void
fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	CLEANUP(fs_request) struct fs_request request;
	struct fuse_entry_param entry = { 0 };
	int r;

	(void)mode; /* that of saved/ */
	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = make_group(&request, &entry);
	reply_made(&request, &entry, r);
}

/* --- rename(2) --- */

static int
rename_saved(struct fs_request *request, uint64_t new_parent, const char *new_name)
{
	CLEANUP(fs_node) struct fs_node *from_parent = NULL;
	CLEANUP(fs_node) struct fs_node *to_parent = NULL;
	CLEANUP(pxs_buf) struct pxs_buf from = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf to = PXS_BUF_INIT;
	int r;

	r = enter(request, request->node, request->name, "only saved searches can be renamed",
		  &from, &from_parent);
	if (r == 0)
		r = enter(request, new_parent, new_name, "a saved search stays in saved/", &to,
			  &to_parent);
	if (r == 0)
		r = index_saved_rename(request->fs->index, from.data, to.data, &request->err);
	return r;
}

void
fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	     const char *new_name, unsigned int flags)
{
	CLEANUP(fs_request) struct fs_request request;
	int r;

	fs_request_init(&request, req, parent, name);
	r = flags & ~(unsigned int)RENAME_NOREPLACE ? -EINVAL : fs_request_enter(&request);
	if (r == 0)
		r = rename_saved(&request, new_parent, new_name);
	reply_result(&request, r);
}

/* --- rmdir(2), unlink(2) --- */

static int
remove_saved(struct fs_request *request)
{
	CLEANUP(fs_node) struct fs_node *parent = NULL;
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;
	int r;

	r = enter(request, request->node, request->name,
		  "a folder of the mount cannot be removed, only saved searches can", &full,
		  &parent);
	return r < 0 ? r : index_saved_remove(request->fs->index, full.data, &request->err);
}

void
fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = remove_saved(&request);
	reply_result(&request, r);
}

static int
unlink_in(struct fs_request *request, uint64_t parent, const char *name)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r = parent & FS_NODE_TAGS ? -ENOTDIR : fs_node_get(request, parent, &node);

	if (r < 0)
		return r;
	return node->kind == FS_KIND_SAVED ? remove_saved(request)
					   : fs_edit_unlink(request, node, name);
}

void
fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	CLEANUP(fs_request) struct fs_request request;
	int r;

	fs_request_init(&request, req, parent, name);
	r = fs_request_enter(&request);
	if (r == 0)
		r = unlink_in(&request, parent, name);
	reply_result(&request, r);
}
