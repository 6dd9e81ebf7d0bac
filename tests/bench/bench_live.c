/* Writes documents one by one while another thread searches and a third party holds an old view, as
 * an open directory does. */
#include "bench_pxs.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

#define SECONDS 10
#define COMMITS_MAX 100000
#define STAT_EVERY 200 /* commits between two looks at the size of the logs */

struct live {
	struct index *index;
	const char *dir;
	struct corpus_log log;
	atomic_bool ended;
	int64_t searches;
	int64_t times[COMMITS_MAX];
	size_t n;
	int64_t wal_bytes;
};

/* Asks everything but facets, again and again, always of the newest view. */
static void *
search(void *context)
{
	struct live *live = context;

	for (size_t i = 0; !live->ended; i = (i + 101) % live->log.n_queries) {
		CLEANUP(index_view) struct index_view *view = index_view_get(live->index);
		CLEANUP(query) struct query *query = NULL;
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		struct pxs_error err = { 0 };
		uint32_t docs[20];
		size_t n;

		if (strcmp(live->log.queries[i].action, "facets") == 0 ||
		    bench_parse(&live->log.queries[i], index_view_schema(view), &query, &err) < 0 ||
		    index_search(view, query, NULL, &hits, &err) < 0)
			continue;
		if (index_hits_page(hits, 0, NULL, docs, 20, &n) < 0)
			corpus_die("cannot read a page");
		live->searches++;
	}
	return NULL;
}

/* The logs of SQLite, together. */
static int64_t
wal_bytes(const char *dir)
{
	DIR *stream = opendir(dir);
	char path[PATH_MAX];
	int64_t bytes = 0;
	struct stat st;

	for (const struct dirent *entry; stream && (entry = readdir(stream));) {
		size_t len = strlen(entry->d_name);

		(void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (len > 4 && strcmp(entry->d_name + len - 4, "-wal") == 0 && stat(path, &st) == 0)
			bytes += st.st_size;
	}
	if (stream)
		(void)closedir(stream);
	return bytes;
}

static void
commit_one(struct live *live, const struct index_document *document)
{
	struct pxs_error err = { 0 };
	struct index_write *write;
	int64_t started_ns = corpus_clock_ns(), bytes;

	if (index_write_begin(live->index, &write) < 0 || index_write_put(write, document) < 0 ||
	    index_write_commit(write, &err) < 0)
		corpus_die("cannot commit a document: %s", err.text);
	live->times[live->n++] = corpus_clock_ns() - started_ns;
	if (live->n % STAT_EVERY == 0) {
		bytes = wal_bytes(live->dir);
		live->wal_bytes = bytes > live->wal_bytes ? bytes : live->wal_bytes;
	}
}

/* Every other document replaces the one before it. */
static void
write_documents(struct live *live, struct corpus *corpus,
		const struct query_property *const *properties)
{
	int64_t until_ns = corpus_clock_ns() + SECONDS * INT64_C(1000000000);
	struct index_document *document;
	struct corpus_document from;
	int64_t before = 0;

	if (index_document_new(&document) < 0)
		corpus_die("out of memory");
	while (live->n < COMMITS_MAX && corpus_clock_ns() < until_ns &&
	       corpus_next(corpus, &from)) {
		from.id = from.number % 2 ? from.id : before;
		before = from.id;
		bench_make(corpus, &from, properties, document);
		commit_one(live, document);
	}
	index_document_free(document);
}

static int
compare_times(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

void
bench_live(const char *corpus, const char *index, char **more)
{
	const struct query_property *properties[CORPUS_PROPERTIES_MAX];
	struct live *live = calloc(1, sizeof(*live));
	struct index_view *held;
	struct corpus documents;
	int64_t started_ns;
	pthread_t reader;

	(void)more;
	if (!live)
		corpus_die("out of memory");
	live->dir = index;
	live->index = bench_open(index, 0);
	corpus_open(&documents, corpus, "live.tsv");
	bench_declare(live->index, &documents, properties);
	corpus_log_read(&live->log, corpus);
	held = index_view_get(live->index);
	if (pthread_create(&reader, NULL, search, live) != 0)
		corpus_die("cannot start a thread");

	started_ns = corpus_clock_ns();
	write_documents(live, &documents, properties);
	corpus_print("live_ns", corpus_clock_ns() - started_ns);
	live->ended = true;
	(void)pthread_join(reader, NULL);
	index_view_put(held);

	qsort(live->times, live->n, sizeof(*live->times), compare_times);
	corpus_print("live_commits", (int64_t)live->n);
	corpus_print("live_searches", live->searches);
	corpus_print("live_p50_ns", live->times[live->n / 2]);
	corpus_print("live_p99_ns", live->times[live->n * 99 / 100]);
	corpus_print("live_max_ns", live->times[live->n - 1]);
	corpus_print("live_wal_bytes", live->wal_bytes);
	corpus_close(&documents);
	corpus_log_free(&live->log);
	index_close(live->index);
	free(live);
}
