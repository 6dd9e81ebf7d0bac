#include "fs/watched.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fs/node.h"
#include "index/index.h"

struct unlink {
	uint64_t folder; /* 0: none */
	uint64_t row;
};

struct fs_watched {
	pthread_mutex_t lock;
	struct fs_watched_folder folders[FS_WATCHED_MAX]; /* the one opened last comes first */
	size_t n;
	struct unlink unlinks[FS_WATCHED_UNLINKS_MAX];
	size_t next_unlink; /* its place; what was there is forgotten */
};

int
fs_watched_new(struct fs_watched **ret_watched)
{
	struct fs_watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return -ENOMEM;
	(void)pthread_mutex_init(&watched->lock, NULL);
	*ret_watched = watched;
	return 0;
}

void
fs_watched_folder_done(struct fs_watched_folder *folder)
{
	index_hits_put(folder->hits);
	fs_node_put(folder->node);
	*folder = (struct fs_watched_folder){ 0 };
}

void
fs_watched_free(struct fs_watched *watched)
{
	if (!watched)
		return;
	for (size_t i = 0; i < watched->n; i++)
		fs_watched_folder_done(&watched->folders[i]);
	(void)pthread_mutex_destroy(&watched->lock);
	free(watched);
}

/* Its place, or where the list ends. */
static size_t
find(const struct fs_watched *watched, uint64_t id)
{
	size_t i = 0;

	while (i < watched->n && watched->folders[i].node->id != id)
		i++;
	return i;
}

/* Out of the list, which is closed up. */
static struct fs_watched_folder
take(struct fs_watched *watched, size_t place)
{
	struct fs_watched_folder *folders = watched->folders;
	struct fs_watched_folder folder = folders[place];

	watched->n--;
	memmove(&folders[place], &folders[place + 1], (watched->n - place) * sizeof(*folders));
	return folder;
}

/* What ends is let go of without the lock: it may be the last to hold a generation. */
void
fs_watched_open(struct fs_watched *watched, struct fs_node *node, struct index_hits *hits)
{
	struct fs_watched_folder folder = { 0 };
	struct fs_watched_folder last = { 0 };
	size_t place;

	(void)pthread_mutex_lock(&watched->lock);
	place = find(watched, node->id);
	if (place < watched->n)
		folder = take(watched, place); /* others were told less, and are to hear the rest */
	else if (watched->n == FS_WATCHED_MAX)
		last = take(watched, FS_WATCHED_MAX - 1);
	if (!folder.node)
		folder = (struct fs_watched_folder){ fs_node_ref(node), index_hits_ref(hits) };
	memmove(&watched->folders[1], watched->folders, watched->n * sizeof(folder));
	watched->folders[0] = folder;
	watched->n++;
	(void)pthread_mutex_unlock(&watched->lock);
	fs_watched_folder_done(&last);
}

void
fs_watched_forget(struct fs_watched *watched, uint64_t id)
{
	struct fs_watched_folder folder = { 0 };
	size_t place;

	(void)pthread_mutex_lock(&watched->lock);
	place = find(watched, id);
	if (place < watched->n)
		folder = take(watched, place);
	(void)pthread_mutex_unlock(&watched->lock);
	fs_watched_folder_done(&folder);
}

size_t
fs_watched_list(struct fs_watched *watched, struct fs_watched_folder folders[FS_WATCHED_MAX])
{
	size_t n;

	(void)pthread_mutex_lock(&watched->lock);
	n = watched->n;
	for (size_t i = 0; i < n; i++)
		folders[i] = (struct fs_watched_folder){
			fs_node_ref(watched->folders[i].node),
			index_hits_ref(watched->folders[i].hits),
		};
	(void)pthread_mutex_unlock(&watched->lock);
	return n;
}

void
fs_watched_told(struct fs_watched *watched, const struct fs_node *node, struct index_hits *hits)
{
	struct index_hits *before = NULL;
	size_t place;

	if (!hits) {
		fs_watched_forget(watched, node->id);
		return;
	}
	(void)pthread_mutex_lock(&watched->lock);
	place = find(watched, node->id);
	if (place < watched->n) {
		before = watched->folders[place].hits;
		watched->folders[place].hits = index_hits_ref(hits);
	}
	(void)pthread_mutex_unlock(&watched->lock);
	index_hits_put(before);
}

void
fs_watched_unlink(struct fs_watched *watched, uint64_t folder, uint64_t row)
{
	(void)pthread_mutex_lock(&watched->lock);
	watched->unlinks[watched->next_unlink] = (struct unlink){ folder, row };
	watched->next_unlink = (watched->next_unlink + 1) % FS_WATCHED_UNLINKS_MAX;
	(void)pthread_mutex_unlock(&watched->lock);
}

bool
fs_watched_unlinked(struct fs_watched *watched, uint64_t folder, uint64_t row)
{
	bool found = false;

	(void)pthread_mutex_lock(&watched->lock);
	for (size_t i = 0; i < FS_WATCHED_UNLINKS_MAX && !found; i++) {
		struct unlink *unlink = &watched->unlinks[i];

		found = unlink->folder == folder && unlink->row == row;
		if (found)
			unlink->folder = 0;
	}
	(void)pthread_mutex_unlock(&watched->lock);
	return found;
}
