/* suspects.h - documents that are here, but that the upstream no longer lists. */
#ifndef PXS_INDEX_SYNC_SUSPECTS_H
#define PXS_INDEX_SYNC_SUSPECTS_H

#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"

struct follower;
struct index;
struct index_hits;
struct pxs_error;

/* Start it as {0}. */
struct suspects {
	int64_t *ids;
	size_t n, room;
};

void suspects_done(struct suspects *suspects);
static inline void
suspects_cleanup(struct suspects *suspects)
{
	suspects_done(suspects);
}

/* The documents called IDS are there: add their rows to SEEN. Called after they were committed. */
void suspects_mark_seen(struct index *index, const int64_t *ids, size_t n, roaring_bitmap_t *seen);
/* Add those of HITS whose rows are not in SEEN. */
int suspects_collect(struct suspects *suspects, struct index_hits *hits,
		     const roaring_bitmap_t *seen);

/* Ask for each: what is gone there is removed here, what is there after all is taken as it is now.
 * -EPERM: they are more than is ordinary; nothing was removed. */
int suspects_settle(struct suspects *suspects, struct follower *follower, struct pxs_error *err);

#endif
