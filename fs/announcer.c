/* The helper is our child and not waited for while it counts, so nobody else has its number. What
 * it asks is answered by what is announced at that moment, and by nothing else: of all other names
 * it may learn what everybody may, and it can change nothing, so no mistake here deletes a
 * document.
 */
#include "fs/announcer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/helper.h"
#include "base/log.h"
#include "fs/announce_wire.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/request.h"

/* It may wait for somebody who reads the folder just now, and he for his search. */
#define ANSWER_S (FS_DEADLINE_S + 5)

struct fs_announcer {
	struct fs *fs;
	const char *path; /* of the program */
	struct pxs_helper helper;
	atomic_int pid; /* of the helper; 0: none runs */

	pthread_mutex_t lock;
	const struct fs_announcement *now; /* NULL: nothing */
};

int
fs_announcer_new(struct fs *fs, const char *helper, struct fs_announcer **ret_announcer)
{
	struct fs_announcer *announcer = calloc(1, sizeof(*announcer));

	if (!announcer)
		return -ENOMEM;
	announcer->fs = fs;
	announcer->path = helper;
	(void)pthread_mutex_init(&announcer->lock, NULL);
	*ret_announcer = announcer;
	return 0;
}

/* None of its requests may be taken for somebody's, so it counts until it is gone. */
static void
stop(struct fs_announcer *announcer)
{
	pxs_helper_stop(&announcer->helper);
	atomic_store(&announcer->pid, 0);
}

void
fs_announcer_free(struct fs_announcer *announcer)
{
	if (!announcer)
		return;
	stop(announcer);
	(void)pthread_mutex_destroy(&announcer->lock);
	free(announcer);
}

/* --- Announcing --- */

static int
start(struct fs_announcer *announcer)
{
	int r = pxs_helper_start(&announcer->helper, announcer->path, NULL);

	if (r < 0)
		return r;
	atomic_store(&announcer->pid, announcer->helper.pid);
	return 0;
}

static int
print_packet(struct fs *fs, const struct fs_announcement *announcement, struct pxs_buf *packet)
{
	static const char WHAT[] = {
		[FS_ANNOUNCED_CREATED] = ANNOUNCE_WIRE_CREATED,
		[FS_ANNOUNCED_REMOVED] = ANNOUNCE_WIRE_REMOVED,
		[FS_ANNOUNCED_CHANGED] = ANNOUNCE_WIRE_CHANGED,
	};

	pxs_buf_add(packet, &WHAT[announcement->what], 1);
	pxs_buf_add_str(packet, fs->options.mountpoint);
	fs_node_print_path(fs, announcement->folder, announcement->name, packet);
	pxs_buf_add(packet, "", 1);
	if (packet->error)
		return packet->error;
	return packet->len > ANNOUNCE_WIRE_MAX ? -ENAMETOOLONG : 0;
}

static void
set_now(struct fs_announcer *announcer, const struct fs_announcement *announcement)
{
	(void)pthread_mutex_lock(&announcer->lock);
	announcer->now = announcement;
	(void)pthread_mutex_unlock(&announcer->lock);
}

int
fs_announce(struct fs_announcer *announcer, const struct fs_announcement *announcement)
{
	CLEANUP(pxs_buf) struct pxs_buf packet = PXS_BUF_INIT;
	int answer = 0;
	int r = print_packet(announcer->fs, announcement, &packet);

	if (r == 0)
		r = start(announcer);
	if (r < 0)
		return r;
	set_now(announcer, announcement);
	r = pxs_helper_ask(&announcer->helper, packet.data, packet.len, &answer, sizeof(answer),
			   ANSWER_S);
	set_now(announcer, NULL);
	if (r < 0) {
		pxs_log(PXS_LOG_WARNING, "mount: %s does not answer; it is started again",
			announcer->path);
		stop(announcer);
	}
	return r < 0 ? r : -answer;
}

/* --- Answering --- */

static bool
is_helper(struct fs_announcer *announcer, fuse_req_t req)
{
	pid_t pid = fuse_req_ctx(req)->pid; /* 0: of a process that we cannot see */

	return announcer && pid && pid == atomic_load(&announcer->pid);
}

/* Whether NAME in PARENT is announced just now, and as what. */
static bool
get_now(struct fs_announcer *announcer, uint64_t parent, const char *name,
	struct fs_announcement *ret_now)
{
	const struct fs_announcement *now;
	bool is_it;

	(void)pthread_mutex_lock(&announcer->lock);
	now = announcer->now;
	is_it = now && now->name && now->folder == parent && !strcmp(now->name, name);
	if (is_it)
		*ret_now = *now;
	(void)pthread_mutex_unlock(&announcer->lock);
	return is_it;
}

/* What comes is not there yet, and what goes still is. */
bool
fs_announcer_lookup(struct fs_announcer *announcer, fuse_req_t req, uint64_t parent,
		    const char *name)
{
	struct fs_announcement now;

	if (!is_helper(announcer, req) || !get_now(announcer, parent, name, &now) ||
	    now.what == FS_ANNOUNCED_CHANGED)
		return false;
	now.entry.attr_timeout = 0;
	now.entry.entry_timeout = 0;
	if (now.what == FS_ANNOUNCED_CREATED)
		now.entry.ino = 0;
	(void)fuse_reply_entry(req, &now.entry);
	return true;
}

bool
fs_announcer_mknod(struct fs_announcer *announcer, fuse_req_t req, uint64_t parent,
		   const char *name)
{
	struct fs_announcement now;

	if (!is_helper(announcer, req))
		return false;
	if (get_now(announcer, parent, name, &now) && now.what == FS_ANNOUNCED_CREATED)
		(void)fuse_reply_entry(req, &now.entry);
	else
		(void)fuse_reply_err(req, EPERM);
	return true;
}

bool
fs_announcer_unlink(struct fs_announcer *announcer, fuse_req_t req, uint64_t parent,
		    const char *name)
{
	struct fs_announcement now;

	if (!is_helper(announcer, req))
		return false;
	(void)fuse_reply_err(req, get_now(announcer, parent, name, &now) &&
						  now.what == FS_ANNOUNCED_REMOVED
					  ? 0
					  : EPERM);
	return true;
}

/* It sets no attributes, it has the kernel say that they were set. */
bool
fs_announcer_setattr(struct fs_announcer *announcer, fuse_req_t req, uint64_t node)
{
	if (!is_helper(announcer, req))
		return false;
	fs_op_getattr(req, node, NULL);
	return true;
}
