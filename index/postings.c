#include "index/postings.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/fts.h"
#include "index/lexicon.h"

/* Terms of fewer documents are read as quickly as they would be looked up. */
#define HOT_DOCUMENTS_MIN 4096
#define HOT_PART 128 /* of all documents */

#define KEPT_MAX 1024

/* Documents on the way to the bitmap, which takes them faster in numbers. */
#define BATCH_DOCS 1024

struct postings_cache {
	pthread_mutex_t lock;
	struct kept {
		struct postings *postings; /* NULL: free */
		uint64_t used;
	} kept[KEPT_MAX];
	size_t bytes;
	uint64_t clock; /* counts uses */
};

/* --- Postings --- */

void
postings_put(struct postings *postings)
{
	if (!postings || atomic_fetch_sub(&postings->references, 1) != 1)
		return;
	if (postings->docs)
		roaring_bitmap_free(postings->docs);
	free(postings->more);
	free(postings);
}

static struct postings *
postings_ref(struct postings *postings)
{
	atomic_fetch_add(&postings->references, 1);
	return postings;
}

static size_t
bytes_of(const struct postings *postings)
{
	return sizeof(*postings) + postings->n_more * sizeof(*postings->more) +
	       roaring_bitmap_portable_size_in_bytes(postings->docs);
}

/* What FTS5 tells on the way to postings. */
struct reading {
	struct postings *postings;
	uint32_t last; /* documents after it are not promised */
	bool widths;   /* values are widths, not times */
	uint32_t batch[BATCH_DOCS];
	size_t n;
	size_t room; /* of postings->more */
};

static void
flush(struct reading *reading)
{
	roaring_bitmap_add_many(reading->postings->docs, reading->n, reading->batch);
	reading->n = 0;
}

static int
add_more(struct reading *reading, uint32_t doc, float times)
{
	struct postings *postings = reading->postings;
	struct posting *more;

	if (postings->n_more == reading->room) {
		reading->room = MAX(reading->room * 2, (size_t)64);
		more = realloc(postings->more, reading->room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		postings->more = more;
	}
	postings->more[postings->n_more++] = (struct posting){ doc, times };
	return 0;
}

static int
add_row(void *context, uint32_t doc, uint32_t value)
{
	struct reading *reading = context;
	float times = reading->widths ? 1 / (1 + (float)value) : (float)value;

	if (doc > reading->last)
		return 0;
	reading->batch[reading->n++] = doc;
	if (reading->n == BATCH_DOCS)
		flush(reading);
	return times == 1 ? 0 : add_more(reading, doc, times);
}

/* New postings with what BEFORE (may be NULL) has. */
static struct postings *
new_postings(uint32_t number, const struct postings *before)
{
	CLEANUP(postings) struct postings *postings = calloc(1, sizeof(*postings));

	if (!postings)
		return NULL;
	atomic_init(&postings->references, 1);
	postings->number = number;
	postings->docs = before ? roaring_bitmap_copy(before->docs) : roaring_bitmap_create();
	if (!postings->docs)
		return NULL;
	if (before && before->n_more) {
		postings->more = malloc(before->n_more * sizeof(*before->more));
		if (!postings->more)
			return NULL;
		memcpy(postings->more, before->more, before->n_more * sizeof(*before->more));
		postings->n_more = before->n_more;
	}
	return STEAL(postings);
}

static int
read_term(struct fts *fts, uint32_t number, const struct postings *before,
	  const struct index_budget *budget, struct postings **ret_postings)
{
	CLEANUP(postings) struct postings *postings = new_postings(number, before);
	uint32_t last = fts_last_doc(fts);
	char *text = (char *)lexicon_term(fts_lexicon(fts), number);
	const struct pxs_buf term = { text, strlen(text), 0, 0 };
	struct reading reading = { .postings = postings, .last = last ? last : UINT32_MAX };
	int r;

	if (!postings)
		return -ENOMEM;
	reading.room = postings->n_more;
	r = fts_count_phrase(fts, &term, 1, before ? before->covered : 0, budget, add_row,
			     &reading);
	if (r < 0)
		return r;
	flush(&reading);
	(void)roaring_bitmap_run_optimize(postings->docs);
	postings->covered = last;
	*ret_postings = STEAL(postings);
	return 0;
}

int
postings_of_phrase(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t slop, bool gaps,
		   const struct index_budget *budget, struct postings **ret_postings)
{
	CLEANUP(postings) struct postings *postings = new_postings(0, NULL);
	struct reading reading = {
		.postings = postings,
		.last = UINT32_MAX,
		.widths = slop > 0 && n > 1,
	};
	int r;

	if (!postings)
		return -ENOMEM;
	r = reading.widths ? fts_find_sloppy(fts, terms, n, slop, gaps, budget, add_row, &reading)
			   : fts_count_phrase(fts, terms, n, 0, budget, add_row, &reading);
	if (r < 0)
		return r;
	flush(&reading);
	*ret_postings = STEAL(postings);
	return 0;
}

/* --- Those that are kept --- */

int
postings_cache_new(struct postings_cache **ret_cache)
{
	struct postings_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	(void)pthread_mutex_init(&cache->lock, NULL);
	*ret_cache = cache;
	return 0;
}

void
postings_cache_free(struct postings_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < KEPT_MAX; i++)
		postings_put(cache->kept[i].postings);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

size_t
postings_cache_bytes(struct postings_cache *cache)
{
	size_t bytes;

	(void)pthread_mutex_lock(&cache->lock);
	bytes = cache->bytes;
	(void)pthread_mutex_unlock(&cache->lock);
	return bytes;
}

static struct postings *
find_kept(struct postings_cache *cache, uint32_t number)
{
	struct postings *found = NULL;

	(void)pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < KEPT_MAX && !found; i++) {
		struct kept *kept = &cache->kept[i];

		if (kept->postings && kept->postings->number == number) {
			kept->used = ++cache->clock;
			found = postings_ref(kept->postings);
		}
	}
	(void)pthread_mutex_unlock(&cache->lock);
	return found;
}

