/* work.h - threads for what takes long, and the line before them.
 *
 * The line is served in order, but nobody has more than his share of the threads: whoever asks for
 * much waits for himself. */
#ifndef PXS_REST_WORK_H
#define PXS_REST_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct work;

struct work_limits {
	unsigned int threads;	       /* at most; begun as they are needed */
	unsigned int running_per_user; /* more of them wait, even where threads are free */
	unsigned int waiting_per_user;
	unsigned int waiting; /* of all users */
};

/* Something to do; stands in what it is about, which lives until it was run. */
struct work_item {
	struct work_item *next;
	uint64_t user;	/* whose share it takes; 0: nobody's */
	int64_t due_ns; /* not before (steady); 0: at once */
	void (*run)(struct work_item *item);
};

int work_open(const struct work_limits *limits, struct work **ret_work);
/* Runs what waits, at once, and ends. Nothing may be submitted any more, but by what runs. */
void work_close(struct work *work);
DEFINE_CLEANUP(work, struct work *, work_close)

/* From now on nothing is due later. */
void work_hurry(struct work *work);

/* -EBUSY: its user has as many waiting as he may; -EAGAIN: all together have. What is due later has
 * been admitted before, and waits outside of the line. */
int work_submit(struct work *work, struct work_item *item);

#endif
