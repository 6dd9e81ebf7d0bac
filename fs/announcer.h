/* announcer.h - tells those who watch a folder of the mount (inotify) what came, went and changed.
 *
 * The kernel tells watchers of calls that go through it, and of nothing that the daemon knows. So a
 * helper (pxs-announce) makes such a call for each result that came or went, and its requests,
 * which are known by their process, are answered with what is so already: its mknod makes nothing,
 * its unlink removes nothing. */
#ifndef PXS_FS_ANNOUNCER_H
#define PXS_FS_ANNOUNCER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fs/fuse.h"

struct fs;
struct fs_announcer;

enum fs_announced {
	FS_ANNOUNCED_CREATED,
	FS_ANNOUNCED_REMOVED,
	FS_ANNOUNCED_CHANGED, /* attributes */
};

struct fs_announcement {
	enum fs_announced what;
	uint64_t folder;	       /* node number */
	const char *name;	       /* in it; NULL: CHANGED is the folder itself */
	struct fuse_entry_param entry; /* CREATED, REMOVED: what the name means, or meant */
};

/* HELPER is the path of the program, lent; it is run when it is first needed. */
int fs_announcer_new(struct fs *fs, const char *helper, struct fs_announcer **ret_announcer);
void fs_announcer_free(struct fs_announcer *announcer);
DEFINE_CLEANUP(fs_announcer, struct fs_announcer *, fs_announcer_free)

/* Announce, and wait until it is done; by one thread at a time, which serves no requests. Or what
 * the helper met: -EACCES: it may not write to the folder (users' mounts); -EPIPE, -ETIMEDOUT: it
 * was stopped, and the next call starts another. */
int fs_announce(struct fs_announcer *announcer, const struct fs_announcement *announcement);

/* Answer REQ, as of one who announces, if it is the helper's; else false. ANNOUNCER may be NULL. */
bool fs_announcer_lookup(struct fs_announcer *announcer, fuse_req_t req, uint64_t parent,
			 const char *name);
bool fs_announcer_mknod(struct fs_announcer *announcer, fuse_req_t req, uint64_t parent,
			const char *name);
bool fs_announcer_unlink(struct fs_announcer *announcer, fuse_req_t req, uint64_t parent,
			 const char *name);
bool fs_announcer_setattr(struct fs_announcer *announcer, fuse_req_t req, uint64_t node);

#endif
