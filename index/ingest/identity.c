#include "index/ingest/identity.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <xxhash.h>

#include "index/index.h"
#include "index/ingest/entry.h"

/* Ids below are left to those who number from 1. */
#define ID_MIN (INT64_C(1) << 32)

/* Ids given to new documents, in a table with open addressing; 0 is a free place. */
struct claims {
	int64_t *ids;
	size_t size; /* a power of two, or 0 */
	size_t n;
};

struct identities {
	struct index_view *view;
	uint64_t max_doc;
	_Atomic(uint64_t) *seen; /* a bit for each document */
	pthread_mutex_t mutex;	 /* of claims */
	struct claims claims;
};

int
identities_new(struct index_view *view, uint64_t max_doc, struct identities **ret_identities)
{
	CLEANUP(free) struct identities *identities = calloc(1, sizeof(*identities));

	if (!identities)
		return -ENOMEM;
	identities->seen = calloc(max_doc / 64 + 1, sizeof(*identities->seen));
	if (!identities->seen)
		return -ENOMEM;
	identities->max_doc = max_doc;
	identities->view = index_view_ref(view);
	(void)pthread_mutex_init(&identities->mutex, NULL);
	*ret_identities = STEAL(identities);
	return 0;
}

void
identities_free(struct identities *identities)
{
	if (!identities)
		return;
	index_view_put(identities->view);
	(void)pthread_mutex_destroy(&identities->mutex);
	free((void *)identities->seen);
	free(identities->claims.ids);
	free(identities);
}

/* --- Claims --- */

static size_t
place_of(const struct claims *claims, int64_t id)
{
	size_t place = (size_t)id & (claims->size - 1);

	while (claims->ids[place] != 0 && claims->ids[place] != id)
		place = (place + 1) & (claims->size - 1);
	return place;
}

static int
grow_claims(struct claims *claims)
{
	struct claims grown = { .size = claims->size ? claims->size * 2 : 1024, .n = claims->n };

	grown.ids = calloc(grown.size, sizeof(*grown.ids));
	if (!grown.ids)
		return -ENOMEM;
	for (size_t i = 0; i < claims->size; i++)
		if (claims->ids[i] != 0)
			grown.ids[place_of(&grown, claims->ids[i])] = claims->ids[i];
	free(claims->ids);
	*claims = grown;
	return 0;
}

/* 1: ID is the caller's; 0: somebody claimed it before. */
static int
claim_in(struct claims *claims, int64_t id)
{
	size_t place;

	if (claims->n * 2 >= claims->size && grow_claims(claims) < 0)
		return -ENOMEM;
	place = place_of(claims, id);
	if (claims->ids[place] == id)
		return 0;
	claims->ids[place] = id;
	claims->n++;
	return 1;
}

static int
claim_new(struct identities *identities, int64_t id)
{
	int r;

	(void)pthread_mutex_lock(&identities->mutex);
	r = claim_in(&identities->claims, id);
	(void)pthread_mutex_unlock(&identities->mutex);
	return r;
}

static int
claim_doc(struct identities *identities, uint32_t doc)
{
	uint64_t bit = UINT64_C(1) << (doc % 64);

	return !(atomic_fetch_or(&identities->seen[doc / 64], bit) & bit);
}

bool
identities_seen(const struct identities *identities, uint32_t doc)
{
	return doc <= identities->max_doc &&
	       atomic_load(&identities->seen[doc / 64]) >> (doc % 64) & 1;
}

/* --- Ids --- */

static int64_t
to_id(uint64_t hash)
{
	int64_t id = (int64_t)(hash & INT64_MAX);

	return id < ID_MIN ? id + (INT64_C(1) << 62) : id;
}

static bool
is_born(const struct entry *entry)
{
	return entry->stat->stx_mask & STATX_BTIME;
}

static int64_t
plain_id(const struct entry *entry)
{
	const struct statx *stat = entry->stat;
	bool born = is_born(entry);
	const uint64_t parts[] = {
		(uint64_t)entry->source,
		entry->volume,
		stat->stx_ino,
		born ? (uint64_t)stat->stx_btime.tv_sec : 0,
		born ? stat->stx_btime.tv_nsec : 0,
	};

	return to_id(XXH3_64bits(parts, sizeof(parts)));
}

static int64_t
pathed_id(const struct entry *entry, int64_t plain)
{
	return to_id(XXH3_64bits_withSeed(entry->path, entry->path_len, (uint64_t)plain));
}

/* The document with ID, and whether it is at ENTRY's path. */
static int
find(const struct identities *identities, struct entry_maker *maker, const struct entry *entry,
     struct identity *identity)
{
	int r;

	identity->doc = 0;
	identity->moved = false;
	if (index_doc_find(identities->view, identity->id, &identity->doc) < 0)
		return 0;
	r = entry_is_at(maker, identities->view, identity->doc, entry);
	if (r < 0)
		return r;
	identity->moved = r == 0;
	return 0;
}

static bool
is_here(const struct identity *identity)
{
	return identity->doc && !identity->moved;
}

/* Neither document is at ENTRY's path: it moved there or is new. */
static int
settle(struct identities *identities, const struct entry *entry, const struct identity *plain,
       const struct identity *pathed, struct identity *ret_identity)
{
	bool has_more_names = entry->stat->stx_nlink > 1 && !S_ISDIR(entry->stat->stx_mode);
	int r = 0;

	if (!has_more_names)
		r = plain->doc ? claim_doc(identities, plain->doc)
			       : claim_new(identities, plain->id);
	if (r < 0)
		return r;
	/* Seen twice, it was renamed meanwhile: the second place is the newer. Without the time of
	 * its birth it may be two files, one after the other. */
	if (r || (!has_more_names && is_born(entry)))
		*ret_identity = *plain;
	else
		*ret_identity = *pathed;
	return 0;
}

int
identities_of(struct identities *identities, struct entry_maker *maker, const struct entry *entry,
	      struct identity *ret_identity)
{
	struct identity plain = { .id = plain_id(entry) };
	struct identity pathed;
	int r;

	r = find(identities, maker, entry, &plain);
	if (r < 0)
		return r;
	if (is_here(&plain)) {
		/* Who claimed it before found it elsewhere and wrote that. */
		plain.moved = !claim_doc(identities, plain.doc);
		*ret_identity = plain;
		return 0;
	}

	pathed = (struct identity){ .id = pathed_id(entry, plain.id) };
	r = find(identities, maker, entry, &pathed);
	if (r < 0)
		return r;
	if (!is_here(&pathed))
		return settle(identities, entry, &plain, &pathed, ret_identity);
	(void)claim_doc(identities, pathed.doc);
	*ret_identity = pathed;
	return 0;
}
