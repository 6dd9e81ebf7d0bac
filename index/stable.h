/* stable.h - an array that grows without moving: elements stay where they are.
 *
 * Chunk k holds 1024 << k elements, so 32 chunks hold whatever 32-bit indexes can address, and no
 * chunk is ever reallocated. One thread grows it; readers need no lock for elements that they
 * learnt of through a lock or an atomic. New elements are zero. */
#ifndef PXS_INDEX_STABLE_H
#define PXS_INDEX_STABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define STABLE_CHUNKS 23
#define STABLE_FIRST_SHIFT 10

/* Start it as { .size = sizeof(element) }. */
struct stable {
	size_t size;
	_Atomic(char *) chunks[STABLE_CHUNKS];
};

/* Make element AT exist. -ENOMEM. */
int stable_reserve(struct stable *array, uint32_t at);

/* A place for N elements side by side, none of them before FROM. -ENOMEM; -E2BIG: N too large. */
int stable_reserve_run(struct stable *array, uint32_t from, uint32_t n, uint32_t *ret_at);

void stable_done(struct stable *array);
uint64_t stable_bytes(const struct stable *array);

/* Element AT, which was reserved. */
static inline void *
stable_at(const struct stable *array, uint32_t at)
{
	uint64_t place = (uint64_t)at + (1u << STABLE_FIRST_SHIFT);
	unsigned int chunk = 63u - (unsigned int)__builtin_clzll(place) - STABLE_FIRST_SHIFT;
	uint64_t offset = place - (UINT64_C(1) << (chunk + STABLE_FIRST_SHIFT));

	return atomic_load_explicit(&array->chunks[chunk], memory_order_acquire) +
	       offset * array->size;
}

#endif
