#include "index/sync/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

struct ahead {
	struct follower *follower;
	char *href; /* of the next page; of the thread */
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* of all below, but for pages that somebody works on */
	pthread_cond_t changed;
	struct ahead_page pages[AHEAD_PAGES];
	size_t made, taken; /* made - taken of them wait, from taken on, around a ring */
	bool ended;	    /* no more are made */
	bool closed;	    /* no more are wanted */
	int r;
	struct pxs_error err;
};

/* --- In the thread --- */

static int
put_items(struct follower *follower, const json_t *items, struct ahead_page *page,
	  struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	const json_t *item;
	size_t i;

	intake_clear(&page->intake);
	page->n = json_array_size(items);
	json_array_foreach (items, i, item) {
		const char *etag = "";
		int r = reader_identity(item, &page->ids[i], &etag, err);

		if (r == 0 && !follow_has_version(follower, view, page->ids[i], etag))
			r = intake_put(&page->intake, &follower->reader, item, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
make_page(struct ahead *ahead, struct ahead_page *page, struct pxs_error *err)
{
	struct follower *follower = ahead->follower;
	CLEANUP(json_decref) json_t *answer = NULL;
	const json_t *items = NULL;
	const char *next;
	int r;

	page->urgent = turn_count_urgent(follower->turn);
	r = follow_get(follower, ahead->href, &answer, err);
	if (r == 0)
		r = reader_page(answer, INTAKE_MAX, &items, &page->hits, err);
	if (r == 0)
		r = put_items(follower, items, page, err);
	if (r < 0)
		return r;
	next = reader_link(answer, "next");
	page->next = next ? strdup(next) : NULL;
	return next && !page->next ? -ENOMEM : 0;
}

/* NULL: none is wanted. */
static struct ahead_page *
wait_room(struct ahead *ahead)
{
	bool closed;

	(void)pthread_mutex_lock(&ahead->mutex);
	while (!ahead->closed && ahead->made - ahead->taken == AHEAD_PAGES)
		(void)pthread_cond_wait(&ahead->changed, &ahead->mutex);
	closed = ahead->closed;
	(void)pthread_mutex_unlock(&ahead->mutex);
	return closed ? NULL : &ahead->pages[ahead->made % AHEAD_PAGES];
}

/* One whose next is itself is the last one here, and for the taker to refuse. */
static int
find_next(struct ahead *ahead, const struct ahead_page *page)
{
	bool ends = !page->next || strcmp(page->next, ahead->href) == 0;

	free(ahead->href);
	ahead->href = ends ? NULL : strdup(page->next);
	return !ends && !ahead->href ? -ENOMEM : 0;
}

static void *
run(void *context)
{
	struct ahead *ahead = context;
	struct ahead_page *page;
	struct pxs_error err = { 0 };
	int r = 0;

	while (r == 0 && ahead->href && (page = wait_room(ahead))) {
		r = make_page(ahead, page, &err);
		if (r == 0)
			r = find_next(ahead, page);
		(void)pthread_mutex_lock(&ahead->mutex);
		ahead->made += r == 0;
		ahead->ended = r < 0 || !ahead->href;
		ahead->r = r;
		ahead->err = err;
		(void)pthread_cond_broadcast(&ahead->changed);
		(void)pthread_mutex_unlock(&ahead->mutex);
	}
	return NULL;
}

/* --- The face --- */

int
ahead_open(struct follower *follower, const char *href, struct ahead **ret_ahead)
{
	CLEANUP(ahead) struct ahead *ahead = calloc(1, sizeof(*ahead));
	int r;

	if (!ahead)
		return -ENOMEM;
	(void)pthread_mutex_init(&ahead->mutex, NULL);
	(void)pthread_cond_init(&ahead->changed, NULL);
	ahead->follower = follower;
	ahead->href = strdup(href);
	if (!ahead->href)
		return -ENOMEM;
	r = -pthread_create(&ahead->thread, NULL, run, ahead);
	ahead->started = r == 0;
	if (r == 0)
		*ret_ahead = STEAL(ahead);
	return r;
}

void
ahead_close(struct ahead *ahead)
{
	if (!ahead)
		return;
	(void)pthread_mutex_lock(&ahead->mutex);
	ahead->closed = true;
	(void)pthread_cond_broadcast(&ahead->changed);
	(void)pthread_mutex_unlock(&ahead->mutex);
	if (ahead->started)
		(void)pthread_join(ahead->thread, NULL);
	for (size_t i = 0; i < AHEAD_PAGES; i++) {
		intake_done(&ahead->pages[i].intake);
		free(ahead->pages[i].next);
	}
	(void)pthread_cond_destroy(&ahead->changed);
	(void)pthread_mutex_destroy(&ahead->mutex);
	free(ahead->href);
	free(ahead);
}

int
ahead_wait(struct ahead *ahead, size_t *ret_n, struct pxs_error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&ahead->mutex);
	while (ahead->made == ahead->taken && !ahead->ended)
		(void)pthread_cond_wait(&ahead->changed, &ahead->mutex);
	*ret_n = ahead->made - ahead->taken;
	if (*ret_n == 0)
		r = pxs_error_set(err, ahead->r, -1, "%s", pxs_error_text(&ahead->err, ahead->r));
	(void)pthread_mutex_unlock(&ahead->mutex);
	return r;
}

struct ahead_page *
ahead_page(struct ahead *ahead, size_t i)
{
	return &ahead->pages[(ahead->taken + i) % AHEAD_PAGES];
}

void
ahead_taken(struct ahead *ahead, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(STEAL(ahead_page(ahead, i)->next));
	(void)pthread_mutex_lock(&ahead->mutex);
	ahead->taken += n;
	(void)pthread_cond_broadcast(&ahead->changed);
	(void)pthread_mutex_unlock(&ahead->mutex);
}
