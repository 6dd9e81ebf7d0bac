#include "index/docs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "index/stable.h"

#define SLOTS_FIRST 1024

/* Newest doc by key: open addressing, at most half full. The key of a doc is found in its meta. */
struct map {
	uint64_t (*key)(const struct docs_meta *meta);
	uint32_t *slots; /* docs; 0: free */
	uint64_t n_slots;
	uint64_t used;
};

struct docs {
	struct stable metas;   /* struct docs_meta, by doc */
	pthread_rwlock_t lock; /* the maps */
	struct map by_id;
	struct map by_row;
};

static uint64_t
key_id(const struct docs_meta *meta)
{
	return (uint64_t)meta->id;
}

static uint64_t
key_row(const struct docs_meta *meta)
{
	return meta->row;
}

/* Finalizer of splitmix64: rows are consecutive, ids may be. */
static uint64_t
mix(uint64_t key)
{
	key = (key ^ (key >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ (key >> 27)) * UINT64_C(0x94d049bb133111eb);
	return key ^ (key >> 31);
}

static int
map_init(struct map *map, uint64_t (*key)(const struct docs_meta *meta))
{
	map->key = key;
	map->n_slots = SLOTS_FIRST;
	map->slots = calloc(map->n_slots, sizeof(*map->slots));
	return map->slots ? 0 : -ENOMEM;
}

static uint64_t
map_probe(const struct docs *docs, const struct map *map, uint64_t key)
{
	uint64_t slot = mix(key) & (map->n_slots - 1);

	while (map->slots[slot] && map->key(docs_meta(docs, map->slots[slot])) != key)
		slot = (slot + 1) & (map->n_slots - 1);
	return slot;
}

static int
map_grow(const struct docs *docs, struct map *map)
{
	struct map bigger = *map;

	bigger.n_slots = map->n_slots * 2;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (uint64_t i = 0; i < map->n_slots; i++)
		if (map->slots[i])
			bigger.slots[map_probe(docs, &bigger,
					       map->key(docs_meta(docs, map->slots[i])))] =
				map->slots[i];
	free(map->slots);
	*map = bigger;
	return 0;
}

static int
map_make_room(const struct docs *docs, struct map *map)
{
	return map->used < map->n_slots / 2 ? 0 : map_grow(docs, map);
}

/* The doc that was there; 0: none. */
static uint32_t
map_put(const struct docs *docs, struct map *map, uint64_t key, uint32_t doc)
{
	uint64_t slot = map_probe(docs, map, key);
	uint32_t before = map->slots[slot];

	map->used += before == 0;
	map->slots[slot] = doc;
	return before;
}

int
docs_new(struct docs **ret_docs)
{
	CLEANUP(docs) struct docs *docs = calloc(1, sizeof(*docs));
	int r;

	if (!docs)
		return -ENOMEM;
	docs->metas.size = sizeof(struct docs_meta);
	(void)pthread_rwlock_init(&docs->lock, NULL);
	r = map_init(&docs->by_id, key_id);
	if (r == 0)
		r = map_init(&docs->by_row, key_row);
	if (r < 0)
		return r;
	*ret_docs = STEAL(docs);
	return 0;
}

void
docs_free(struct docs *docs)
{
	if (!docs)
		return;
	stable_done(&docs->metas);
	free(docs->by_id.slots);
	free(docs->by_row.slots);
	(void)pthread_rwlock_destroy(&docs->lock);
	free(docs);
}

int
docs_add(struct docs *docs, uint32_t doc, const struct docs_meta *meta)
{
	struct docs_meta *place;
	int r;

	r = stable_reserve(&docs->metas, doc);
	if (r < 0)
		return r;
	place = stable_at(&docs->metas, doc);
	*place = *meta;

	(void)pthread_rwlock_wrlock(&docs->lock);
	r = map_make_room(docs, &docs->by_id);
	if (r == 0)
		r = map_make_room(docs, &docs->by_row);
	if (r == 0) {
		place->previous = map_put(docs, &docs->by_id, key_id(meta), doc);
		(void)map_put(docs, &docs->by_row, key_row(meta), doc);
	}
	(void)pthread_rwlock_unlock(&docs->lock);
	return r;
}

const struct docs_meta *
docs_meta(const struct docs *docs, uint32_t doc)
{
	return stable_at(&docs->metas, doc);
}

static uint32_t
find(const struct docs *docs, const struct map *map, uint64_t key)
{
	pthread_rwlock_t *lock = (pthread_rwlock_t *)&docs->lock;
	uint32_t doc;

	(void)pthread_rwlock_rdlock(lock);
	doc = map->slots[map_probe(docs, map, key)];
	(void)pthread_rwlock_unlock(lock);
	return doc;
}

uint32_t
docs_newest_of_id(const struct docs *docs, int64_t id)
{
	return find(docs, &docs->by_id, (uint64_t)id);
}

uint32_t
docs_newest_of_row(const struct docs *docs, uint64_t row)
{
	return find(docs, &docs->by_row, row);
}

uint64_t
docs_bytes(const struct docs *docs)
{
	return stable_bytes(&docs->metas) +
	       (docs->by_id.n_slots + docs->by_row.n_slots) * sizeof(uint32_t);
}
