/* Terms lie one after the other, each with its NUL, in chunks of 1 MiB that never move:
 *
 *     chunk 0    cats\0dogs\0...        `starts` finds them by number, a hash table by content.
 *     chunk 1    mice\0...              One search runs over a whole chunk, not over each term.
 *
 * Only the start of every eighth is kept; the others are found by passing those between, which are
 * in the cache line that is needed or in the next.
 *
 * Beside each term stands its shape, five bytes, by which nearly all are ruled out when words alike
 * are looked for.
 *
 * The hash table is cut into parts, so that none takes long to grow. Only the parts move, so only
 * they need a lock. */
#include "index/lexicon.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/macros.h"
#include "index/budget.h"
#include "index/find_bytes.h"
#include "index/stable.h"
#include "index/terms.h"

#define CHUNK_SHIFT 20
#define CHUNK_SIZE ((size_t)1 << CHUNK_SHIFT)
#define CHUNKS_MAX 4096

#define PARTS_SHIFT 8
#define PARTS (1u << PARTS_SHIFT)
#define SLOTS_FIRST 16

/* Of a row of this many terms, which lie in one chunk, the first one's start is kept. */
#define ROW_SHIFT 3
#define ROW_TERMS (1u << ROW_SHIFT)

struct term {
	atomic_uint documents;
	atomic_uint doc; /* the last that was counted; 0: unknown */
};

/* Open addressing, linear probing, at most three quarters full. A slot's tag is of the term's hash,
 * so that nearly every text that is looked at is the one that is looked for. */
struct part {
	uint32_t *slots; /* numbers, and behind them */
	uint8_t *tags;	 /* 0: free */
	uint32_t n_slots;
	uint32_t used;
};

/* Of the word in an ASCII term; else of length SHAPE_ANY. */
#define SHAPE_ANY UINT8_MAX

struct lexicon {
	struct stable terms;   /* struct term, by number - 1 */
	struct stable starts;  /* uint32_t, by row: chunk, then place in it */
	struct stable letters; /* uint32_t, and */
	struct stable lengths; /* uint8_t: the shape of each */
	atomic_uint size;
	atomic_uint n_chunks;
	_Atomic(char *) chunks[CHUNKS_MAX];
	atomic_uint first[CHUNKS_MAX]; /* number of each chunk's first term */
	size_t used;		       /* of the last chunk */
	pthread_rwlock_t lock;	       /* the parts, against readers */
	struct part parts[PARTS];
};

static struct term *
term_at(const struct lexicon *lexicon, uint32_t number)
{
	return stable_at(&lexicon->terms, number - 1);
}

static char *
chunk_at(const struct lexicon *lexicon, uint32_t chunk)
{
	return atomic_load_explicit(&lexicon->chunks[chunk], memory_order_acquire);
}

static const char *
text_at(const struct lexicon *lexicon, uint32_t start)
{
	return chunk_at(lexicon, start >> CHUNK_SHIFT) + (start & (CHUNK_SIZE - 1));
}

static uint32_t
row_of(uint32_t number)
{
	return (number - 1) >> ROW_SHIFT;
}

static uint32_t *
start_of(const struct lexicon *lexicon, uint32_t row)
{
	return stable_at(&lexicon->starts, row);
}

/* A term that was found, from which the next of its row is found. */
struct place {
	uint32_t number;
	const char *text;
};

static struct place
row_place(const struct lexicon *lexicon, uint32_t row)
{
	return (struct place){ (row << ROW_SHIFT) + 1, text_at(lexicon, *start_of(lexicon, row)) };
}

static void
next_place(struct place *place)
{
	place->text += strlen(place->text) + 1;
	place->number++;
}

const char *
lexicon_term(const struct lexicon *lexicon, uint32_t number)
{
	struct place place = row_place(lexicon, row_of(number));

	while (place.number < number)
		next_place(&place);
	return place.text;
}

