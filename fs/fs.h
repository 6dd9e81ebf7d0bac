/* fs.h - shows the catalogue as directories. */
#ifndef PXS_FS_H
#define PXS_FS_H

#include <stdbool.h>

#include "base/cleanup.h"

struct auth;
struct fs;
struct index;
struct pxs_buf;
struct pxs_error;
struct sync;

struct fs_options {
	const char *mountpoint; /* absolute; an existing, empty folder */
	bool allow_other;	/* other users may enter (needs root, or user_allow_other) */
	bool visibility_unix;	/* everybody sees those documents whose files he could stat */
	unsigned int deletions_per_minute; /* documents that each user may delete; 0: none */
	const char *announce_helper;	   /* the program pxs-announce, lent */
	struct sync *sync; /* lent: has the content of files that do not lie here; NULL: nobody */
	struct auth *auth; /* lent: rights of users; NULL: only root and our own user have some */
	/* Adds the text of .pxs/status at the root of the mount; NULL: a short one of our own. */
	void (*status)(void *context, struct pxs_buf *buf);
	void *context;
};

/* Parse "allow_other,..." into OPTIONS. -EINVAL: ERR names the unknown option. */
int fs_options_parse(const char *text, struct fs_options *options, struct pxs_error *err);

/* Mount and serve in threads of its own; returns once the mount answers. -ENOENT, -ENOTDIR,
 * -ENOTEMPTY, -EBUSY (something is mounted there), -EACCES, -ENODEV (no /dev/fuse): ERR says what
 * to do. A dead mount of ours that is left there is cleaned away first. */
int fs_mount(struct index *index, const struct fs_options *options, struct fs **ret_fs,
	     struct pxs_error *err);

/* Lent; absolute. */
const char *fs_mountpoint(const struct fs *fs);

/* Whether it still serves; false after somebody unmounted it from outside. */
bool fs_is_alive(struct fs *fs);

/* Unmount, end the threads, free. Open files of others make the unmount lazy. */
void fs_unmount(struct fs *fs);
DEFINE_CLEANUP(fs, struct fs *, fs_unmount)

#endif
