#include "index/ingest/batch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "index/index.h"

/* A commit costs as much as some thousand documents; a document should be found soon after it was
 * seen; and who else wants to write waits meanwhile. */
#define PENDING_MAX 20000
#define AGE_MAX_NS (2 * PXS_NS_PER_S)
/* When somebody does wait, he gets his turn this soon. */
#define AGE_AWAITED_NS (100 * PXS_NS_PER_MS)

static int
open_write(struct batch *batch, struct pxs_error *err)
{
	int r;

	if (batch->write)
		return 0;
	r = index_write_begin(batch->index, &batch->write);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot write to the index in %s: %s",
				     index_dir(batch->index), strerrordesc_np(-r));
	batch->pending = 0;
	batch->due_ns = pxs_clock_steady_ns() + AGE_MAX_NS;
	return 0;
}

static int
count(struct batch *batch, struct pxs_error *err)
{
	batch->pending++;
	return batch_tick(batch, err);
}

/* A transaction in which a change failed is over; its end has the sentence. */
static int
fail(struct batch *batch, int r, struct pxs_error *err)
{
	(void)batch_commit(batch, err);
	return pxs_error_set(err, r, -1, "cannot write to the index in %s: %s",
			     index_dir(batch->index), strerrordesc_np(-r));
}

int
batch_put(struct batch *batch, const struct index_document *document, struct pxs_error *err)
{
	int r = open_write(batch, err);

	if (r < 0)
		return r;
	r = index_write_found(batch->write, document);
	return r < 0 ? fail(batch, r, err) : count(batch, err);
}

static int
end_of(struct batch *batch, int64_t id, int (*end)(struct index_write *write, int64_t id),
       struct pxs_error *err)
{
	int r = open_write(batch, err);

	if (r < 0)
		return r;
	r = end(batch->write, id);
	if (r == -ENOENT)
		return r;
	return r < 0 ? fail(batch, r, err) : count(batch, err);
}

int
batch_remove(struct batch *batch, int64_t id, struct pxs_error *err)
{
	return end_of(batch, id, index_write_remove, err);
}

int
batch_lose(struct batch *batch, int64_t id, struct pxs_error *err)
{
	return end_of(batch, id, index_write_lose, err);
}

int
batch_inherit(struct batch *batch, int64_t heir, int64_t id, struct pxs_error *err)
{
	int r = open_write(batch, err);

	if (r < 0)
		return r;
	r = index_write_inherit(batch->write, heir, id);
	return r < 0 ? fail(batch, r, err) : count(batch, err);
}

static bool
is_due(const struct batch *batch)
{
	int64_t left_ns = batch->due_ns - pxs_clock_steady_ns();

	return batch->pending >= PENDING_MAX || left_ns <= 0 ||
	       (left_ns <= AGE_MAX_NS - AGE_AWAITED_NS && index_write_is_awaited(batch->write));
}

int
batch_tick(struct batch *batch, struct pxs_error *err)
{
	if (batch->write && is_due(batch))
		return batch_commit(batch, err);
	return 0;
}

int
batch_commit(struct batch *batch, struct pxs_error *err)
{
	batch->due_ns = 0;
	batch->pending = 0;
	return batch->write ? index_write_commit(STEAL(batch->write), err) : 0;
}

void
batch_abort(struct batch *batch)
{
	batch->due_ns = 0;
	batch->pending = 0;
	index_write_abort(STEAL(batch->write));
}
