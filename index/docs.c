#include "index/docs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/column_encode.h"
#include "index/epoch.h"
#include "index/rwlock.h"

#define SLOTS_FIRST 1024

/* Newest doc by key: open addressing, at most half full. The key of a doc is found in its meta. */
struct map {
	uint64_t (*key)(const struct docs *docs, uint32_t doc);
	uint32_t *slots; /* docs; 0: free */
	uint64_t n_slots;
	uint64_t used;
};

/* Either `metas`, while it fills, or `fields`. */
struct segment {
	struct retired retired;
	struct docs_meta *metas;
	struct column_slice fields[DOCS_FIELDS];
	size_t bytes;
};

struct docs {
	pthread_rwlock_t lock; /* the maps */
	struct map by_id;
	struct map by_row;
	_Atomic(struct segment *) segments[COLUMN_SEGMENTS];
};

/* --- By number --- */

static void
segment_free(struct segment *segment)
{
	if (!segment)
		return;
	free(segment->metas);
	free(segment);
}

static void
end_segment(struct retired *retired)
{
	segment_free(container_of(retired, struct segment, retired));
}

static const struct segment *
segment_of(const struct docs *docs, uint32_t doc)
{
	return atomic_load_explicit(&((struct docs *)docs)->segments[doc >> COLUMN_SEGMENT_SHIFT],
				    memory_order_acquire);
}

static int64_t
field_at(const struct segment *segment, enum docs_field field, uint32_t place)
{
	int64_t number = column_slice_number(&segment->fields[field], place);

	return number == COLUMN_MISSING ? 0 : number;
}

struct docs_meta
docs_meta(const struct docs *docs, uint32_t doc)
{
	const struct segment *segment = segment_of(docs, doc);
	uint32_t place = doc & COLUMN_PLACE_MASK;
	struct docs_meta meta = { 0 };

	if (!segment)
		return meta;
	if (segment->metas)
		return segment->metas[place];
	meta.id = field_at(segment, DOCS_ID, place);
	meta.row = (uint64_t)field_at(segment, DOCS_ROW, place);
	meta.seq = (uint64_t)field_at(segment, DOCS_SEQ, place);
	meta.created_ns = field_at(segment, DOCS_CREATED, place);
	meta.updated_ns = meta.created_ns + field_at(segment, DOCS_UPDATED, place);
	meta.previous = (uint32_t)field_at(segment, DOCS_PREVIOUS, place);
	return meta;
}

int64_t
docs_id(const struct docs *docs, uint32_t doc)
{
	const struct segment *segment = segment_of(docs, doc);
	uint32_t place = doc & COLUMN_PLACE_MASK;

	if (!segment)
		return 0;
	return segment->metas ? segment->metas[place].id : field_at(segment, DOCS_ID, place);
}

uint64_t
docs_row(const struct docs *docs, uint32_t doc)
{
	const struct segment *segment = segment_of(docs, doc);
	uint32_t place = doc & COLUMN_PLACE_MASK;

	if (!segment)
		return 0;
	return segment->metas ? segment->metas[place].row
			      : (uint64_t)field_at(segment, DOCS_ROW, place);
}

/* The place of DOC in a segment that still fills (numbers of one that was written down are not
 * given again); NULL: out of memory. */
static struct docs_meta *
place_for(struct docs *docs, uint32_t doc)
{
	struct segment *segment = (struct segment *)segment_of(docs, doc);

	if (segment) {
		assert(segment->metas);
		return &segment->metas[doc & COLUMN_PLACE_MASK];
	}
	segment = calloc(1, sizeof(*segment));
	if (!segment)
		return NULL;
	segment->retired.end = end_segment;
	segment->bytes = COLUMN_SEGMENT_DOCS * sizeof(*segment->metas);
	segment->metas = calloc(COLUMN_SEGMENT_DOCS, sizeof(*segment->metas));
	if (!segment->metas) {
		segment_free(segment);
		return NULL;
	}
	atomic_store_explicit(&docs->segments[doc >> COLUMN_SEGMENT_SHIFT], segment,
			      memory_order_release);
	return &segment->metas[doc & COLUMN_PLACE_MASK];
}

/* --- By id and row --- */

static uint64_t
key_id(const struct docs *docs, uint32_t doc)
{
	return (uint64_t)docs_id(docs, doc);
}

static uint64_t
key_row(const struct docs *docs, uint32_t doc)
{
	return docs_row(docs, doc);
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
map_init(struct map *map, uint64_t (*key)(const struct docs *docs, uint32_t doc))
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

	while (map->slots[slot] && map->key(docs, map->slots[slot]) != key)
		slot = (slot + 1) & (map->n_slots - 1);
	return slot;
}

