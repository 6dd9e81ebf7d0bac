#include "index/ingest/touched.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct touched_place *)a)->path,
		      ((const struct touched_place *)b)->path);
}

static struct touched_place *
new_place(const char *path, bool deep, int64_t due_ns)
{
	size_t size = strlen(path) + 1;
	struct touched_place *place = malloc(sizeof(*place) + size);

	if (!place)
		return NULL;
	place->due_ns = due_ns;
	place->deep = deep;
	memcpy(place->path, path, size);
	return place;
}

int
touched_add(struct touched *touched, const char *path, bool deep, int64_t due_ns)
{
	struct touched_place *place = new_place(path, deep, due_ns);
	struct touched_place *const *node;

	if (!place)
		return -ENOMEM;
	node = tsearch(place, &touched->places, compare);
	if (!node) {
		free(place);
		return -ENOMEM;
	}
	if (*node == place) {
		touched->n++;
	} else {
		(*node)->deep |= deep;
		(*node)->due_ns = MIN((*node)->due_ns, due_ns);
		free(place);
	}
	touched->due_ns = touched->due_ns ? MIN(touched->due_ns, due_ns) : due_ns;
	return touched->n > TOUCHED_MAX ? -ENOSPC : 0;
}

/* --- Taking --- */

struct taking {
	struct touched_place **places;
	size_t n;
	int64_t now_ns;
	int64_t next_ns; /* when those that stay are due; 0: none stays */
};

static void
take_due(const void *node, VISIT visit, void *context)
{
	struct touched_place *place = *(struct touched_place *const *)node;
	struct taking *taking = context;

	if (visit != postorder && visit != leaf)
		return;
	if (place->due_ns <= taking->now_ns)
		taking->places[taking->n++] = place;
	else
		taking->next_ns = taking->next_ns ? MIN(taking->next_ns, place->due_ns)
						  : place->due_ns;
}

int
touched_take(struct touched *touched, int64_t now_ns, struct touched_place ***ret_places,
	     size_t *ret_n)
{
	struct taking taking = { .now_ns = now_ns };

	taking.places = calloc(MAX(touched->n, (size_t)1), sizeof(*taking.places));
	if (!taking.places)
		return -ENOMEM;
	twalk_r(touched->places, take_due, &taking);
	for (size_t i = 0; i < taking.n; i++)
		(void)tdelete(taking.places[i], &touched->places, compare);
	touched->n -= taking.n;
	touched->due_ns = taking.next_ns;
	*ret_places = taking.places;
	*ret_n = taking.n;
	return 0;
}

void
touched_free(struct touched_place **places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(places[i]);
	free(places);
}

void
touched_clear(struct touched *touched)
{
	tdestroy(touched->places, free);
	*touched = (struct touched){ 0 };
}
