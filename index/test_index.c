/* The index against a model: random changes, restarts and crashes, then everything compared. */
#include "index/index.h"
#include "index/store.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"

static char dir[64];
static struct pxs_error err;

static const struct query_property NAME = {
	.name = "core.filename", .prompt = "Name", .type = QUERY_TYPE_STRING, .filter = true
};
static const struct query_property SIZE = {
	.name = "core.size", .prompt = "Size", .type = QUERY_TYPE_LONG, .filter = true
};
static const struct query_property TAGS = { .name = "user.tags",
					    .prompt = "Tags",
					    .type = QUERY_TYPE_STRING,
					    .multi = true,
					    .filter = true };
static const struct query_property RATIO = {
	.name = "test.ratio", .prompt = "Ratio", .type = QUERY_TYPE_DOUBLE, .filter = true
};

static const struct query_property *name, *size, *tags, *ratio;

static struct index *
open_index(void)
{
	struct index *index = NULL;

	memset(&err, 0, sizeof(err));
	if (index_open(dir, INDEX_CREATE, &index, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(index_property_add(index, &NAME, &name, &err), 0);
	assert_int_equal(index_property_add(index, &SIZE, &size, &err), 0);
	assert_int_equal(index_property_add(index, &TAGS, &tags, &err), 0);
	assert_int_equal(index_property_add(index, &RATIO, &ratio, &err), 0);
	return index;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pxs-test-index-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void
put(struct index_write *write, int64_t id, const char *filename, int64_t bytes, unsigned int n_tags)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct query_value real = { .type = QUERY_TYPE_DOUBLE, .real = (double)bytes / 8 };
	char tag[16];

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	assert_int_equal(index_document_add_string(document, name, filename, strlen(filename)), 0);
	assert_int_equal(index_document_add_int(document, size, bytes), 0);
	assert_int_equal(index_document_add(document, ratio, &real), 0);
	for (unsigned int i = 0; i < n_tags; i++) {
		(void)snprintf(tag, sizeof(tag), "t%u", i);
		assert_int_equal(index_document_add_string(document, tags, tag, strlen(tag)), 0);
	}
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

static void
put_one(struct index *index, int64_t id, const char *filename, int64_t bytes)
{
	struct index_write *write;

	assert_int_equal(index_write_begin(index, &write), 0);
	put(write, id, filename, bytes, 2);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static int64_t
size_of(const struct index_view *view, int64_t id)
{
	struct query_value value;
	uint32_t doc;

	if (index_doc_find(view, id, &doc) < 0)
		return -1;
	assert_true(index_doc_value(view, doc, size, &value));
	return value.integer;
}

static void
a_view_does_not_change(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_view) struct index_view *old = NULL;
	CLEANUP(index_view) struct index_view *new = NULL;
	struct index_write *write;

	(void)state;
	put_one(index, 5, "a", 1);
	put_one(index, 6, "b", 2);
	old = index_view_get(index);
	put_one(index, 5, "a", 10);
	assert_int_equal(index_write_begin(index, &write), 0);
	assert_int_equal(index_write_remove(write, 6), 0);
	assert_int_equal(index_write_remove(write, 7), -ENOENT);
	assert_int_equal(index_write_commit(write, &err), 0);
	new = index_view_get(index);

	assert_int_equal(size_of(old, 5), 1);
	assert_int_equal(size_of(old, 6), 2);
	assert_int_equal(index_view_count(old), 2);
	assert_int_equal(size_of(new, 5), 10);
	assert_int_equal(size_of(new, 6), -1);
	assert_int_equal(index_view_count(new), 1);
}

static void
an_aborted_write_leaves_nothing(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_view) struct index_view *view = NULL;
	struct index_write *write;

	(void)state;
	put_one(index, 5, "a", 1);
	assert_int_equal(index_write_begin(index, &write), 0);
	put(write, 5, "changed", 2, 0);
	put(write, 6, "added", 3, 0);
	index_write_abort(write);
	put_one(index, 7, "after", 4);

	view = index_view_get(index);
	assert_int_equal(size_of(view, 5), 1);
	assert_int_equal(size_of(view, 6), -1);
	assert_int_equal(size_of(view, 7), 4);
}

static void
a_document_keeps_its_row_and_changes_its_etag(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_view) struct index_view *before = NULL;
	CLEANUP(index_view) struct index_view *after = NULL;
	char etags[2][INDEX_ETAG_SIZE];
	uint32_t docs[3];

	(void)state;
	put_one(index, 5, "a", 1);
	before = index_view_get(index);
	put_one(index, 5, "a", 2);
	after = index_view_get(index);
	assert_int_equal(index_doc_find(before, 5, &docs[0]), 0);
	assert_int_equal(index_doc_find(after, 5, &docs[1]), 0);
	assert_int_equal(index_doc_row(before, docs[0]), index_doc_row(after, docs[1]));
	assert_int_equal(index_doc_find_row(after, index_doc_row(after, docs[1]), &docs[2]), 0);
	assert_int_equal(docs[2], docs[1]);
	index_doc_etag(before, docs[0], etags[0]);
	index_doc_etag(after, docs[1], etags[1]);
	assert_int_equal(strlen(etags[0]), 40);
	assert_string_not_equal(etags[0], etags[1]);
	assert_int_equal(index_doc_created_ns(before, docs[0]),
			 index_doc_created_ns(after, docs[1]));
}

static void
a_removed_id_comes_back_under_a_new_row(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_view) struct index_view *view = NULL;
	struct index_write *write;
	uint64_t old_row;
	uint32_t doc;

	(void)state;
	put_one(index, 5, "a", 1);
	view = index_view_get(index);
	assert_int_equal(index_doc_find(view, 5, &doc), 0);
	old_row = index_doc_row(view, doc);
	assert_int_equal(index_write_begin(index, &write), 0);
	assert_int_equal(index_write_remove(write, 5), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
	put_one(index, 5, "a", 2);

	index_view_put(view);
	view = index_view_get(index);
	assert_int_equal(index_doc_find(view, 5, &doc), 0);
	assert_int_not_equal(index_doc_row(view, doc), old_row);
	assert_int_equal(index_doc_find_row(view, old_row, &doc), -ENOENT);
}

static void
lists_are_sets_and_doubles_exact(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_view) struct index_view *view = NULL;
	struct query_value values[4];
	uint32_t doc;

	(void)state;
	put_one(index, 5, "a", -3);
	view = index_view_get(index);
	assert_int_equal(index_doc_find(view, 5, &doc), 0);
	assert_int_equal(index_doc_values(view, doc, tags, values, 4), 2);
	assert_string_equal(values[0].string, "t0");
	assert_string_equal(values[1].string, "t1");
	assert_true(index_doc_value(view, doc, ratio, &values[0]));
	assert_true(values[0].real == -0.375);
}

