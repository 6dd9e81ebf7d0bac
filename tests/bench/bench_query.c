/* Asks the log's queries of an index. */
#include "bench_pxs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#define PAGE 20
#define CURSOR_PAGE 1000
#define PASSES 3

/* --- From the log's conditions to a tree --- */

static const struct {
	const char *kind, *before, *after; /* around the text, in a query string */
} STRINGS[] = {
	{ "word", "", "" },	{ "any", "(", ")" },   { "phrase", "\"", "\"" },
	{ "prefix", "", "*" },	{ "infix", "*", "*" }, { "fuzzy1", "", "~1" },
	{ "fuzzy2", "", "~2" }, { "regex", "/", "/" }, { "not", "NOT ", "" },
};

static int
add_string(struct query *query, const struct corpus_condition *condition,
	   const struct query_schema *schema, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	for (size_t i = 0; i < sizeof(STRINGS) / sizeof(*STRINGS); i++) {
		if (strcmp(STRINGS[i].kind, condition->kind) != 0)
			continue;
		pxs_buf_add_str(&text, STRINGS[i].before);
		if (*condition->field)
			pxs_buf_addf(&text, "%s:", condition->field);
		pxs_buf_addf(&text, "%s%s", condition->text, STRINGS[i].after);
		return text.error < 0 ? text.error
				      : query_add_string(query, text.data, schema, err);
	}
	corpus_die("a condition of the kind %s", condition->kind);
}

/* Dates have to be dates, and '/' of a path %2F. */
static int
add_segment(struct query *query, const struct corpus_condition *condition,
	    const struct query_schema *schema, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf segment = PXS_BUF_INIT;
	const struct query_property *property = query_schema_find(schema, condition->field);
	const char *dots = strstr(condition->text, "..");

	pxs_buf_addf(&segment, "%s=", condition->field);
	if (property && property->type == QUERY_TYPE_DATETIME) {
		query_time_print(strtoll(condition->text, NULL, 10), &segment);
		pxs_buf_add_str(&segment, "..");
		query_time_print(strtoll(dots + 2, NULL, 10), &segment);
	} else {
		for (const char *at = condition->text; *at; at++)
			if (*at == '/')
				pxs_buf_add_str(&segment, "%2F");
			else
				pxs_buf_add(&segment, at, 1);
	}
	return segment.error < 0 ? segment.error
				 : query_add_segment(query, segment.data, schema, err);
}

int
bench_parse(const struct corpus_query *from, const struct query_schema *schema,
	    struct query **ret_query, struct pxs_error *err)
{
	CLEANUP(query) struct query *query = NULL;
	int r = query_new(&query);

	for (size_t i = 0; r == 0 && i < from->n_conditions; i++) {
		const struct corpus_condition *condition = &from->conditions[i];
		bool exact = strcmp(condition->kind, "is") == 0 ||
			     strcmp(condition->kind, "range") == 0;

		r = exact ? add_segment(query, condition, schema, err)
			  : add_string(query, condition, schema, err);
	}
	if (r == 0 && strcmp(from->action, "rank") == 0)
		r = query_set_sort(query, "-_score", schema, err);
	else if (r == 0 && *from->keys)
		r = query_set_sort(query, from->keys, schema, err);
	if (r == 0)
		*ret_query = STEAL(query);
	return r;
}

/* --- Actions: what is done with the hits; false: pxs did not do it --- */

static bool
count(struct index_hits *hits, const struct corpus_query *query)
{
	(void)query;
	(void)index_hits_count(hits);
	return true;
}

static bool
page(struct index_hits *hits, const struct corpus_query *query)
{
	uint32_t docs[PAGE];
	size_t n;

	if (index_hits_page(hits, query->offset, NULL, docs, PAGE, &n) < 0)
		corpus_die("cannot read a page");
	return true;
}

/* A page of thousands of hits in the order that it has without ranking was not ranked. */
static bool
rank(struct index_hits *hits, const struct corpus_query *query)
{
	uint32_t docs[PAGE];
	size_t n, ascending = 1;

	if (index_hits_page(hits, query->offset, NULL, docs, PAGE, &n) < 0)
		corpus_die("cannot read a page");
	corpus_stop();
	while (ascending < n && docs[ascending - 1] < docs[ascending])
		ascending++;
	return n < PAGE || ascending < n;
}

/* The thousand in the middle, as a listing that was left there goes on. */
static bool
cursor(struct index_hits *hits, const struct corpus_query *query)
{
	uint64_t row = index_view_count(index_hits_view(hits)) / 2 + query->number;
	uint32_t docs[CURSOR_PAGE];
	size_t n;

	if (index_hits_after(hits, row, NULL, docs, CURSOR_PAGE, &n) < 0)
		corpus_die("cannot go on");
	return true;
}

