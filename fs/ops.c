#include "fs/ops.h"

#include "fs/announcer.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/session.h"
#include "fs/watched.h"

/* --- Nodes are derived again from their names, so nothing is counted, and all that there is to
 * forget is who may watch them. --- */

static void
forget_one(const struct fs *fs, uint64_t id)
{
	if (fs->watched && !(id & FS_NODE_TAGS))
		fs_watched_forget(fs->watched, id);
}

static void
forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	(void)nlookup;
	forget_one(fuse_req_userdata(req), ino);
	fuse_reply_none(req);
}

static void
forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_one(fuse_req_userdata(req), forgets[i].ino);
	fuse_reply_none(req);
}

/* --- What our own helper asks means nothing but what is announced. --- */

static struct fs_announcer *
announcer_of(fuse_req_t req)
{
	return ((struct fs *)fuse_req_userdata(req))->announcer;
}

static void
lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (!fs_announcer_lookup(announcer_of(req), req, parent, name))
		fs_op_lookup(req, parent, name);
}

static void
make_node(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	if (!fs_announcer_mknod(announcer_of(req), req, parent, name))
		fs_op_mknod(req, parent, name, mode, rdev);
}

static void
unlink_name(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (!fs_announcer_unlink(announcer_of(req), req, parent, name))
		fs_op_unlink(req, parent, name);
}

static void
set_attributes(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
	       struct fuse_file_info *fi)
{
	if (!fs_announcer_setattr(announcer_of(req), req, ino))
		fs_op_setattr(req, ino, attr, to_set, fi);
}

const struct fuse_lowlevel_ops FS_OPS = {
	.init = fs_session_init,
	.forget = forget,
	.forget_multi = forget_multi,
	.lookup = lookup,
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
	.unlink = unlink_name,
	.mkdir = fs_op_mkdir,
	.mknod = make_node,
	.create = fs_op_create,
	.link = fs_op_link,
	.setattr = set_attributes,
	.setxattr = fs_op_setxattr,
	.removexattr = fs_op_removexattr,
};
