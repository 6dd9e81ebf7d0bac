/* At start, columns come from their files and from the record, and fts.db gets what it lacks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/document.h"
#include "index/parts.h"

/* fts.db is filled from nothing in steps of this many documents; until the last step it counts as
 * empty, so a crash on the way only makes it begin again. */
#define REBUILD_STEP 50000

#define RENUMBER_AT (UINT32_MAX / 2)

struct load {
	struct index *index;
	struct view_schema *schema;
	const struct query_property **by_number;
	struct index_document *document;
	roaring_bitmap_t *live;
	uint64_t n_put;
	bool rebuild;
};

static void
load_done(struct load *load)
{
	free(load->by_number);
	index_document_free(load->document);
	if (load->live)
		roaring_bitmap_free(load->live);
}

static inline void
load_cleanup(struct load *load)
{
	load_done(load);
}

static int
load_init(struct load *load, struct index *index, struct view_schema *schema)
{
	*load = (struct load){ .index = index, .schema = schema };
	load->by_number = view_schema_by_number(schema);
	load->live = roaring_bitmap_create();
	return load->by_number && load->live ? index_document_new(&load->document) : -ENOMEM;
}

static int
read_record(struct load *load, const struct store_document *stored)
{
	index_document_clear(load->document);
	return document_from_record(load->document, stored->record, stored->record_len,
				    load->by_number, load->schema->n_columns);
}

/* --- Properties --- */

static char *
keep(struct index *index, const char *text)
{
	return pxs_arena_strdup(&index->properties, text);
}

