/* One transaction goes into three places, in this order: docs.db, whose commit is the promise;
 * fts.db, which can be caught up from it; columns, which no view shows until the new view is
 * published. Document numbers of a transaction that failed are never used again, so what it left in
 * columns does no harm. */
#include "index/write.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/journal.h"

static void
write_end(struct index_write *write)
{
	struct index *index = write->index;

	if (write->live)
		roaring_bitmap_free(write->live);
	index_document_free(write->merged);
	free(write);
	turn_end(&index->write_turn);
}

static int
begin(struct index_write *write)
{
	struct index *index = write->index;
	int r;

	write->schema = index->view->schema;
	write->rows_ascend_to = index->view->rows_ascend_to;
	write->live = roaring_bitmap_copy(index->view->live);
	if (!write->live)
		return -ENOMEM;
	if (index->fts_behind) {
		r = index_catch_up_fts(index, write->schema);
		if (r < 0)
			return r;
	}
	write->counters = index->counters;
	r = store_begin(index->store);
	if (r < 0)
		return r;
	r = fts_begin(index->tables->fts);
	if (r < 0)
		store_rollback(index->store);
	return r;
}

int
index_write_begin(struct index *index, struct index_write **ret_write)
{
	struct index_write *write = calloc(1, sizeof(*write));
	int r;

	if (!write)
		return -ENOMEM;
	write->index = index;
	turn_take(&index->write_turn);
	r = begin(write);
	if (r < 0) {
		write_end(write);
		return r;
	}
	*ret_write = write;
	return 0;
}

bool
index_write_is_awaited(const struct index_write *write)
{
	return turn_is_awaited(&write->index->write_turn);
}

uint32_t
write_live_doc(const struct index_write *write, int64_t id)
{
	uint32_t doc = docs_newest_of_id(write->index->tables->docs, id);

	while (doc && !roaring_bitmap_contains(write->live, doc))
		doc = docs_meta(write->index->tables->docs, doc).previous;
	return doc;
}

/* --- Putting --- */

/* An update keeps its row and birth; so does what comes back after it was removed. */
static void
describe(struct index_write *write, const struct index_document *document,
	 const struct docs_meta *old, struct store_document *ret)
{
	int64_t now = pxs_clock_now_ns();

	*ret = (struct store_document){
		.doc = write->counters.next_doc++,
		.meta.id = document->id,
		.meta.row = old ? old->row : write->counters.next_row++,
		.meta.seq = ++write->counters.seq,
		.meta.created_ns = old ? old->created_ns : now,
		.meta.updated_ns = now,
		.record = document->record.data,
		.record_len = document->record.len,
	};
	write->counters.changed_ns = now;
	write->changed = true;
	/* An old row under the newest number; only the last row of all may have that. */
	if (old && old->row + 1 != write->counters.next_row)
		write->rows_ascend_to = MIN(write->rows_ascend_to, ret->doc - 1);
}

int
index_fill_columns(const struct view_schema *schema, uint32_t doc,
		   const struct index_document *document)
{
	struct query_value list[INDEX_LIST_MAX];
	const struct document_value *values = document->values;
	size_t n;
	int r;

	for (size_t i = 0; i < document->n_values; i++) {
		/* A list's values follow each other; each run is set once. */
		n = 0;
		do
			list[n++] = values[i].value;
		while (values[i].property->multi && i + 1 < document->n_values &&
		       values[i + 1].property == values[i].property && ++i);
		r = column_set(schema->columns[values[i].property->number], doc, list, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
store(struct index_write *write, const struct index_document *document, uint32_t before,
      const struct docs_meta *old)
{
	struct index *index = write->index;
	struct store_document stored;
	int r;

	if (write->counters.next_doc == UINT32_MAX)
		return -EOVERFLOW;
	describe(write, document, old, &stored);
	r = store_put(index->store, &stored);
	if (r == 0)
		r = tables_put(index->tables, write->schema, stored.doc, &stored.meta, document);
	if (r < 0)
		return r;
	if (before)
		roaring_bitmap_remove(write->live, before);
	roaring_bitmap_add(write->live, stored.doc);
	return 0;
}

int
write_put_over(struct index_write *write, const struct index_document *document, uint32_t before,
	       const struct docs_meta *old)
{
	if (write->error == 0)
		write->error = store(write, document, before, old);
	return write->error;
}

int
write_replace(struct index_write *write, const struct index_document *document, uint32_t before)
{
	struct docs_meta old;

	if (!before)
		return write_put_over(write, document, 0, NULL);
	old = docs_meta(write->index->tables->docs, before);
	return write_put_over(write, document, before, &old);
}

int
index_write_put(struct index_write *write, const struct index_document *document)
{
	uint32_t before;

	if (!document->sealed || document->id <= 0)
		return -EINVAL;
	if (write->error < 0)
		return write->error;
	before = write_live_doc(write, document->id);
	return write_replace(write, document, before);
}

int
index_write_remove(struct index_write *write, int64_t id)
{
	uint32_t doc;

	if (write->error < 0)
		return write->error;
	doc = write_live_doc(write, id);
	if (!doc)
		return -ENOENT;
	write->counters.changed_ns = pxs_clock_now_ns();
	write->error = store_remove(write->index->store, id,
				    docs_row(write->index->tables->docs, doc),
				    ++write->counters.seq, write->counters.changed_ns);
	roaring_bitmap_remove(write->live, doc);
	write->changed = true;
	return write->error;
}

/* --- The end --- */

static void
undo(struct index_write *write)
{
	store_rollback(write->index->store);
	fts_rollback(write->index->tables->fts);
	/* Numbers are not given twice: columns may hold values under them. */
	write->index->counters.next_doc = write->counters.next_doc;
}

static int
commit_record(struct index_write *write)
{
	struct index *index = write->index;
	int r = write->error;

	if (r == 0)
		r = journal_trim(index->journal, write->counters.seq, write->counters.changed_ns,
				 MIN(index->fts_seq, segments_need(index->tables->segments)));
	return r < 0 ? r : store_commit(index->store, &write->counters);
}

int
index_write_commit(struct index_write *write, struct pxs_error *err)
{
	struct index *index = write->index;
	int r;

	if (write->error == 0 && !write->changed) {
		index_write_abort(write);
		return 0;
	}
	r = commit_record(write);
	if (r < 0) {
		(void)pxs_error_set(err, r, -1, "cannot write to the index in %s: %s%s", index->dir,
				    strerror(-r),
				    r == -ENOSPC      ? "; free some space and try again"
				    : r == -EOVERFLOW ? "; it has seen 4 billion versions: start "
							"the daemon anew, which numbers them anew"
						      : "");
		index_write_abort(write);
		return r;
	}

	/* From here on it happened. A text index that cannot follow now does so before the next
	 * write. */
	if (fts_commit(index->tables->fts, write->counters.seq) < 0) {
		fts_rollback(index->tables->fts);
		index->fts_behind = true;
	} else {
		index->fts_seq = write->counters.seq;
	}
	index->counters = write->counters;
	r = index_publish(index, write->schema, write->live, write->rows_ascend_to);
	write->live = NULL;
	write_end(write);
	return r;
}

void
index_write_abort(struct index_write *write)
{
	if (!write)
		return;
	undo(write);
	write_end(write);
}
