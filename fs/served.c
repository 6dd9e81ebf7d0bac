#include "fs/served.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

/* Documents that are remembered, each in the place of its row; a power of two. What was forgotten
 * is only read again. */
#define SLOTS 4096

struct identity {
	uint64_t row;
	int64_t modified_ns;
	int64_t changed_ns; /* also tells of changes that put the modification time back */
	int64_t size;
};

struct fs_served {
	pthread_mutex_t lock;
	struct identity slots[SLOTS];
};

int
fs_served_new(struct fs_served **ret_served)
{
	struct fs_served *served = calloc(1, sizeof(*served));

	if (!served)
		return -ENOMEM;
	(void)pthread_mutex_init(&served->lock, NULL);
	*ret_served = served;
	return 0;
}

void
fs_served_free(struct fs_served *served)
{
	if (!served)
		return;
	(void)pthread_mutex_destroy(&served->lock);
	free(served);
}

static int64_t
ns_of(const struct timespec *time)
{
	return time->tv_sec * PXS_NS_PER_S + time->tv_nsec;
}

bool
fs_served_is_same(struct fs_served *served, uint64_t row, const struct stat *st)
{
	struct identity now = { row, ns_of(&st->st_mtim), ns_of(&st->st_ctim), st->st_size };
	struct identity *slot = &served->slots[row & (SLOTS - 1)];
	bool same;

	(void)pthread_mutex_lock(&served->lock);
	same = slot->row == now.row && slot->modified_ns == now.modified_ns &&
	       slot->changed_ns == now.changed_ns && slot->size == now.size;
	*slot = now;
	(void)pthread_mutex_unlock(&served->lock);
	return same;
}
