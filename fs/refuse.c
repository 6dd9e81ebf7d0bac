/* What the mount does not do, with the reason. */
#include <errno.h>
#include <string.h>

#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/request.h"

static void
refuse(fuse_req_t req, uint64_t node, const char *name, int code, const char *why)
{
	CLEANUP(fs_request) struct fs_request request;

	fs_request_init(&request, req, node, name);
	fs_request_fail(&request, pxs_error_set(&request.err, code, -1, "%s", why));
}

void
fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)mode;
	(void)rdev;
	refuse(req, parent, name, -EPERM,
	       "files cannot be made here: a folder shows what a search finds");
}

void
fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	     struct fuse_file_info *fi)
{
	(void)fi;
	fs_op_mknod(req, parent, name, mode, 0);
}

void
fs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	(void)ino;
	refuse(req, new_parent, new_name, -EPERM, "hard links cannot be made here");
}

void
fs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
	      struct fuse_file_info *fi)
{
	(void)attr;
	(void)fi;
	if (to_set & FUSE_SET_ATTR_SIZE)
		refuse(req, ino, NULL, -EROFS,
		       "the content of files cannot be changed here; change the file itself");
	else
		refuse(req, ino, NULL, -EPERM,
		       "owner, mode and times cannot be changed here; change the file itself");
}

void
fs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	if (strncmp(name, "user.", 5) != 0)
		(void)fuse_reply_err(req, EOPNOTSUPP);
	else
		refuse(req, ino, NULL, -EPERM,
		       "properties cannot be removed; set it to \"\" instead");
}