uint32_t
lexicon_documents(const struct lexicon *lexicon, uint32_t number, uint32_t *ret_doc)
{
	struct term *term = term_at(lexicon, number);
	uint32_t documents;

	/* The writer stores the count first, so a document read here may be newer than the count
	 * of one that belongs to it: ask again for the count. */
	if (ret_doc)
		*ret_doc = atomic_load_explicit(&term->doc, memory_order_acquire);
	documents = atomic_load_explicit(&term->documents, memory_order_acquire);
	if (ret_doc && documents != 1)
		*ret_doc = 0;
	return documents;
}

uint32_t
lexicon_last(const struct lexicon *lexicon, uint32_t number)
{
	return atomic_load_explicit(&term_at(lexicon, number)->doc, memory_order_acquire);
}

uint32_t
lexicon_size(const struct lexicon *lexicon)
{
	return atomic_load_explicit(&lexicon->size, memory_order_acquire);
}

/* --- Making and ending --- */

int
lexicon_new(struct lexicon **ret_lexicon)
{
	struct lexicon *lexicon = calloc(1, sizeof(*lexicon));

	if (!lexicon)
		return -ENOMEM;
	lexicon->terms.size = sizeof(struct term);
	lexicon->starts.size = sizeof(uint32_t);
	lexicon->letters.size = sizeof(uint32_t);
	lexicon->lengths.size = sizeof(uint8_t);
	(void)pthread_rwlock_init(&lexicon->lock, NULL);
	*ret_lexicon = lexicon;
	return 0;
}

void
lexicon_free(struct lexicon *lexicon)
{
	if (!lexicon)
		return;
	for (size_t i = 0; i < CHUNKS_MAX; i++)
		free(lexicon->chunks[i]);
	for (size_t i = 0; i < PARTS; i++)
		free(lexicon->parts[i].slots);
	stable_done(&lexicon->terms);
	stable_done(&lexicon->starts);
	stable_done(&lexicon->letters);
	stable_done(&lexicon->lengths);
	(void)pthread_rwlock_destroy(&lexicon->lock);
	free(lexicon);
}

/* --- By content --- */

static uint64_t
hash_of(const char *term, size_t len)
{
	return XXH3_64bits(term, len);
}

static bool
is_term(const struct lexicon *lexicon, uint32_t number, const char *term, size_t len)
{
	const char *text = lexicon_term(lexicon, number);

	return strncmp(text, term, len) == 0 && text[len] == '\0';
}

/* Of other bits than choose the part and the slot. */
static uint8_t
tag_of(uint64_t hash)
{
	return (uint8_t)(hash >> 40) | 1;
}

/* The number of TERM; 0: PART does not have it. */
static uint32_t
look_up(const struct lexicon *lexicon, const struct part *part, uint64_t hash, const char *term,
	size_t len)
{
	uint32_t mask = part->n_slots - 1;
	uint32_t at = (uint32_t)hash & mask;
	uint8_t tag = tag_of(hash);

	for (; part->n_slots && part->tags[at]; at = (at + 1) & mask)
		if (part->tags[at] == tag && is_term(lexicon, part->slots[at], term, len))
			return part->slots[at];
	return 0;
}

static const struct part *
part_of(const struct lexicon *lexicon, uint64_t hash)
{
	return &lexicon->parts[hash >> (64 - PARTS_SHIFT)];
}

uint32_t
lexicon_find(const struct lexicon *lexicon, const char *term, size_t len)
{
	pthread_rwlock_t *lock = (pthread_rwlock_t *)&lexicon->lock;
	uint64_t hash = hash_of(term, len);
	const struct part *part = part_of(lexicon, hash);
	uint32_t number;

	(void)pthread_rwlock_rdlock(lock);
	number = look_up(lexicon, part, hash, term, len);
	(void)pthread_rwlock_unlock(lock);
	return number;
}