static void
bad_documents_are_refused(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_document) struct index_document *document = NULL;

	(void)state;
	(void)index;
	assert_int_equal(index_document_new(&document), 0);
	assert_int_equal(index_document_add_string(document, name, "", 0), -EINVAL);
	assert_int_equal(index_document_add_string(document, name, "\xff", 1), -EILSEQ);
	assert_int_equal(index_document_add_string(document, size, "1", 1), -EINVAL);
	assert_int_equal(index_document_add_int(document, name, 1), -EINVAL);
	assert_int_equal(index_document_add_int(document, size, INT64_MIN), -ERANGE);
	for (int i = 0; i <= INDEX_LIST_MAX; i++)
		assert_int_equal(index_document_add_string(document, tags, "t", 1), 0);
	assert_int_equal(index_document_seal(document), -E2BIG);
}

static void
a_second_owner_is_told_of_the_first(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	struct index *second = NULL;
	struct pxs_error why = { 0 };
	char pid[16];

	(void)state;
	(void)index;
	assert_int_equal(index_open(dir, 0, &second, &why), -EBUSY);
	(void)snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	assert_non_null(strstr(why.text, pid));
}

static void
what_is_no_index_is_not_opened(void **state)
{
	struct pxs_error why = { 0 };
	struct index *index = NULL;

	(void)state;
	assert_int_equal(index_open(dir, 0, &index, &why), -ENOENT);
	assert_non_null(strstr(why.text, "no index at"));
}

static void
a_property_keeps_its_type(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	struct query_property wrong = SIZE;
	const struct query_property *found;
	struct pxs_error why = { 0 };

	(void)state;
	wrong.type = QUERY_TYPE_STRING;
	assert_int_equal(index_property_add(index, &wrong, &found, &why), -EEXIST);
	assert_non_null(strstr(why.text, "core.size"));
	assert_int_equal(index_property_add(index, &SIZE, &found, &why), 0);
	assert_ptr_equal(found, size);
}

