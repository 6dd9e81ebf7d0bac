/* A view is a few numbers, a bitmap and references; the values lie in columns that all views share.
 * index_publish() swaps the pointer to the newest one; old views end with their last holder. */
#include "index/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/cond.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/parts.h"
#include "index/visible.h"

/* --- Schema snapshots --- */

struct view_schema *
view_schema_ref(struct view_schema *schema)
{
	atomic_fetch_add(&schema->references, 1);
	return schema;
}

void
view_schema_unref(struct view_schema *schema)
{
	if (!schema || atomic_fetch_sub(&schema->references, 1) != 1)
		return;
	free(schema->by_name);
	free(schema->columns);
	free(schema);
}

void
view_schema_free_columns(const struct view_schema *schema)
{
	for (uint32_t i = 0; i < schema->n_columns; i++)
		column_free(schema->columns[i]);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct query_property *const *)a)->name,
		      (*(const struct query_property *const *)b)->name);
}

static struct view_schema *
schema_alloc(size_t n_properties, uint32_t n_columns)
{
	struct view_schema *schema = calloc(1, sizeof(*schema));

	if (!schema)
		return NULL;
	atomic_init(&schema->references, 1);
	schema->n_columns = n_columns;
	schema->columns = calloc(MAX(n_columns, 1u), sizeof(struct column *));
	schema->by_name = calloc(MAX(n_properties, (size_t)1), sizeof(struct query_property *));
	if (!schema->columns || !schema->by_name) {
		view_schema_unref(schema);
		return NULL;
	}
	schema->schema.properties = schema->by_name;
	schema->schema.n_properties = n_properties;
	return schema;
}

int
view_schema_with(const struct view_schema *before, struct column *column,
		 struct view_schema **ret_schema)
{
	size_t n = (before ? before->schema.n_properties : 0) + (column ? 1 : 0);
	uint32_t n_columns = before ? before->n_columns : 0;
	struct view_schema *schema;

	if (column)
		n_columns = MAX(n_columns, column_property(column)->number + 1);
	schema = schema_alloc(n, n_columns);
	if (!schema)
		return -ENOMEM;
	if (before) {
		memcpy(schema->by_name, before->by_name,
		       before->schema.n_properties * sizeof(*before->by_name));
		memcpy(schema->columns, before->columns,
		       before->n_columns * sizeof(*before->columns));
		memcpy(schema->origin, before->origin, sizeof(schema->origin));
	}
	if (column) {
		schema->by_name[n - 1] = column_property(column);
		schema->columns[column_property(column)->number] = column;
		origin_note(schema->origin, column);
		qsort(schema->by_name, n, sizeof(*schema->by_name), compare_names);
	}
	*ret_schema = schema;
	return 0;
}

int
view_schema_add(struct view_schema **schema, struct column *column)
{
	struct view_schema *more = NULL;
	int r = view_schema_with(*schema, column, &more);

	if (r < 0) {
		column_free(column);
		return r;
	}
	view_schema_unref(*schema);
	*schema = more;
	return 0;
}

const struct query_property **
view_schema_by_number(const struct view_schema *schema)
{
	const struct query_property **properties = calloc(MAX(schema->n_columns, 1u),
							  sizeof(*properties));

	for (uint32_t i = 0; properties && i < schema->n_columns; i++)
		if (schema->columns[i])
			properties[i] = column_property(schema->columns[i]);
	return properties;
}

/* --- Views --- */

struct index_view *
index_view_get(struct index *index)
{
	struct index_view *view;

	(void)pthread_mutex_lock(&index->view_lock);
	view = index_view_ref(index->view);
	(void)pthread_mutex_unlock(&index->view_lock);
	return view;
}

struct index_view *
index_view_ref(struct index_view *view)
{
	atomic_fetch_add(&view->references, 1);
	return view;
}

void
index_view_put(struct index_view *view)
{
	if (!view || atomic_fetch_sub(&view->references, 1) != 1)
		return;
	roaring_bitmap_free(view->live);
	if (view->shown)
		roaring_bitmap_free(view->shown);
	view_schema_unref(view->schema);
	epoch_unref(view->epoch);
	free(view);
}

int
index_publish(struct index *index, struct view_schema *schema, roaring_bitmap_t *live,
	      uint32_t rows_ascend_to)
{
	struct index_view *view = calloc(1, sizeof(*view));
	struct index_view *before;

	if (!view) {
		roaring_bitmap_free(live);
		return -ENOMEM;
	}
	(void)roaring_bitmap_run_optimize(live);
	atomic_init(&view->references, 1);
	view->index = index;
	view->seq = index->counters.seq;
	view->changed_ns = index->counters.changed_ns;
	view->max_doc = index->counters.next_doc - 1;
	view->count = roaring_bitmap_get_cardinality(live);
	view->live = live;
	view->rows_ascend_to = rows_ascend_to;
	view->epoch = epoch_ref(index->epoch);
	view->tables = index->tables;
	view->schema = view_schema_ref(schema);

	(void)pthread_mutex_lock(&index->view_lock);
	before = index->view;
	index->view = view;
	(void)pthread_cond_broadcast(&index->published);
	(void)pthread_mutex_unlock(&index->view_lock);
	index_view_put(before);
	hits_cache_purge(index->hits_cache, view->seq);
	visible_purge(index->visible, view->seq);
	if (index->keeper)
		keeper_ask(index->keeper);
	return 0;
}

int
index_begin_epoch(struct index *index)
{
	struct epoch *next = NULL;
	int r = epoch_new(&next);

	if (r < 0)
		return r;
	epoch_follow(index->epoch, next);
	epoch_unref(index->epoch);
	index->epoch = next;
	return 0;
}

