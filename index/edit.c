/* Changes that people make to single documents, and what a scan must leave of them. A property
 * belongs to scans (readonly) or to people; each side's writes keep what is the other's, and
 * because they read the document that there is inside the transaction, nothing is lost between two
 * writers.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "index/journal.h"
#include "index/record.h"
#include "index/write.h"

int
index_write_version(const struct index_write *write, int64_t id, struct index_version *ret_version)
{
	uint32_t doc = write_live_doc(write, id);
	struct docs_meta meta;

	if (!doc)
		return -ENOENT;
	meta = docs_meta(write->index->tables->docs, doc);
	*ret_version = (struct index_version){
		.created_ns = meta.created_ns,
		.updated_ns = meta.updated_ns,
		.seq = meta.seq,
	};
	index_etag(write->index, id, meta.seq, ret_version->etag);
	(void)origin_etag(write->schema->origin, doc, ret_version->etag);
	(void)origin_time(write->schema->origin, ORIGIN_CREATED, doc, &ret_version->created_ns);
	(void)origin_time(write->schema->origin, ORIGIN_UPDATED, doc, &ret_version->updated_ns);
	return 0;
}

/* Changed here alone it would no longer be what its etag says; what is deleted here would come
 * back. */
static bool
is_upstreams(const struct index_write *write, uint32_t doc)
{
	char etag[INDEX_ETAG_SIZE];

	return origin_etag(write->schema->origin, doc, etag);
}

/* --- Two documents made one --- */

/* What is laid over the document that there is. */
struct over {
	const struct index_document *document;
	const struct query_property *const *emptied; /* no value at all is laid over theirs */
	size_t n_emptied;
};

static bool
has_property(const struct index_document *document, const struct query_property *property)
{
	for (size_t i = 0; i < document->n_values; i++)
		if (document->values[i].property == property)
			return true;
	return false;
}

static int
add_values_of(struct index_document *merged, const struct index_document *from,
	      const struct query_property *property)
{
	int r = 0;

	for (size_t i = 0; i < from->n_values && r == 0; i++)
		if (from->values[i].property == property)
			r = index_document_add(merged, property, &from->values[i].value);
	return r;
}

static int
add_column(struct index_document *merged, const struct column *column, uint32_t doc)
{
	size_t n = column_values(column, doc, NULL, 0);
	CLEANUP(free) struct query_value *values = NULL;
	int r = 0;

	if (n == 0)
		return 0;
	values = calloc(n, sizeof(*values));
	if (!values)
		return -ENOMEM;
	n = column_values(column, doc, values, n);
	for (size_t i = 0; i < n && r == 0; i++)
		r = index_document_add(merged, column_property(column), &values[i]);
	return r;
}

static int
begin_merged(struct index_write *write, int64_t id)
{
	int r = write->merged ? 0 : index_document_new(&write->merged);

	if (r < 0)
		return r;
	index_document_clear(write->merged);
	index_document_set_id(write->merged, id);
	return 0;
}

/* What was there before: a version, or a document that was read from a record. */
struct under {
	uint32_t doc; /* 0: it is the other */
	const struct index_document *document;
};

/* Make write->merged the document called ID: properties that IS_OVERS says so of have the values of
 * OVER, the others those of UNDER. */
static int
merge(struct index_write *write, const struct over *over, const struct under *under, int64_t id,
      bool (*is_overs)(const struct over *over, const struct query_property *property))
{
	const struct view_schema *schema = write->schema;
	int r = begin_merged(write, id);

	for (uint32_t i = 0; i < schema->n_columns && r == 0; i++) {
		const struct column *column = schema->columns[i];
		const struct query_property *property;

		if (!column)
			continue;
		property = column_property(column);
		if (is_overs(over, property))
			r = add_values_of(write->merged, over->document, property);
		else if (under->doc)
			r = add_column(write->merged, column, under->doc);
		else
			r = add_values_of(write->merged, under->document, property);
	}
	return r < 0 ? r : index_document_seal(write->merged);
}

/* --- What is removed, but kept --- */

/* The user of those whose files went away: nobody removed them. */
static const char NOBODY[] = "";

/* The record of version DOC as docs.db has it. */
static int
record_of(struct index_write *write, uint32_t doc)
{
	const struct view_schema *schema = write->schema;
	int r = begin_merged(write, docs_id(write->index->tables->docs, doc));

	for (uint32_t i = 0; i < schema->n_columns && r == 0; i++)
		if (schema->columns[i])
			r = add_column(write->merged, schema->columns[i], doc);
	return r < 0 ? r : index_document_seal(write->merged);
}

static int
remove_and_keep(struct index_write *write, uint32_t doc, const char *user)
{
	int64_t id = docs_id(write->index->tables->docs, doc);
	struct journal_removed removed;
	struct docs_meta meta;
	int r;

	r = record_of(write, doc);
	if (r == 0)
		r = index_write_remove(write, id);
	if (r < 0)
		return r;
	meta = docs_meta(write->index->tables->docs, doc);
	removed = (struct journal_removed){
		.seq = write->counters.seq,
		.id = id,
		.row = meta.row,
		.created_ns = meta.created_ns,
		.time_ns = write->counters.changed_ns,
		.user = user,
		.record = write->merged->record.data,
		.record_len = write->merged->record.len,
	};
	return write->error = journal_add(write->index->journal, &removed);
}

/* Make DOCUMENT, an empty one, what REMOVED was. */
static int
read_removed(struct index_write *write, const struct journal_removed *removed,
	     struct index_document *document)
{
	CLEANUP(free)
	const struct query_property **by_number = view_schema_by_number(write->schema);