void
lexicon_find_many(const struct lexicon *lexicon, struct lexicon_wanted *wanted, size_t n)
{
	pthread_rwlock_t *lock = (pthread_rwlock_t *)&lexicon->lock;
	uint64_t hashes[LEXICON_WANTED_MAX];

	(void)pthread_rwlock_rdlock(lock);
	for (size_t i = 0; i < n; i++) {
		const struct part *part;

		hashes[i] = hash_of(wanted[i].term, wanted[i].len);
		part = part_of(lexicon, hashes[i]);
		if (part->n_slots) {
			__builtin_prefetch(&part->tags[hashes[i] & (part->n_slots - 1)]);
			__builtin_prefetch(&part->slots[hashes[i] & (part->n_slots - 1)]);
		}
	}
	for (size_t i = 0; i < n; i++)
		wanted[i].number = look_up(lexicon, part_of(lexicon, hashes[i]), hashes[i],
					   wanted[i].term, wanted[i].len);
	(void)pthread_rwlock_unlock(lock);
}

/* --- Adding --- */

/* A term that PART does not have, and for which there is room: no text is compared. */
static void
fill_slot(struct part *part, uint64_t hash, uint32_t number)
{
	uint32_t mask = part->n_slots - 1;
	uint32_t at = (uint32_t)hash & mask;

	while (part->tags[at])
		at = (at + 1) & mask;
	part->tags[at] = tag_of(hash);
	part->slots[at] = number;
	part->used++;
}

static int
grow_part(struct lexicon *lexicon, struct part *part, uint32_t n_slots)
{
	struct part grown = { .n_slots = n_slots };

	grown.slots = calloc(grown.n_slots, sizeof(*grown.slots) + sizeof(*grown.tags));
	if (!grown.slots)
		return -ENOMEM;
	grown.tags = (uint8_t *)(grown.slots + n_slots);
	for (uint32_t i = 0; i < part->n_slots; i++) {
		uint32_t number = part->slots[i];
		const char *term;

		if (!number)
			continue;
		term = lexicon_term(lexicon, number);
		fill_slot(&grown, hash_of(term, strlen(term)), number);
	}

	(void)pthread_rwlock_wrlock(&lexicon->lock);
	free(part->slots);
	*part = grown;
	(void)pthread_rwlock_unlock(&lexicon->lock);
	return 0;
}

int
lexicon_reserve(struct lexicon *lexicon, uint32_t n)
{
	uint32_t n_slots = SLOTS_FIRST;
	int r = 0;

	/* Some parts have a few terms more than others. */
	while (n_slots / 4 * 3 < n / PARTS + n / PARTS / 16)
		n_slots *= 2;
	for (size_t i = 0; r == 0 && i < PARTS; i++)
		if (lexicon->parts[i].n_slots < n_slots)
			r = grow_part(lexicon, &lexicon->parts[i], n_slots);
	return r;
}

/* A place for the row that begins with the next number: for terms that are as long as any may be.
 */
static int
start_row(struct lexicon *lexicon, uint32_t row)
{
	uint32_t n = atomic_load_explicit(&lexicon->n_chunks, memory_order_relaxed);
	int r = stable_reserve(&lexicon->starts, row);
	char *chunk;

	if (r < 0)
		return r;
	if (n == 0 || lexicon->used + ROW_TERMS * (LEXICON_TERM_MAX + 1) > CHUNK_SIZE) {
		if (n == CHUNKS_MAX)
			return -E2BIG;
		chunk = calloc(1, CHUNK_SIZE);
		if (!chunk)
			return -ENOMEM;
		atomic_store_explicit(&lexicon->chunks[n], chunk, memory_order_release);
		atomic_store_explicit(&lexicon->first[n], lexicon_size(lexicon) + 1,
				      memory_order_relaxed);
		atomic_store_explicit(&lexicon->n_chunks, ++n, memory_order_release);
		lexicon->used = 0;
	}
	*start_of(lexicon, row) = (n - 1) << CHUNK_SHIFT | (uint32_t)lexicon->used;
	return 0;
}

/* Letters have a bit each, the digits and the others share some. */
uint32_t
lexicon_letters(const char *word, size_t len)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < len; i++)
		letters |= UINT32_C(1) << (word[i] & 31);
	return letters;
}

