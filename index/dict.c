/* A text lies in one of the mapped parts, which were written down, or, if it is younger, in memory.
 * It is found through the slots of the mapped lexicon, or, if it came after that, through those in
 * memory. Both tables are codes by open addressing with linear probing.
 *
 *     codes 1 .. n_mapped    parts        the rest    young
 *     codes 1 .. order.n     lexicon      the rest    slots
 *
 * What readers see changes as a whole: a new shape replaces the old one, which ends with its epoch.
 * Only the slots in memory change in place, so only they need a lock. */
#include "index/dict.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/arena.h"
#include "base/macros.h"
#include "index/epoch.h"
#include "index/rwlock.h"
#include "index/stable.h"

#define SLOTS_FIRST 256

/* One string; its bytes and a NUL follow. */
struct dict_entry {
	uint32_t hash;
	uint32_t len;
	char text[];
};

/* Texts that were not written down. */
struct young {
	struct retired retired;
	uint32_t first;
	struct pxs_arena arena;
	atomic_ullong bytes; /* of the arena */
	struct stable texts; /* struct dict_entry *, by code - first */
};

struct shape {
	struct retired retired;
	struct young *young;
	struct dict_lexicon lexicon;
	uint32_t n_mapped;
	uint32_t n_parts;
	struct dict_part parts[];
};

struct dict {
	_Atomic(struct shape *) shape;
	atomic_uint count;
	pthread_rwlock_t lock; /* slots and n_slots, against readers */
	uint32_t *slots;       /* codes; 0: free */
	atomic_uint n_slots;   /* a power of two */
};

/* --- Making and ending --- */

static void
young_free(struct young *young)
{
	if (!young)
		return;
	pxs_arena_done(&young->arena);
	stable_done(&young->texts);
	free(young);
}
DEFINE_CLEANUP(young, struct young *, young_free)

static void
end_young(struct retired *retired)
{
	young_free(container_of(retired, struct young, retired));
}

static void
end_shape(struct retired *retired)
{
	free(container_of(retired, struct shape, retired));
}

static struct young *
young_new(uint32_t first)
{
	struct young *young = calloc(1, sizeof(*young));

	if (!young)
		return NULL;
	young->retired.end = end_young;
	young->first = first;
	young->texts.size = sizeof(struct dict_entry *);
	return young;
}

/* A copy of BEFORE (or nothing) with room for N more parts. */
static struct shape *
shape_new(const struct shape *before, size_t n)
{
	uint32_t n_parts = before ? before->n_parts : 0;
	struct shape *shape = calloc(1, sizeof(*shape) + (n_parts + n) * sizeof(shape->parts[0]));

	if (!shape)
		return NULL;
	if (before)
		memcpy(shape, before, sizeof(*before) + n_parts * sizeof(shape->parts[0]));
	shape->retired = (struct retired){ .end = end_shape };
	return shape;
}

int
dict_new(struct dict **ret_dict)
{
	CLEANUP(dict) struct dict *dict = calloc(1, sizeof(*dict));
	struct shape *shape = shape_new(NULL, 0);

	if (!dict || !shape) {
		free(shape);
		return -ENOMEM;
	}
	atomic_init(&dict->shape, shape);
	rwlock_init(&dict->lock);
	shape->young = young_new(1);
	dict->n_slots = SLOTS_FIRST;
	dict->slots = calloc(dict->n_slots, sizeof(*dict->slots));
	if (!shape->young || !dict->slots)
		return -ENOMEM;
	*ret_dict = STEAL(dict);
	return 0;
}

void
dict_free(struct dict *dict)
{
	struct shape *shape;

	if (!dict)
		return;
	shape = atomic_load(&dict->shape);
	if (shape) {
		young_free(shape->young);
		(void)pthread_rwlock_destroy(&dict->lock);
	}
	free(shape);
	free(dict->slots);
	free(dict);
}

/* --- Texts by code --- */

static struct shape *
shape_of(const struct dict *dict)
{
	return atomic_load_explicit(&((struct dict *)dict)->shape, memory_order_acquire);
}

