/* How soon an index answers after a start, and what it takes in memory and on disk.
 *
 *     bench_restart fill DIR DOCUMENTS   makes an index of documents with 50 properties
 *     bench_restart open DIR             opens it, asks once, and says what that took
 *
 * Of the properties, 15 have few values, 10 have hundreds, 5 are nearly unique, 2 are lists and 18
 * are numbers and dates; every second one is missing in three documents of five. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "index/index.h"
#include "query/query.h"

#define PROPERTIES 50
#define PER_WRITE 10000

enum kind { FEW, HUNDREDS, UNIQUE, LIST, SMALL, SIZE, DATE, MOMENT };

static const struct query_property *properties[PROPERTIES];
static char names[PROPERTIES][16];

static void
die(const char *what, const struct pxs_error *err)
{
	(void)fprintf(stderr, "bench_restart: %s: %s\n", what, err->text);
	exit(1);
}

static enum kind
kind_of(size_t i)
{
	if (i < 15)
		return FEW;
	if (i < 25)
		return HUNDREDS;
	if (i < 30)
		return UNIQUE;
	if (i < 32)
		return LIST;
	return SMALL + (i - 32) % 4;
}

static void
declare(struct index *index)
{
	struct pxs_error err = { 0 };

	for (size_t i = 0; i < PROPERTIES; i++) {
		enum kind kind = kind_of(i);
		struct query_property property = { .name = names[i], .prompt = "", .filter = true };

		(void)snprintf(names[i], sizeof(names[i]), "p.n%02zu", i);
		property.type = kind <= LIST   ? QUERY_TYPE_STRING
				: kind >= DATE ? QUERY_TYPE_DATETIME
					       : QUERY_TYPE_LONG;
		property.multi = kind == LIST;
		if (index_property_add(index, &property, &properties[i], &err) < 0)
			die("cannot declare", &err);
	}
}

static uint32_t
skewed(uint32_t distinct)
{
	return (uint32_t)exp(log((double)distinct + 1) * ((double)random() / RAND_MAX)) - 1;
}

static void
add_string(struct index_document *document, size_t i, const char *word, uint64_t number)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%s%" PRIu64, word, number);

	if (index_document_add_string(document, properties[i], text, (size_t)len) < 0)
		die("cannot add", &(struct pxs_error){ 0 });
}

static int64_t
make_number(enum kind kind)
{
	if (kind == SMALL)
		return random() % 40;
	if (kind == SIZE)
		return (int64_t)exp(24 * ((double)random() / RAND_MAX));
	if (kind == DATE) /* whole seconds of two years */
		return (1700000000 + random() % 63072000) * PXS_NS_PER_S;
	return 1700000000 * PXS_NS_PER_S + (int64_t)random() * 29000000 + random() % 1000;
}

static void
add_value(struct index_document *document, size_t i, uint64_t number)
{
	enum kind kind = kind_of(i);

	if (i % 2 && random() % 5 < 3)
		return;
	switch (kind) {
	case FEW:
		add_string(document, i, "kind", skewed(100));
		break;
	case HUNDREDS:
		add_string(document, i, "word", skewed(4000));
		break;
	case UNIQUE:
		add_string(document, i, "some/folder/of/file", number * 7919 % 100000007);
		break;
	case LIST:
		for (long n = random() % 4; n >= 0; n--)
			add_string(document, i, "tag", skewed(500));
		break;
	default:
		if (index_document_add_int(document, properties[i], make_number(kind)) < 0)
			die("cannot add", &(struct pxs_error){ 0 });
	}
}

static void
make(struct index_document *document, uint64_t number)
{
	index_document_clear(document);
	index_document_set_id(document, (int64_t)number);
	for (size_t i = 0; i < PROPERTIES; i++)
		add_value(document, i, number);
	if (index_document_seal(document) < 0)
		die("cannot seal", &(struct pxs_error){ 0 });
}

static void
fill(struct index *index, uint64_t documents)
{
	struct index_document *document;
	struct index_write *write = NULL;
	struct pxs_error err = { 0 };

	declare(index);
	if (index_document_new(&document) < 0)
		die("no memory", &err);
	for (uint64_t number = 1; number <= documents; number++) {
		make(document, number);
		if (!write && index_write_begin(index, &write) < 0)
			die("cannot begin", &err);
		if (index_write_put(write, document) < 0)
			die("cannot put", &err);
		if (number % PER_WRITE == 0 || number == documents) {
			if (index_write_commit(write, &err) < 0)
				die("cannot commit", &err);
			write = NULL;
		}
	}
	index_document_free(document);
}

static void
print_memory(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Rss", 3) == 0 || strncmp(line, "VmRSS", 5) == 0 ||
		    strncmp(line, "VmHWM", 5) == 0)
			(void)fputs(line, stdout);
	if (file)
		(void)fclose(file);
}

/* One question that reads columns, words and facets. */
static void
ask(struct index *index)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(query) struct query *query = NULL;
	const struct index_facets *facets = NULL;
	struct pxs_error err = { 0 };
	const struct query_schema *schema = index_view_schema(view);

	if (query_new(&query) < 0 || query_add_segment(query, "p.n00=kind3", schema, &err) < 0 ||
	    query_add_segment(query, "p.n32=7..9", schema, &err) < 0 ||
	    index_search(view, query, NULL, &hits, &err) < 0 ||
	    index_hits_facets(hits, NULL, &facets, &err) < 0)
		die("cannot ask", &err);
	(void)printf("%" PRIu64 " hits, %zu facets\n", index_hits_count(hits), facets->n_facets);
}

int
main(int argc, char **argv)
{
	int64_t started_ns = pxs_clock_steady_ns();
	struct index_stats stats;
	struct pxs_error err = { 0 };
	struct index *index;
	bool filling = argc == 4 && strcmp(argv[1], "fill") == 0;

	if (!filling && !(argc == 3 && strcmp(argv[1], "open") == 0)) {
		(void)fprintf(stderr, "usage: bench_restart fill DIR DOCUMENTS | open DIR\n");
		return 2;
	}
	if (index_open(argv[2], filling ? INDEX_CREATE : 0, &index, &err) < 0)
		die("cannot open", &err);
	if (filling)
		fill(index, strtoull(argv[3], NULL, 10));
	else
		ask(index);
	(void)printf("%s %.3f s\n", argv[1],
		     (double)(pxs_clock_steady_ns() - started_ns) / PXS_NS_PER_S);
	print_memory();
	if (index_stats(index, &stats) == 0)
		(void)printf("documents %" PRIu64 " docs.db %" PRIu64 " fts.db %" PRIu64
			     " columns %" PRIu64 " bytes a document\n",
			     stats.documents, stats.docs_bytes / stats.documents,
			     stats.fts_bytes / stats.documents,
			     stats.column_bytes / stats.documents);
	started_ns = pxs_clock_steady_ns();
	index_close(index);
	(void)printf("close %.3f s\n", (double)(pxs_clock_steady_ns() - started_ns) / PXS_NS_PER_S);
	return 0;
}
