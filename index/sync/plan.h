/* plan.h - into which parts a core's documents are divided, and which of them are here; noted in
 * the index. For a core that does not tell its changes. */
#ifndef PXS_INDEX_SYNC_PLAN_H
#define PXS_INDEX_SYNC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/sync/partition.h"

struct index;

/* A core lists no more documents of one query (spec/pixstor.md 1.2). */
#define PLAN_WINDOW 10000
/* Parts are split above this, which leaves them room to grow, and little to do twice. */
#define PLAN_PART_MAX 5000

enum plan_state { PLAN_TODO, PLAN_BUSY, PLAN_DONE };

struct plan_part {
	struct partition range;
	int64_t hits; /* in the last listing that told all of them; -1: there was none */
	/* Of the present cycle: */
	enum plan_state state;
	int64_t listed; /* becomes hits when all that it lacks is gone here; -1: not listed */
};

struct plan {
	struct plan_part *parts;
	size_t n, room;
	int64_t newest_ns; /* `_updated` of the newest document then; INT64_MIN: unknown */
	int64_t listed_ns; /* when all parts were last listed; 0: never */
};

/* Everything, in one part. -ENOMEM. */
int plan_begin(struct plan *plan);
void plan_done(struct plan *plan);

/* Put the N PARTS in the place of part I. */
int plan_replace(struct plan *plan, size_t i, const struct partition *parts, size_t n);
/* Join small parts that lie side by side. Not while one is busy. */
void plan_join(struct plan *plan);

/* -ENOENT: nothing that can be read is noted of this URL. */
int plan_read(struct plan *plan, struct index *index, const char *url);
int plan_write(const struct plan *plan, struct index *index, const char *url);
int plan_forget(struct index *index);

#endif