static int
map_resize(const struct docs *docs, struct map *map, uint64_t n_slots)
{
	struct map bigger = *map;
	uint64_t slot;

	bigger.n_slots = n_slots;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (uint64_t i = 0; i < map->n_slots; i++)
		if (map->slots[i]) {
			slot = map_probe(docs, &bigger, map->key(docs, map->slots[i]));
			bigger.slots[slot] = map->slots[i];
		}
	free(map->slots);
	*map = bigger;
	return 0;
}

static int
map_make_room(const struct docs *docs, struct map *map)
{
	return map->used < map->n_slots / 2 ? 0 : map_resize(docs, map, map->n_slots * 2);
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
	rwlock_init(&docs->lock);
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
	for (uint32_t i = 0; i < COLUMN_SEGMENTS; i++)
		if (docs->segments[i])
			segment_free(docs->segments[i]);
	free(docs->by_id.slots);
	free(docs->by_row.slots);
	(void)pthread_rwlock_destroy(&docs->lock);
	free(docs);
}

int
docs_found(struct docs *docs, uint32_t doc)
{
	int r;

	r = map_make_room(docs, &docs->by_id);
	if (r == 0)
		r = map_make_room(docs, &docs->by_row);
	if (r < 0)
		return r;
	(void)map_put(docs, &docs->by_id, key_id(docs, doc), doc);
	(void)map_put(docs, &docs->by_row, key_row(docs, doc), doc);
	return 0;
}

int
docs_reserve(struct docs *docs, uint64_t n)
{
	uint64_t n_slots = SLOTS_FIRST;
	int r;

	while (n_slots / 2 <= n)
		n_slots *= 2;
	r = map_resize(docs, &docs->by_id, n_slots);
	return r < 0 ? r : map_resize(docs, &docs->by_row, n_slots);
}

int
docs_add(struct docs *docs, uint32_t doc, const struct docs_meta *meta)
{
	struct docs_meta *place = place_for(docs, doc);
	int r;

	if (!place)
		return -ENOMEM;
	*place = *meta;
	place->previous = docs_newest_of_id(docs, meta->id);

	(void)pthread_rwlock_wrlock(&docs->lock);
	r = docs_found(docs, doc);
	(void)pthread_rwlock_unlock(&docs->lock);
	return r;
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
	pthread_rwlock_t *lock = (pthread_rwlock_t *)&docs->lock;
	const struct segment *segment;
	uint64_t bytes;

	(void)pthread_rwlock_rdlock(lock);
	bytes = (docs->by_id.n_slots + docs->by_row.n_slots) * sizeof(uint32_t);
	(void)pthread_rwlock_unlock(lock);

	for (uint32_t i = 0; i < COLUMN_SEGMENTS; i++) {
		segment = segment_of(docs, i << COLUMN_SEGMENT_SHIFT);
		if (segment)
			bytes += segment->bytes;
	}
	return bytes;
}

/* --- Written down --- */

static int64_t
field_of(const struct docs_meta *meta, enum docs_field field)
{
	switch (field) {
	case DOCS_ID:
		return meta->id;
	case DOCS_ROW:
		return (int64_t)meta->row;
	case DOCS_SEQ:
		return (int64_t)meta->seq;
	case DOCS_CREATED:
		return meta->created_ns;
	case DOCS_UPDATED:
		return meta->updated_ns - meta->created_ns;
	default:
		return meta->previous;
	}
}

void
docs_encode(const struct docs *docs, uint32_t segment, enum docs_field field, struct pxs_buf *buf)
{
	int64_t *numbers = malloc(COLUMN_SEGMENT_DOCS * sizeof(*numbers));
	uint32_t first = segment << COLUMN_SEGMENT_SHIFT;
	struct docs_meta meta;

	if (!numbers) {
		buf->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++) {
		meta = docs_meta(docs, first + i);
		numbers[i] = field_of(&meta, field);
		/* Nothing there, or nothing that must be told. */
		if (meta.id == 0 || (field == DOCS_PREVIOUS && meta.previous == 0))
			numbers[i] = COLUMN_MISSING;
	}
	column_encode(numbers, first == 0, false, buf);
	free(numbers);
}

int
docs_map(struct docs *docs, uint32_t segment, const struct column_slice fields[DOCS_FIELDS],
	 size_t bytes, struct epoch *epoch)
{
	struct segment *mapped = calloc(1, sizeof(*mapped));
	struct segment *before;

	if (!mapped)
		return -ENOMEM;
	mapped->retired.end = end_segment;
	mapped->bytes = bytes;
	for (size_t i = 0; i < DOCS_FIELDS; i++)
		mapped->fields[i] = fields[i];
	before = atomic_exchange(&docs->segments[segment], mapped);
	if (before)
		epoch_retire(epoch, &before->retired);
	return 0;
}
