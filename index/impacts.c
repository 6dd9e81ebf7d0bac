#include "index/impacts.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/column_slice.h"
#include "index/doclist.h"
#include "index/docs.h"
#include "index/field_stats.h"
#include "index/postings.h"
#include "index/radix.h"

/* Documents that have a term as often or more often are a group each. */
#define TIMES_MAX 16
#define LENGTHS 256
#define KINDS (TIMES_MAX * LENGTHS)

/* Of a group of many these are sorted alone at first. */
#define SORTED_FIRST 1024
#define MANY (8 * SORTED_FIRST)

struct group {
	struct impact_group told;
	uint32_t begin;
	atomic_uint sorted; /* so many come first by id, in order, and stay where they are */
};

struct impacts {
	atomic_uint references;
	uint32_t covered;
	uint32_t n_docs;
	uint32_t *docs; /* group by group */
	size_t n;
	struct group *groups;
	pthread_mutex_t lock; /* of the documents that are not sorted */
};

struct impacts *
impacts_ref(struct impacts *impacts)
{
	atomic_fetch_add(&impacts->references, 1);
	return impacts;
}

void
impacts_put(struct impacts *impacts)
{
	if (!impacts || atomic_fetch_sub(&impacts->references, 1) != 1)
		return;
	(void)pthread_mutex_destroy(&impacts->lock);
	free(impacts->groups);
	free(impacts->docs);
	free(impacts);
}

uint32_t
impacts_covered(const struct impacts *impacts)
{
	return impacts->covered;
}

size_t
impacts_bytes(const struct impacts *impacts)
{
	return sizeof(*impacts) + impacts->n_docs * sizeof(*impacts->docs) +
	       impacts->n * sizeof(*impacts->groups);
}

size_t
impacts_count(const struct impacts *impacts)
{
	return impacts->n;
}

void
impacts_group(const struct impacts *impacts, size_t at, struct impact_group *ret_group)
{
	*ret_group = impacts->groups[at].told;
}

/* --- Making --- */

/* Each document's kind: how often it has the term, and the length of its text. */
struct making {
	const struct postings *postings;
	struct doclist list;
	uint16_t *kinds; /* of the list's documents; those of TIMES_MAX or more are last */
	uint32_t counts[KINDS + 1]; /* by kind; then where each begins */
};

static void
making_cleanup(struct making **making)
{
	if (!*making)
		return;
	doclist_done(&(*making)->list);
	free((*making)->kinds);
	free(*making);
}

static int
making_new(const struct postings *postings, struct making **ret_making)
{
	CLEANUP(making) struct making *making = calloc(1, sizeof(*making));
	int r;

	if (!making)
		return -ENOMEM;
	making->postings = postings;
	r = doclist_init(&making->list, postings->docs);
	if (r < 0)
		return r;
	making->kinds = malloc((making->list.n + 1) * sizeof(*making->kinds));
	if (!making->kinds)
		return -ENOMEM;
	*ret_making = STEAL(making);
	return 0;
}

static uint16_t
kind_of(float times, uint8_t length)
{
	return (uint16_t)((uint32_t)MIN(times - 1, (float)(TIMES_MAX - 1)) * LENGTHS + length);
}

static int
tell_kinds(struct making *making, const struct column *column, const struct measure_table *table)
{
	const struct posting *more = making->postings->more;
	const struct posting *end = more + making->postings->n_more;
	CLEANUP(free) uint8_t *lengths = calloc(COLUMN_SEGMENT_DOCS, sizeof(*lengths));
	uint16_t *kind = making->kinds;

	if (!lengths)
		return -ENOMEM;
	for (size_t i = 0; i < making->list.n_slices; i++) {
		const struct doclist_slice *slice = &making->list.slices[i];

		if (column)
			field_lengths(column, table, slice, lengths);
		for (size_t k = 0; k < slice->n; k++) {
			bool has_more = more < end && more->doc == slice->docs[k];

			*kind = kind_of(has_more ? more->times : 1, lengths[k]);
			making->counts[*kind++]++;
			more += has_more;
		}
	}
	return 0;
}

/* Groups, but of the kinds whose documents have the term too often. */
static size_t
count_groups(const struct making *making)
{
	size_t n = 0;

	for (size_t kind = 0; kind < KINDS; kind++)
		n += kind < KINDS - LENGTHS ? making->counts[kind] > 0 : making->counts[kind];
	return n;
}

static void
add_group(struct impacts *impacts, float times, uint8_t length, uint32_t begin, uint32_t n)
{
	struct group *group = &impacts->groups[impacts->n++];

	group->told = (struct impact_group){ times, length, n };
	group->begin = begin;
	atomic_init(&group->sorted, n == 1 ? 1 : 0);
}

static void
add_groups(struct impacts *impacts, struct making *making)
{
	uint32_t begin = 0;

	for (size_t kind = 0; kind < KINDS; kind++) {
		uint32_t n = making->counts[kind];
		size_t times = kind / LENGTHS + 1;

		making->counts[kind] = begin;
		if (n > 0 && times < TIMES_MAX)
			add_group(impacts, (float)times, (uint8_t)(kind % LENGTHS), begin, n);
		begin += n;
	}
}