static struct dict_entry *
young_entry(const struct shape *shape, uint32_t code)
{
	assert(shape->young);
	return *(struct dict_entry **)stable_at(&shape->young->texts, code - shape->young->first);
}

/* The last part that does not begin behind CODE; without a branch to guess at. */
static const struct dict_part *
part_of(const struct shape *shape, uint32_t code)
{
	const struct dict_part *part = shape->parts;

	for (uint32_t n = shape->n_parts; n > 1;) {
		uint32_t half = n / 2;

		part = part[half].first <= code ? part + half : part;
		n -= half;
	}
	return part;
}

struct text {
	const char *text;
	size_t len;
};

static struct text
text_of(const struct shape *shape, uint32_t code)
{
	const struct dict_part *part;
	const struct dict_entry *entry;
	uint32_t offset;

	if (code > shape->n_mapped) {
		entry = young_entry(shape, code);
		return (struct text){ entry->text, entry->len };
	}
	part = part_of(shape, code);
	offset = dict_part_offset(part, code - part->first);
	return (struct text){ part->text + offset,
			      dict_part_offset(part, code - part->first + 1) - offset - 1 };
}

const char *
dict_text(const struct dict *dict, uint32_t code)
{
	const struct shape *shape = shape_of(dict);
	const struct dict_part *part;

	if (code > shape->n_mapped)
		return young_entry(shape, code)->text;
	part = part_of(shape, code);
	return part->text + dict_part_offset(part, code - part->first);
}

void
dict_prefetch(const struct dict *dict, uint32_t code)
{
	const struct shape *shape = shape_of(dict);
	const struct dict_part *part;

	if (code > shape->n_mapped)
		return;
	part = part_of(shape, code);
	code -= part->first;
	if (part->rows) {
		__builtin_prefetch(&part->rows[code >> DICT_ROW_SHIFT]);
		__builtin_prefetch(&part->near[code]);
	} else {
		__builtin_prefetch(&part->far[code]);
	}
}

uint32_t
dict_count(const struct dict *dict)
{
	return atomic_load_explicit(&((struct dict *)dict)->count, memory_order_acquire);
}

uint64_t
dict_bytes(const struct dict *dict)
{
	const struct shape *shape = shape_of(dict);
	uint64_t bytes = atomic_load(&shape->young->bytes) + stable_bytes(&shape->young->texts) +
			 (uint64_t)atomic_load(&((struct dict *)dict)->n_slots) *
				 sizeof(*dict->slots) +
			 shape->lexicon.bytes;

	for (uint32_t i = 0; i < shape->n_parts; i++)
		bytes += shape->parts[i].bytes;
	return bytes;
}

uint32_t
dict_mapped(const struct dict *dict)
{
	return shape_of(dict)->n_mapped;
}

/* --- Codes by text --- */

static uint32_t
hash_text(const char *text, size_t len)
{
	return (uint32_t)XXH3_64bits(text, len);
}

static bool
is_text(const struct shape *shape, uint32_t code, uint32_t hash, const char *text, size_t len)
{
	struct text found;

	if (code > shape->n_mapped && young_entry(shape, code)->hash != hash)
		return false;
	found = text_of(shape, code);
	return found.len == len && memcmp(found.text, text, len) == 0;
}

/* The slot that holds TEXT, or the free one where it belongs. */
static uint32_t
probe(const struct dict *dict, const struct shape *shape, uint32_t hash, const char *text,
      size_t len)
{
	uint32_t mask = dict->n_slots - 1;
	uint32_t slot = hash & mask;

	while (dict->slots[slot] && !is_text(shape, dict->slots[slot], hash, text, len))
		slot = (slot + 1) & mask;
	return slot;
}

/* Where HASH's search begins among N slots. */
static uint32_t
first_slot(uint32_t hash, uint32_t n)
{
	return (uint32_t)((uint64_t)hash * n >> 32);
}

static uint32_t
find_in_lexicon(const struct shape *shape, uint32_t hash, const char *text, size_t len)
{
	const struct dict_lexicon *lexicon = &shape->lexicon;
	uint32_t slot = first_slot(hash, lexicon->n_slots);

	for (uint32_t i = 0; i < lexicon->n_slots && lexicon->slots[slot]; i++) {
		if (is_text(shape, lexicon->slots[slot], hash, text, len))
			return lexicon->slots[slot];
		slot = slot + 1 == lexicon->n_slots ? 0 : slot + 1;
	}
	return 0;
}

