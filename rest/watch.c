#include "rest/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cond.h"

#define ROUND_MS 500

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t end;
	pthread_t thread;
	bool started;
	bool ending;
	bool draining;
	struct watched *first;
	unsigned int count;
};

/* The descriptor is open: it is closed only after watch_remove(), which waits for the lock. Its
 * owner sees the end of the connection and closes it. */
static void
cut_late(struct watch *watch)
{
	int64_t now_ns = pxs_clock_steady_ns();

	for (struct watched *w = watch->first; w; w = w->next) {
		int64_t deadline_ns = atomic_load(&w->deadline_ns);

		if (deadline_ns <= now_ns || (watch->draining && deadline_ns != INT64_MAX))
			(void)shutdown(w->fd, SHUT_RDWR);
	}
}

static void *
run(void *context)
{
	struct watch *watch = context;

	(void)pthread_mutex_lock(&watch->lock);
	while (!watch->ending) {
		int64_t next_ns = pxs_clock_steady_ns() + ROUND_MS * PXS_NS_PER_MS;

		cut_late(watch);
		(void)pxs_cond_wait_until(&watch->end, &watch->lock, next_ns);
	}
	(void)pthread_mutex_unlock(&watch->lock);
	return NULL;
}

int
watch_open(struct watch **ret_watch)
{
	CLEANUP(watch) struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	(void)pthread_mutex_init(&watch->lock, NULL);
	pxs_cond_init_steady(&watch->end);
	r = pthread_create(&watch->thread, NULL, run, watch);
	if (r)
		return -r;
	watch->started = true;
	*ret_watch = STEAL(watch);
	return 0;
}

void
watch_close(struct watch *watch)
{
	if (!watch)
		return;
	(void)pthread_mutex_lock(&watch->lock);
	watch->ending = true;
	(void)pthread_cond_signal(&watch->end);
	(void)pthread_mutex_unlock(&watch->lock);
	if (watch->started)
		(void)pthread_join(watch->thread, NULL);
	(void)pthread_cond_destroy(&watch->end);
	(void)pthread_mutex_destroy(&watch->lock);
	free(watch);
}

struct watched *
watch_add(struct watch *watch, struct server *server, int fd)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return NULL;
	watched->server = server;
	watched->fd = fd;
	watch_allow(watched, WATCH_HEADER_S);
	(void)pthread_mutex_lock(&watch->lock);
	watched->next = watch->first;
	if (watched->next)
		watched->next->prev = watched;
	watch->first = watched;
	watch->count++;
	(void)pthread_mutex_unlock(&watch->lock);
	return watched;
}

void
watch_remove(struct watch *watch, struct watched *watched)
{
	(void)pthread_mutex_lock(&watch->lock);
	if (watched->prev)
		watched->prev->next = watched->next;
	else
		watch->first = watched->next;
	if (watched->next)
		watched->next->prev = watched->prev;
	watch->count--;
	(void)pthread_mutex_unlock(&watch->lock);
	free(watched);
}

void
watch_allow(struct watched *watched, int64_t seconds)
{
	atomic_store(&watched->deadline_ns,
		     seconds < 0 ? INT64_MAX : pxs_clock_steady_ns() + seconds * PXS_NS_PER_S);
}

void
watch_drain(struct watch *watch)
{
	(void)pthread_mutex_lock(&watch->lock);
	watch->draining = true;
	(void)pthread_cond_signal(&watch->end);
	(void)pthread_mutex_unlock(&watch->lock);
}

unsigned int
watch_count(struct watch *watch)
{
	unsigned int count;

	(void)pthread_mutex_lock(&watch->lock);
	count = watch->count;
	(void)pthread_mutex_unlock(&watch->lock);
	return count;
}
