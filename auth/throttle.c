#include "auth/throttle.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"

/* Memory is bounded: of those that fall into one set the emptiest bucket is forgotten. */
#define SETS 1024
#define WAYS 4
#define NS_PER_HOUR (3600 * PXS_NS_PER_S)

struct bucket {
	uint64_t key;	/* a hash with a secret; 0: free */
	uint64_t known; /* of an account: the hash of where its owner last came in */
	int64_t as_of_ns;
	double level; /* failures, at that time */
};

struct throttle {
	pthread_mutex_t lock;
	uint64_t seed;
	struct bucket accounts[SETS][WAYS];
	struct bucket pairs[SETS][WAYS];
};

int
throttle_new(struct throttle **ret_throttle)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (!throttle)
		return -ENOMEM;
	if (getrandom(&throttle->seed, sizeof(throttle->seed), 0) != sizeof(throttle->seed)) {
		free(throttle);
		return -EIO;
	}
	(void)pthread_mutex_init(&throttle->lock, NULL);
	*ret_throttle = throttle;
	return 0;
}

void
throttle_free(struct throttle *throttle)
{
	if (!throttle)
		return;
	(void)pthread_mutex_destroy(&throttle->lock);
	free(throttle);
}

static uint64_t
hash(const struct throttle *throttle, const char *text, uint64_t with)
{
	return XXH3_64bits_withSeed(text, strlen(text), throttle->seed ^ with) | 1;
}

static double
level_at(const struct bucket *bucket, double capacity, int64_t now_ns)
{
	double leaked = capacity * (double)(now_ns - bucket->as_of_ns) / (double)NS_PER_HOUR;

	return bucket->level > leaked ? bucket->level - leaked : 0;
}

/* The bucket of KEY, brought up to NOW_NS. */
static struct bucket *
bucket_of(struct bucket sets[SETS][WAYS], uint64_t key, double capacity, int64_t now_ns)
{
	struct bucket *set = sets[key / WAYS % SETS];
	struct bucket *found = NULL;

	for (int i = 0; i < WAYS && !found; i++)
		if (set[i].key == key)
			found = &set[i];
	if (!found) {
		found = &set[0];
		for (int i = 1; i < WAYS; i++)
			if (level_at(&set[i], capacity, now_ns) < level_at(found, capacity, now_ns))
				found = &set[i];
		*found = (struct bucket){ .key = key };
	}
	found->level = level_at(found, capacity, now_ns);
	found->as_of_ns = now_ns;
	return found;
}

static int64_t
delay_of(double failures)
{
	int64_t delay_ms = THROTTLE_DELAY_MS;

	for (double n = 1; n < failures && delay_ms < THROTTLE_DELAY_MAX_MS; n++)
		delay_ms *= 2;
	return MIN(delay_ms, THROTTLE_DELAY_MAX_MS);
}

bool
throttle_try(struct throttle *throttle, const char *account, const char *from, int64_t now_ns,
	     int64_t *ret_delay_ms)
{
	uint64_t account_key = hash(throttle, account, 0);
	uint64_t place = hash(throttle, from, account_key);
	struct bucket *of_all;
	struct bucket *here;
	bool may;

	(void)pthread_mutex_lock(&throttle->lock);
	of_all = bucket_of(throttle->accounts, account_key, THROTTLE_PER_ACCOUNT, now_ns);
	here = bucket_of(throttle->pairs, place, THROTTLE_PER_ADDRESS, now_ns);
	may = here->level + 1 <= THROTTLE_PER_ADDRESS &&
	      (of_all->known == place || of_all->level + 1 <= THROTTLE_PER_ACCOUNT);
	if (may) {
		here->level += 1;
		if (of_all->known != place)
			of_all->level += 1;
	}
	*ret_delay_ms = delay_of(here->level);
	(void)pthread_mutex_unlock(&throttle->lock);
	return may;
}

void
throttle_succeeded(struct throttle *throttle, const char *account, const char *from, int64_t now_ns)
{
	uint64_t account_key = hash(throttle, account, 0);
	uint64_t place = hash(throttle, from, account_key);
	struct bucket *of_all;

	(void)pthread_mutex_lock(&throttle->lock);
	of_all = bucket_of(throttle->accounts, account_key, THROTTLE_PER_ACCOUNT, now_ns);
	if (of_all->known != place && of_all->level >= 1)
		of_all->level -= 1;
	of_all->known = place;
	bucket_of(throttle->pairs, place, THROTTLE_PER_ADDRESS, now_ns)->level = 0;
	(void)pthread_mutex_unlock(&throttle->lock);
}
