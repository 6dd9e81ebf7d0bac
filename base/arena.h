/* arena.h - memory for things that die together. */
#ifndef PXS_ARENA_H
#define PXS_ARENA_H

#include <stddef.h>

struct pxs_arena_block;

/* Start it as { 0 }. */
struct pxs_arena {
	struct pxs_arena_block *blocks; /* newest first */
	size_t total;			/* bytes of all blocks */
};

/* SIZE zeroed bytes, aligned for any type, that live until pxs_arena_done(); NULL: out of memory.
 */
void *pxs_arena_alloc(struct pxs_arena *arena, size_t size);
char *pxs_arena_strndup(struct pxs_arena *arena, const char *text, size_t len);
char *pxs_arena_strdup(struct pxs_arena *arena, const char *text);
void pxs_arena_done(struct pxs_arena *arena);

#endif
