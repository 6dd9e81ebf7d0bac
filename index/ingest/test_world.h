/* test_world.h - a tree, an index and the ingest between them, for tests: every document compared
 * with what nftw(3) finds. */
#ifndef PXS_INDEX_INGEST_TEST_WORLD_H
#define PXS_INDEX_INGEST_TEST_WORLD_H

#include <ftw.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "index/index.h"
#include "index/ingest/ingest.h"
#include "index/ingest/test_tree.h"

static struct tree tree;       /* what is ingested */
static struct tree index_tree; /* where the index is */
static struct index *index_;
static struct ingest *ingest;

static inline void
open_world_in(const char *dir)
{
	struct pxs_error err = { 0 };

	if (index_open(dir, INDEX_CREATE, &index_, &err) < 0 ||
	    ingest_open(index_, &ingest, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void
open_world(void)
{
	open_world_in(index_tree.path);
}

static inline void
close_world(void)
{
	ingest_close(STEAL(ingest));
	index_close(STEAL(index_));
}

static inline int
setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_make(&index_tree);
	open_world();
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	close_world();
	tree_done(&index_tree);
	tree_done(&tree);
	return 0;
}

/* --- Jobs --- */

static inline int
submit(const char *path, bool mass, bool forget, uint64_t *ret_job, struct pxs_error *err)
{
	const struct ingest_request request = {
		.path = path,
		.allow_mass_removal = mass,
		.forget = forget,
	};

	return ingest_submit(ingest, &request, ret_job, err);
}

static inline struct ingest_status
wait_for(uint64_t job)
{
	struct ingest_status status;

	for (;;) {
		assert_int_equal(ingest_status(ingest, job, &status), 0);
		if (status.state >= INGEST_DONE)
			return status;
		(void)usleep(1000);
	}
}

static inline struct ingest_status
run(const char *path, bool mass, bool forget)
{
	struct pxs_error err = { 0 };
	uint64_t job = 0;

	if (submit(path, mass, forget, &job, &err) < 0)
		fail_msg("%s", err.text);
	return wait_for(job);
}

static inline struct ingest_status
scan(void)
{
	struct ingest_status status = run(tree.path, false, false);

	if (status.state != INGEST_DONE)
		fail_msg("state %d: %s", status.state, status.reason);
	return status;
}

static inline void
assert_counts(const struct ingest_status *status, uint64_t added, uint64_t changed,
	      uint64_t renamed, uint64_t removed, uint64_t unchanged)
{
	assert_int_equal(status->added, added);
	assert_int_equal(status->changed, changed);
	assert_int_equal(status->renamed, renamed);
	assert_int_equal(status->removed, removed);
	assert_int_equal(status->unchanged, unchanged);
}

/* --- Documents, and files by other means, as lines to compare --- */

struct lines {
	char **items;
	size_t n;
};

static inline void
add_line(struct lines *lines, char *line)
{
	lines->items = reallocarray(lines->items, lines->n + 1, sizeof(*lines->items));
	assert_non_null(lines->items);
	lines->items[lines->n++] = line;
}

static inline int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void
sort(struct lines *lines)
{
	if (lines->n > 0)
		qsort(lines->items, lines->n, sizeof(*lines->items), compare);
}

static inline void
lines_cleanup(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->items[i]);
	free(lines->items);
}

static inline char *
line_of(const char *path, const int64_t numbers[8])
{
	char *line = NULL;

	assert_true(asprintf(&line,
			     "%s size %" PRId64 " mode %" PRIo64 " uid %" PRId64 " gid %" PRId64
			     " nlink %" PRId64 " inode %" PRId64 " mtime %" PRId64
			     " ctime %" PRId64,
			     path, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
			     numbers[5], numbers[6], numbers[7]) > 0);
	return line;
}

static struct lines *nftw_lines;

static inline int
on_nftw(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	const int64_t numbers[] = {
		stat->st_size,
		stat->st_mode,
		stat->st_uid,
		stat->st_gid,
		(int64_t)stat->st_nlink,
		(int64_t)stat->st_ino,
		stat->st_mtim.tv_sec * PXS_NS_PER_S + stat->st_mtim.tv_nsec,
		stat->st_ctim.tv_sec * PXS_NS_PER_S + stat->st_ctim.tv_nsec,
	};

	(void)type;
	if (ftw->level > 0)
		add_line(nftw_lines, line_of(path, numbers));
	return 0;
}

static inline const struct query_property *
property(const struct index_view *view, const char *name)
{
	const struct query_property *found = query_schema_find(index_view_schema(view), name);

	assert_non_null(found);
	return found;
}

static inline void
path_of(const struct index_view *view, uint32_t doc, struct pxs_buf *path)
{
	struct query_value value;

	pxs_buf_clear(path);
	if (index_doc_value(view, doc, property(view, "_index.path"), &value)) {
		pxs_percent_decode(path, value.string, strlen(value.string));
	} else {
		assert_true(index_doc_value(view, doc, property(view, "core.pathname"), &value));
		pxs_buf_add_str(path, value.string);
	}
}

static inline int64_t
number_of(const struct index_view *view, uint32_t doc, const char *name)
{
	struct query_value value;

	if (!index_doc_value(view, doc, property(view, name), &value))
		fail_msg("document %u has no %s", doc, name);
	return value.integer;
}

static inline char *
line_of_doc(const struct index_view *view, uint32_t doc)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	const int64_t numbers[] = {
		number_of(view, doc, "core.size"),
		number_of(view, doc, "core.mode"),
		number_of(view, doc, "core.uid"),
		number_of(view, doc, "core.gid"),
		number_of(view, doc, "core.nlink"),
		number_of(view, doc, "core.inode"),
		number_of(view, doc, "core.modificationtime"),
		number_of(view, doc, "core.changetime"),
	};

	path_of(view, doc, &path);
	return line_of(path.data, numbers);
}

