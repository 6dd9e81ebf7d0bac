/* walk.h - reads a tree with two threads.
 *
 * Folders wait on one stack, shared by the threads; whoever is free takes the newest, so that the
 * walk goes deep first and what waits stays little. A folder is opened by its path below the root
 * (beneath.h), so that no descriptor waits with it and depth has no limit but the memory for paths.
 *
 * Other file systems are entered, but for those of mounts.h: a folder is asked which mount it is
 * before anything that could make its file system answer. Needs Linux 5.8 (STATX_MNT_ID). */
#ifndef PXS_INDEX_INGEST_WALK_H
#define PXS_INDEX_INGEST_WALK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statx;
struct walk;

#define WALK_THREADS 2

/* A folder that is being read. */
struct walk_folder {
	struct walk_folder *next; /* on the stack */
	const char *only;	  /* the one entry that is to be looked at; NULL: all */
	bool shallow;		  /* not what is in that entry */
	uint64_t mnt_id;
	uint64_t device;
	/* Which file system of the tree this is, as inode numbers are unique in one only: 0 for the
	 * root's, else a hash of the path where it begins. Devices would change at a reboot. */
	uint64_t volume;
	size_t path_len;
	char path[]; /* absolute, bytes as on disk; "" stands for "/" */
};

struct walk_entry {
	const struct walk_folder *folder;
	int fd; /* of the folder */
	const char *name;
	size_t name_len;
	const struct statx *stat; /* NULL where the options say names only */
};

/* THREAD is 0 or 1. A negative result ends the walk and becomes its own. */
struct walk_ops {
	/* The entries of FOLDER follow, in the same thread. */
	int (*folder)(void *context, unsigned int thread, const struct walk_folder *folder);
	int (*entry)(void *context, unsigned int thread, const struct walk_entry *entry);
	/* What is at or below PATH stays unknown. WHAT is a verb ("open"), ERROR positive; 0: it
	 * was left out on purpose, or went away meanwhile. */
	int (*unread)(void *context, unsigned int thread, const char *path, const char *what,
		      int error);
	/* Once, in one of the threads, after all else. */
	void (*end)(void *context);
};

/* Where to begin. */
struct walk_start {
	const char *path; /* relative to the root, bytes; "": the root */
	bool shallow;	  /* this entry, but not what is in it */
};

struct walk_options {
	const char *root; /* absolute; paths are told as below it */
	int root_fd;	  /* all of this is lent until walk_join() */
	const struct walk_start *starts;
	size_t n_starts;
	bool names_only;		  /* entries are not looked at, only counted by name */
	uint64_t skip_device, skip_inode; /* a folder to leave out; 0: none */
	const atomic_bool *stop;	  /* becomes true: end soon, with -ECANCELED */
};

/* Begin to read. A start is told as an entry itself unless it is the root; of one that is not
 * there, nothing is told. OPS and CONTEXT are kept. -ENOMEM, -EAGAIN; a negative result of
 * ops->unread. */
int walk_start(const struct walk_options *options, const struct walk_ops *ops, void *context,
	       struct walk **ret_walk);
/* Wait for its end: 0, the first negative result of an op, -ECANCELED, -ENOMEM. Frees WALK. */
int walk_join(struct walk *walk);

#endif
