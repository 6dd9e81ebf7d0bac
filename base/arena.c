#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pxs_arena_block {
	struct pxs_arena_block *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

/* Blocks double from here up to the largest, so that a small tree costs little. */
#define BLOCK_FIRST ((size_t)1 << 10)
#define BLOCK_LARGEST ((size_t)1 << 20)

static struct pxs_arena_block *
grow(struct pxs_arena *arena, size_t size)
{
	size_t want = arena->blocks ? arena->blocks->size * 2 : BLOCK_FIRST;
	struct pxs_arena_block *block;

	if (want > BLOCK_LARGEST)
		want = BLOCK_LARGEST;
	if (want < size)
		want = size;
	block = malloc(sizeof(*block) + want);
	if (!block)
		return NULL;

	block->next = arena->blocks;
	block->used = 0;
	block->size = want;
	arena->blocks = block;
	arena->total += sizeof(*block) + want;
	return block;
}

void *
pxs_arena_alloc(struct pxs_arena *arena, size_t size)
{
	struct pxs_arena_block *block = arena->blocks;
	void *memory;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!block || block->size - block->used < size)
		block = grow(arena, size);
	if (!block)
		return NULL;

	memory = block->bytes + block->used;
	block->used += size;
	return memset(memory, 0, size);
}

char *
pxs_arena_strndup(struct pxs_arena *arena, const char *text, size_t len)
{
	char *copy = pxs_arena_alloc(arena, len + 1);

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

char *
pxs_arena_strdup(struct pxs_arena *arena, const char *text)
{
	return pxs_arena_strndup(arena, text, strlen(text));
}

void
pxs_arena_done(struct pxs_arena *arena)
{
	struct pxs_arena_block *next;

	for (struct pxs_arena_block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct pxs_arena){ 0 };
}
