/* The strings lie in an arena and never move; `texts` finds them by code, a hash table of codes
 * (open addressing, linear probing, at most half full) by content. Only the hash table moves when
 * it grows, so only it needs a lock. */
#include "index/dict.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/arena.h"
#include "index/stable.h"

#define SLOTS_FIRST 256

/* One string; its bytes and a NUL follow. */
struct dict_entry {
	uint32_t hash;
	uint32_t len;
	char text[];
};

struct dict {
	struct pxs_arena arena;
	struct stable texts; /* const struct dict_entry *, by code - 1 */
	atomic_uint count;
	pthread_rwlock_t lock; /* slots and n_slots, against readers */
	uint32_t *slots;       /* codes; 0: free */
	uint32_t n_slots;      /* a power of two */
};

int
dict_new(struct dict **ret_dict)
{
	CLEANUP(dict) struct dict *dict = calloc(1, sizeof(*dict));

	if (!dict)
		return -ENOMEM;
	dict->texts.size = sizeof(struct dict_entry *);
	(void)pthread_rwlock_init(&dict->lock, NULL);
	dict->n_slots = SLOTS_FIRST;
	dict->slots = calloc(dict->n_slots, sizeof(*dict->slots));
	if (!dict->slots)
		return -ENOMEM;
	*ret_dict = STEAL(dict);
	return 0;
}

void
dict_free(struct dict *dict)
{
	if (!dict)
		return;
	pxs_arena_done(&dict->arena);
	stable_done(&dict->texts);
	free(dict->slots);
	(void)pthread_rwlock_destroy(&dict->lock);
	free(dict);
}

static const struct dict_entry *
entry_of(const struct dict *dict, uint32_t code)
{
	return *(const struct dict_entry **)stable_at(&dict->texts, code - 1);
}

static uint32_t
hash_text(const char *text, size_t len)
{
	return (uint32_t)XXH3_64bits(text, len);
}

/* The slot that holds TEXT, or the free one where it belongs. */
static uint32_t
probe(const struct dict *dict, uint32_t hash, const char *text, size_t len)
{
	uint32_t mask = dict->n_slots - 1;
	uint32_t slot = hash & mask;
	const struct dict_entry *entry;

	for (; dict->slots[slot]; slot = (slot + 1) & mask) {
		entry = entry_of(dict, dict->slots[slot]);
		if (entry->hash == hash && entry->len == len && memcmp(entry->text, text, len) == 0)
			break;
	}
	return slot;
}

static int
grow(struct dict *dict)
{
	uint32_t n_slots = dict->n_slots * 2;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	uint32_t count = atomic_load_explicit(&dict->count, memory_order_relaxed);
	uint32_t slot;

	if (!slots)
		return -ENOMEM;
	for (uint32_t code = 1; code <= count; code++) {
		slot = entry_of(dict, code)->hash & (n_slots - 1);
		while (slots[slot])
			slot = (slot + 1) & (n_slots - 1);
		slots[slot] = code;
	}

	(void)pthread_rwlock_wrlock(&dict->lock);
	free(dict->slots);
	dict->slots = slots;
	dict->n_slots = n_slots;
	(void)pthread_rwlock_unlock(&dict->lock);
	return 0;
}

static struct dict_entry *
new_entry(struct dict *dict, uint32_t hash, const char *text, size_t len)
{
	struct dict_entry *entry = pxs_arena_alloc(&dict->arena, sizeof(*entry) + len + 1);

	if (!entry)
		return NULL;
	entry->hash = hash;
	entry->len = (uint32_t)len;
	memcpy(entry->text, text, len);
	return entry;
}

int
dict_add(struct dict *dict, const char *text, size_t len, uint32_t *ret_code)
{
	uint32_t hash = hash_text(text, len);
	uint32_t slot = probe(dict, hash, text, len); /* the writer may read without the lock */
	uint32_t count = atomic_load_explicit(&dict->count, memory_order_relaxed);
	struct dict_entry *entry;
	int r;

	if (dict->slots[slot]) {
		*ret_code = dict->slots[slot];
		return 0;
	}
	if (len > UINT32_MAX / 2 || count == UINT32_MAX)
		return -E2BIG;
	if (count >= dict->n_slots / 2) {
		r = grow(dict);
		if (r < 0)
			return r;
		slot = probe(dict, hash, text, len);
	}

	r = stable_reserve(&dict->texts, count);
	if (r < 0)
		return r;
	entry = new_entry(dict, hash, text, len);
	if (!entry)
		return -ENOMEM;
	*(struct dict_entry **)stable_at(&dict->texts, count) = entry;

	(void)pthread_rwlock_wrlock(&dict->lock);
	dict->slots[slot] = count + 1;
	(void)pthread_rwlock_unlock(&dict->lock);
	atomic_store_explicit(&dict->count, count + 1, memory_order_release);
	*ret_code = count + 1;
	return 0;
}

uint32_t
dict_find(const struct dict *dict, const char *text, size_t len)
{
	pthread_rwlock_t *lock = (pthread_rwlock_t *)&dict->lock;
	uint32_t hash = hash_text(text, len);
	uint32_t code;

	(void)pthread_rwlock_rdlock(lock);
	code = dict->slots[probe(dict, hash, text, len)];
	(void)pthread_rwlock_unlock(lock);
	return code;
}

const char *
dict_text(const struct dict *dict, uint32_t code)
{
	return entry_of(dict, code)->text;
}

uint32_t
dict_count(const struct dict *dict)
{
	return atomic_load_explicit(&dict->count, memory_order_acquire);
}

uint64_t
dict_bytes(const struct dict *dict)
{
	return dict->arena.total + stable_bytes(&dict->texts) +
	       (uint64_t)dict->n_slots * sizeof(*dict->slots);
}