static void
names_keep_their_numbers(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct index *index = open_index();
	uint64_t first[300];
	uint64_t number;
	uint64_t parent;
	char text[16];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++) {
		(void)snprintf(text, sizeof(text), "n%u", i);
		assert_int_equal(index_node_number(index, i % 7, text, &first[i]), 0);
	}
	index_close(index);
	index = open_index();
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++) {
		(void)snprintf(text, sizeof(text), "n%u", i);
		assert_int_equal(index_node_number(index, i % 7, text, &number), 0);
		assert_int_equal(number, first[i]);
		pxs_buf_clear(&buf);
		assert_int_equal(index_node_name(index, number, &parent, &buf), 0);
		assert_int_equal(parent, i % 7);
		assert_string_equal(buf.data, text);
	}
	assert_int_equal(index_node_number(index, 9, "new", &number), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++)
		assert_int_not_equal(number, first[i]);
	assert_int_equal(index_node_name(index, 99999, &parent, &buf), -ENOENT);
	index_close(index);
}

static void
failures_are_replaced_below_what_was_scanned(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	struct index_failure some[] = { { .path = (char *)"/s/a/x", .reason = (char *)"no" },
					{ .path = (char *)"/s/ab", .reason = (char *)"no" } };
	struct index_failure *failures;
	struct index_source *sources;
	int64_t id;
	size_t n;

	(void)state;
	assert_int_equal(index_source_add(index, "/s", &id), 0);
	assert_int_equal(index_source_scanned(index, id, "/s", 5, some, 2), 0);
	assert_int_equal(index_source_scanned(index, id, "/s/a", 6, NULL, 0), 0);
	assert_int_equal(index_failure_list(index, 0, 10, &failures, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(failures[0].path, "/s/ab");
	index_failure_free(failures, n);
	assert_int_equal(index_source_list(index, &sources, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(sources[0].failures, 1);
	assert_int_equal(sources[0].scanned_ns, 6);
	index_source_free(sources, n);
	assert_int_equal(index_source_remove(index, id), 0);
}

/* --- Against a model --- */

#define IDS 60
#define ROUNDS 400

static uint64_t seed;

static unsigned int
roll(unsigned int n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % n;
}

static void
compare(struct index *index, const int64_t *model)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	uint64_t count = 0;

	for (int64_t id = 1; id < IDS; id++) {
		assert_int_equal(size_of(view, id), model[id]);
		count += model[id] >= 0;
	}
	assert_int_equal(index_view_count(view), count);
	if (index_check(index, &report) != 0)
		fail_msg("check: %s", pxs_buf_text(&report));
}

static void
random_write(struct index *index, int64_t *model)
{
	int64_t after[IDS];
	struct index_write *write;
	int64_t id;

	memcpy(after, model, sizeof(after));
	assert_int_equal(index_write_begin(index, &write), 0);
	for (unsigned int i = roll(8); i < 8; i++) {
		id = 1 + roll(IDS - 1);
		if (roll(3)) {
			after[id] = roll(1000);
			put(write, id, "some file.txt", after[id], roll(4));
		} else {
			assert_int_equal(index_write_remove(write, id),
					 after[id] < 0 ? -ENOENT : 0);
			after[id] = -1;
		}
	}
	if (roll(5) == 0) {
		index_write_abort(write);
		return;
	}
	assert_int_equal(index_write_commit(write, &err), 0);
	memcpy(model, after, sizeof(after));
}

static void
random_changes_match_a_model(void **state)
{
	const char *given = getenv("PXS_SEED");
	struct index *index = open_index();
	int64_t model[IDS];

	(void)state;
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)pxs_clock_now_ns();
	print_message("PXS_SEED=%" PRIu64 "\n", seed);
	memset(model, -1, sizeof(model));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		random_write(index, model);
		if (roll(40) == 0) {
			index_close(index);
			index = open_index();
			compare(index, model);
		}
	}
	compare(index, model);
	index_close(index);
}

/* Commit documents 1, 2, ... and tell each acknowledged one through the pipe, until killed. */
static void
write_until_killed(int pipe_fd)
{
	struct index *index = open_index();

	for (int64_t id = 1;; id++) {
		put_one(index, id, "f", id);
		if (write(pipe_fd, &id, sizeof(id)) != sizeof(id))
			_exit(1);
	}
}

static void
a_kill_loses_nothing_acknowledged(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	CLEANUP(index_view) struct index_view *view = NULL;
	CLEANUP(index) struct index *index = NULL;
	int64_t acknowledged = 0;
	int64_t id;
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		write_until_killed(fds[1]);
	}
	(void)close(fds[1]);
	while (acknowledged < 50 && read(fds[0], &id, sizeof(id)) == sizeof(id))
		acknowledged = id;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (read(fds[0], &id, sizeof(id)) == sizeof(id))
		acknowledged = id;
	(void)close(fds[0]);

	index = open_index();
	view = index_view_get(index);
	for (id = 1; id <= acknowledged; id++)
		assert_int_equal(size_of(view, id), id);
	assert_in_range(index_view_count(view), acknowledged, acknowledged + 1);
	assert_int_equal(index_check(index, &report), 0);
}