static void
set_shape(struct lexicon *lexicon, uint32_t number, const char *term)
{
	uint32_t property;
	const char *word = terms_word(term, &property);
	size_t len = word ? strlen(word) : 0;
	bool plain = word && len < SHAPE_ANY;

	for (size_t i = 0; plain && i < len; i++)
		plain = (unsigned char)word[i] < 0x80;
	*(uint32_t *)stable_at(&lexicon->letters, number - 1) = plain ? lexicon_letters(word, len)
								      : 0;
	*(uint8_t *)stable_at(&lexicon->lengths, number - 1) = plain ? (uint8_t)len : SHAPE_ANY;
}

static int
append(struct lexicon *lexicon, const char *term, size_t len, uint32_t *ret_number)
{
	uint32_t number = lexicon_size(lexicon) + 1;
	char *text;
	int r;

	r = number == UINT32_MAX ? -E2BIG : stable_reserve(&lexicon->terms, number - 1);
	if (r == 0)
		r = stable_reserve(&lexicon->letters, number - 1);
	if (r == 0)
		r = stable_reserve(&lexicon->lengths, number - 1);
	if (r == 0 && (number - 1) % ROW_TERMS == 0)
		r = start_row(lexicon, row_of(number));
	if (r < 0)
		return r;
	text = chunk_at(lexicon, lexicon->n_chunks - 1) + lexicon->used;
	memcpy(text, term, len);
	lexicon->used += len + 1;
	set_shape(lexicon, number, text);
	atomic_store_explicit(&lexicon->size, number, memory_order_release);
	*ret_number = number;
	return 0;
}

/* Room for a term more in PART. */
static int
make_room(struct lexicon *lexicon, struct part *part)
{
	if (part->used < part->n_slots / 4 * 3)
		return 0;
	return grow_part(lexicon, part, MAX(part->n_slots * 2, (uint32_t)SLOTS_FIRST));
}

static int
add_new(struct lexicon *lexicon, uint64_t hash, const char *term, size_t len, uint32_t *ret_number)
{
	struct part *part = (struct part *)part_of(lexicon, hash);
	int r;

	if (len > LEXICON_TERM_MAX)
		return -E2BIG;
	r = make_room(lexicon, part);
	if (r == 0)
		r = append(lexicon, term, len, ret_number);
	if (r < 0)
		return r;
	(void)pthread_rwlock_wrlock(&lexicon->lock);
	fill_slot(part, hash, *ret_number);
	(void)pthread_rwlock_unlock(&lexicon->lock);
	return 0;
}

int
lexicon_add(struct lexicon *lexicon, const char *term, size_t len, uint32_t *ret_number)
{
	uint64_t hash = hash_of(term, len);
	const struct part *part = part_of(lexicon, hash);

	/* The writer may read without the lock. */
	*ret_number = look_up(lexicon, part, hash, term, len);
	if (*ret_number)
		return 0;
	return add_new(lexicon, hash, term, len, ret_number);
}

/* Each slot is far from the one before, so some are asked for before the first is needed. */
#define ADDED_AT_ONCE 32

static void
ask_for_slot(const struct part *part, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & (part->n_slots - 1);

	__builtin_prefetch(&part->tags[at], 1);
	__builtin_prefetch(&part->slots[at], 1);
}

/* The terms from *AT on, N of them, which the hash table does not have yet: their HASHES. */
static int
append_some(struct lexicon *lexicon, const char **at, const char *end, uint32_t n, uint64_t *hashes)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		size_t len = *at < end ? strlen(*at) : 0;
		uint32_t number;
		const struct part *part;

		if (*at >= end)
			return -EBADMSG;
		if (len > LEXICON_TERM_MAX)
			return -E2BIG;
		r = append(lexicon, *at, len, &number);
		hashes[i] = hash_of(*at, len);
		part = part_of(lexicon, hashes[i]);
		if (part->n_slots)
			ask_for_slot(part, hashes[i]);
		*at += len + 1;
	}
	return r;
}

