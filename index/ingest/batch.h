/* batch.h - changes on their way into the index, many in one transaction. For one thread. */
#ifndef PXS_INDEX_INGEST_BATCH_H
#define PXS_INDEX_INGEST_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct index;
struct index_document;
struct index_write;
struct pxs_error;

/* Start it as { .index = INDEX }. */
struct batch {
	struct index *index;
	struct index_write *write; /* NULL: nothing is pending */
	size_t pending;
	int64_t due_ns; /* by when what is pending must be committed; 0: nothing is */
};

/* Add a change; commits on its own what became many or old. The sentence of a failure is in ERR;
 * what was pending has not happened then. */
int batch_put(struct batch *batch, const struct index_document *document, struct pxs_error *err);
/* -ENOENT: there is no such document. */
int batch_remove(struct batch *batch, int64_t id, struct pxs_error *err);
/* As index_write_lose(); -ENOENT. */
int batch_lose(struct batch *batch, int64_t id, struct pxs_error *err);
/* As index_write_inherit(). */
int batch_inherit(struct batch *batch, int64_t heir, int64_t id, struct pxs_error *err);
/* Commit if it is due. */
int batch_tick(struct batch *batch, struct pxs_error *err);
int batch_commit(struct batch *batch, struct pxs_error *err);

/* Drop what is pending. */
void batch_abort(struct batch *batch);
static inline void
batch_cleanup(struct batch *batch)
{
	batch_abort(batch);
}

#endif
