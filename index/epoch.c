#include "index/epoch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct epoch {
	atomic_uint references;
	struct epoch *next; /* held */
	struct retired *things;
};

int
epoch_new(struct epoch **ret_epoch)
{
	struct epoch *epoch = calloc(1, sizeof(*epoch));

	if (!epoch)
		return -ENOMEM;
	atomic_init(&epoch->references, 1);
	*ret_epoch = epoch;
	return 0;
}

struct epoch *
epoch_ref(struct epoch *epoch)
{
	atomic_fetch_add(&epoch->references, 1);
	return epoch;
}

static void
end_things(struct retired *thing)
{
	struct retired *next;

	for (; thing; thing = next) {
		next = thing->next;
		thing->end(thing);
	}
}

/* A loop and no recursion: a chain may be long. */
void
epoch_unref(struct epoch *epoch)
{
	struct epoch *next;

	while (epoch && atomic_fetch_sub(&epoch->references, 1) == 1) {
		next = epoch->next;
		end_things(epoch->things);
		free(epoch);
		epoch = next;
	}
}

void
epoch_retire(struct epoch *epoch, struct retired *thing)
{
	thing->next = epoch->things;
	epoch->things = thing;
}

void
epoch_follow(struct epoch *epoch, struct epoch *next)
{
	epoch->next = epoch_ref(next);
}
