#include "index/ingest/unread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "index/index.h"

/* Places with a reason and without are apart, so that the former can be lent as an array. */
enum { FAILED, LEFT_OUT, KINDS };

struct places {
	struct index_failure *items;
	size_t n;
	size_t cap;
	bool sorted;
};

struct unread {
	pthread_mutex_t mutex;
	struct places kinds[KINDS];
	bool overflow;
};

int
unread_new(struct unread **ret_unread)
{
	struct unread *unread = calloc(1, sizeof(*unread));

	if (!unread)
		return -ENOMEM;
	(void)pthread_mutex_init(&unread->mutex, NULL);
	*ret_unread = unread;
	return 0;
}

void
unread_free(struct unread *unread)
{
	if (!unread)
		return;
	for (int kind = 0; kind < KINDS; kind++) {
		struct places *places = &unread->kinds[kind];

		for (size_t i = 0; i < places->n; i++) {
			free(places->items[i].path);
			free(places->items[i].reason);
		}
		free(places->items);
	}
	(void)pthread_mutex_destroy(&unread->mutex);
	free(unread);
}

static int
append(struct places *places, const char *path, const char *reason)
{
	struct index_failure failure = { .time_ns = pxs_clock_now_ns() };

	if (places->n == places->cap) {
		size_t cap = places->cap ? places->cap * 2 : 16;
		struct index_failure *grown = reallocarray(places->items, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		places->items = grown;
		places->cap = cap;
	}

	failure.path = strdup(path);
	failure.reason = reason ? strdup(reason) : NULL;
	if (!failure.path || (reason && !failure.reason)) {
		free(failure.path);
		free(failure.reason);
		return -ENOMEM;
	}
	places->items[places->n++] = failure;
	places->sorted = false;
	return 0;
}

int
unread_add(struct unread *unread, const char *path, const char *reason)
{
	struct places *places = &unread->kinds[reason ? FAILED : LEFT_OUT];
	int r = 0;

	(void)pthread_mutex_lock(&unread->mutex);
	if (places->n < UNREAD_MAX)
		r = append(places, path, reason);
	else
		unread->overflow = true;
	(void)pthread_mutex_unlock(&unread->mutex);
	return r;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct index_failure *)a)->path,
		      ((const struct index_failure *)b)->path);
}

static void
sort(struct places *places)
{
	if (!places->sorted && places->n > 0)
		qsort(places->items, places->n, sizeof(*places->items), compare_paths);
	places->sorted = true;
}

static bool
contains(const struct unread *unread, const char *path)
{
	const struct index_failure key = { .path = (char *)path };

	for (int kind = 0; kind < KINDS; kind++) {
		const struct places *places = &unread->kinds[kind];

		if (places->n > 0 &&
		    bsearch(&key, places->items, places->n, sizeof(key), compare_paths))
			return true;
	}
	return false;
}

bool
unread_covers(struct unread *unread, const char *path)
{
	CLEANUP(free) char *above = NULL;

	if (unread->overflow)
		return true;
	if (unread->kinds[FAILED].n == 0 && unread->kinds[LEFT_OUT].n == 0)
		return false;
	for (int kind = 0; kind < KINDS; kind++)
		sort(&unread->kinds[kind]);

	above = strdup(path);
	while (above && *above) {
		if (contains(unread, above))
			return true;
		*strrchr(above, '/') = '\0';
	}
	/* Without the memory to tell, it counts as unknown. */
	return !above || contains(unread, "/");
}

size_t
unread_failures(struct unread *unread, const struct index_failure **ret_failures)
{
	struct places *places = &unread->kinds[FAILED];

	sort(places);
	*ret_failures = places->items;
	return places->n;
}