uint32_t
dict_find(const struct dict *dict, const char *text, size_t len)
{
	pthread_rwlock_t *lock = (pthread_rwlock_t *)&dict->lock;
	uint32_t hash = hash_text(text, len);
	const struct shape *shape;
	uint32_t code;

	(void)pthread_rwlock_rdlock(lock);
	shape = shape_of(dict);
	code = find_in_lexicon(shape, hash, text, len);
	if (!code)
		code = dict->slots[probe(dict, shape, hash, text, len)];
	(void)pthread_rwlock_unlock(lock);
	return code;
}

/* --- Adding --- */

static uint32_t
hash_of(const struct shape *shape, uint32_t code)
{
	struct text text;

	if (code > shape->n_mapped)
		return young_entry(shape, code)->hash;
	text = text_of(shape, code);
	return hash_text(text.text, text.len);
}

/* Codes FIRST .. LAST in new slots with room for twice as many. */
static uint32_t *
make_slots(const struct shape *shape, uint32_t first, uint32_t last, uint32_t *ret_n)
{
	uint32_t n = SLOTS_FIRST;
	uint32_t *slots;
	uint32_t slot;

	while (n / 2 <= last - first + 1 && n < UINT32_MAX / 2)
		n *= 2;
	slots = calloc(n, sizeof(*slots));
	for (uint32_t code = first; slots && code <= last; code++) {
		slot = hash_of(shape, code) & (n - 1);
		while (slots[slot])
			slot = (slot + 1) & (n - 1);
		slots[slot] = code;
	}
	*ret_n = n;
	return slots;
}

static int
grow(struct dict *dict, const struct shape *shape, uint32_t count)
{
	uint32_t n_slots;
	uint32_t *slots = make_slots(shape, shape->lexicon.order.n + 1, count, &n_slots);

	if (!slots)
		return -ENOMEM;
	(void)pthread_rwlock_wrlock(&dict->lock);
	free(dict->slots);
	dict->slots = slots;
	dict->n_slots = n_slots;
	(void)pthread_rwlock_unlock(&dict->lock);
	return 0;
}

static int
add_young(struct young *young, uint32_t code, uint32_t hash, struct text text)
{
	struct dict_entry *entry;
	int r;

	r = stable_reserve(&young->texts, code - young->first);
	if (r < 0)
		return r;
	entry = pxs_arena_alloc(&young->arena, sizeof(*entry) + text.len + 1);
	if (!entry)
		return -ENOMEM;
	entry->hash = hash;
	entry->len = (uint32_t)text.len;
	memcpy(entry->text, text.text, text.len);
	atomic_store(&young->bytes, young->arena.total);
	*(struct dict_entry **)stable_at(&young->texts, code - young->first) = entry;
	return 0;
}

static int
add_new(struct dict *dict, struct shape *shape, uint32_t hash, struct text text, uint32_t *ret_code)
{
	uint32_t count = atomic_load_explicit(&dict->count, memory_order_relaxed);
	uint32_t slot;
	int r = 0;

	if (text.len > UINT32_MAX / 8 || count == UINT32_MAX / 2)
		return -E2BIG;
	if (count - shape->lexicon.order.n >= dict->n_slots / 2)
		r = grow(dict, shape, count);
	if (r == 0)
		r = add_young(shape->young, count + 1, hash, text);
	if (r < 0)
		return r;

	slot = probe(dict, shape, hash, text.text, text.len);
	(void)pthread_rwlock_wrlock(&dict->lock);
	dict->slots[slot] = count + 1;
	(void)pthread_rwlock_unlock(&dict->lock);
	atomic_store_explicit(&dict->count, count + 1, memory_order_release);
	*ret_code = count + 1;
	return 0;
}

