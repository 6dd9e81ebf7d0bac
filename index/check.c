/* pxs check: the derived parts against the record. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "index/document.h"
#include "index/parts.h"

/* A damaged index has the same fault many times; a person needs a few. */
#define LINES_MAX 20

struct check {
	struct index *index;
	const struct index_view *view;
	const struct query_property **by_number;
	struct index_document *document;
	struct pxs_buf *report;
	uint64_t documents;
	unsigned int faults;
};

__attribute__((format(printf, 2, 3))) static void
fault(struct check *check, const char *fmt, ...)
{
	va_list args;
	char line[512];

	if (++check->faults > LINES_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	pxs_buf_addf(check->report, "%s\n", line);
}

static bool
has_value(const struct query_value *values, size_t n, const struct query_value *value)
{
	for (size_t i = 0; i < n; i++)
		if (query_value_compare(&values[i], value) == 0)
			return true;
	return false;
}

/* Values of the record, each once: a list keeps none twice. */
static size_t
count_expected(const struct index_document *document)
{
	const struct document_value *values = document->values;
	size_t n = 0;

	for (size_t i = 0; i < document->n_values; i++) {
		size_t before = 0;

		while (before < i && (values[before].property != values[i].property ||
				      query_value_compare(&values[before].value, &values[i].value)))
			before++;
		n += before == i;
	}
	return n;
}

static size_t
count_found(const struct view_schema *schema, uint32_t doc)
{
	size_t n = 0;

	for (uint32_t i = 0; i < schema->n_columns; i++)
		if (schema->columns[i])
			n += column_values(schema->columns[i], doc, NULL, 0);
	return n;
}

static void
check_values(struct check *check, const struct store_document *stored)
{
	struct query_value found[INDEX_LIST_MAX];
	const struct document_value *expected;
	size_t n;

	for (size_t i = 0; i < check->document->n_values; i++) {
		expected = &check->document->values[i];
		n = index_doc_values(check->view, stored->doc, expected->property, found,
				     INDEX_LIST_MAX);
		if (!has_value(found, n, &expected->value))
			fault(check, "columns: document %" PRId64 " has another %s than docs.db",
			      stored->meta.id, expected->property->name);
	}
	if (count_found(check->view->schema, stored->doc) != count_expected(check->document))
		fault(check, "columns: document %" PRId64 " has other values than docs.db",
		      stored->meta.id);
}

static int
check_document(void *context, const struct store_document *stored)
{
	struct check *check = context;
	uint32_t doc;
	int r;

	check->documents++;
	index_document_clear(check->document);
	r = document_from_record(check->document, stored->record, stored->record_len,
				 check->by_number, check->view->schema->n_columns);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		fault(check, "docs.db: the record of document %" PRId64 " is damaged",
		      stored->meta.id);
	else if (index_doc_find(check->view, stored->meta.id, &doc) < 0 || doc != stored->doc)
		fault(check, "columns: document %" PRId64 " is missing", stored->meta.id);
	else
		check_values(check, stored);
	return 0;
}

/* What is mapped may be right while the disk no longer has it. False: a file is damaged. */
static bool
check_files(struct check *check)
{
	char damaged[MANIFEST_NAME_MAX];
	unsigned int before = check->faults;
	uint32_t at = 0;

	while (segments_check(check->index, &at, damaged) == -EBADMSG)
		fault(check, "segments/%s: is damaged; the next start makes it anew", damaged);
	return check->faults == before;
}

static int
check_all(struct check *check)
{
	struct index *index = check->index;
	int r;

	r = store_check(index->store, check->report);
	if (r < 0)
		return r;
	check->faults += (unsigned int)r;
	r = fts_check(index->tables->fts, check->report);
	if (r < 0)
		return r;
	check->faults += (unsigned int)r;
	if (index->fts_seq != index->counters.seq)
		fault(check, "fts.db: stands at change %" PRIu64 ", docs.db at %" PRIu64,
		      index->fts_seq, index->counters.seq);
	if (!check_files(check))
		return 0; /* the values in them could lead anywhere */
	r = store_documents(index->store, check_document, check);
	if (r == 0 && check->documents != check->view->count)
		fault(check, "columns: %" PRIu64 " documents, docs.db has %" PRIu64,
		      check->view->count, check->documents);
	return r;
}

int
index_check(struct index *index, struct pxs_buf *report)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	CLEANUP(index_view) struct index_view *view = NULL;
	struct check check = { .index = index, .report = report };
	int r;

	r = index_document_new(&document);
	if (r < 0)
		return r;
	turn_take(&index->write_turn);
	view = index_view_get(index);
	check.view = view;
	check.document = document;
	check.by_number = view_schema_by_number(view->schema);
	r = check.by_number ? check_all(&check) : -ENOMEM;
	turn_end(&index->write_turn);
	free(check.by_number);
	if (r == 0 && report->error)
		r = report->error;
	return r < 0 ? r : check.faults > 0;
}
