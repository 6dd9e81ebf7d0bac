/* Many small writers, one commit: a commit waits for the disk, so whoever finds one under way
 * leaves his change with those that wait, and the first of them takes all along in the next. */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "index/parts.h"

/* What goes into one commit; those in front must not wait for ever for those behind. */
#define TOGETHER_MAX 256

struct apply_entry {
	index_applied apply;
	void *context;
	struct pxs_error *err;
	int result;
	bool done;
	struct apply_entry *next;
};

void
apply_queue_init(struct apply_queue *queue)
{
	(void)pthread_mutex_init(&queue->mutex, NULL);
	(void)pthread_cond_init(&queue->ended, NULL);
	queue->last = &queue->first;
}

void
apply_queue_done(struct apply_queue *queue)
{
	(void)pthread_cond_destroy(&queue->ended);
	(void)pthread_mutex_destroy(&queue->mutex);
}

static size_t
take(struct apply_queue *queue, struct apply_entry **entries)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&queue->mutex);
	for (; queue->first && n < TOGETHER_MAX; queue->first = queue->first->next)
		entries[n++] = queue->first;
	if (!queue->first)
		queue->last = &queue->first;
	(void)pthread_mutex_unlock(&queue->mutex);
	return n;
}

static void
give_back(struct apply_queue *queue, struct apply_entry **entries, size_t n)
{
	(void)pthread_mutex_lock(&queue->mutex);
	for (size_t i = 0; i < n; i++)
		entries[i]->done = true;
	(void)pthread_cond_broadcast(&queue->ended);
	(void)pthread_mutex_unlock(&queue->mutex);
}

/* Those that refused changed nothing; the others succeed or fail together. */
static void
apply_all(struct index_write *write, struct apply_entry **entries, size_t n)
{
	struct pxs_error err = { 0 };
	int r;

	for (size_t i = 0; i < n; i++)
		entries[i]->result = entries[i]->apply(entries[i]->context, write, entries[i]->err);
	r = index_write_commit(write, &err);
	for (size_t i = 0; i < n && r < 0; i++)
		if (entries[i]->result == 0)
			entries[i]->result = pxs_error_set(entries[i]->err, r, -1, "%s",
							   pxs_error_text(&err, r));
}

/* While the turn is waited for, more come along. */
static void
lead(struct index *index)
{
	struct apply_entry *entries[TOGETHER_MAX];
	struct index_write *write = NULL;
	int r = index_write_begin(index, &write);
	size_t n = take(&index->applies, entries);

	for (size_t i = 0; i < n && r < 0; i++)
		entries[i]->result = pxs_error_set(entries[i]->err, r, -1,
						   "cannot write to the index in %s: %s",
						   index->dir, strerror(-r));
	if (r == 0)
		apply_all(write, entries, n);
	give_back(&index->applies, entries, n);
}

int
index_apply(struct index *index, index_applied apply, void *context, struct pxs_error *err)
{
	struct apply_entry entry = { .apply = apply, .context = context, .err = err };
	struct apply_queue *queue = &index->applies;

	(void)pthread_mutex_lock(&queue->mutex);
	*queue->last = &entry;
	queue->last = &entry.next;
	while (!entry.done) {
		if (queue->led) {
			(void)pthread_cond_wait(&queue->ended, &queue->mutex);
			continue;
		}
		queue->led = true;
		(void)pthread_mutex_unlock(&queue->mutex);
		lead(index);
		(void)pthread_mutex_lock(&queue->mutex);
		queue->led = false;
		(void)pthread_cond_broadcast(&queue->ended);
	}
	(void)pthread_mutex_unlock(&queue->mutex);
	return entry.result;
}