static bool
facets(struct index_hits *hits, const struct corpus_query *query)
{
	const struct index_facets *found;
	struct pxs_error err = { 0 };

	(void)query;
	corpus_start();
	if (index_hits_facets(hits, NULL, &found, &err) < 0)
		corpus_die("%s", err.text);
	corpus_stop();
	return true;
}

static const struct {
	const char *name;
	bool (*act)(struct index_hits *hits, const struct corpus_query *query);
} ACTIONS[] = {
	{ "count", count }, { "first", page },	  { "rank", rank },	{ "sort", page },
	{ "deep", page },   { "cursor", cursor }, { "facets", facets },
};

static bool
act(struct index_hits *hits, const struct corpus_query *query)
{
	for (size_t i = 0; i < sizeof(ACTIONS) / sizeof(*ACTIONS); i++)
		if (strcmp(ACTIONS[i].name, query->action) == 0)
			return ACTIONS[i].act(hits, query);
	corpus_die("the action %s", query->action);
}

/* --- Asking --- */

struct asker {
	struct index *index;
	unsigned int pass;
	struct index_view *view;
	struct corpus corpus;
	const struct query_property *properties[CORPUS_PROPERTIES_MAX];
	struct index_document *document; /* one of the index's, to be written again */
};

/* Writes one document again, so that what was found before is found anew. */
static void
new_generation(void *context, unsigned int pass)
{
	struct asker *asker = context;
	struct pxs_error err = { 0 };
	struct index_write *write;

	asker->pass = pass;
	if (pass == PASSES - 1)
		return;
	if (index_write_begin(asker->index, &write) < 0 ||
	    index_write_put(write, asker->document) < 0 || index_write_commit(write, &err) < 0)
		corpus_die("cannot write a document again: %s", err.text);
	index_view_put(asker->view);
	asker->view = index_view_get(asker->index);
}

static void
say_unsupported(const struct corpus_query *query, const struct pxs_error *err)
{
	if (query->number == 0)
		(void)fprintf(stderr, "pxs, %s: %s\n", query->query_class,
			      *err->text ? err->text : "not supported yet");
}

static int64_t
answer(void *context, const struct corpus_query *from)
{
	struct asker *asker = context;
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct pxs_error err = { 0 };

	if (bench_parse(from, index_view_schema(asker->view), &query, &err) < 0) {
		say_unsupported(from, &err);
		return CORPUS_UNSUPPORTED;
	}
	for (bool again = asker->pass == PASSES - 1;; again = false) {
		corpus_start();
		if (index_search(asker->view, query, NULL, &hits, &err) < 0) {
			say_unsupported(from, &err);
			return CORPUS_UNSUPPORTED;
		}
		if (!act(hits, from))
			return CORPUS_UNSUPPORTED;
		if (!again)
			break;
		index_hits_put(STEAL(hits));
	}
	return (int64_t)index_hits_count(hits);
}

void
bench_query(const char *corpus, const char *index, char **more)
{
	struct asker asker = { .index = bench_open(index, 0) };
	struct corpus_document first;
	struct corpus_log log;

	corpus_open(&asker.corpus, corpus, "documents.tsv");
	bench_declare(asker.index, &asker.corpus, asker.properties);
	if (!corpus_next(&asker.corpus, &first) || index_document_new(&asker.document) < 0)
		corpus_die("an empty corpus");
	bench_make(&asker.corpus, &first, asker.properties, asker.document);
	asker.view = index_view_get(asker.index);
	if (!more[0])
		corpus_die("how many seconds a class may take is missing");
	corpus_log_read(&log, corpus);
	if (more[1])
		corpus_log_keep(&log, more[1]);
	corpus_ask(&log, PASSES, strtod(more[0], NULL), new_generation, answer, &asker);
	corpus_print_memory();
	corpus_log_free(&log);
	index_document_free(asker.document);
	index_view_put(asker.view);
	corpus_close(&asker.corpus);
	index_close(asker.index);
}

void
bench_restart(const char *corpus, const char *index, char **more)
{
	int64_t started_ns = corpus_clock_ns();
	CLEANUP(index) struct index *opened = bench_open(index, 0);
	CLEANUP(index_view) struct index_view *view = index_view_get(opened);
	struct corpus_log log;
	struct asker asker = { .index = opened, .view = view };

	(void)more;
	corpus_print("open_ns", corpus_clock_ns() - started_ns);
	corpus_log_read(&log, corpus);
	if (answer(&asker, &log.queries[0]) < 0)
		corpus_die("no answer");
	corpus_print("restart_ns", corpus_clock_ns() - started_ns);
	corpus_print_memory();
	corpus_log_free(&log);
}
