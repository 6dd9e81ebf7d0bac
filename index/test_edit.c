/* Changes by people to single documents: merged inside the write, kept when removed, told in order.
 */
#include "index/index.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/store.h"

static char dir[64];
static struct index *index_;
static struct pxs_error err;
static const struct query_property *size, *comment, *tags, *rating;

static const struct query_property *
declare(const char *name, enum query_type type, bool multi, bool readonly)
{
	const struct query_property property = { .name = name,
						 .prompt = name,
						 .type = type,
						 .multi = multi,
						 .filter = true,
						 .readonly = readonly };
	const struct query_property *declared = NULL;

	if (index_property_add(index_, &property, &declared, &err) < 0)
		fail_msg("%s", err.text);
	return declared;
}

static void
open_index(void)
{
	memset(&err, 0, sizeof(err));
	if (index_open(dir, INDEX_CREATE, &index_, &err) < 0)
		fail_msg("%s", err.text);
	size = declare("core.size", QUERY_TYPE_LONG, false, true);
	comment = declare("user.comment", QUERY_TYPE_STRING, false, false);
	tags = declare("user.tags", QUERY_TYPE_STRING, true, false);
	rating = declare("user.rating", QUERY_TYPE_INTEGER, false, false);
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/pxs-test-edit-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	open_index();
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	index_close(index_);
	index_ = NULL;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command); // NOLINT(cert-env33-c)
}

/* --- Documents --- */

static struct index_document *
document(int64_t id, int64_t bytes, const char *text, const char *tag)
{
	struct index_document *made = NULL;

	assert_int_equal(index_document_new(&made), 0);
	index_document_set_id(made, id);
	if (bytes >= 0)
		assert_int_equal(index_document_add_int(made, size, bytes), 0);
	if (text)
		assert_int_equal(index_document_add_string(made, comment, text, strlen(text)), 0);
	if (tag)
		assert_int_equal(index_document_add_string(made, tags, tag, strlen(tag)), 0);
	assert_int_equal(index_document_seal(made), 0);
	return made;
}

static void
found(int64_t id, int64_t bytes)
{
	CLEANUP(index_document) struct index_document *made = document(id, bytes, NULL, NULL);
	struct index_write *write;

	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_found(write, made), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static int
patch(int64_t id, const char *text, const char *tag)
{
	CLEANUP(index_document) struct index_document *made = document(0, -1, text, tag);
	struct index_write *write;
	int r;

	assert_int_equal(index_write_begin(index_, &write), 0);
	r = index_write_patch(write, id, made, NULL, 0);
	assert_int_equal(index_write_commit(write, &err), 0);
	return r;
}

static int
empty(int64_t id, const struct query_property *property)
{
	CLEANUP(index_document) struct index_document *none = document(0, -1, NULL, NULL);
	struct index_write *write;
	int r;

	assert_int_equal(index_write_begin(index_, &write), 0);
	r = index_write_patch(write, id, none, &property, 1);
	assert_int_equal(index_write_commit(write, &err), 0);
	return r;
}

static int
remove_as(int64_t id, const char *user)
{
	struct index_write *write;
	int r;

	assert_int_equal(index_write_begin(index_, &write), 0);
	r = index_write_delete(write, id, user);
	assert_int_equal(index_write_commit(write, &err), 0);
	return r;
}

/* Make one change of the document called ID, in a write of its own. */
static int
change(int64_t id, int (*change_it)(struct index_write *write, int64_t id))
{
	struct index_write *write;
	int r;

	assert_int_equal(index_write_begin(index_, &write), 0);
	r = change_it(write, id);
	assert_int_equal(index_write_commit(write, &err), 0);
	return r;
}

static int
bring_back(int64_t id)
{
	return change(id, index_write_undelete);
}

static int
lose(int64_t id)
{
	return change(id, index_write_lose);
}

static struct index_version
version_of(int64_t id)
{
	struct index_version version = { 0 };
	struct index_write *write;

	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_version(write, id, &version), 0);
	index_write_abort(write);
	return version;
}

/* "5 hello a" */
static void
assert_values(int64_t id, const char *expected)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	const struct query_property *const properties[] = { size, comment, tags };
	struct query_value value;
	uint32_t doc;

	assert_int_equal(index_doc_find(view, id, &doc), 0);
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		pxs_buf_add_str(&text, i ? " " : "");
		if (index_doc_value(view, doc, properties[i], &value))
			query_value_print(&value, &text);
		else
			pxs_buf_add_char(&text, '-');
	}
	assert_string_equal(pxs_buf_text(&text), expected);
}

