/* crawl.h - follows a core that does not tell its changes: a cycle compares all of it with what is
 * here.
 *
 * Its documents are divided into parts (plan.h) that are small enough to be listed. A cycle first
 * takes what was updated last, then counts each part and lists those whose number is another one
 * than when they were listed. It lists all of them where the core cannot tell what was updated
 * last, and every hour, so that nothing stays hidden behind equal numbers. Only what a listing
 * lacks, and what is gone when it is asked for alone, is removed. */
#ifndef PXS_INDEX_SYNC_CRAWL_H
#define PXS_INDEX_SYNC_CRAWL_H

#include <stdbool.h>
#include <stdint.h>

#include "index/sync/crawler.h"
#include "index/sync/plan.h"

struct follower;
struct pxs_error;
struct suspects;

/* Requests at a time. */
#define CRAWL_CREW 4

struct crawl {
	struct crawler crew[CRAWL_CREW];
	struct plan plan; /* n 0: not yet read */
};

void crawl_done(struct crawl *crawl);

/* One cycle. Errors as follow_run(). */
int crawl_cycle(struct follower *follower, struct pxs_error *err);
/* Begins anew. */
int crawl_forget(struct follower *follower);

/* --- parts.c --- */

/* Bring the parts of the plan here. ALL: whatever their numbers; BRIEF: most documents are here.
 * SUSPECTS are added where anything was here before. */
struct crawl_order {
	bool all, brief, again;
	struct suspects *suspects;
};
int crawl_parts(struct follower *follower, const struct crawl_order *order, struct pxs_error *err);

/* --- newest.c --- */

/* Take what was updated since the plan's newest_ns. *RET_NEWEST_NS: when the newest was. *RET_ALL:
 * it is too much, or not told in order: list everything. */
int crawl_newest(struct follower *follower, int64_t *ret_newest_ns, bool *ret_all,
		 struct pxs_error *err);

#endif
