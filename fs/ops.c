#include "fs/ops.h"

#include "fs/session.h"

/* Nodes are derived again from their names, so nothing is counted and there is nothing to forget.
 */
static void
forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	(void)ino;
	(void)nlookup;
	fuse_reply_none(req);
}

static void
forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	(void)count;
	(void)forgets;
	fuse_reply_none(req);
}

const struct fuse_lowlevel_ops FS_OPS = {
	.init = fs_session_init,
	.forget = forget,
	.forget_multi = forget_multi,
	.lookup = fs_op_lookup,
	.getattr = fs_op_getattr,
	.readlink = fs_op_readlink,
	.opendir = fs_op_opendir,
	.readdir = fs_op_readdir,
	.readdirplus = fs_op_readdirplus,
	.releasedir = fs_op_releasedir,
	.open = fs_op_open,
	.read = fs_op_read,
	.release = fs_op_release,
	.getxattr = fs_op_getxattr,
	.listxattr = fs_op_listxattr,
	.statfs = fs_op_statfs,
	.symlink = fs_op_symlink,
	.rename = fs_op_rename,
	.rmdir = fs_op_rmdir,
	.unlink = fs_op_unlink,
	.mkdir = fs_op_mkdir,
	.mknod = fs_op_mknod,
	.create = fs_op_create,
	.link = fs_op_link,
	.setattr = fs_op_setattr,
	.setxattr = fs_op_setxattr,
	.removexattr = fs_op_removexattr,
};