int
lexicon_add_all(struct lexicon *lexicon, const char *text, size_t len, uint32_t n)
{
	const char *end = text + len;
	uint64_t hashes[ADDED_AT_ONCE];
	int r = len && text[len - 1] == '\0' ? 0 : -EBADMSG;

	while (r == 0 && n > 0) {
		uint32_t some = MIN(n, (uint32_t)ADDED_AT_ONCE);
		uint32_t first = lexicon_size(lexicon) + 1;

		r = append_some(lexicon, &text, end, some, hashes);
		for (uint32_t i = 0; r == 0 && i < some; i++) {
			struct part *part = (struct part *)part_of(lexicon, hashes[i]);

			r = make_room(lexicon, part);
			if (r == 0)
				fill_slot(part, hashes[i], first + i);
		}
		n -= some;
	}
	return r == 0 && text != end ? -EBADMSG : r;
}

void
lexicon_count(struct lexicon *lexicon, uint32_t number, uint32_t doc)
{
	struct term *term = term_at(lexicon, number);

	if (atomic_load_explicit(&term->doc, memory_order_relaxed) == doc)
		return;
	atomic_fetch_add_explicit(&term->documents, 1, memory_order_release);
	atomic_store_explicit(&term->doc, doc, memory_order_release);
}

void
lexicon_set(struct lexicon *lexicon, uint32_t number, uint32_t documents, uint32_t doc)
{
	struct term *term = term_at(lexicon, number);

	atomic_store_explicit(&term->documents, documents, memory_order_release);
	atomic_store_explicit(&term->doc, doc, memory_order_release);
}

void
lexicon_forget(struct lexicon *lexicon)
{
	for (uint32_t number = 1; number <= lexicon_size(lexicon); number++)
		lexicon_set(lexicon, number, 0, 0);
}

/* --- Looking through all --- */

struct scan {
	const struct lexicon *lexicon;
	const struct lexicon_filter *filter;
	const struct index_budget *budget;
	lexicon_each *each;
	void *context;
};

static int
offer(const struct scan *scan, const struct place *place)
{
	if (lexicon_documents(scan->lexicon, place->number, NULL) == 0)
		return 0;
	return scan->each(scan->context, place->number, place->text, strlen(place->text));
}

/* The term, among the numbers FIRST to LAST, which lie in CHUNK, to which the byte AT belongs. */
static struct place
place_of(const struct lexicon *lexicon, uint32_t first, uint32_t last, const char *chunk,
	 const char *at)
{
	uint32_t low = row_of(first), high = row_of(last);
	struct place place;

	while (low < high) {
		uint32_t mid = high - (high - low) / 2;

		if ((*start_of(lexicon, mid) & (CHUNK_SIZE - 1)) <= (size_t)(at - chunk))
			low = mid;
		else
			high = mid - 1;
	}
	place = row_place(lexicon, low);
	while (place.number < last && place.text + strlen(place.text) < at)
		next_place(&place);
	return place;
}

/* The terms FIRST to LAST lie in CHUNK. */
static int
scan_chunk(const struct scan *scan, uint32_t chunk, uint32_t first, uint32_t last)
{
	const char *text = chunk_at(scan->lexicon, chunk);
	const char *last_term = lexicon_term(scan->lexicon, last);
	const char *end = last_term + strlen(last_term);
	const char *at = text;
	struct place place;
	int r = 0;

	while (r == 0 && first <= last) {
		at = find_bytes(at, (size_t)(end - at), scan->filter->literal, scan->filter->len);
		if (!at)
			return 0;
		place = place_of(scan->lexicon, first, last, text, at);
		r = offer(scan, &place);
		at += strlen(at) + 1;
		if (at >= end)
			break;
		first = place.number + 1;
	}
	return r;
}

/* Shapes are compared so many at a time, without a branch, so that the compiler takes vectors. */
#define SHAPES_AT_ONCE 64

