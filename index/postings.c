#include "index/postings.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/fts.h"
#include "index/impacts.h"
#include "index/lexicon.h"

/* Kept postings lie in sets by a hash of their keys; a set that is full lets one go. */
#define SETS_SHIFT 14
#define SETS (1u << SETS_SHIFT)
#define WAYS 8
#define KEPT_MAX (SETS * WAYS)

/* Of memory that the allocator and the bitmap's own tables take for postings, however few. */
#define OVERHEAD_BYTES 256

/* Documents on the way to the bitmap, which takes them faster in numbers. */
#define BATCH_DOCS 1024

/* Fewer documents of several terms are united as quickly as they are found. */
#define MANY_DOCS 4096

struct postings_cache {
	pthread_mutex_t lock;
	struct kept {
		struct postings *postings; /* NULL: free */
		bool used;		   /* since the hand came by */
	} kept[KEPT_MAX];
	size_t bytes, max_bytes;
	size_t bytes_document;
	uint32_t hand; /* goes around, and lets go of what was not used since */
};

/* --- Postings --- */

void
postings_put(struct postings *postings)
{
	if (!postings || atomic_fetch_sub(&postings->references, 1) != 1)
		return;
	if (postings->docs)
		roaring_bitmap_free(postings->docs);
	impacts_put(postings->impacts);
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
	return sizeof(*postings) + OVERHEAD_BYTES + postings->n_more * sizeof(*postings->more) +
	       roaring_bitmap_portable_size_in_bytes(postings->docs) +
	       (postings->impacts ? impacts_bytes(postings->impacts) : 0);
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

static struct postings_key
key_of_term(uint32_t number)
{
	return (struct postings_key){ 0, number };
}

/* Terms have no NUL, so each is a seed for the next without another of the same sequence. */
static struct postings_key
key_of_phrase(const struct pxs_buf *terms, size_t n)
{
	struct postings_key key = { 1, 2 };

	for (size_t i = 0; i < n; i++) {
		key.high = XXH3_64bits_withSeed(terms[i].data, terms[i].len, key.high);
		key.low = XXH3_64bits_withSeed(terms[i].data, terms[i].len, key.low);
	}
	return key;
}

static struct postings_key
key_of_terms(const uint32_t *numbers, size_t n)
{
	XXH128_hash_t hash = XXH3_128bits(numbers, n * sizeof(*numbers));

	return (struct postings_key){ hash.high64 | 2, hash.low64 };
}

static bool
same_key(struct postings_key a, struct postings_key b)
{
	return a.high == b.high && a.low == b.low;
}

/* New postings with what BEFORE (may be NULL) has. */
static struct postings *
new_postings(struct postings_key key, const struct postings *before)
{
	CLEANUP(postings) struct postings *postings = calloc(1, sizeof(*postings));

	if (!postings)
		return NULL;
	atomic_init(&postings->references, 1);
	postings->key = key;
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
compare_docs(const void *a, const void *b)
{
	uint32_t left = ((const struct posting *)a)->doc;
	uint32_t right = ((const struct posting *)b)->doc;

	return (left > right) - (left < right);
}

/* A file that was filled anew has documents in the order of their rows. */
static void
sort_more(struct postings *postings)
{
	for (size_t i = 1; i < postings->n_more; i++)
		if (postings->more[i].doc < postings->more[i - 1].doc) {
			qsort(postings->more, postings->n_more, sizeof(*postings->more),
			      compare_docs);
			return;
		}
}

/* What BEFORE (may be NULL) has, and what came since. */
static int
read_rest(struct fts *fts, struct postings_key key, const struct pxs_buf *terms, size_t n,
	  const struct postings *before, const struct index_budget *budget,
	  struct postings **ret_postings)
{
	CLEANUP(postings) struct postings *postings = new_postings(key, before);
	uint32_t last = fts_last_doc(fts);
	struct reading reading = { .postings = postings, .last = last ? last : UINT32_MAX };
	int r;

	if (!postings)
		return -ENOMEM;
	reading.room = postings->n_more;
	r = fts_count_phrase(fts, terms, n, before ? before->covered : 0, budget, add_row,
			     &reading);
	if (r < 0)
		return r;
	flush(&reading);
	(void)roaring_bitmap_run_optimize(postings->docs);
	sort_more(postings);
	postings->covered = last;
	*ret_postings = STEAL(postings);
	return 0;
}

static int
read_term(struct fts *fts, uint32_t number, const struct postings *before,
	  const struct index_budget *budget, struct postings **ret_postings)
{
	char *text = (char *)lexicon_term(fts_lexicon(fts), number);
	const struct pxs_buf term = { text, strlen(text), 0, 0 };

	return read_rest(fts, key_of_term(number), &term, 1, before, budget, ret_postings);
}

int
postings_of_sloppy(struct fts *fts, const struct pxs_buf *terms, size_t n, uint32_t slop, bool gaps,
		   const struct index_budget *budget, struct postings **ret_postings)
{
	CLEANUP(postings) struct postings *postings = new_postings(key_of_term(0), NULL);
	struct reading reading = { .postings = postings, .last = UINT32_MAX, .widths = true };
	int r;

	if (!postings)
		return -ENOMEM;
	r = fts_find_sloppy(fts, terms, n, slop, gaps, budget, add_row, &reading);
	if (r < 0)
		return r;
	flush(&reading);
	*ret_postings = STEAL(postings);
	return 0;
}

/* --- Those that are kept --- */

int
postings_cache_new(size_t max_bytes, size_t bytes_document, struct postings_cache **ret_cache)
{
	struct postings_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->max_bytes = max_bytes;
	cache->bytes_document = bytes_document;
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

static struct kept *
set_of(struct postings_cache *cache, struct postings_key key)
{
	/* Fibonacci hashing: numbers that follow each other go far apart. */
	return &cache->kept[(key.low * UINT64_C(11400714819323198485) >> (64 - SETS_SHIFT)) * WAYS];
}

static struct postings *
find_kept(struct postings_cache *cache, struct postings_key key, bool named)
{
	struct kept *set = set_of(cache, key);
	struct postings *found = NULL;

	(void)pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < WAYS && !found; i++) {
		if (set[i].postings && same_key(set[i].postings->key, key)) {
			set[i].used |= named;
			found = postings_ref(set[i].postings);
		}
	}
	(void)pthread_mutex_unlock(&cache->lock);
	return found;
}

/* With the lock held: the place of KEY, or a free one, or one that was not used lately. */
static struct kept *
place_for(struct postings_cache *cache, struct postings_key key)
{
	struct kept *set = set_of(cache, key);
	struct kept *best = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		struct kept *kept = &set[i];

		if (kept->postings && same_key(kept->postings->key, key))
			return kept;
		if (best->postings && (!kept->postings || (best->used && !kept->used)))
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

/* With the lock held. */
static void
trim(struct postings_cache *cache)
{
	while (cache->bytes > cache->max_bytes) {
		struct kept *kept = &cache->kept[cache->hand++ % KEPT_MAX];

		if (!kept->used)
			drop(cache, kept);
		kept->used = false;
	}
}

/* With the lock held: whether POSTINGS can have the place KEPT and take no room from others. */
static bool
fits(const struct postings_cache *cache, const struct kept *kept, const struct postings *postings)
{
	size_t freed = 0;

	if (kept->postings) {
		if (kept->used && !same_key(kept->postings->key, postings->key))
			return false;
		freed = bytes_of(kept->postings);
	}
	return cache->bytes - freed + bytes_of(postings) <= cache->max_bytes;
}

/* In place of BEFORE (may be NULL), which knew less. */
static void
keep(struct postings_cache *cache, struct postings *postings, const struct postings *before,
     bool named)
{
	struct kept *kept;

	(void)pthread_mutex_lock(&cache->lock);
	cache->max_bytes = MAX(cache->max_bytes, postings->covered * cache->bytes_document);
	if (before && before->impacts)
		postings->impacts = impacts_ref(before->impacts);
	kept = place_for(cache, postings->key);
	if (bytes_of(postings) <= cache->max_bytes && (named || fits(cache, kept, postings))) {
		drop(cache, kept);
		*kept = (struct kept){ postings_ref(postings), named };
		cache->bytes += bytes_of(postings);
		trim(cache);
	}
	(void)pthread_mutex_unlock(&cache->lock);
}

struct impacts *
postings_impacts(struct postings_cache *cache, struct postings *postings)
{
	struct impacts *impacts;

	(void)pthread_mutex_lock(&cache->lock);
	impacts = postings->impacts ? impacts_ref(postings->impacts) : NULL;
	(void)pthread_mutex_unlock(&cache->lock);
	return impacts;
}

void
postings_set_impacts(struct postings_cache *cache, struct postings *postings,
		     struct impacts *impacts)
{
	struct kept *kept;
	bool is_kept;

	(void)pthread_mutex_lock(&cache->lock);
	kept = place_for(cache, postings->key);
	is_kept = kept->postings == postings;
	if (is_kept)
		cache->bytes -= bytes_of(postings);
	impacts_put(postings->impacts);
	postings->impacts = impacts_ref(impacts);
	if (is_kept)
		cache->bytes += bytes_of(postings);
	trim(cache);
	(void)pthread_mutex_unlock(&cache->lock);
}

/* --- Asking --- */

/* Nothing was committed since that has the term. */
static bool
is_whole(const struct fts *fts, const struct postings *postings, uint32_t number)
{
	return lexicon_last(fts_lexicon(fts), number) <= postings->covered;
}

/* Nor that has any of the terms. */
static bool
are_whole(const struct fts *fts, const struct postings *postings, const uint32_t *numbers, size_t n)
{
	while (n > 0 && is_whole(fts, postings, numbers[n - 1]))
		n--;
	return n == 0;
}

/* Nor that has all the terms. */
static bool
is_whole_phrase(const struct fts *fts, const struct postings *postings, const struct pxs_buf *terms,
		size_t n)
{
	const struct lexicon *lexicon = fts_lexicon(fts);

	while (n > 0 &&
	       !is_whole(fts, postings, lexicon_find(lexicon, terms[n - 1].data, terms[n - 1].len)))
		n--;
	return n > 0;
}

static int
get(struct postings_cache *cache, struct fts *fts, uint32_t number, bool named,
    const struct index_budget *budget, struct postings **ret_postings)
{
	CLEANUP(postings) struct postings *before = NULL;
	int r;

	/* While fts.db is filled anew nothing is promised about it, so nothing is kept. */
	if (!fts_last_doc(fts))
		return read_term(fts, number, NULL, budget, ret_postings);
	before = find_kept(cache, key_of_term(number), named);
	if (before && is_whole(fts, before, number)) {
		*ret_postings = STEAL(before);
		return 0;
	}
	r = read_term(fts, number, before, budget, ret_postings);
	if (r == 0 && (*ret_postings)->covered)
		keep(cache, *ret_postings, before, named);
	return r;
}

static int
find(struct postings_cache *cache, struct fts *fts, uint32_t number, bool named,
     const struct index_budget *budget, roaring_bitmap_t *hits)
{
	CLEANUP(postings) struct postings *postings = NULL;
	uint32_t doc, documents = lexicon_documents(fts_lexicon(fts), number, &doc);
	int r;

	/* Of no document or one the lexicon knows itself. */
	if (!fts_last_doc(fts) || documents == 0 || doc)
		return fts_find_number(fts, number, budget, hits);
	r = get(cache, fts, number, named, budget, &postings);
	if (r == 0)
		roaring_bitmap_or_inplace(hits, postings->docs);
	return r;
}

int
postings_get(struct postings_cache *cache, struct fts *fts, uint32_t number,
	     const struct index_budget *budget, struct postings **ret_postings)
{
	return get(cache, fts, number, true, budget, ret_postings);
}

int
postings_of_phrase(struct postings_cache *cache, struct fts *fts, const struct pxs_buf *terms,
		   size_t n, const struct index_budget *budget, struct postings **ret_postings)
{
	struct postings_key key = key_of_phrase(terms, n);
	CLEANUP(postings) struct postings *before = NULL;
	int r;

	if (!fts_last_doc(fts))
		return read_rest(fts, key, terms, n, NULL, budget, ret_postings);
	before = find_kept(cache, key, true);
	if (before && is_whole_phrase(fts, before, terms, n)) {
		*ret_postings = STEAL(before);
		return 0;
	}
	r = read_rest(fts, key, terms, n, before, budget, ret_postings);
	if (r == 0 && (*ret_postings)->covered)
		keep(cache, *ret_postings, before, true);
	return r;
}

/* As many as are worth being kept once more, all together. */
static bool
are_many(const struct fts *fts, const uint32_t *numbers, size_t n)
{
	uint64_t documents = 0;

	for (size_t i = 0; i < n; i++)
		documents += lexicon_documents(fts_lexicon(fts), numbers[i], NULL);
	return n > 1 && documents >= MANY_DOCS;
}

static int
find_each(struct postings_cache *cache, struct fts *fts, const uint32_t *numbers, size_t n,
	  const struct index_budget *budget, roaring_bitmap_t *hits)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = find(cache, fts, numbers[i], true, budget, hits);
	return r;
}

/* As get(), of what any of the terms is in; without times. */
static int
get_any(struct postings_cache *cache, struct fts *fts, const uint32_t *numbers, size_t n,
	const struct index_budget *budget, struct postings **ret_postings)
{
	struct postings_key key = key_of_terms(numbers, n);
	CLEANUP(postings) struct postings *postings = find_kept(cache, key, true);
	uint32_t last = fts_last_doc(fts);
	int r;

	if (postings && are_whole(fts, postings, numbers, n)) {
		*ret_postings = STEAL(postings);
		return 0;
	}
	postings_put(STEAL(postings));
	postings = new_postings(key, NULL);
	if (!postings)
		return -ENOMEM;
	r = find_each(cache, fts, numbers, n, budget, postings->docs);
	if (r < 0)
		return r;
	(void)roaring_bitmap_run_optimize(postings->docs);
	postings->covered = last;
	if (last)
		keep(cache, postings, NULL, true);
	*ret_postings = STEAL(postings);
	return 0;
}

int
postings_find(struct postings_cache *cache, struct fts *fts, const uint32_t *numbers, size_t n,
	      const struct index_budget *budget, roaring_bitmap_t *hits)
{
	CLEANUP(postings) struct postings *postings = NULL;
	int r;

	if (!fts_last_doc(fts) || !are_many(fts, numbers, n))
		return find_each(cache, fts, numbers, n, budget, hits);
	r = get_any(cache, fts, numbers, n, budget, &postings);
	if (r == 0)
		roaring_bitmap_or_inplace(hits, postings->docs);
	return r;
}

int
postings_find_matched(struct postings_cache *cache, struct fts *fts, uint32_t number,
		      const struct index_budget *budget, roaring_bitmap_t *hits)
{
	return find(cache, fts, number, false, budget, hits);
}