int
index_new_column(struct index *index, const struct query_property *property,
		 struct column **ret_column)
{
	struct query_property *kept = pxs_arena_alloc(&index->properties, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *property;
	kept->name = keep(index, property->name);
	kept->prompt = keep(index, property->prompt);
	return kept->name && kept->prompt ? column_new(kept, ret_column) : -ENOMEM;
}

static int
load_property(void *context, const struct query_property *property)
{
	struct load *load = context;
	struct column *column;
	int r = index_new_column(load->index, property, &column);

	return r < 0 ? r : view_schema_add(&load->schema, column);
}

/* --- Documents --- */

static int
load_document(void *context, const struct store_document *stored)
{
	struct load *load = context;
	int r;

	if (stored->doc == 0 || stored->doc >= load->index->counters.next_doc)
		return -EBADMSG;
	r = read_record(load, stored);
	if (r == 0)
		r = docs_add(load->index->tables->docs, stored->doc, &stored->meta);
	if (r == 0)
		r = index_fill_columns(load->schema, stored->doc, load->document);
	if (r == 0)
		roaring_bitmap_add(load->live, stored->doc);
	return r;
}

/* The last document before one whose row is lower; ROWS_ASCEND: there is none. */
static uint32_t
rows_ascend_to(const struct index *index, const roaring_bitmap_t *live)
{
	roaring_uint32_iterator_t at;
	uint64_t before = 0;
	uint64_t row;

	for (roaring_init_iterator(live, &at); at.has_value; roaring_advance_uint32_iterator(&at)) {
		row = docs_row(index->tables->docs, at.current_value);
		if (row < before)
			return at.current_value - 1;
		before = row;
	}
	return ROWS_ASCEND;
}

static int
publish(struct load *load)
{
	roaring_bitmap_t *live = STEAL(load->live);

	return index_publish(load->index, load->schema, live, rows_ascend_to(load->index, live));
}

/* --- Documents that are written down --- */

/* The document called ID changed: the version that was written down no longer lives. */
static int
forget_document(void *context, int64_t id)
{
	struct load *load = context;
	uint32_t doc = docs_newest_of_id(load->index->tables->docs, id);

	if (doc)
		roaring_bitmap_remove(load->live, doc);
	return 0;
}

static int
load_late_document(void *context, const struct store_document *stored)
{
	struct load *load = context;
	uint32_t n_segments = load->index->tables->segments->manifest.state.n_segments;

	return stored->doc >> COLUMN_SEGMENT_SHIFT < n_segments ? -EBADMSG
								: load_document(load, stored);
}

/* What is in files, less what changed since, and what came after them. */
static int
load_written(struct load *load)
{
	struct index *index = load->index;
	const struct manifest_state *state = &index->tables->segments->manifest.state;
	uint64_t count = 0;
	int r;

	r = segments_load(index, load->schema, load->live);
	if (r < 0)
		return r;
	index->counters.next_doc = MAX(index->counters.next_doc,
				       state->n_segments << COLUMN_SEGMENT_SHIFT);
	r = store_changes_since(index->store, state->seq, forget_document, load);
	if (r == 0)
		r = store_documents_since(index->store, state->sealed_seq, load_late_document,
					  load);
	if (r == 0)
		r = store_count(index->store, &count);
	if (r == 0 && count != roaring_bitmap_get_cardinality(load->live))
		r = -EBADMSG;
	return r;
}

/* Files that cannot be trusted are dropped: -ESTALE, as parts of them may be in use. */
static int
load_all(struct load *load)
{
	int r = load_written(load);

	if (r == -ENOENT || r == -EBADMSG)
		segments_drop(load->index->tables->segments);
	if (r == -EBADMSG)
		return -ESTALE;
	if (r == -ENOENT)
		r = store_documents(load->index->store, load_document, load);
	return r < 0 ? r : publish(load);
}

/* Numbers are 32 bits. When half of them are given, documents get new ones, and with them all
 * derived parts are made anew. 1: that was done. */
static int
renumber(struct index *index)
{
	struct store_counters counters = index->counters;
	uint64_t n = 0;
	int r;

	if (counters.next_doc <= RENUMBER_AT)
		return 0;
	r = store_begin(index->store);
	if (r == 0)
		r = store_renumber(index->store, &n);
	counters.next_doc = (uint32_t)n + 1;
	counters.dropped = 0;
	if (r == 0)
		r = store_commit(index->store, &counters);
	if (r < 0) {
		store_rollback(index->store);
		return r;
	}
	index->counters = counters;
	segments_drop(index->tables->segments);
	return 1;
}

static int
load_text(struct index *index, bool renumbered, struct pxs_error *err)
{
	int r = tables_open_text(index->tables, &index->fts_seq, err);

	if (r < 0)
		return r;
	if (renumbered)
		index->fts_seq = 0;
	r = index_catch_up_fts(index, index->view->schema);
	return r < 0 ? pxs_error_set(err, r, -1, "cannot write %s/fts.db: %s", index->dir,
				     strerror(-r))
		     : 0;
}

int
index_load(struct index *index, struct pxs_error *err)
{
	CLEANUP(view_schema) struct view_schema *schema = NULL;
	CLEANUP(load) struct load load = { 0 };
	bool renumbered;
	int r;

	r = view_schema_with(NULL, NULL, &schema);
	if (r < 0)
		return r;
	load.index = index;
	load.schema = STEAL(schema);
	r = renumber(index);
	renumbered = r > 0;
	if (r >= 0)
		r = store_properties(index->store, load_property, &load);
	schema = load.schema;
	if (r == 0)
		r = load_init(&load, index, schema);
	if (r == 0)
		r = load_all(&load);
	if (r < 0 && !index->view)
		view_schema_free_columns(schema); /* no view took them over */
	if (r == -ESTALE)
		return r;
	if (r < 0)
		return pxs_error_set(err, r, -1,
				     "cannot read the documents in %s/docs.db: %s; it is damaged, "
				     "restore it from a backup or make a new index",
				     index->dir, strerror(-r));
	/* The pages that were read for it, 30 MB, are not those that will be. */
	(void)sqlite3_db_release_memory(store_db(index->store));
	return load_text(index, renumbered, err);
}

/* --- The text index --- */

static int
next_step(struct load *load)
{
	int r;

	if (!load->rebuild || load->n_put % REBUILD_STEP != 0)
		return 0;
	r = fts_commit(load->index->tables->fts, 0);
	return r < 0 ? r : fts_begin(load->index->tables->fts);
}

static int
put_document(void *context, const struct store_document *stored)
{
	struct load *load = context;
	int r;

	r = read_record(load, stored);
	if (r == 0)
		r = index_document_seal(load->document);
	if (r == 0)
		r = fts_put(load->index->tables->fts, stored->doc, load->document->stream.data,
			    load->document->stream.len);
	load->n_put++;
	return r < 0 ? r : next_step(load);
}

static int
put_missing(struct load *load)
{
	struct index *index = load->index;
	int r;

	r = fts_begin(index->tables->fts);
	if (r < 0)
		return r;
	r = load->rebuild ? store_documents(index->store, put_document, load)
			  : store_documents_since(index->store, index->fts_seq, put_document, load);
	if (r == 0)
		r = fts_commit(index->tables->fts, index->counters.seq);
	if (r < 0)
		fts_rollback(index->tables->fts);
	return r;
}

/* Whether what fts.db lacks can no longer be told from the log of changes. */
static int
is_too_old(struct index *index, bool *ret_too_old)
{
	uint64_t first = 0;
	int r = store_first_change(index->store, &first);

	*ret_too_old = first > index->fts_seq + 1;
	return r;
}

int
index_catch_up_fts(struct index *index, const struct view_schema *schema)
{
	CLEANUP(load) struct load load = { 0 };
	int r;

	if (index->fts_seq == index->counters.seq) {
		index->fts_behind = false;
		return 0;
	}
	r = load_init(&load, index, (struct view_schema *)schema);
	if (r < 0)
		return r;
	/* What is ahead of the record (a docs.db that was restored) cannot be trusted either. */
	r = is_too_old(index, &load.rebuild);
	load.rebuild |= index->fts_seq == 0 || index->fts_seq > index->counters.seq;
	if (r == 0 && load.rebuild)
		r = fts_clear(index->tables->fts);
	if (r == 0)
		r = put_missing(&load);
	if (r < 0)
		return r;
	index->fts_seq = index->counters.seq;
	index->fts_behind = false;
	return 0;
}
