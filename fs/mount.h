/* mount.h - what all parts of one mount share. */
#ifndef PXS_FS_MOUNT_H
#define PXS_FS_MOUNT_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/fs.h"

struct fs_allowances;
struct fs_announcer;
struct fs_contents;
struct fs_errors;
struct fs_handles;
struct fs_memos;
struct fs_nodes;
struct fs_notifier;
struct fs_seen;
struct fs_served;
struct fs_viewers;
struct fs_watched;

/* Searches that run at a time; more wait, and their deadline does not begin. */
#define FS_SEARCHES_MAX 10

struct fs {
	struct index *index;
	struct fs_options options; /* its mountpoint is ours */
	uid_t uid;		   /* of folders: the daemon's */
	gid_t gid;
	int64_t mounted_ns;
	atomic_bool stopping;	    /* running queries give up */
	atomic_bool tells;	    /* the kernel, what changes: the notifier has begun */
	sem_t turns;		    /* to search: FS_SEARCHES_MAX at a time */
	atomic_uint remote_readers; /* who wait for the upstream (file.c) */

	struct fs_nodes *nodes;		  /* folders and files that were derived lately (node.h) */
	struct fs_memos *memos;		  /* what is worked out once for a hit set (memo.h) */
	struct fs_contents *contents;	  /* of files in .pxs/ (content.h) */
	struct fs_served *served;	  /* which content the kernel may still hold (served.h) */
	struct fs_seen *seen;		  /* which versions users know (seen.h) */
	struct fs_allowances *allowances; /* how many documents they have deleted (rights.h) */
	struct fs_viewers *viewers;	  /* who sees everything (viewer.h) */
	struct fs_errors *errors;	  /* the last failures (errors.h) */
	struct fs_handles *handles;	  /* what is open (handle.h) */

	/* NULL: the kernel remembers nothing, and nobody watches. */
	struct fs_watched *watched;	/* which folders may be watched (watched.h) */
	struct fs_announcer *announcer; /* who tells watchers (announcer.h) */

	struct fs_session *session; /* the connection to the kernel, and its threads (session.h) */
	struct fs_notifier *notifier; /* NULL: the kernel remembers nothing for long (notifier.h) */
};

#endif
