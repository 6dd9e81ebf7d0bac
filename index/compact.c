/* In rounds. The first reads all documents that docs.db has, so that damage to the old tables stays
 * behind. Each round after it reads what lives in the newest view and is not in the new tables yet;
 * it is shorter than the one before, and the last one is done with the turn to write. Documents are
 * taken by ascending number, and what a write adds has a higher one, so where the rounds have come
 * to is one number. */
#include "index/compact.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/document.h"
#include "index/index.h"
#include "index/parts.h"

/* Fewer dead versions than this are not worth it. */
#define DEAD_MIN 10000

/* The round is the last, with writes waiting, when the one before had fewer documents. */
#define LAST_ROUND 128

/* Documents of one transaction of the text file. */
#define STEP 20000

struct compaction {
	struct index *index;
	const struct index_budget *budget;
	struct tables *tables; /* the new ones, and their schema */
	struct view_schema *schema;
	struct store_reader *reader;
	struct index_document *document;
	const struct query_property **by_number;
	struct pxs_buf places; /* struct place: of all documents, for the first round */
	roaring_bitmap_t *added;
	uint32_t last; /* all living documents up to this are in */
	uint32_t doc;  /* the one that is read */
	uint64_t n;
};

struct place {
	uint32_t doc;
	uint64_t row;
};

static void
compaction_cleanup(struct compaction *compaction)
{
	if (compaction->schema)
		view_schema_free_columns(compaction->schema);
	view_schema_unref(compaction->schema);
	store_reader_close(compaction->reader);
	index_document_free(compaction->document);
	free(compaction->by_number);
	pxs_buf_done(&compaction->places);
	if (compaction->added)
		roaring_bitmap_free(compaction->added);
	if (compaction->tables)
		fts_discard(STEAL(compaction->tables->fts));
	tables_free(compaction->tables);
}

static uint64_t
dead_versions(const struct index *index)
{
	uint64_t gone = index->counters.next_doc - 1 - index->view->count;

	return gone - MIN(index->counters.dropped, gone);
}

bool
compact_is_due(const struct index *index)
{
	uint64_t dead = dead_versions(index);

	return dead > DEAD_MIN && dead > index->view->count &&
	       atomic_load(&((struct index *)index)->held_tables) == 0;
}

/* --- The new tables --- */

static int
begin(struct compaction *compaction)
{
	const struct index *index = compaction->index;
	char path[PATH_MAX];
	uint64_t seq;
	int r = index_part_path(index, "docs.db", path);

	compaction->added = roaring_bitmap_create();
	if (r == 0 && !compaction->added)
		r = -ENOMEM;
	if (r == 0)
		r = tables_new(index->dir, (uint64_t)pxs_clock_now_ns(), &compaction->tables);
	if (r == 0)
		r = tables_open_text(compaction->tables, &seq, NULL);
	if (r == 0)
		r = store_reader_open(path, &compaction->reader);
	if (r == 0)
		r = index_document_new(&compaction->document);
	if (r == 0)
		r = view_schema_with(NULL, NULL, &compaction->schema);
	return r;
}

static int
add_column(struct compaction *compaction, const struct query_property *property)
{
	struct column *column;
	int r = column_new(property, &column);

	return r < 0 ? r : view_schema_add(&compaction->schema, column);
}

/* A column for every property of VIEW. */
static int
follow_schema(struct compaction *compaction, const struct index_view *view)
{
	int r = 0;

	for (uint32_t i = compaction->schema->n_columns; i < view->schema->n_columns && r == 0; i++)
		if (view->schema->columns[i])
			r = add_column(compaction, column_property(view->schema->columns[i]));
	if (r < 0)
		return r;
	free(compaction->by_number);
	compaction->by_number = view_schema_by_number(compaction->schema);
	return compaction->by_number ? 0 : -ENOMEM;
}

/* --- Documents --- */

static int
add_document(void *context, const struct store_document *stored)
{
	struct compaction *compaction = context;
	struct index_document *document = compaction->document;
	int r;

	if (stored->doc != compaction->doc)
		return 0; /* there is a later version, which comes in its turn */
	index_document_clear(document);
	r = document_from_record(document, stored->record, stored->record_len,
				 compaction->by_number, compaction->schema->n_columns);
	if (r == 0)
		r = index_document_seal(document);
	if (r == 0)
		r = tables_put(compaction->tables, compaction->schema, stored->doc, &stored->meta,
			       document);
	if (r == 0)
		roaring_bitmap_add(compaction->added, stored->doc);
	return r;
}

static int
next_step(struct compaction *compaction)
{
	int r = budget_check(compaction->budget);

	if (r < 0 || ++compaction->n % STEP != 0)
		return r;
	r = fts_commit(compaction->tables->fts, 0);
	return r < 0 ? r : fts_begin(compaction->tables->fts);
}

static int
read_document(struct compaction *compaction, uint32_t doc, uint64_t row)
{
	int r;

	compaction->doc = doc;
	r = store_reader_row(compaction->reader, row, add_document, compaction);
	return r < 0 ? r : next_step(compaction);
}

