#include "index/impacts.h"

#include <errno.h>
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
#include "index/scorer.h"

/* Documents that have a term as often or more often are a group each, where they are few; else one
 * of which none is kept, and which counts as the one of them that has it most often. */
#define TIMES_MAX 16
#define ALONE_MAX 64

#define LENGTHS 256
#define KINDS (TIMES_MAX * LENGTHS)
#define KINDS_TOLD (KINDS - LENGTHS) /* of which the kind is all that there is to know */

struct group {
	struct impact_group told;
	uint32_t begin, kept; /* its documents here */
	float score;	      /* when it was made */
	uint16_t kind;
	uint32_t doc; /* of a group of one whose kind is not enough */
};

struct impacts {
	atomic_uint references;
	uint32_t covered;
	uint32_t n_docs;
	uint32_t *docs; /* group by group */
	size_t n;
	struct group *groups; /* those that added most first */
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
	const struct scorer_field *field;
	struct doclist list;
	uint16_t *kinds; /* of the list's documents; those of TIMES_MAX or more are last */
	uint32_t counts[KINDS];
	uint32_t *docs;		/* group by group, all of those that are kept in part */
	uint32_t begins[KINDS]; /* where the next of each kind belongs in them, and 1; 0: nowhere */
	struct radix_item items[2 * IMPACTS_GROUP_DOCS]; /* to sort a group */
};

static void
making_cleanup(struct making **making)
{
	if (!*making)
		return;
	doclist_done(&(*making)->list);
	free((*making)->kinds);
	free((*making)->docs);
	free(*making);
}

static int
making_new(const struct scorer_field *field, struct making **ret_making)
{
	CLEANUP(making) struct making *making = calloc(1, sizeof(*making));
	int r;

	if (!making)
		return -ENOMEM;
	making->field = field;
	r = doclist_init(&making->list, field->postings->docs);
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
tell_kinds(struct making *making)
{
	const struct scorer_field *field = making->field;
	const struct posting *more = field->postings->more;
	const struct posting *end = more + field->postings->n_more;
	CLEANUP(free) uint8_t *lengths = calloc(COLUMN_SEGMENT_DOCS, sizeof(*lengths));
	uint16_t *kind = making->kinds;

	if (!lengths)
		return -ENOMEM;
	for (size_t i = 0; i < making->list.n_slices; i++) {
		const struct doclist_slice *slice = &making->list.slices[i];

		if (field->column)
			field_lengths(field->column, field->table, slice, lengths);
		for (size_t k = 0; k < slice->n; k++) {
			bool has_more = more < end && more->doc == slice->docs[k];

			*kind = kind_of(has_more ? more->times : 1, lengths[k]);
			making->counts[*kind++]++;
			more += has_more;
		}
	}
	return 0;
}

static bool
are_alone(const struct making *making, size_t kind)
{
	return kind >= KINDS_TOLD && making->counts[kind] <= ALONE_MAX;
}

static size_t
count_groups(const struct making *making)
{
	size_t n = 0;

	for (size_t kind = 0; kind < KINDS; kind++)
		n += are_alone(making, kind) ? making->counts[kind] : making->counts[kind] > 0;
	return n;
}

static void
add_group(struct impacts *impacts, const struct making *making, const struct group *group)
{
	struct group *added = &impacts->groups[impacts->n++];

	*added = *group;
	added->score = scorer_field_score(making->field, group->told.times, group->told.length);
}

/* TIMES: how often a document has it, of each group that is one kind. */
static void
add_kinds(struct impacts *impacts, const struct making *making, const float *times)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		uint32_t told = kind / LENGTHS + 1;
		uint8_t length = (uint8_t)(kind % LENGTHS);
		struct group group = {
			.told = { told < TIMES_MAX ? (float)told : times[length], length,
				  making->counts[kind] },
			.kind = (uint16_t)kind,
		};

		if (making->counts[kind] > 0 && !are_alone(making, kind))
			add_group(impacts, making, &group);
	}
}

static void
add_groups(struct impacts *impacts, const struct making *making)
{
	const struct posting *more = making->field->postings->more;
	float most[LENGTHS] = { 0 };

	for (size_t i = 0; i < making->list.n; i++) {
		struct group group = { .kind = making->kinds[i], .doc = making->list.docs[i] };
		uint8_t length = (uint8_t)(group.kind % LENGTHS);

		if (group.kind < KINDS_TOLD)
			continue;
		while (more->doc < group.doc)
			more++;
		most[length] = MAX(most[length], more->times);
		group.told = (struct impact_group){ more->times, length, 1 };
		if (are_alone(making, group.kind))
			add_group(impacts, making, &group);
	}
	add_kinds(impacts, making, most);
}