/* Calls EACH for every document there is. */
static inline void
each_document(void (*each)(void *context, const struct index_view *view, uint32_t doc),
	      void *context)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(query) struct query *all = NULL;
	uint32_t docs[512];
	size_t n;

	assert_int_equal(query_new(&all), 0);
	assert_int_equal(index_search(view, all, NULL, &hits, NULL), 0);
	for (uint64_t offset = 0;; offset += n) {
		assert_int_equal(index_hits_page(hits, offset, NULL, docs, ARRAY_SIZE(docs), &n),
				 0);
		if (n == 0)
			return;
		for (size_t i = 0; i < n; i++)
			each(context, view, docs[i]);
	}
}

static inline void
add_line_of_doc(void *context, const struct index_view *view, uint32_t doc)
{
	add_line(context, line_of_doc(view, doc));
}

/* Of the tree, and of the documents. */
static inline void
read_both(struct lines *expected, struct lines *found)
{
	nftw_lines = expected;
	assert_int_equal(nftw(tree.path, on_nftw, 64, FTW_PHYS), 0);
	nftw_lines = NULL;
	each_document(add_line_of_doc, found);
	sort(expected);
	sort(found);
}

static inline void
assert_index_is_the_tree(void)
{
	CLEANUP(lines) struct lines expected = { 0 };
	CLEANUP(lines) struct lines found = { 0 };

	read_both(&expected, &found);
	for (size_t i = 0; i < MIN(expected.n, found.n); i++)
		assert_string_equal(found.items[i], expected.items[i]);
	assert_int_equal(found.n, expected.n);
}

/* The document of the entry PATH below the tree. */
struct wanted {
	char path[PATH_MAX];
	int64_t id;
	uint32_t doc;
};

static inline void
look_for(void *context, const struct index_view *view, uint32_t doc)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct wanted *wanted = context;

	path_of(view, doc, &path);
	if (strcmp(path.data, wanted->path) != 0)
		return;
	wanted->id = index_doc_id(view, doc);
	wanted->doc = doc;
}

static inline int64_t
id_of(const char *path)
{
	struct wanted wanted = { .id = 0 };

	(void)snprintf(wanted.path, sizeof(wanted.path), "%s/%s", tree.path, path);
	each_document(look_for, &wanted);
	if (wanted.id == 0)
		fail_msg("no document for %s", path);
	return wanted.id;
}

/* "" if it has none; lent until the index is closed. */
static inline const char *
text_of(const char *path, const char *name)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	struct query_value value;
	uint32_t doc;

	assert_int_equal(index_doc_find(view, id_of(path), &doc), 0);
	return index_doc_value(view, doc, property(view, name), &value) ? value.string : "";
}

/* Somebody writes to the document of PATH: "mine", and two tags. */
static inline void
write_comment(const char *path)
{
	static const struct query_property COMMENT = { .name = "user.comment",
						       .prompt = "Comment",
						       .type = QUERY_TYPE_STRING };
	static const struct query_property TAGS = {
		.name = "user.tags", .prompt = "Tags", .type = QUERY_TYPE_STRING, .multi = true
	};
	CLEANUP(index_document) struct index_document *patch = NULL;
	const struct query_property *comment;
	const struct query_property *tags;
	struct index_write *write;

	assert_int_equal(index_property_add(index_, &COMMENT, &comment, NULL), 0);
	assert_int_equal(index_property_add(index_, &TAGS, &tags, NULL), 0);
	assert_int_equal(index_document_new(&patch), 0);
	assert_int_equal(index_document_add_string(patch, comment, "mine", 4), 0);
	assert_int_equal(index_document_add_string(patch, tags, "x", 1), 0);
	assert_int_equal(index_document_add_string(patch, tags, "y", 1), 0);
	assert_int_equal(index_document_seal(patch), 0);
	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_patch(write, id_of(path), patch, NULL, 0), 0);
	assert_int_equal(index_write_commit(write, NULL), 0);
}

static inline uint64_t
count_documents(void)
{
	struct index_stats stats;

	assert_int_equal(index_stats(index_, &stats), 0);
	return stats.documents;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
