#include "fs/seen.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

/* Pairs of document and user that are remembered, each in the place of its hash; a power of two. */
#define SLOTS 16384

struct version {
	uint64_t row;
	uint64_t etag; /* its hash; 0: nothing here */
	uid_t uid;
};

struct fs_seen {
	pthread_mutex_t lock;
	struct version slots[SLOTS];
};

int
fs_seen_new(struct fs_seen **ret_seen)
{
	struct fs_seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	(void)pthread_mutex_init(&seen->lock, NULL);
	*ret_seen = seen;
	return 0;
}

void
fs_seen_free(struct fs_seen *seen)
{
	if (!seen)
		return;
	(void)pthread_mutex_destroy(&seen->lock);
	free(seen);
}

static uint64_t
hash(const char *etag)
{
	return XXH3_64bits(etag, strlen(etag)) | 1;
}

static struct version *
slot_of(struct fs_seen *seen, uint64_t row, uid_t uid)
{
	return &seen->slots[XXH3_64bits_withSeed(&row, sizeof(row), uid) & (SLOTS - 1)];
}

void
fs_seen_note(struct fs_seen *seen, uint64_t row, uid_t uid, const char *etag)
{
	const struct version version = { row, hash(etag), uid };

	(void)pthread_mutex_lock(&seen->lock);
	*slot_of(seen, row, uid) = version;
	(void)pthread_mutex_unlock(&seen->lock);
}

bool
fs_seen_fits(struct fs_seen *seen, uint64_t row, uid_t uid, const char *etag, bool *ret_blind)
{
	struct version version;

	(void)pthread_mutex_lock(&seen->lock);
	version = *slot_of(seen, row, uid);
	(void)pthread_mutex_unlock(&seen->lock);
	*ret_blind = !version.etag || version.row != row || version.uid != uid;
	return *ret_blind || version.etag == hash(etag);
}
