/* Measures the engine of pxs on a corpus (corpus.h):
 *
 *     bench_pxs load CORPUS INDEX [2]           documents a second; 2: a thread prepares them
 *     bench_pxs query CORPUS INDEX S [CLASS]    times of the queries, about S seconds a class;
 *                                              only of classes whose name begins with CLASS
 *     bench_pxs restart CORPUS INDEX            from opening the index to the first answer
 *     bench_pxs live CORPUS INDEX               single-document commits beside a reader
 *
 * Prints lines of a name and a value, and for queries "PASS class number hits nanoseconds": in pass
 * 0 a query is asked for the first time, in pass 1 again of a new generation, which keeps no
 * results, in pass 2 twice in a row, of which the second is timed. */
#include "bench_pxs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* --- The schema and the documents, as the index takes them --- */

static const enum query_type TYPES[] = {
	['s'] = QUERY_TYPE_STRING, ['i'] = QUERY_TYPE_INTEGER, ['l'] = QUERY_TYPE_LONG,
	['d'] = QUERY_TYPE_DOUBLE, ['b'] = QUERY_TYPE_BOOLEAN, ['t'] = QUERY_TYPE_DATETIME,
};

void
bench_declare(struct index *index, const struct corpus *corpus,
	      const struct query_property **properties)
{
	struct pxs_error err = { 0 };

	for (size_t i = 0; i < corpus->n_properties; i++) {
		struct query_property property = {
			.name = corpus->properties[i].name,
			.prompt = corpus->properties[i].name,
			.type = TYPES[(unsigned char)corpus->properties[i].type],
			.multi = corpus->properties[i].multi,
			.filter = true,
		};

		if (index_property_add(index, &property, &properties[i], &err) < 0)
			corpus_die("%s", err.text);
	}
}

static int
add_value(struct index_document *document, const struct query_property *property, const char *text)
{
	struct query_value value = { .type = property->type };

	switch (property->type) {
	case QUERY_TYPE_STRING:
		return index_document_add_string(document, property, text, strlen(text));
	case QUERY_TYPE_DOUBLE:
		value.real = strtod(text, NULL);
		break;
	default:
		value.integer = strtoll(text, NULL, 10);
		break;
	}
	return index_document_add(document, property, &value);
}

void
bench_make(const struct corpus *corpus, struct corpus_document *from,
	   const struct query_property *const *properties, struct index_document *document)
{
	int r = 0;

	index_document_clear(document);
	index_document_set_id(document, from->id);
	for (size_t i = 0; r == 0 && i < corpus->n_properties; i++) {
		char *rest = from->values[i];

		for (char *text; r == 0 && (text = corpus_element(&rest));)
			r = add_value(document, properties[i], text);
	}
	if (r == 0)
		r = index_document_seal(document);
	if (r < 0)
		corpus_die("document %lld: %s", (long long)from->id, strerror(-r));
}

struct index *
bench_open(const char *dir, unsigned int flags)
{
	struct pxs_error err = { 0 };
	struct index *index;

	if (index_open(dir, flags, &index, &err) < 0)
		corpus_die("%s", err.text);
	return index;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *corpus, const char *index, char **more);
	} VERBS[] = {
		{ "load", bench_load },
		{ "query", bench_query },
		{ "restart", bench_restart },
		{ "live", bench_live },
	};

	for (size_t i = 0; argc >= 4 && i < sizeof(VERBS) / sizeof(*VERBS); i++)
		if (strcmp(VERBS[i].name, argv[1]) == 0) {
			VERBS[i].run(argv[2], argv[3], argv + 4);
			return 0;
		}
	(void)fprintf(stderr, "usage: bench_pxs load|query|restart|live CORPUS INDEX [...]\n");
	return 2;
}
