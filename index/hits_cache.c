/* A few dozen entries: a plain array, looked through from end to end. Whoever finds nothing takes a
 * turn at searching, and those who want the same meanwhile wait for it instead of searching, too.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/cond.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/hits.h"
#include "index/view.h"

#define KEPT_MAX 64
#define KEPT_BYTES_MAX ((size_t)64 << 20)

/* How often one who waits asks whether he still should. */
#define WAIT_NS (5 * PXS_NS_PER_MS)

struct hits_cache {
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a turn */
	struct kept {
		struct index_hits *hits; /* NULL: free */
		uint64_t used;
	} kept[KEPT_MAX];
	uint64_t clock; /* counts uses */
	struct hits_turn *turns;
};

/* Not under our lock: the last reference to a view may go with them. */
static void
put_all(struct index_hits **dropped, size_t n)
{
	while (n > 0)
		index_hits_put(dropped[--n]);
}

int
hits_cache_new(struct hits_cache **ret_cache)
{
	struct hits_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	(void)pthread_mutex_init(&cache->lock, NULL);
	pxs_cond_init_steady(&cache->ended);
	*ret_cache = cache;
	return 0;
}

void
hits_cache_free(struct hits_cache *cache)
{
	if (!cache)
		return;
	hits_cache_purge(cache, UINT64_MAX);
	(void)pthread_cond_destroy(&cache->ended);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void
hits_cache_purge(struct hits_cache *cache, uint64_t seq)
{
	struct index_hits *dropped[KEPT_MAX];
	size_t n = 0;

	(void)pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct index_hits *hits = cache->kept[i].hits;

		if (hits && hits->view->seq < seq)
			dropped[n++] = STEAL(cache->kept[i].hits);
	}
	(void)pthread_mutex_unlock(&cache->lock);
	put_all(dropped, n);
}

static bool
same_key(const struct query_key *a, const struct query_key *b)
{
	return a->high == b->high && a->low == b->low;
}

/* --- With the lock held --- */

static struct index_hits *
find(struct hits_cache *cache, uint64_t seq, const struct query_key *key)
{
	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct kept *kept = &cache->kept[i];

		if (kept->hits && kept->hits->view->seq == seq && same_key(&kept->hits->key, key)) {
			kept->used = ++cache->clock;
			return index_hits_ref(kept->hits);
		}
	}
	return NULL;
}

static bool
is_under_way(const struct hits_cache *cache, uint64_t seq, const struct query_key *key)
{
	const struct hits_turn *turn = cache->turns;

	while (turn && !(turn->seq == seq && same_key(&turn->key, key)))
		turn = turn->next;
	return turn != NULL;
}

/* The entry to use next: a free one, else the one unused for longest. */
static struct kept *
oldest(struct hits_cache *cache)
{
	struct kept *found = &cache->kept[0];

	for (size_t i = 0; i < KEPT_MAX && found->hits; i++)
		if (!cache->kept[i].hits || cache->kept[i].used < found->used)
			found = &cache->kept[i];
	return found;
}

static struct kept *
oldest_in_use(struct hits_cache *cache)
{
	struct kept *found = NULL;

	for (size_t i = 0; i < KEPT_MAX; i++)
		if (cache->kept[i].hits && (!found || cache->kept[i].used < found->used))
			found = &cache->kept[i];
	return found;
}

static size_t
bytes_kept(const struct hits_cache *cache)
{
	size_t bytes = 0;

	for (size_t i = 0; i < KEPT_MAX; i++)
		if (cache->kept[i].hits)
			bytes += atomic_load(&cache->kept[i].hits->bytes);
	return bytes;
}

/* What has to go is the caller's to put. */
static size_t
trim(struct hits_cache *cache, struct index_hits **dropped)
{
	size_t n = 0;

	while (bytes_kept(cache) > KEPT_BYTES_MAX)
		dropped[n++] = STEAL(oldest_in_use(cache)->hits);
	return n;
}

/* Keep HITS; what has to go for it is the caller's to put. */
static size_t
keep(struct hits_cache *cache, struct index_hits *hits, struct index_hits **dropped)
{
	struct kept *place = oldest(cache);
	size_t n = 0;

	if (place->hits)
		dropped[n++] = place->hits;
	*place = (struct kept){ index_hits_ref(hits), ++cache->clock };
	return n + trim(cache, dropped + n);
}

static void
wait_a_little(struct hits_cache *cache)
{
	(void)pxs_cond_wait_until(&cache->ended, &cache->lock, pxs_clock_steady_ns() + WAIT_NS);
}

/* --- Without --- */

struct index_hits *
hits_cache_find(struct hits_cache *cache, const struct index_view *view,
		const struct query_key *key)
{
	struct index_hits *hits;

	(void)pthread_mutex_lock(&cache->lock);
	hits = find(cache, view->seq, key);
	(void)pthread_mutex_unlock(&cache->lock);
	return hits;
}

int
hits_cache_begin(struct hits_cache *cache, const struct index_view *view,
		 const struct query_key *key, const struct index_budget *budget,
		 struct hits_turn *turn, struct index_hits **ret_hits)
{
	struct index_hits *hits;
	int r = 0;

	(void)pthread_mutex_lock(&cache->lock);
	while (!(hits = find(cache, view->seq, key)) && is_under_way(cache, view->seq, key)) {
		r = budget_check(budget);
		if (r < 0)
			break;
		wait_a_little(cache);
	}
	if (!hits && r == 0) {
		*turn = (struct hits_turn){ view->seq, *key, cache->turns };
		cache->turns = turn;
	}
	(void)pthread_mutex_unlock(&cache->lock);
	if (r == 0)
		*ret_hits = hits;
	return r;
}

void
hits_cache_end(struct hits_cache *cache, struct hits_turn *turn, struct index_hits *hits)
{
	struct index_hits *dropped[KEPT_MAX + 1];
	struct hits_turn **at = &cache->turns;
	size_t n = 0;

	(void)pthread_mutex_lock(&cache->lock);
	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	if (hits)
		n = keep(cache, hits, dropped);
	(void)pthread_cond_broadcast(&cache->ended);
	(void)pthread_mutex_unlock(&cache->lock);
	put_all(dropped, n);
}

void
hits_cache_trim(struct hits_cache *cache)
{
	struct index_hits *dropped[KEPT_MAX];
	size_t n;

	(void)pthread_mutex_lock(&cache->lock);
	n = trim(cache, dropped);
	(void)pthread_mutex_unlock(&cache->lock);
	put_all(dropped, n);
}
