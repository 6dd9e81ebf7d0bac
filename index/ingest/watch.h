/* watch.h - hears from the kernel what changes in trees (fanotify(7), Linux 5.17).
 *
 * Whole file systems are marked, which root may do; what happens in them outside the trees is
 * dropped. Events tell of names in folders; what is there now, the reader must look at. Changes
 * that another machine makes to a file system that both have mounted are not told. */
#ifndef PXS_INDEX_INGEST_WATCH_H
#define PXS_INDEX_INGEST_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct pxs_error;
struct watch;

/* Called in a thread of the watch. */
struct watch_ops {
	/* The entry at PATH (absolute, bytes) came, went or changed; DEEP: it is or was a folder
	 * and came or went with all that is in it. IS_WRITING: its content is changing, and may go
	 * on to. */
	void (*changed)(void *context, const char *path, bool deep, bool is_writing);
	/* Anything may have changed: there was more than could be told. */
	void (*lost)(void *context);
};

/* EXCEPT: a folder that is never told of. -EPERM: only root may; -ENOSYS, ... from the system; ERR
 * has the sentence. */
int watch_new(const struct watch_ops *ops, void *context, const char *except,
	      struct watch **ret_watch, struct pxs_error *err);
/* No op is called any more when it returns. */
void watch_free(struct watch *watch);
DEFINE_CLEANUP(watch, struct watch *, watch_free)

/* From now on, tell of these trees (absolute paths; copied) and of no others. What can be watched
 * is watched whatever is returned. -errno: some of it cannot; ERR has the first reason. */
int watch_follow(struct watch *watch, const char *const *roots, size_t n, struct pxs_error *err);

#endif
