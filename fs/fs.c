#include "fs/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "fs/announcer.h"
#include "fs/attr.h"
#include "fs/content.h"
#include "fs/errors.h"
#include "fs/handle.h"
#include "fs/memo.h"
#include "fs/mount.h"
#include "fs/mountpoint.h"
#include "fs/node.h"
#include "fs/notifier.h"
#include "fs/rights.h"
#include "fs/seen.h"
#include "fs/served.h"
#include "fs/session.h"
#include "fs/viewer.h"
#include "fs/watched.h"

static void
fs_free(struct fs *fs)
{
	if (!fs)
		return;
	fs_announcer_free(fs->announcer);
	fs_watched_free(fs->watched);
	fs_handles_free(fs->handles);
	fs_errors_free(fs->errors);
	fs_allowances_free(fs->allowances);
	fs_seen_free(fs->seen);
	fs_viewers_free(fs->viewers);
	fs_served_free(fs->served);
	fs_contents_free(fs->contents);
	fs_memos_free(fs->memos);
	fs_nodes_free(fs->nodes);
	free((char *)fs->options.mountpoint);
	(void)sem_destroy(&fs->turns);
	free(fs);
}
DEFINE_CLEANUP(fs_memory, struct fs *, fs_free)

static int
fs_new(struct index *index, const struct fs_options *options, struct fs **ret_fs)
{
	CLEANUP(fs_memory) struct fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return -ENOMEM;
	fs->index = index;
	fs->options = *options;
	fs->options.mountpoint = NULL;
	fs->uid = geteuid();
	fs->gid = getegid();
	fs->mounted_ns = pxs_clock_now_ns();
	(void)sem_init(&fs->turns, 0, FS_SEARCHES_MAX);
	r = fs_nodes_new(&fs->nodes);
	if (r == 0)
		r = fs_memos_new(&fs->memos);
	if (r == 0)
		r = fs_contents_new(&fs->contents);
	if (r == 0)
		r = fs_served_new(&fs->served);
	if (r == 0)
		r = fs_seen_new(&fs->seen);
	if (r == 0)
		r = fs_allowances_new(&fs->allowances);
	if (r == 0)
		r = fs_viewers_new(&fs->viewers);
	if (r == 0)
		r = fs_errors_new(&fs->errors);
	if (r == 0)
		r = fs_handles_new(&fs->handles);
	if (r < 0)
		return r;
	*ret_fs = STEAL(fs);
	return 0;
}

/* Where it depends on who asks what there is, the kernel is told nothing, so that it tells nobody.
 */
static bool
tells_changes(const struct fs *fs)
{
	return !fs->options.visibility_unix;
}

static int
open_announcer(struct fs *fs)
{
	int r = fs_watched_new(&fs->watched);

	if (r == 0)
		r = fs_announcer_new(fs, fs->options.announce_helper, &fs->announcer);
	return r;
}

/* While requests are answered already. */
static void
start_notifier(struct fs *fs)
{
	if (fs_notifier_new(fs, &fs->notifier) == 0)
		atomic_store(&fs->tells, true);
	else
		pxs_log(PXS_LOG_WARNING, "mount: out of resources: changes show %d s late",
			(int)FS_DOCUMENT_S);
}

int
fs_mount(struct index *index, const struct fs_options *options, struct fs **ret_fs,
	 struct pxs_error *err)
{
	CLEANUP(fs_memory) struct fs *fs = NULL;
	char *mountpoint = NULL;
	int r;

	r = fs_new(index, options, &fs);
	if (r == 0)
		r = fs_mountpoint_resolve(options->mountpoint, &mountpoint, err);
	if (r < 0)
		return r;
	fs->options.mountpoint = mountpoint;
	r = fs_mountpoint_prepare(&fs->options, err);
	if (r == 0 && tells_changes(fs))
		r = open_announcer(fs);
	if (r == 0)
		r = fs_session_open(fs, &fs->session, err);
	if (r < 0)
		return r;
	if (tells_changes(fs))
		start_notifier(fs);
	*ret_fs = STEAL(fs);
	return 0;
}

const char *
fs_mountpoint(const struct fs *fs)
{
	return fs->options.mountpoint;
}

bool
fs_is_alive(struct fs *fs)
{
	return fs_session_is_alive(fs->session);
}

void
fs_unmount(struct fs *fs)
{
	if (!fs)
		return;
	fs_notifier_free(fs->notifier);
	fs_session_close(fs->session);
	fs_free(fs);
}
