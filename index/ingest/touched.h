/* touched.h - places where something changed, each with the time by which to look there. */
#ifndef PXS_INDEX_INGEST_TOUCHED_H
#define PXS_INDEX_INGEST_TOUCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More are too many to look at one by one. */
#define TOUCHED_MAX 100000

struct touched_place {
	int64_t due_ns;
	bool deep;   /* with all that is below it */
	char path[]; /* absolute, bytes */
};

/* Start it as { 0 }. For one thread at a time. */
struct touched {
	void *places; /* a tree of tsearch(3) */
	size_t n;
	int64_t due_ns; /* the earliest, of the steady clock; 0: there is none */
};

/* What was there already is due at the earlier time. -ENOMEM; -ENOSPC: they are too many. */
int touched_add(struct touched *touched, const char *path, bool deep, int64_t due_ns);

/* Take out those due at NOW_NS: *RET_PLACES, by path bytewise, and their number; the caller frees
 * them with touched_free(). -ENOMEM: none was taken. */
int touched_take(struct touched *touched, int64_t now_ns, struct touched_place ***ret_places,
		 size_t *ret_n);
void touched_free(struct touched_place **places, size_t n);

void touched_clear(struct touched *touched);

#endif