	if (!by_number)
		return -ENOMEM;
	return document_from_record(document, removed->record, removed->record_len, by_number,
				    write->schema->n_columns);
}

/* Put write->merged, which was made of REMOVED, back in its row. */
static int
put_back(struct index_write *write, const struct journal_removed *removed)
{
	const struct docs_meta old = { .row = removed->row, .created_ns = removed->created_ns };
	int r = write_put_over(write, write->merged, 0, &old);

	if (r == 0)
		r = write->error = journal_drop(write->index->journal, removed->id);
	return r;
}

/* --- What scans find --- */

static bool
is_peoples(const struct query_property *property)
{
	return !property->readonly;
}

static bool
is_found(const struct over *over, const struct query_property *property)
{
	(void)over;
	return property->readonly;
}

/* Whether people gave the version DOC a value. */
static bool
has_peoples(const struct index_write *write, uint32_t doc)
{
	const struct view_schema *schema = write->schema;

	for (uint32_t i = 0; i < schema->n_columns; i++)
		if (schema->columns[i] && is_peoples(column_property(schema->columns[i])) &&
		    column_values(schema->columns[i], doc, NULL, 0) > 0)
			return true;
	return false;
}

static int
found_again(struct index_write *write, const struct index_document *document, uint32_t before)
{
	const struct over over = { .document = document };
	int r;

	if (!has_peoples(write, before))
		return index_write_put(write, document);
	r = merge(write, &over, &(struct under){ .doc = before }, document->id, is_found);
	if (r < 0)
		return write->error = r;
	return write_replace(write, write->merged, before);
}

/* There is no such document now, but perhaps there was one. */
static int
found_new(struct index_write *write, const struct index_document *document)
{
	CLEANUP(index_document) struct index_document *kept = NULL;
	const struct over over = { .document = document };
	struct journal_removed removed;
	int r = journal_find(write->index->journal, document->id, &removed);

	if (r == -ENOENT || (r == 0 && *removed.user))
		return index_write_put(write, document);
	if (r == 0)
		r = index_document_new(&kept);
	if (r == 0)
		r = read_removed(write, &removed, kept);
	if (r == 0)
		r = merge(write, &over, &(struct under){ .document = kept }, document->id,
			  is_found);
	return r < 0 ? (write->error = r) : put_back(write, &removed);
}

int
index_write_found(struct index_write *write, const struct index_document *document)
{
	uint32_t before;

	if (write->error < 0)
		return write->error;
	if (!document->sealed)
		return -EINVAL;
	before = write_live_doc(write, document->id);
	return before ? found_again(write, document, before) : found_new(write, document);
}

int
index_write_lose(struct index_write *write, int64_t id)
{
	uint32_t doc = write->error ? 0 : write_live_doc(write, id);

	return doc && has_peoples(write, doc) ? remove_and_keep(write, doc, NOBODY)
					      : index_write_remove(write, id);
}

int
index_write_inherit(struct index_write *write, int64_t heir, int64_t id)
{
	const struct view_schema *schema = write->schema;
	uint32_t from = write->error ? 0 : write_live_doc(write, id);
	uint32_t to = write->error ? 0 : write_live_doc(write, heir);
	int r;

	if (!from || !to)
		return write->error;
	r = begin_merged(write, heir);
	for (uint32_t i = 0; i < schema->n_columns && r == 0; i++) {
		const struct column *column = schema->columns[i];
		bool inherits;

		if (!column)
			continue;
		inherits = is_peoples(column_property(column)) &&
			   column_values(column, to, NULL, 0) == 0;
		r = add_column(write->merged, column, inherits ? from : to);
	}
	if (r == 0)
		r = index_document_seal(write->merged);
	return r < 0 ? r : write_replace(write, write->merged, to);
}

/* --- What people change --- */

static bool
is_patched(const struct over *over, const struct query_property *property)
{
	for (size_t i = 0; i < over->n_emptied; i++)
		if (over->emptied[i] == property)
			return true;
	return has_property(over->document, property);
}

int
index_write_patch(struct index_write *write, int64_t id, const struct index_document *patch,
		  const struct query_property *const *emptied, size_t n_emptied)
{
	const struct over over = { patch, emptied, n_emptied };
	uint32_t before;
	int r;

	if (!patch->sealed)
		return -EINVAL;
	if (write->error < 0)
		return write->error;
	before = write_live_doc(write, id);
	if (!before)
		return -ENOENT;
	if (is_upstreams(write, before))
		return -EROFS;
	r = merge(write, &over, &(struct under){ .doc = before }, id, is_patched);
	return r < 0 ? r : write_replace(write, write->merged, before);
}

int
index_write_delete(struct index_write *write, int64_t id, const char *user)
{
	uint32_t doc = write->error ? 0 : write_live_doc(write, id);

	if (write->error < 0)
		return write->error;
	if (!doc)
		return -ENOENT;
	return is_upstreams(write, doc) ? -EROFS : remove_and_keep(write, doc, user);
}

int
index_write_undelete(struct index_write *write, int64_t id)
{
	struct journal_removed removed;
	int r;

	if (write->error < 0)
		return write->error;
	if (write_live_doc(write, id))
		return -EEXIST;
	r = journal_find(write->index->journal, id, &removed);
	if (r == 0 && !*removed.user)
		r = -ENOENT; /* it comes back with its file */
	if (r == 0)
		r = begin_merged(write, id);
	if (r == 0)
		r = read_removed(write, &removed, write->merged);
	if (r == 0)
		r = index_document_seal(write->merged);
	return r < 0 ? r : put_back(write, &removed);
}
