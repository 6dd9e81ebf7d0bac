#include "index/tables.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/docs.h"
#include "index/document.h"
#include "index/fts.h"
#include "index/parts.h"
#include "index/segments.h"

/* --- The text file --- */

/* The first is fts.db, those of later tables fts-N.db. */
static int
text_name(uint64_t number, char name[NAME_MAX])
{
	int len = number ? snprintf(name, NAME_MAX, "fts-%llu.db", (unsigned long long)number)
			 : snprintf(name, NAME_MAX, "fts.db");

	return len < NAME_MAX ? 0 : -ENAMETOOLONG;
}

struct tables_opening {
	char path[PATH_MAX];
	pthread_t thread;
	bool runs;
	struct fts *fts;
	uint64_t seq;
	struct pxs_error err;
	int r;
};

static void *
open_text(void *context)
{
	struct tables_opening *opening = context;

	opening->r = fts_open(opening->path, &opening->fts, &opening->seq, &opening->err);
	return NULL;
}

static int
start_opening(struct tables *tables, const char *dir)
{
	struct tables_opening *opening = calloc(1, sizeof(*opening));
	char name[NAME_MAX];
	int r = opening ? text_name(tables->number, name) : -ENOMEM;

	tables->opening = opening;
	if (r == 0 && snprintf(opening->path, sizeof(opening->path), "%s/%s", dir, name) >=
			      (int)sizeof(opening->path))
		r = -ENAMETOOLONG;
	if (r == 0)
		opening->runs = pthread_create(&opening->thread, NULL, open_text, opening) == 0;
	return r;
}

/* Without a thread it opens now. */
static void
end_opening(struct tables_opening *opening)
{
	if (opening->runs)
		(void)pthread_join(opening->thread, NULL);
	else
		(void)open_text(opening);
}

int
tables_open_text(struct tables *tables, uint64_t *ret_seq, struct pxs_error *err)
{
	CLEANUP(free) struct tables_opening *opening = STEAL(tables->opening);

	end_opening(opening);
	tables->fts = opening->fts;
	if (opening->r < 0 && *opening->err.text)
		return pxs_error_set(err, opening->r, -1, "%s", opening->err.text);
	if (opening->r < 0)
		return opening->r;
	*ret_seq = opening->seq;
	return 0;
}

void
tables_sweep(const char *dir, uint64_t number)
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;
	char kept[NAME_MAX];

	if (!entries)
		return;
	if (text_name(number, kept) == 0)
		while ((entry = readdir(entries)))
			if (strncmp(entry->d_name, "fts", 3) == 0 &&
			    strncmp(entry->d_name, kept, strlen(kept)) != 0)
				(void)unlinkat(dirfd(entries), entry->d_name, 0);
	(void)closedir(entries);
}

/* --- All of them --- */

int
tables_new(const char *dir, uint64_t number, struct tables **ret_tables)
{
	CLEANUP(tables) struct tables *tables = calloc(1, sizeof(*tables));
	int r;

	if (!tables)
		return -ENOMEM;
	tables->number = number;
	r = start_opening(tables, dir);
	if (r == 0)
		r = docs_new(&tables->docs);
	if (r == 0)
		r = segments_open(dir, &tables->segments);
	if (r == 0)
		r = relevance_init(&tables->relevance);
	if (r == 0)
		*ret_tables = STEAL(tables);
	return r;
}

void
tables_free(struct tables *tables)
{
	if (!tables)
		return;
	if (tables->opening && tables->opening->runs) {
		(void)pthread_join(tables->opening->thread, NULL);
		tables->fts = tables->opening->fts;
	}
	free(tables->opening);
	relevance_done(&tables->relevance);
	if (tables->schema)
		view_schema_free_columns(tables->schema);
	view_schema_unref(tables->schema);
	docs_free(tables->docs);
	segments_close(tables->segments);
	fts_close(tables->fts);
	free(tables);
}

int
tables_put(struct tables *tables, const struct view_schema *schema, uint32_t doc,
	   const struct docs_meta *meta, const struct index_document *document)
{
	int r = fts_put(tables->fts, doc, document->stream.data, document->stream.len);

	if (r == 0)
		r = docs_add(tables->docs, doc, meta);
	return r < 0 ? r : index_fill_columns(schema, doc, document);
}

static void
end_tables(struct retired *retired)
{
	struct tables *tables = container_of(retired, struct tables, retired);

	atomic_fetch_sub(tables->held, 1);
	fts_discard(STEAL(tables->fts));
	tables_free(tables);
}

void
tables_retire(struct tables *tables, struct view_schema *schema, struct epoch *epoch,
	      atomic_uint *held)
{
	tables->schema = schema;
	tables->held = held;
	tables->retired.end = end_tables;
	atomic_fetch_add(held, 1);
	epoch_retire(epoch, &tables->retired);
}