int
dict_add(struct dict *dict, const char *text, size_t len, uint32_t *ret_code)
{
	uint32_t hash = hash_text(text, len);
	struct shape *shape = shape_of(dict);
	uint32_t code;

	/* Who adds may read without the lock. */
	code = dict->slots[probe(dict, shape, hash, text, len)];
	if (!code)
		code = find_in_lexicon(shape, hash, text, len);
	if (!code)
		return add_new(dict, shape, hash, (struct text){ text, len }, ret_code);
	*ret_code = code;
	return 0;
}

/* --- In order --- */

void
dict_order(const struct dict *dict, struct dict_order *ret_order)
{
	*ret_order = shape_of(dict)->lexicon.order;
}

uint32_t
dict_in_order(const struct dict *dict)
{
	return shape_of(dict)->lexicon.order.n;
}

int
dict_compare(const struct dict *dict, uint32_t a, uint32_t b)
{
	const struct shape *shape = shape_of(dict);
	const struct dict_order *order = &shape->lexicon.order;

	if (a == b)
		return 0;
	if (a <= order->n && b <= order->n)
		return order->ranks[a - 1] < order->ranks[b - 1] ? -1 : 1;
	return strcmp(text_of(shape, a).text, text_of(shape, b).text);
}

/* --- Mapping --- */

/* What is young and in none of the parts that end with LAST. */
static int
copy_young(const struct dict *dict, const struct shape *shape, uint32_t last,
	   struct young **ret_young)
{
	uint32_t count = atomic_load_explicit(&((struct dict *)dict)->count, memory_order_relaxed);
	CLEANUP(young) struct young *young = young_new(last + 1);
	const struct dict_entry *entry;
	int r = 0;

	if (!young)
		return -ENOMEM;
	for (uint32_t code = last + 1; r == 0 && code <= count; code++) {
		entry = young_entry(shape, code);
		r = add_young(young, code, entry->hash, (struct text){ entry->text, entry->len });
	}
	if (r == 0)
		*ret_young = STEAL(young);
	return r;
}

/* Readers that look codes up hold the lock; those that have a code hold the epoch. */
static void
replace_shape(struct dict *dict, struct shape *shape, struct epoch *epoch)
{
	struct shape *before = shape_of(dict);

	atomic_store_explicit(&dict->shape, shape, memory_order_release);
	if (before->young != shape->young)
		epoch_retire(epoch, &before->young->retired);
	epoch_retire(epoch, &before->retired);
}

int
dict_map(struct dict *dict, const struct dict_part *parts, size_t n, struct epoch *epoch)
{
	const struct shape *before = shape_of(dict);
	struct shape *shape;
	uint32_t last;
	int r;

	if (n == 0)
		return 0;
	shape = shape_new(before, n);
	if (!shape)
		return -ENOMEM;
	memcpy(&shape->parts[shape->n_parts], parts, n * sizeof(*parts));
	shape->n_parts += (uint32_t)n;
	last = parts[n - 1].first + parts[n - 1].n - 1;
	shape->n_mapped = last;
	r = copy_young(dict, before, last, &shape->young);
	if (r < 0) {
		free(shape);
		return r;
	}

	(void)pthread_rwlock_wrlock(&dict->lock);
	replace_shape(dict, shape, epoch);
	if (dict_count(dict) < last) /* at start, when nothing was added yet */
		atomic_store_explicit(&dict->count, last, memory_order_release);
	(void)pthread_rwlock_unlock(&dict->lock);
	return 0;
}

int
dict_map_lexicon(struct dict *dict, const struct dict_lexicon *lexicon, struct epoch *epoch)
{
	struct shape *shape = shape_new(shape_of(dict), 0);
	uint32_t n_slots;
	uint32_t *slots;

	if (!shape)
		return -ENOMEM;
	shape->lexicon = *lexicon;
	slots = make_slots(shape, lexicon->order.n + 1, dict_count(dict), &n_slots);
	if (!slots) {
		free(shape);
		return -ENOMEM;
	}
	(void)pthread_rwlock_wrlock(&dict->lock);
	replace_shape(dict, shape, epoch);
	free(dict->slots);
	dict->slots = slots;
	dict->n_slots = n_slots;
	(void)pthread_rwlock_unlock(&dict->lock);
	return 0;
}
