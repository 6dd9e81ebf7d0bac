/* docqueue.h - sealed documents on their way from those who make them to the one who writes.
 *
 * A fixed number of documents goes round: free, being made, waiting, being written, free again. So
 * memory is bounded, and makers wait for a slower writer. Any number of makers, one writer. */
#ifndef PXS_INDEX_INGEST_DOCQUEUE_H
#define PXS_INDEX_INGEST_DOCQUEUE_H

#include <stdint.h>

#include "base/cleanup.h"

struct docqueue;
struct index_document;

int docqueue_new(struct docqueue **ret_queue);
void docqueue_free(struct docqueue *queue);
DEFINE_CLEANUP(docqueue, struct docqueue *, docqueue_free)

/* Makers: take a free (cleared) document, then send it or give it back. -ECANCELED: the queue was
 * cancelled. */
int docqueue_take(struct docqueue *queue, struct index_document **ret_document);
int docqueue_send(struct docqueue *queue, struct index_document *document);
/* Makers that had no use for it, and the writer when it is written. */
void docqueue_give_back(struct docqueue *queue, struct index_document *document);
/* No maker will send any more. */
void docqueue_end(struct docqueue *queue);

/* The writer: the oldest document sent. -ENODATA: that was the last; -ETIMEDOUT: none came until
 * DEADLINE_NS (pxs_clock_steady_ns(); 0: wait as long as it takes); -ECANCELED. */
int docqueue_receive(struct docqueue *queue, int64_t deadline_ns,
		     struct index_document **ret_document);

/* Everybody's calls fail from now on; nobody waits any more. */
void docqueue_cancel(struct docqueue *queue);

#endif
