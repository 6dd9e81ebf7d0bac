#include "index/stable.h"

#include <errno.h>
#include <stdlib.h>

static unsigned int
chunk_of(uint64_t at)
{
	uint64_t place = at + (1u << STABLE_FIRST_SHIFT);

	return 63u - (unsigned int)__builtin_clzll(place) - STABLE_FIRST_SHIFT;
}

/* The index of the first element of CHUNK. */
static uint64_t
chunk_start(unsigned int chunk)
{
	return (UINT64_C(1) << (chunk + STABLE_FIRST_SHIFT)) - (1u << STABLE_FIRST_SHIFT);
}

static int
reserve_chunk(struct stable *array, unsigned int chunk)
{
	char *memory;

	if (atomic_load_explicit(&array->chunks[chunk], memory_order_relaxed))
		return 0;
	memory = calloc((size_t)1 << (chunk + STABLE_FIRST_SHIFT), array->size);
	if (!memory)
		return -ENOMEM;
	atomic_store_explicit(&array->chunks[chunk], memory, memory_order_release);
	return 0;
}

int
stable_reserve(struct stable *array, uint32_t at)
{
	return reserve_chunk(array, chunk_of(at));
}

int
stable_reserve_run(struct stable *array, uint32_t from, uint32_t n, uint32_t *ret_at)
{
	uint64_t at = from;
	unsigned int chunk = chunk_of(at);

	while (at + n > chunk_start(chunk + 1)) {
		at = chunk_start(++chunk);
		if (chunk == STABLE_CHUNKS)
			return -E2BIG;
	}
	*ret_at = (uint32_t)at;
	return reserve_chunk(array, chunk);
}

void
stable_done(struct stable *array)
{
	for (size_t i = 0; i < STABLE_CHUNKS; i++) {
		free(array->chunks[i]);
		array->chunks[i] = NULL;
	}
}

uint64_t
stable_bytes(const struct stable *array)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < STABLE_CHUNKS; i++)
		if (array->chunks[i])
			bytes += ((uint64_t)array->size << (i + STABLE_FIRST_SHIFT));
	return bytes;
}
