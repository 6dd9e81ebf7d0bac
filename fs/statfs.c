#include <errno.h>
#include <sys/statvfs.h>

#include "fs/mount.h"
#include "fs/name.h"
#include "fs/ops.h"
#include "fs/request.h"

/* Samba and others take zeros for a broken disk, so the numbers of the index's own file system are
 * told. */
void
fs_op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	CLEANUP(fs_request) struct fs_request request;
	struct statvfs st;
	int r;

	fs_request_init(&request, req, ino, NULL);
	r = statvfs(index_dir(request.fs->index), &st) < 0 ? -errno : fs_request_enter(&request);
	if (r < 0) {
		fs_request_fail(&request, r);
		return;
	}
	st.f_files = index_view_count(fs_request_view(&request));
	st.f_ffree = 0;
	st.f_favail = 0;
	st.f_namemax = FS_NAME_MAX;
	(void)fuse_reply_statfs(req, &st);
}
