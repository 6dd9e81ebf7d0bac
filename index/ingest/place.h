/* place.h - what a path given by a person means: a source, a part of one, or a new one. */
#ifndef PXS_INDEX_INGEST_PLACE_H
#define PXS_INDEX_INGEST_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct index;
struct pxs_error;

struct place {
	char *path;	   /* absolute, without symlinks */
	char *root;	   /* of the source that it belongs to: at or above path */
	const char *start; /* path relative to root; points into path */
	int64_t source;	   /* 0: there is none yet, it would begin at path */
};

/* Find out about PATH. The errors are those of ingest_submit(); FORGET wants a source and nothing
 * else (-ENOENT), whether or not the folder is still there. */
int place_find(struct index *index, const char *path, bool forget, struct place *ret_place,
	       struct pxs_error *err);

/* Start it as { 0 }. */
void place_done(struct place *place);
static inline void
place_cleanup(struct place *place)
{
	place_done(place);
}

#endif