static int
note_place(void *context, uint32_t doc, uint64_t row)
{
	struct compaction *compaction = context;
	const struct place place = { doc, row };

	pxs_buf_add(&compaction->places, &place, sizeof(place));
	return compaction->places.error;
}

static int
compare_places(const void *a, const void *b)
{
	uint32_t left = ((const struct place *)a)->doc, right = ((const struct place *)b)->doc;

	return (left > right) - (left < right);
}

/* What came after VIEW is left to the next round. */
static int
add_all(struct compaction *compaction, const struct index_view *view)
{
	struct pxs_buf *buf = &compaction->places;
	int r = store_reader_numbers(compaction->reader, note_place, compaction);
	struct place *places = (struct place *)(void *)buf->data;
	size_t n = buf->len / sizeof(*places);

	if (r == 0 && n > 1)
		qsort(places, n, sizeof(*places), compare_places);
	for (size_t i = 0; i < n && r == 0 && places[i].doc <= view->max_doc; i++)
		r = read_document(compaction, places[i].doc, places[i].row);
	pxs_buf_done(buf);
	return r;
}

static int
add_newest(struct compaction *compaction, const struct index_view *view)
{
	const struct docs *docs = view->tables->docs;
	roaring_uint32_iterator_t at;
	int r = 0;

	roaring_init_iterator(view->live, &at);
	(void)roaring_move_uint32_iterator_equalorlarger(&at, compaction->last + 1);
	for (; at.has_value && r == 0; roaring_advance_uint32_iterator(&at))
		r = read_document(compaction, at.current_value, docs_row(docs, at.current_value));
	return r;
}

/* All that lives in VIEW is in the new tables then. */
static int
add_round(struct compaction *compaction, const struct index_view *view)
{
	struct fts *fts = compaction->tables->fts;
	int r = follow_schema(compaction, view);

	if (r == 0)
		r = fts_begin(fts);
	if (r < 0)
		return r;
	r = compaction->last ? add_newest(compaction, view) : add_all(compaction, view);
	compaction->last = view->max_doc;
	if (r == 0)
		r = fts_commit(fts, view->seq);
	if (r < 0)
		fts_rollback(fts);
	return r;
}

static int
add_rounds(struct compaction *compaction)
{
	uint64_t before;
	int r;

	do {
		CLEANUP(index_view) struct index_view *view = index_view_get(compaction->index);

		before = compaction->n;
		r = add_round(compaction, view);
	} while (r == 0 && compaction->n - before > LAST_ROUND);
	return r == 0 ? fts_sync(compaction->tables->fts) : r;
}

/* --- The exchange --- */

/* Which text file counts is said by docs.db; all else is of this process, until files of the new
 * columns are written. A disk that is full now hears of it with the next change. */
static void
note_exchange(struct index *index)
{
	if (store_begin(index->store) < 0 || store_commit(index->store, &index->counters) < 0)
		store_rollback(index->store);
	if (index->keeper)
		keeper_start_over(index->keeper);
}

/* With the turn to write. */
static int
exchange(struct compaction *compaction)
{
	CLEANUP(view_schema)
	struct view_schema *schema = view_schema_ref(compaction->index->view->schema);
	CLEANUP(epoch) struct epoch *epoch = epoch_ref(compaction->index->epoch);
	struct index *index = compaction->index;
	struct store_counters counters = index->counters;
	struct tables *before = index->tables;
	int r;

	r = index_begin_epoch(index);
	if (r < 0)
		return r;
	index->tables = compaction->tables;
	index->counters.text = compaction->tables->number;
	index->counters.dropped = counters.next_doc - 1 - index->view->count;
	r = index_publish_again(index, compaction->schema);
	if (r < 0) {
		index->tables = before;
		index->counters = counters;
		return r;
	}
	index->fts_seq = counters.seq;
	index->fts_behind = false;
	compaction->tables = NULL;
	view_schema_unref(STEAL(compaction->schema));
	tables_retire(before, STEAL(schema), epoch, &index->held_tables);
	note_exchange(index);
	return 0;
}

static int
finish(struct compaction *compaction)
{
	struct index *index = compaction->index;
	int r;

	turn_take(&index->write_turn);
	r = add_round(compaction, index->view);
	/* What is shown and not in docs.db was lost there. */
	if (r == 0 && !roaring_bitmap_is_subset(index->view->live, compaction->added))
		r = -EBADMSG;
	if (r == 0)
		r = exchange(compaction);
	turn_end(&index->write_turn);
	return r;
}

int
index_compact(struct index *index, const struct index_budget *budget)
{
	CLEANUP(compaction) struct compaction compaction = { .index = index, .budget = budget };
	int r;

	(void)pthread_mutex_lock(&index->keep_lock);
	r = begin(&compaction);
	if (r == 0)
		r = add_rounds(&compaction);
	if (r == 0)
		r = finish(&compaction);
	(void)pthread_mutex_unlock(&index->keep_lock);
	return r;
}