static int
compare_groups(const void *left, const void *right)
{
	const struct group *a = left;
	const struct group *b = right;

	return (a->score < b->score) - (a->score > b->score);
}

/* Which groups are kept, and so how many documents. */
static void
choose(struct impacts *impacts, struct making *making)
{
	uint32_t dealt = 0;

	for (size_t i = 0; i < impacts->n && impacts->n_docs < IMPACTS_DOCS; i++) {
		struct group *group = &impacts->groups[i];

		if (group->kind >= KINDS_TOLD && !group->doc)
			continue;
		group->begin = impacts->n_docs;
		group->kept = MIN(group->told.n, (uint32_t)IMPACTS_GROUP_DOCS);
		impacts->n_docs += group->kept;
		if (group->kind < KINDS_TOLD) {
			making->begins[group->kind] = dealt + 1;
			dealt += group->told.n;
		}
	}
}

/* The documents of kinds that are kept, kind by kind. */
static int
deal(struct making *making)
{
	making->docs = malloc((making->list.n + 1) * sizeof(*making->docs));
	if (!making->docs)
		return -ENOMEM;
	for (size_t i = 0; i < making->list.n; i++) {
		uint32_t *begin = &making->begins[making->kinds[i]];

		if (*begin)
			making->docs[(*begin)++ - 1] = making->list.docs[i];
	}
	return 0;
}

/* As a key that ascends with the id. */
static uint64_t
key_of(const struct docs *docs, uint32_t doc)
{
	return (uint64_t)docs_id(docs, doc) ^ UINT64_C(1) << 63;
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

/* Bring those KEPT of N documents to the front that come first by id. */
static void
select_first(uint32_t *documents, size_t n, size_t kept, const struct docs *docs)
{
	uint64_t top;

	for (size_t i = kept / 2; i-- > 0;)
		sift_down(documents, kept, i, docs);
	top = key_of(docs, documents[0]);
	for (size_t i = kept; i < n; i++) {
		if (key_of(docs, documents[i]) >= top)
			continue;
		documents[0] = documents[i];
		sift_down(documents, kept, 0, docs);
		top = key_of(docs, documents[0]);
	}
}

static void
sort_by_id(uint32_t *documents, size_t n, const struct docs *docs, struct radix_item *items)
{
	for (size_t i = 0; i < n; i++)
		items[i] = (struct radix_item){ key_of(docs, documents[i]), documents[i], 0 };
	(void)radix_sort(items, items + n, n, NULL);
	for (size_t i = 0; i < n; i++)
		documents[i] = items[i].value;
}

static void
keep_documents(struct impacts *impacts, struct making *making, const struct docs *docs)
{
	for (size_t i = 0; i < impacts->n; i++) {
		const struct group *group = &impacts->groups[i];
		uint32_t *to = impacts->docs + group->begin;
		uint32_t *from;

		if (group->doc && group->kept)
			*to = group->doc;
		if (group->doc || !group->kept)
			continue;
		/* All were dealt, so the place of the next is behind the last. */
		from = making->docs + making->begins[group->kind] - 1 - group->told.n;
		if (group->kept < group->told.n)
			select_first(from, group->told.n, group->kept, docs);
		memcpy(to, from, group->kept * sizeof(*to));
		sort_by_id(to, group->kept, docs, making->items);
	}
}

int
impacts_new(const struct scorer_field *field, const struct docs *docs, struct impacts **ret_impacts)
{
	CLEANUP(making) struct making *making = NULL;
	CLEANUP(impacts) struct impacts *impacts = calloc(1, sizeof(*impacts));
	int r;

	if (!impacts)
		return -ENOMEM;
	atomic_init(&impacts->references, 1);
	impacts->covered = field->postings->covered;
	r = making_new(field, &making);
	if (r == 0)
		r = tell_kinds(making);
	if (r < 0)
		return r;
	impacts->groups = calloc(count_groups(making) + 1, sizeof(*impacts->groups));
	if (!impacts->groups)
		return -ENOMEM;
	add_groups(impacts, making);
	qsort(impacts->groups, impacts->n, sizeof(*impacts->groups), compare_groups);
	choose(impacts, making);
	impacts->docs = malloc((impacts->n_docs + (size_t)1) * sizeof(*impacts->docs));
	r = impacts->docs ? deal(making) : -ENOMEM;
	if (r < 0)
		return r;
	keep_documents(impacts, making, docs);
	*ret_impacts = STEAL(impacts);
	return 0;
}

/* --- Reading --- */

const uint32_t *
impacts_documents(const struct impacts *impacts, size_t at, uint32_t *ret_n)
{
	*ret_n = impacts->groups[at].kept;
	return impacts->docs + impacts->groups[at].begin;
}
