/* epoch.h - when what was replaced may end.
 *
 * Readers hold a view, and with it the epoch in which it was published. What the writer replaces
 * (a segment, a table) is given to the newest epoch and a next one begins; each epoch holds its
 * successor, so an epoch ends, and what was given to it with it, when its last view and those of
 * all epochs before have ended: nobody can have found it any more. */
#ifndef PXS_INDEX_EPOCH_H
#define PXS_INDEX_EPOCH_H

#include "base/cleanup.h"

struct epoch;

/* The first member of what can be replaced. */
struct retired {
	struct retired *next;
	void (*end)(struct retired *retired);
};

/* With one reference. -ENOMEM. */
int epoch_new(struct epoch **ret_epoch);
struct epoch *epoch_ref(struct epoch *epoch);
void epoch_unref(struct epoch *epoch);
DEFINE_CLEANUP(epoch, struct epoch *, epoch_unref)

/* EPOCH takes THING, which no reader that comes in a later epoch can find. One thread at a time. */
void epoch_retire(struct epoch *epoch, struct retired *thing);

/* NEXT comes after EPOCH, which holds it from now on. Once for each epoch. */
void epoch_follow(struct epoch *epoch, struct epoch *next);

#endif