static uint64_t
words_found(const char *word)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, word, index_view_schema(view), &err), 0);
	assert_int_equal(index_search(view, query, NULL, &hits, &err), 0);
	return index_hits_count(hits);
}

static void
assert_sound(void)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;

	if (index_check(index_, &report) != 0)
		fail_msg("%s", pxs_buf_text(&report));
}

/* --- Tests --- */

static void
a_patch_replaces_what_it_names_only(void **state)
{
	struct index_version before, after;

	(void)state;
	found(1, 5);
	before = version_of(1);
	assert_int_equal(patch(1, "hello", "a"), 0);
	assert_values(1, "5 hello a");
	assert_int_equal(patch(1, "again", NULL), 0);
	assert_values(1, "5 again a");
	after = version_of(1);
	assert_string_not_equal(before.etag, after.etag);
	assert_int_equal(before.created_ns, after.created_ns);
	assert_true(after.seq > before.seq);
	assert_int_equal(empty(1, tags), 0);
	assert_values(1, "5 again -");
	assert_int_equal(words_found("again"), 1);
	assert_int_equal(words_found("hello"), 0);
	assert_int_equal(patch(2, "x", NULL), -ENOENT);
	assert_sound();
}

static void
a_scan_keeps_what_people_wrote(void **state)
{
	(void)state;
	found(1, 5);
	assert_int_equal(patch(1, "hello", "a"), 0);
	found(1, 7);
	assert_values(1, "7 hello a");
	assert_int_equal(words_found("hello"), 1);
	assert_sound();
}