int
index_publish_again(struct index *index, struct view_schema *schema)
{
	const struct index_view *view = index->view;
	roaring_bitmap_t *live = roaring_bitmap_copy(view->live);
	int r = live ? index_publish(index, schema, live, view->rows_ascend_to) : -ENOMEM;

	/* What is kept would hold the epoch before as long as nothing changes. */
	hits_cache_purge(index->hits_cache, index->counters.seq + 1);
	visible_purge(index->visible, index->counters.seq + 1);
	return r;
}

/* One look in so long is enough to see that nobody wants the answer any more. */
#define WAIT_STEP_NS (250 * PXS_NS_PER_MS)

static void
wait_a_step(struct index *index)
{
	(void)pxs_cond_wait_until(&index->published, &index->view_lock,
				  pxs_clock_steady_ns() + WAIT_STEP_NS);
}

int
index_wait(struct index *index, uint64_t seq, const struct index_budget *budget)
{
	int r = 0;

	(void)pthread_mutex_lock(&index->view_lock);
	while (index->view->seq <= seq && r == 0) {
		wait_a_step(index);
		r = budget_check(budget);
	}
	r = index->view->seq > seq ? 0 : r;
	(void)pthread_mutex_unlock(&index->view_lock);
	return r;
}

void
index_wake(struct index *index)
{
	(void)pthread_mutex_lock(&index->view_lock);
	(void)pthread_cond_broadcast(&index->published);
	(void)pthread_mutex_unlock(&index->view_lock);
}

uint64_t
index_view_seq(const struct index_view *view)
{
	return view->seq;
}

uint64_t
index_view_count(const struct index_view *view)
{
	return view->count;
}

int64_t
index_view_changed_ns(const struct index_view *view)
{
	return view->changed_ns;
}

const struct query_schema *
index_view_schema(const struct index_view *view)
{
	return &view->schema->schema;
}

/* --- Documents in a view --- */

static bool
is_shown(const struct index_view *view, uint32_t doc)
{
	return doc <= view->max_doc && roaring_bitmap_contains(view->live, doc);
}

int
index_doc_find(const struct index_view *view, int64_t id, uint32_t *ret_doc)
{
	const struct docs *docs = view->tables->docs;
	uint32_t doc = docs_newest_of_id(docs, id);

	while (doc && !is_shown(view, doc))
		doc = docs_meta(docs, doc).previous;
	if (!doc)
		return -ENOENT;
	*ret_doc = doc;
	return 0;
}

int
index_doc_find_row(const struct index_view *view, uint64_t row, uint32_t *ret_doc)
{
	const struct docs *docs = view->tables->docs;
	uint32_t doc = docs_newest_of_row(docs, row);

	while (doc && !is_shown(view, doc))
		doc = docs_meta(docs, doc).previous;
	/* `previous` follows the id, which may have had another row before it was removed. */
	if (!doc || docs_row(docs, doc) != row)
		return -ENOENT;
	*ret_doc = doc;
	return 0;
}

int64_t
index_doc_id(const struct index_view *view, uint32_t doc)
{
	return docs_id(view->tables->docs, doc);
}

uint64_t
index_doc_row(const struct index_view *view, uint32_t doc)
{
	return docs_row(view->tables->docs, doc);
}

int64_t
index_doc_created_ns(const struct index_view *view, uint32_t doc)
{
	int64_t created_ns;

	return origin_time(view->schema->origin, ORIGIN_CREATED, doc, &created_ns)
		       ? created_ns
		       : docs_meta(view->tables->docs, doc).created_ns;
}

int64_t
index_doc_updated_ns(const struct index_view *view, uint32_t doc)
{
	int64_t updated_ns;

	return origin_time(view->schema->origin, ORIGIN_UPDATED, doc, &updated_ns)
		       ? updated_ns
		       : docs_meta(view->tables->docs, doc).updated_ns;
}

/* A hash of what no two versions share, in this index or another: opaque, as spec/pixstor.md 1.3.
 */
void
index_etag(const struct index *index, int64_t id, uint64_t seq, char etag[INDEX_ETAG_SIZE])
{
	const uint64_t parts[] = { index->salt, (uint64_t)id, seq };
	XXH128_hash_t hash = XXH3_128bits(parts, sizeof(parts));
	uint32_t more = (uint32_t)XXH3_64bits_withSeed(parts, sizeof(parts), 1);

	(void)snprintf(etag, INDEX_ETAG_SIZE, "%016llx%016llx%08x", (unsigned long long)hash.high64,
		       (unsigned long long)hash.low64, more);
}

void
index_identity(const struct index *index, char identity[INDEX_IDENTITY_SIZE])
{
	uint64_t hash = XXH3_64bits_withSeed(&index->salt, sizeof(index->salt), 2);

	(void)snprintf(identity, INDEX_IDENTITY_SIZE, "%016llx", (unsigned long long)hash);
}

void
index_doc_etag(const struct index_view *view, uint32_t doc, char etag[INDEX_ETAG_SIZE])
{
	struct docs_meta meta;

	if (origin_etag(view->schema->origin, doc, etag))
		return;
	meta = docs_meta(view->tables->docs, doc);
	index_etag(view->index, meta.id, meta.seq, etag);
}

uint64_t
index_doc_seq(const struct index_view *view, uint32_t doc)
{
	return docs_meta(view->tables->docs, doc).seq;
}

bool
index_doc_value(const struct index_view *view, uint32_t doc, const struct query_property *property,
		struct query_value *ret_value)
{
	const struct column *column = view_column(view, property);

	return column && column_values(column, doc, ret_value, 1) > 0;
}

size_t
index_doc_values(const struct index_view *view, uint32_t doc, const struct query_property *property,
		 struct query_value *values, size_t n)
{
	const struct column *column = view_column(view, property);

	return column ? column_values(column, doc, values, n) : 0;
}