/* OK: those of SHAPES_AT_ONCE that pass. Taking the lowest bit away as often as is allowed counts
 * bits, where only few count; beyond DIFFER_MAX it does not matter. */
#define DIFFER_MAX 4

static void
compare_shapes(const struct lexicon_filter *filter, const uint32_t *letters, const uint8_t *lengths,
	       uint8_t *ok)
{
	uint8_t shortest = (uint8_t)MIN(filter->shortest, (size_t)SHAPE_ANY);
	uint8_t range = (uint8_t)(MIN(filter->longest, (size_t)SHAPE_ANY) - shortest);
	uint32_t many = filter->differ > DIFFER_MAX ? 0 : UINT32_MAX;
	uint32_t third = filter->differ > 2 ? UINT32_MAX : 0;
	uint32_t bits[SHAPES_AT_ONCE];

	for (size_t i = 0; i < SHAPES_AT_ONCE; i++) {
		uint32_t x = (letters[i] ^ filter->letters) & many;

		x &= x - 1;
		x &= x - 1;
		x &= (x - 1) | ~third;
		x &= (x - 1) | ~third;
		bits[i] = x;
	}
	for (size_t i = 0; i < SHAPES_AT_ONCE; i++)
		ok[i] = (uint8_t)(((uint8_t)(lengths[i] - shortest) <= range && bits[i] == 0) ||
				  lengths[i] == SHAPE_ANY);
}

/* FIRST to LAST lie side by side: chunks of a stable array begin at powers of two. FIRST begins a
 * row. */
static int
scan_shapes(const struct scan *scan, uint32_t first, uint32_t last)
{
	const uint32_t *letters = stable_at(&scan->lexicon->letters, first - 1);
	const uint8_t *lengths = stable_at(&scan->lexicon->lengths, first - 1);
	uint8_t ok[SHAPES_AT_ONCE];
	struct place place = { 0 };
	int r = 0;

	memset(ok, 1, sizeof(ok));
	if (last - first + 1 == SHAPES_AT_ONCE)
		compare_shapes(scan->filter, letters, lengths, ok);
	for (uint32_t i = 0; r == 0 && i <= last - first; i++) {
		if (!ok[i])
			continue;
		if (place.number <= (first + i - 1) / ROW_TERMS * ROW_TERMS)
			place = row_place(scan->lexicon, row_of(first + i));
		while (place.number < first + i)
			next_place(&place);
		r = offer(scan, &place);
	}
	return r;
}

static int
scan_all(const struct scan *scan, uint32_t size)
{
	int r = 0;

	for (uint32_t first = 1, last; r == 0 && first <= size; first = last + 1) {
		last = MIN(size, (first - 1) / SHAPES_AT_ONCE * SHAPES_AT_ONCE + SHAPES_AT_ONCE);
		r = first % (SHAPES_AT_ONCE * 64) == 1 ? budget_check(scan->budget) : 0;
		if (r == 0)
			r = scan_shapes(scan, first, last);
	}
	return r;
}

static int
scan_literal(const struct scan *scan, uint32_t size)
{
	const struct lexicon *lexicon = scan->lexicon;
	int r = 0;

	for (uint32_t chunk = 0, first = 1, last; r == 0 && first <= size; first = last + 1) {
		last = size;
		if (chunk + 1 < atomic_load(&((struct lexicon *)lexicon)->n_chunks))
			last = MIN(size,
				   atomic_load(&((struct lexicon *)lexicon)->first[chunk + 1]) - 1);
		r = budget_check(scan->budget);
		if (r == 0)
			r = scan_chunk(scan, chunk, first, last);
		chunk++;
	}
	return r;
}

int
lexicon_scan(const struct lexicon *lexicon, const struct lexicon_filter *filter,
	     const struct index_budget *budget, lexicon_each *each, void *context)
{
	struct scan scan = { lexicon, filter, budget, each, context };
	uint32_t size = lexicon_size(lexicon);

	return filter->len ? scan_literal(&scan, size) : scan_all(&scan, size);
}