/* With the lock held: the place of NUMBER, or a free one, or the one unused for longest. */
static struct kept *
place_for(struct postings_cache *cache, uint32_t number)
{
	struct kept *best = &cache->kept[0];

	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct kept *kept = &cache->kept[i];

		if (kept->postings && kept->postings->number == number)
			return kept;
		if (best->postings && (!kept->postings || kept->used < best->used))
			best = kept;
	}
	return best;
}

static void
drop(struct postings_cache *cache, struct kept *kept)
{
	if (!kept->postings)
		return;
	cache->bytes -= bytes_of(kept->postings);
	postings_put(STEAL(kept->postings));
}

static struct kept *
oldest(struct postings_cache *cache)
{
	struct kept *best = NULL;

	for (size_t i = 0; i < KEPT_MAX; i++)
		if (cache->kept[i].postings && (!best || cache->kept[i].used < best->used))
			best = &cache->kept[i];
	return best;
}

static void
keep(struct postings_cache *cache, struct postings *postings)
{
	struct kept *kept;

	if (bytes_of(postings) > POSTINGS_BYTES_MAX)
		return;
	(void)pthread_mutex_lock(&cache->lock);
	kept = place_for(cache, postings->number);
	drop(cache, kept);
	*kept = (struct kept){ postings_ref(postings), ++cache->clock };
	cache->bytes += bytes_of(postings);
	while (cache->bytes > POSTINGS_BYTES_MAX)
		drop(cache, oldest(cache));
	(void)pthread_mutex_unlock(&cache->lock);
}

/* --- Asking --- */

/* While fts.db is filled anew nothing is promised about it, so nothing is kept. */
static bool
is_hot(const struct fts *fts, uint32_t number)
{
	uint32_t last = fts_last_doc(fts);

	return last && lexicon_documents(fts_lexicon(fts), number, NULL) >=
			       MAX(last / HOT_PART, (uint32_t)HOT_DOCUMENTS_MIN);
}

int
postings_get(struct postings_cache *cache, struct fts *fts, uint32_t number,
	     const struct index_budget *budget, struct postings **ret_postings)
{
	CLEANUP(postings) struct postings *before = NULL;
	int r;

	if (!is_hot(fts, number))
		return read_term(fts, number, NULL, budget, ret_postings);
	before = find_kept(cache, number);
	if (before && before->covered >= fts_last_doc(fts)) {
		*ret_postings = STEAL(before);
		return 0;
	}
	r = read_term(fts, number, before, budget, ret_postings);
	if (r == 0 && (*ret_postings)->covered)
		keep(cache, *ret_postings);
	return r;
}

int
postings_find(struct postings_cache *cache, struct fts *fts, uint32_t number,
	      const struct index_budget *budget, roaring_bitmap_t *hits)
{
	CLEANUP(postings) struct postings *postings = NULL;
	int r;

	if (!is_hot(fts, number))
		return fts_find_number(fts, number, budget, hits);
	r = postings_get(cache, fts, number, budget, &postings);
	if (r == 0)
		roaring_bitmap_or_inplace(hits, postings->docs);
	return r;
}