static void
what_was_deleted_comes_back(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	struct index_removed *removed = NULL;
	struct index_version before, after;
	uint64_t row;
	uint32_t doc;
	size_t n = 0;

	(void)state;
	found(1, 5);
	found(2, 6);
	assert_int_equal(patch(1, "hello", "a"), 0);
	before = version_of(1);
	view = index_view_get(index_);
	assert_int_equal(index_doc_find(view, 1, &doc), 0);
	row = index_doc_row(view, doc);
	index_view_put(view);
	assert_int_equal(remove_as(1, "anna"), 0);
	assert_int_equal(remove_as(1, "anna"), -ENOENT);
	assert_int_equal(bring_back(2), -EEXIST);
	assert_int_equal(bring_back(3), -ENOENT);

	index_close(index_);
	open_index();
	assert_int_equal(index_removed_list(index_, 0, 10, &removed, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(removed[0].id, 1);
	assert_string_equal(removed[0].user, "anna");
	index_removed_free(removed, n);

	assert_int_equal(bring_back(1), 0);
	assert_values(1, "5 hello a");
	assert_int_equal(words_found("hello"), 1);
	after = version_of(1);
	assert_int_equal(after.created_ns, before.created_ns);
	assert_string_not_equal(after.etag, before.etag);
	view = index_view_get(index_);
	assert_int_equal(index_doc_find_row(view, row, &doc), 0);
	assert_int_equal(index_doc_id(view, doc), 1);
	assert_int_equal(index_removed_list(index_, 0, 10, &removed, &n), 0);
	assert_int_equal(n, 0);
	index_removed_free(removed, n);
	assert_sound();
}

static void
what_was_lost_is_found_with_what_people_wrote(void **state)
{
	struct index_removed *removed = NULL;
	struct index_version before;
	size_t n = 1;

	(void)state;
	found(1, 5);
	found(2, 6);
	assert_int_equal(patch(1, "hello", "a"), 0);
	before = version_of(1);
	assert_int_equal(lose(1), 0);
	assert_int_equal(lose(2), 0);
	assert_int_equal(lose(1), -ENOENT);
	assert_int_equal(words_found("hello"), 0);
	assert_int_equal(bring_back(1), -ENOENT);
	assert_int_equal(index_removed_list(index_, 0, 10, &removed, &n), 0);
	assert_int_equal(n, 0);
	index_removed_free(removed, n);

	index_close(index_);
	open_index();
	found(1, 7);
	found(2, 8);
	assert_values(1, "7 hello a");
	assert_values(2, "8 - -");
	assert_int_equal(words_found("hello"), 1);
	assert_int_equal(version_of(1).created_ns, before.created_ns);
	assert_sound();

	/* What somebody removes on purpose is not found so, nor what was taken off before. */
	assert_int_equal(remove_as(1, "anna"), 0);
	found(1, 9);
	assert_values(1, "9 - -");
	assert_int_equal(lose(1), 0);
	found(1, 10);
	assert_values(1, "10 - -");
}

static void
changes_tell_the_last_of_each_document(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	struct index_change list[8];
	struct index_changes changes = { .list = list, .max = 8 };

	(void)state;
	found(1, 5);
	found(2, 5);
	found(3, 5);
	assert_int_equal(patch(1, "x", NULL), 0);
	assert_int_equal(remove_as(2, "anna"), 0);
	view = index_view_get(index_);
	assert_int_equal(index_changes(view, &changes), 0);
	assert_int_equal(changes.n, 3);
	assert_int_equal(list[0].id, 3);
	assert_int_equal(list[1].id, 1);
	assert_false(list[1].removed);
	assert_int_equal(list[2].id, 2);
	assert_true(list[2].removed);
	assert_int_equal(changes.seq, index_view_seq(view));

	changes.seq = 0;
	changes.max = 1;
	assert_int_equal(index_changes(view, &changes), 0);
	assert_int_equal(changes.n, 1);
	assert_true(changes.seq < index_view_seq(view));
	assert_int_equal(index_changes(view, &changes), 0);
	assert_int_equal(list[0].id, 1);
	changes.seq = index_view_seq(view);
	assert_int_equal(index_changes(view, &changes), 0);
	assert_int_equal(changes.n, 0);
	changes.seq = index_view_seq(view) + 1;
	assert_int_equal(index_changes(view, &changes), -ESTALE);
}

/* --- Many at once --- */

#define THREADS 8
#define EACH 40

/* Adds one to user.rating of document 1, if it is still what was read: else asks again. */
struct increment {
	struct index_document *patch;
	int64_t expected;
};

static int
increment(void *context, struct index_write *write, struct pxs_error *error)
{
	const struct increment *increment = context;
	struct index_version version;
	int r = index_write_version(write, 1, &version);

	if (r == 0 && (int64_t)version.seq != increment->expected)
		r = pxs_error_set(error, -EAGAIN, -1, "somebody was quicker");
	return r < 0 ? r : index_write_patch(write, 1, increment->patch, NULL, 0);
}

static void
make_increment(struct increment *ret)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	struct query_value value = { .type = QUERY_TYPE_INTEGER };
	struct index_change change;
	struct index_changes changes = { .list = &change, .max = 1 };
	uint32_t doc = 0;

	index_document_clear(ret->patch);
	(void)index_doc_find(view, 1, &doc);
	(void)index_doc_value(view, doc, rating, &value);
	(void)index_document_add_int(ret->patch, rating, value.integer + 1);
	(void)index_document_seal(ret->patch);
	(void)index_changes(view, &changes);
	ret->expected = (int64_t)change.seq;
}

static void *
increment_many(void *context)
{
	struct increment mine = { 0 };
	intptr_t failures = 0;

	(void)context;
	if (index_document_new(&mine.patch) < 0)
		return (void *)1;
	for (int i = 0; i < EACH;) {
		struct pxs_error error = { 0 };
		int r;

		make_increment(&mine);
		r = index_apply(index_, increment, &mine, &error);
		failures += r < 0 && r != -EAGAIN;
		i += r != -EAGAIN;
	}
	index_document_free(mine.patch);
	return (void *)failures;
}

static void
no_update_is_lost(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	struct query_value value = { 0 };
	pthread_t threads[THREADS];
	void *failures;
	uint32_t doc;

	(void)state;
	found(1, 5);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, increment_many, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	view = index_view_get(index_);
	assert_int_equal(index_doc_find(view, 1, &doc), 0);
	assert_true(index_doc_value(view, doc, rating, &value));
	assert_int_equal(value.integer, THREADS * EACH);
	assert_sound();
}

/* --- Waiting --- */

static void *
change_soon(void *context)
{
	(void)context;
	found(9, 1);
	return NULL;
}

static void
waiting_ends_with_a_change(void **state)
{
	struct index_budget budget = { .deadline_ns = pxs_clock_steady_ns() + 10 * PXS_NS_PER_S };
	struct index_stats stats;
	pthread_t thread;

	(void)state;
	assert_int_equal(index_stats(index_, &stats), 0);
	assert_int_equal(pthread_create(&thread, NULL, change_soon, NULL), 0);
	assert_int_equal(index_wait(index_, stats.seq, &budget), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	budget.deadline_ns = 1;
	assert_int_equal(index_wait(index_, stats.seq + 1, &budget), -ETIMEDOUT);
}

/* --- Older formats --- */

static void
load_fixture(const char *name)
{
	char path[128];
	CLEANUP(pxs_buf) struct pxs_buf sql = PXS_BUF_INIT;
	FILE *file;
	sqlite3 *db;
	size_t n;

	(void)snprintf(path, sizeof(path), FIXTURES "/%s", name);
	file = fopen(path, "re");
	assert_non_null(file);
	while ((n = fread(pxs_buf_reserve(&sql, 65536), 1, 65536, file)) > 0)
		sql.len += n;
	pxs_buf_add(&sql, "", 0);
	(void)fclose(file);
	(void)snprintf(path, sizeof(path), "%s/docs.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, pxs_buf_text(&sql), NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
format_1_is_read(void **state)
{
	const struct query_property *name;
	CLEANUP(index_view) struct index_view *view = NULL;

	(void)state;
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	load_fixture("docs-v1.sql");
	open_index();
	view = index_view_get(index_);
	assert_int_equal(index_view_count(view), 2);
	name = query_schema_find(index_view_schema(view), "core.filename");
	assert_non_null(name);
	assert_true(name->readonly);
	assert_false(comment->readonly);
	assert_int_equal(words_found("alpha"), 1);
	assert_sound();
	assert_int_equal(remove_as(index_doc_id(view, 1), "anna"), 0);
	assert_int_equal(bring_back(index_doc_id(view, 1)), 0);
	assert_sound();
}

static int
count_document(void *context, const struct store_document *document)
{
	(void)document;
	++*(int *)context;
	return 0;
}

/* Changes did not tell the row yet; what they changed is found all the same. */
static void
format_2_is_read(void **state)
{
	struct store_counters counters;
	CLEANUP(index_view) struct index_view *view = NULL;
	struct store *store;
	int64_t removed = INT64_C(5889148344771081631);
	char path[128];
	int n = 0;

	(void)state;
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	load_fixture("docs-v2.sql");
	(void)snprintf(path, sizeof(path), "%s/docs.db", dir);
	assert_int_equal(store_open(path, &store, &counters, &err), 0);
	assert_int_equal(store_documents_since(store, 0, count_document, &n), 0);
	assert_int_equal(n, 1);
	store_close(store);

	open_index();
	view = index_view_get(index_);
	assert_int_equal(index_view_count(view), 1);
	assert_int_equal(words_found("beta"), 1);
	assert_sound();
	assert_int_equal(bring_back(removed), 0);
	assert_int_equal(words_found("alpha"), 1);
	assert_int_equal(remove_as(index_doc_id(view, 1), "anna"), 0);
	assert_sound();
}

/* --- Documents of an upstream --- */

static void
put_upstreams(int64_t id, const char *etag)
{
	CLEANUP(index_document) struct index_document *made = NULL;
	struct index_origin origin;
	struct index_write *write;

	assert_int_equal(index_origin_declare(index_, &origin, &err), 0);
	assert_int_equal(index_document_new(&made), 0);
	index_document_set_id(made, id);
	assert_int_equal(index_document_set_origin(made, &origin, etag, 1000, 2000), 0);
	assert_int_equal(index_document_set_origin(made, &origin, "", 1, 2), -EINVAL);
	assert_int_equal(index_document_seal(made), 0);
	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_put(write, made), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static void
assert_origin(int64_t id, const char *etag)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	struct index_version version;
	struct index_write *write;
	char told[INDEX_ETAG_SIZE];
	uint32_t doc;

	assert_int_equal(index_doc_find(view, id, &doc), 0);
	index_doc_etag(view, doc, told);
	assert_string_equal(told, etag);
	assert_int_equal(index_doc_created_ns(view, doc), 1000);
	assert_int_equal(index_doc_updated_ns(view, doc), 2000);
	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_version(write, id, &version), 0);
	index_write_abort(write);
	assert_string_equal(version.etag, etag);
	assert_int_equal(version.created_ns, 1000);
	assert_int_equal(version.updated_ns, 2000);
}

static void
an_upstreams_etag_is_told_and_its_document_left_alone(void **state)
{
	(void)state;
	found(1, 10);
	put_upstreams(2, "0123456789abcdef0123456789abcdef01234567");
	assert_origin(2, "0123456789abcdef0123456789abcdef01234567");
	put_upstreams(2, "other");
	assert_origin(2, "other");
	assert_int_equal(patch(2, "mine", NULL), -EROFS);
	assert_int_equal(remove_as(2, "anna"), -EROFS);
	assert_int_equal(patch(1, "mine", NULL), 0);
	index_close(index_);
	open_index();
	assert_origin(2, "other");
	assert_sound();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_patch_replaces_what_it_names_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_scan_keeps_what_people_wrote, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_deleted_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_lost_is_found_with_what_people_wrote,
						setup, teardown),
		cmocka_unit_test_setup_teardown(changes_tell_the_last_of_each_document, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_update_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_ends_with_a_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_upstreams_etag_is_told_and_its_document_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(format_1_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(format_2_is_read, setup, teardown),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
