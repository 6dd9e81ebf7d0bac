#include "index/ingest/docqueue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/cond.h"
#include "index/index.h"

/* Enough that makers go on through a commit, at some 10 KB each. */
#define DOCUMENTS 512

struct docqueue {
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	pthread_cond_t sent;
	bool ended;
	bool cancelled;

	struct index_document *all[DOCUMENTS];
	struct index_document *free[DOCUMENTS]; /* a stack: the one used last is warm */
	size_t n_free;
	struct index_document *waiting[DOCUMENTS]; /* a ring */
	size_t first_waiting;
	size_t n_waiting;
};

static void
init_conditions(struct docqueue *queue)
{
	(void)pthread_mutex_init(&queue->mutex, NULL);
	(void)pthread_cond_init(&queue->freed, NULL);
	pxs_cond_init_steady(&queue->sent);
}

int
docqueue_new(struct docqueue **ret_queue)
{
	CLEANUP(docqueue) struct docqueue *queue = calloc(1, sizeof(*queue));
	int r;

	if (!queue)
		return -ENOMEM;
	init_conditions(queue);
	for (size_t i = 0; i < DOCUMENTS; i++) {
		r = index_document_new(&queue->all[i]);
		if (r < 0)
			return r;
		queue->free[queue->n_free++] = queue->all[i];
	}
	*ret_queue = STEAL(queue);
	return 0;
}

void
docqueue_free(struct docqueue *queue)
{
	if (!queue)
		return;
	for (size_t i = 0; i < DOCUMENTS; i++)
		index_document_free(queue->all[i]);
	(void)pthread_cond_destroy(&queue->sent);
	(void)pthread_cond_destroy(&queue->freed);
	(void)pthread_mutex_destroy(&queue->mutex);
	free(queue);
}

int
docqueue_take(struct docqueue *queue, struct index_document **ret_document)
{
	int r = 0;

	(void)pthread_mutex_lock(&queue->mutex);
	while (queue->n_free == 0 && !queue->cancelled)
		(void)pthread_cond_wait(&queue->freed, &queue->mutex);
	if (queue->cancelled)
		r = -ECANCELED;
	else
		*ret_document = queue->free[--queue->n_free];
	(void)pthread_mutex_unlock(&queue->mutex);
	if (r >= 0)
		index_document_clear(*ret_document);
	return r;
}

int
docqueue_send(struct docqueue *queue, struct index_document *document)
{
	int r;

	(void)pthread_mutex_lock(&queue->mutex);
	r = queue->cancelled ? -ECANCELED : 0;
	queue->waiting[(queue->first_waiting + queue->n_waiting++) % DOCUMENTS] = document;
	(void)pthread_cond_signal(&queue->sent);
	(void)pthread_mutex_unlock(&queue->mutex);
	return r;
}

void
docqueue_give_back(struct docqueue *queue, struct index_document *document)
{
	(void)pthread_mutex_lock(&queue->mutex);
	queue->free[queue->n_free++] = document;
	(void)pthread_cond_signal(&queue->freed);
	(void)pthread_mutex_unlock(&queue->mutex);
}

void
docqueue_end(struct docqueue *queue)
{
	(void)pthread_mutex_lock(&queue->mutex);
	queue->ended = true;
	(void)pthread_cond_broadcast(&queue->sent);
	(void)pthread_mutex_unlock(&queue->mutex);
}

/* False when DEADLINE_NS has passed; 0 never does. */
static bool
wait_sent(struct docqueue *queue, int64_t deadline_ns)
{
	if (deadline_ns == 0)
		return pthread_cond_wait(&queue->sent, &queue->mutex) == 0;
	return pxs_cond_wait_until(&queue->sent, &queue->mutex, deadline_ns) == 0;
}

int
docqueue_receive(struct docqueue *queue, int64_t deadline_ns, struct index_document **ret_document)
{
	bool in_time = true;
	int r = 0;

	(void)pthread_mutex_lock(&queue->mutex);
	while (queue->n_waiting == 0 && !queue->ended && !queue->cancelled && in_time)
		in_time = wait_sent(queue, deadline_ns);
	if (queue->cancelled) {
		r = -ECANCELED;
	} else if (queue->n_waiting > 0) {
		*ret_document = queue->waiting[queue->first_waiting];
		queue->first_waiting = (queue->first_waiting + 1) % DOCUMENTS;
		queue->n_waiting--;
	} else {
		r = queue->ended ? -ENODATA : -ETIMEDOUT;
	}
	(void)pthread_mutex_unlock(&queue->mutex);
	return r;
}

void
docqueue_cancel(struct docqueue *queue)
{
	(void)pthread_mutex_lock(&queue->mutex);
	queue->cancelled = true;
	(void)pthread_cond_broadcast(&queue->freed);
	(void)pthread_cond_broadcast(&queue->sent);
	(void)pthread_mutex_unlock(&queue->mutex);
}
