/* Loads a corpus as an ingest does: prepared documents, one writer, 20,000 a transaction. */
#include "bench_pxs.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

#define BATCH 20000
#define QUEUE 256 /* documents that wait for the writer */

struct loader {
	struct corpus corpus;
	const struct query_property *properties[CORPUS_PROPERTIES_MAX];
	struct index *index;
	struct index_write *write;
	uint64_t n;

	/* Documents made ahead: made - taken of them wait, from taken on, around a ring. */
	struct index_document *ring[QUEUE];
	uint64_t made, taken;
	bool ended;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

static void
commit(struct loader *loader)
{
	struct pxs_error err = { 0 };

	if (index_write_commit(loader->write, &err) < 0)
		corpus_die("%s", err.text);
	loader->write = NULL;
}

static void
put(struct loader *loader, const struct index_document *document)
{
	if (!loader->write && index_write_begin(loader->index, &loader->write) < 0)
		corpus_die("cannot begin to write");
	if (index_write_put(loader->write, document) < 0)
		corpus_die("cannot write a document");
	if (++loader->n % BATCH == 0)
		commit(loader);
}

/* --- One thread --- */

static void
load_alone(struct loader *loader)
{
	struct corpus_document from;

	while (corpus_next(&loader->corpus, &from)) {
		bench_make(&loader->corpus, &from, loader->properties, loader->ring[0]);
		put(loader, loader->ring[0]);
	}
}

/* --- Two threads --- */

static void *
make_ahead(void *context)
{
	struct loader *loader = context;
	struct corpus_document from;

	while (corpus_next(&loader->corpus, &from)) {
		(void)pthread_mutex_lock(&loader->lock);
		while (loader->made - loader->taken == QUEUE)
			(void)pthread_cond_wait(&loader->changed, &loader->lock);
		(void)pthread_mutex_unlock(&loader->lock);
		bench_make(&loader->corpus, &from, loader->properties,
			   loader->ring[loader->made % QUEUE]);
		(void)pthread_mutex_lock(&loader->lock);
		loader->made++;
		(void)pthread_cond_signal(&loader->changed);
		(void)pthread_mutex_unlock(&loader->lock);
	}
	(void)pthread_mutex_lock(&loader->lock);
	loader->ended = true;
	(void)pthread_cond_signal(&loader->changed);
	(void)pthread_mutex_unlock(&loader->lock);
	return NULL;
}

/* Waits for a document; false when there are no more. */
static bool
await(struct loader *loader)
{
	bool any;

	(void)pthread_mutex_lock(&loader->lock);
	while (loader->made == loader->taken && !loader->ended)
		(void)pthread_cond_wait(&loader->changed, &loader->lock);
	any = loader->made > loader->taken;
	(void)pthread_mutex_unlock(&loader->lock);
	return any;
}

static void
load_beside(struct loader *loader)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, make_ahead, loader) != 0)
		corpus_die("cannot start a thread");
	while (await(loader)) {
		put(loader, loader->ring[loader->taken % QUEUE]);
		(void)pthread_mutex_lock(&loader->lock);
		loader->taken++;
		(void)pthread_cond_signal(&loader->changed);
		(void)pthread_mutex_unlock(&loader->lock);
	}
	(void)pthread_join(thread, NULL);
}

/* What the index does by itself when nobody writes, and what other engines are told to do. */
static void
merge(struct index *index)
{
	int64_t started_ns = corpus_clock_ns();
	struct index_stats stats = { .merge_is_due = true };

	while (stats.merge_is_due && index_stats(index, &stats) == 0)
		(void)usleep(100000);
	corpus_print("merge_ns", corpus_clock_ns() - started_ns);
}

void
bench_load(const char *corpus, const char *index, char **more)
{
	struct loader loader = { .lock = PTHREAD_MUTEX_INITIALIZER,
				 .changed = PTHREAD_COND_INITIALIZER };
	int64_t started_ns;

	corpus_open(&loader.corpus, corpus, "documents.tsv");
	loader.index = bench_open(index, INDEX_CREATE);
	bench_declare(loader.index, &loader.corpus, loader.properties);
	for (size_t i = 0; i < QUEUE; i++)
		if (index_document_new(&loader.ring[i]) < 0)
			corpus_die("out of memory");

	started_ns = corpus_clock_ns();
	if (*more && **more == '2')
		load_beside(&loader);
	else
		load_alone(&loader);
	if (loader.write)
		commit(&loader);
	corpus_print("load_ns", corpus_clock_ns() - started_ns);
	corpus_print("load_cpu_ns", corpus_cpu_ns());
	corpus_print("documents", (int64_t)loader.n);
	corpus_print_memory();

	merge(loader.index);

	for (size_t i = 0; i < QUEUE; i++)
		index_document_free(loader.ring[i]);
	corpus_close(&loader.corpus);
	started_ns = corpus_clock_ns();
	index_close(loader.index);
	corpus_print("close_ns", corpus_clock_ns() - started_ns);
}
