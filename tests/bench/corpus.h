/* corpus.h - reads what bench_corpus wrote: documents and a log of queries, the same for pxs and
 * for every peer, so that all of them answer the same questions about the same data.
 *
 * These are programs of a benchmark: on any failure they say why and exit. */
#ifndef PXS_BENCH_CORPUS_H
#define PXS_BENCH_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORPUS_PROPERTIES_MAX 64
#define CORPUS_CONDITIONS_MAX 8

struct corpus_property {
	char name[32];
	char type; /* s: string, i: 32 bits, l: 64 bits, d: double, b: boolean, t: ns since 1970 */
	bool multi;
};

struct corpus {
	struct corpus_property properties[CORPUS_PROPERTIES_MAX];
	size_t n_properties;
	FILE *file;
	char *line;
	size_t line_size;
	uint64_t n_read;
};

struct corpus_document {
	int64_t id;
	uint64_t number;		     /* 1, 2, 3 ... */
	char *values[CORPUS_PROPERTIES_MAX]; /* NULL: none; of lists, parted by '|' */
};

/* FILE is "documents.tsv" or "live.tsv" in folder DIR. */
void corpus_open(struct corpus *corpus, const char *dir, const char *file);
/* False at the end. The values are lent until the next call, and the caller may change them. */
bool corpus_next(struct corpus *corpus, struct corpus_document *document);
void corpus_close(struct corpus *corpus);
/* Its place among the properties. */
size_t corpus_find(const struct corpus *corpus, const char *name);

/* Adds the words of TEXT to WORDS, parted by blanks; the same as pxs finds, as the corpus has only
 * lower case ASCII and no marks that join words. Returns their number. */
size_t corpus_words(const char *text, char *words, size_t size);

/* The next element of a list, which ends up NUL-terminated; NULL at the end. */
char *corpus_element(char **rest);

/* One condition of a query; all of them hold. */
struct corpus_condition {
	char *kind;  /* word any phrase prefix infix fuzzy1 fuzzy2 regex not is range all */
	char *field; /* "": anywhere */
	char *text;  /* of range: LOW..HIGH, half-open, either may be empty */
};

struct corpus_query {
	char *query_class;
	unsigned int number; /* within its class, from 0 */
	char *action;	     /* count first rank sort deep cursor facets */
	char *keys;	     /* of sort and deep: "-file.size,file.name" */
	uint64_t offset;     /* of deep and cursor */
	struct corpus_condition conditions[CORPUS_CONDITIONS_MAX];
	size_t n_conditions;
};

struct corpus_log {
	struct corpus_query *queries;
	size_t n_queries;
	char *text;
};

/* DIR/queries.tsv; queries of one class stand together. */
void corpus_log_read(struct corpus_log *log, const char *dir);
/* Only the classes whose name begins with START. */
void corpus_log_keep(struct corpus_log *log, const char *start);
void corpus_log_free(struct corpus_log *log);

/* Answers QUERY and returns the number of hits, having called corpus_start() after what is not to
 * be timed (parsing the query; for facets, also the search). Else: */
#define CORPUS_UNSUPPORTED (-1) /* cannot answer it */
#define CORPUS_UNCOUNTED (-2)	/* answered without counting, as nothing counts on the way */
typedef int64_t corpus_answer(void *context, const struct corpus_query *query);

void corpus_start(void);
/* The answer is there: what follows (freeing it) is not timed. */
void corpus_stop(void);

/* Asks all queries of LOG, PASS by pass, and prints "PASS class number hits nanoseconds" for each;
 * leaves a class when it took BUDGET_S seconds and 5 answers. BEFORE, if any, is called before each
 * class in each pass. */
void corpus_ask(const struct corpus_log *log, unsigned int passes, double budget_s,
		void (*before)(void *context, unsigned int pass), corpus_answer *answer,
		void *context);

int64_t corpus_clock_ns(void); /* steady */
int64_t corpus_cpu_ns(void);   /* of this process, all threads */
/* Prints "NAME value". */
void corpus_print(const char *name, int64_t value);
/* Prints the memory of this process as "rss_bytes" and "rss_anonymous_bytes". */
void corpus_print_memory(void);

__attribute__((noreturn, format(printf, 1, 2))) void corpus_die(const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