static void
a_lost_text_index_is_made_again(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	struct index *index = open_index();
	char path[96];

	(void)state;
	put_one(index, 5, "a", 1);
	index_close(index);
	(void)snprintf(path, sizeof(path), "%s/fts.db", dir);
	assert_int_equal(unlink(path), 0);
	index = open_index();
	if (index_check(index, &report) != 0)
		fail_msg("check: %s", pxs_buf_text(&report));
	index_close(index);
}

static int
number_ascends(void *context, const struct store_document *stored)
{
	uint32_t *last = context;

	assert_true(stored->doc > *last);
	*last = stored->doc;
	return 0;
}

static void
check_record_order(void)
{
	struct store_counters counters;
	struct store *store;
	char path[96];
	uint32_t last = 0;

	(void)snprintf(path, sizeof(path), "%s/docs.db", dir);
	assert_int_equal(store_open(path, &store, &counters, &err), 0);
	assert_int_equal(store_documents(store, number_ascends, &last), 0);
	store_close(store);
}

/* A document that changed keeps its row, but not its number. */
static void
a_new_text_index_has_what_changed(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(index_view) struct index_view *view = NULL;
	struct index *index = open_index();
	char path[96];
	uint32_t docs[4];
	size_t n;

	(void)state;
	for (int64_t id = 1; id <= 4; id++)
		put_one(index, id, "cat", 1);
	put_one(index, 3, "cat cat cat", 2);
	put_one(index, 1, "cat cat", 2);
	index_close(index);
	check_record_order();
	(void)snprintf(path, sizeof(path), "%s/fts.db", dir);
	assert_int_equal(unlink(path), 0);

	index = open_index();
	view = index_view_get(index);
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, "cat", index_view_schema(view), &err), 0);
	assert_int_equal(index_search(view, query, NULL, &hits, &err), 0);
	assert_int_equal(index_hits_page(hits, 0, NULL, docs, ARRAY_SIZE(docs), &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(index_doc_id(view, docs[0]), 3);
	assert_int_equal(index_doc_id(view, docs[1]), 1);
	assert_int_equal(index_doc_id(view, docs[2]), 2);
	index_hits_put(STEAL(hits));
	index_view_put(STEAL(view));
	index_close(index);
}

static void
a_damaged_record_is_said(void **state)
{
	struct index *index = open_index();
	struct pxs_error why = { 0 };
	char path[96];
	FILE *file;

	(void)state;
	put_one(index, 5, "a", 1);
	index_close(index);
	(void)snprintf(path, sizeof(path), "%s/docs.db", dir);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fwrite("not a database at all", 1, 21, file), 21);
	assert_int_equal(fclose(file), 0);
	index = NULL;
	assert_int_equal(index_open(dir, 0, &index, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "docs.db"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_view_does_not_change),
		TEST(an_aborted_write_leaves_nothing),
		TEST(a_document_keeps_its_row_and_changes_its_etag),
		TEST(a_removed_id_comes_back_under_a_new_row),
		TEST(lists_are_sets_and_doubles_exact),
		TEST(bad_documents_are_refused),
		TEST(a_second_owner_is_told_of_the_first),
		TEST(what_is_no_index_is_not_opened),
		TEST(a_property_keeps_its_type),
		TEST(names_keep_their_numbers),
		TEST(failures_are_replaced_below_what_was_scanned),
		TEST(random_changes_match_a_model),
		TEST(a_kill_loses_nothing_acknowledged),
		TEST(a_lost_text_index_is_made_again),
		TEST(a_new_text_index_has_what_changed),
		TEST(a_damaged_record_is_said),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