/* Every document goes to its group, in the order that they have. */
static void
deal(struct impacts *impacts, struct making *making)
{
	const struct posting *more = making->postings->more;

	for (size_t i = 0; i < making->list.n; i++) {
		uint16_t kind = making->kinds[i];
		uint32_t doc = making->list.docs[i];
		uint32_t place = making->counts[kind]++;

		impacts->docs[place] = doc;
		if (kind < LENGTHS)
			continue;
		while (more->doc < doc)
			more++;
		if (kind >= KINDS - LENGTHS)
			add_group(impacts, more->times, (uint8_t)(kind % LENGTHS), place, 1);
	}
}

int
impacts_new(const struct postings *postings, const struct column *column,
	    const struct measure_table *table, struct impacts **ret_impacts)
{
	CLEANUP(making) struct making *making = NULL;
	CLEANUP(impacts) struct impacts *impacts = calloc(1, sizeof(*impacts));
	int r;

	if (!impacts)
		return -ENOMEM;
	atomic_init(&impacts->references, 1);
	(void)pthread_mutex_init(&impacts->lock, NULL);
	r = making_new(postings, &making);
	if (r == 0)
		r = tell_kinds(making, column, table);
	if (r < 0)
		return r;
	impacts->covered = postings->covered;
	impacts->n_docs = (uint32_t)making->list.n;
	impacts->docs = malloc((making->list.n + 1) * sizeof(*impacts->docs));
	impacts->groups = malloc((count_groups(making) + 1) * sizeof(*impacts->groups));
	if (!impacts->docs || !impacts->groups)
		return -ENOMEM;
	add_groups(impacts, making);
	deal(impacts, making);
	*ret_impacts = STEAL(impacts);
	return 0;
}

/* --- Reading --- */

/* As a key that ascends with the id. */
static uint64_t
key_of(const struct docs *docs, uint32_t doc)
{
	return (uint64_t)docs_id(docs, doc) ^ UINT64_C(1) << 63;
}

static int
sort_by_id(uint32_t *documents, size_t n, const struct docs *docs)
{
	CLEANUP(free) struct radix_item *items = malloc(2 * n * sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		items[i] = (struct radix_item){ key_of(docs, documents[i]), documents[i], 0 };
	(void)radix_sort(items, items + n, n, NULL);
	for (size_t i = 0; i < n; i++)
		documents[i] = items[i].value;
	return 0;
}

/* A heap of N, the last by id on top, whose element AT may belong further down. */
static void
sift_down(uint32_t *heap, size_t n, size_t at, const struct docs *docs)
{
	uint32_t doc = heap[at];
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && key_of(docs, heap[child + 1]) > key_of(docs, heap[child]))
			child++;
		if (key_of(docs, doc) >= key_of(docs, heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = doc;
}

/* Bring the SORTED_FIRST that come first by id to the front, in any order. */
static void
select_first(uint32_t *documents, size_t n, const struct docs *docs)
{
	uint64_t top;

	for (size_t i = SORTED_FIRST / 2; i-- > 0;)
		sift_down(documents, SORTED_FIRST, i, docs);
	top = key_of(docs, documents[0]);
	for (size_t i = SORTED_FIRST; i < n; i++) {
		uint32_t doc = documents[i];

		if (key_of(docs, doc) >= top)
			continue;
		documents[i] = documents[0];
		documents[0] = doc;
		sift_down(documents, SORTED_FIRST, 0, docs);
		top = key_of(docs, documents[0]);
	}
}

/* With the lock held: sort more of GROUP's DOCUMENTS. */
static int
sort_more(struct group *group, uint32_t *documents, const struct docs *docs)
{
	uint32_t begin = atomic_load(&group->sorted);
	uint32_t end = group->told.n;
	int r;

	if (begin == 0 && end >= MANY) {
		select_first(documents, end, docs);
		end = SORTED_FIRST;
	}
	r = sort_by_id(documents + begin, end - begin, docs);
	if (r == 0)
		atomic_store_explicit(&group->sorted, end, memory_order_release);
	return r;
}

int
impacts_documents(struct impacts *impacts, size_t at, uint32_t from, const struct docs *docs,
		  const uint32_t **ret_documents, uint32_t *ret_n)
{
	struct group *group = &impacts->groups[at];
	uint32_t *documents = impacts->docs + group->begin;
	uint32_t sorted = atomic_load_explicit(&group->sorted, memory_order_acquire);
	int r = 0;

	if (sorted <= from && sorted < group->told.n) {
		(void)pthread_mutex_lock(&impacts->lock);
		while (r == 0 && (sorted = atomic_load(&group->sorted)) <= from &&
		       sorted < group->told.n)
			r = sort_more(group, documents, docs);
		(void)pthread_mutex_unlock(&impacts->lock);
	}
	*ret_documents = documents;
	*ret_n = sorted;
	return r;
}
