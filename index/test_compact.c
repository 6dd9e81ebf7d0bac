/* What only versions that are gone hold is dropped while the index is in use; nobody notices. */
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "index/test_catalogue.h"
#include "base/buf.h"
#include "base/clock.h"

static const struct query_property DECLARED[] = {
	{ .name = "t.title", .type = QUERY_TYPE_STRING, .filter = true },
	{ .name = "t.version", .type = QUERY_TYPE_LONG, .filter = true },
};
enum { TITLE, VERSION, PROPERTIES };

static const struct query_property *property[PROPERTIES];

static int
setup(void **state)
{
	(void)state;
	return open_catalogue(DECLARED, property, PROPERTIES);
}

static void
reopen(void)
{
	reopen_catalogue(DECLARED, property, PROPERTIES);
}

/* Document ID says "all", who it is, and which version: texts of the others have no other use. */
static void
put(struct index_write *write, int64_t id, int64_t version)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	const struct query_value value = { .type = QUERY_TYPE_LONG, .integer = version };
	char title[128];

	(void)snprintf(title, sizeof(title), "all id%" PRId64 " version%" PRId64 "x%" PRId64, id,
		       version, id);
	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	assert_int_equal(index_document_add_string(document, property[TITLE], title, strlen(title)),
			 0);
	assert_int_equal(index_document_add(document, property[VERSION], &value), 0);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

static void
put_all(int64_t n, int64_t version)
{
	struct index_write *write = begin();

	for (int64_t id = 1; id <= n; id++)
		put(write, id, version);
	end(write);
}

static uint64_t
count(struct index_view *view, const char *text)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(query) struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, text, index_view_schema(view), &err), 0);
	if (index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return index_hits_count(hits);
}

static uint64_t
count_now(const char *text)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);

	return count(view, text);
}

static void
check_sound(void)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;

	if (index_check(catalogue, &report) != 0)
		fail_msg("%s", pxs_buf_text(&report));
}

static struct index_stats
stats(void)
{
	struct index_stats stats;

	assert_int_equal(index_stats(catalogue, &stats), 0);
	return stats;
}

static size_t
text_files(void)
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(entries);
	while ((entry = readdir(entries))) {
		size_t len = strlen(entry->d_name);

		n += strncmp(entry->d_name, "fts", 3) == 0 && len > 3 &&
		     strcmp(entry->d_name + len - 3, ".db") == 0;
	}
	(void)closedir(entries);
	return n;
}

static void
check_all(uint64_t n, int version)
{
	char text[64];

	assert_int_equal(count_now("all"), n);
	assert_int_equal(count_now("version1*"), version == 1 ? n : 0);
	assert_int_equal(count_now("id7"), 1);
	(void)snprintf(text, sizeof(text), "t.version:%d", version);
	assert_int_equal(count_now(text), n);
	check_sound();
}

static void
what_is_gone_is_dropped(void **state)
{
	struct index_stats before, after;

	(void)state;
	for (int version = 1; version <= 4; version++)
		put_all(1000, version);
	before = stats();
	assert_int_equal(index_compact(catalogue, NULL), 0);
	after = stats();
	assert_true(after.column_bytes < before.column_bytes);
	assert_int_equal(after.seq, before.seq);
	assert_int_equal(after.versions, before.versions);
	assert_int_equal(text_files(), 1);
	check_all(1000, 4);

	put_all(500, 5);
	assert_int_equal(count_now("t.version:4"), 500);
	assert_int_equal(count_now("version5x7"), 1);
	reopen();
	assert_int_equal(count_now("t.version:4"), 500);
	assert_int_equal(count_now("version5x7"), 1);
	check_sound();
}

static void
who_holds_a_view_keeps_it(void **state)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	uint32_t doc;

	(void)state;
	put_all(100, 1);
	view = index_view_get(catalogue);
	put_all(50, 2);
	assert_int_equal(index_compact(catalogue, NULL), 0);
	assert_int_equal(index_compact(catalogue, NULL), 0);
	assert_int_equal(count(view, "version1x7"), 1);
	assert_int_equal(count(view, "t.version:1"), 100);
	assert_int_equal(count(view, "all AND version*"), 100);
	assert_int_equal(index_doc_find(view, 7, &doc), 0);
	assert_int_equal(text_files(), 3);
	index_view_put(STEAL(view));
	put_all(50, 3); /* hits that are kept hold a view until the next change */
	assert_int_equal(text_files(), 1);
	assert_int_equal(count_now("version1*"), 50);
	check_sound();
}

static void
a_new_property_comes_along(void **state)
{
	static const struct query_property LATE = {
		.name = "t.late", .prompt = "t.late", .type = QUERY_TYPE_STRING, .filter = true
	};
	const struct query_property *late;

	(void)state;
	put_all(100, 1);
	assert_int_equal(index_compact(catalogue, NULL), 0);
	assert_int_equal(index_property_add(catalogue, &LATE, &late, &err), 0);
	assert_int_equal(index_compact(catalogue, NULL), 0);
	reopen();
	check_all(100, 1);
}

static void
one_that_is_cancelled_changes_nothing(void **state)
{
	const struct index_budget late = { .deadline_ns = 1 };

	(void)state;
	put_all(100, 1);
	assert_int_equal(index_compact(catalogue, &late), -ETIMEDOUT);
	assert_int_equal(text_files(), 1);
	check_all(100, 1);
}

/* Files of the new columns are written, and the next start reads them. */
static void
full_segments_are_written_anew(void **state)
{
	const int64_t n = 40000;
	int64_t until_ns = pxs_clock_steady_ns() + 60 * PXS_NS_PER_S;

	(void)state;
	for (int version = 1; version <= 3; version++)
		put_all(n, version);
	while (pxs_clock_steady_ns() < until_ns && stats().segments == 0)
		(void)usleep(10000);
	assert_int_equal(index_compact(catalogue, NULL), 0);
	while (pxs_clock_steady_ns() < until_ns && stats().segments == 0)
		(void)usleep(10000);
	assert_int_equal(stats().segments, 1);
	check_all((uint64_t)n, 3);
	reopen();
	assert_int_equal(stats().segments, 1);
	assert_false(stats().segments_rebuilt);
	check_all((uint64_t)n, 3);
}

/* The thread of the index does it when more than half of many versions are gone. */
static void
it_happens_by_itself(void **state)
{
	int64_t until_ns = pxs_clock_steady_ns() + 60 * PXS_NS_PER_S;
	uint64_t most;

	(void)state;
	for (int version = 1; version <= 3; version++)
		put_all(6000, version);
	most = stats().column_bytes;
	while (pxs_clock_steady_ns() < until_ns && stats().column_bytes >= most)
		(void)usleep(10000);
	assert_true(stats().column_bytes < most);
	check_all(6000, 3);
}

/* The same thread merges words when nobody has written for a second. */
static void
words_are_merged_when_nobody_writes(void **state)
{
	int64_t until_ns = pxs_clock_steady_ns() + 60 * PXS_NS_PER_S;

	(void)state;
	put_all(1500, 1);
	assert_true(stats().merge_is_due);
	while (pxs_clock_steady_ns() < until_ns && stats().merge_is_due)
		(void)usleep(10000);
	assert_false(stats().merge_is_due);
	check_all(1500, 1);
	put_all(100, 2);
	assert_false(stats().merge_is_due);
}

/* Nobody has written for a second while a transaction takes longer, but somebody is about to. */
static void
words_are_not_merged_between_long_transactions(void **state)
{
	struct index_write *write;

	(void)state;
	put_all(1500, 1);
	assert_int_equal(index_write_begin(catalogue, &write), 0);
	assert_int_equal(index_write_remove(write, 7), 0);
	(void)usleep(1500000);
	assert_int_equal(index_write_commit(write, &err), 0);
	(void)usleep(300000);
	assert_true(stats().merge_is_due);
}

/* --- Beside others --- */

#define BESIDE_DOCS 200

static atomic_bool over;

static void *
write_on(void *context)
{
	(void)context;
	for (int64_t version = 2; !atomic_load(&over); version++) {
		struct index_write *write = begin();

		for (int64_t id = version % 7 + 1; id <= BESIDE_DOCS; id += 7)
			put(write, id, version);
		end(write);
	}
	return NULL;
}

static void *
read_on(void *context)
{
	(void)context;
	while (!atomic_load(&over)) {
		CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);

		assert_int_equal(count(view, "all"), BESIDE_DOCS);
		assert_int_equal(count(view, "version*"), BESIDE_DOCS);
		assert_int_equal(count(view, "t.version:>0"), BESIDE_DOCS);
		assert_int_equal(count(view, "id7"), 1);
	}
	return NULL;
}

static void
writers_and_readers_go_on(void **state)
{
	pthread_t writer, reader;

	(void)state;
	put_all(BESIDE_DOCS, 1);
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&writer, NULL, write_on, NULL), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_on, NULL), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(index_compact(catalogue, NULL), 0);
	atomic_store(&over, true);
	(void)pthread_join(writer, NULL);
	(void)pthread_join(reader, NULL);
	check_sound();
	reopen();
	assert_int_equal(count_now("all"), BESIDE_DOCS);
	check_sound();
}

/* --- Numbers --- */

static void
documents_are_numbered_anew_before_numbers_end(void **state)
{
	char command[256];

	(void)state;
	put_all(100, 1);
	index_close(STEAL(catalogue));
	(void)snprintf(command, sizeof(command),
		       "sqlite3 %s/docs.db \"UPDATE doc SET doc = doc + 2147483700;"
		       " UPDATE meta SET value = 2147483900 WHERE key = 'next_doc'\"",
		       dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(index_open(dir, 0, &catalogue, &err), 0);
	reopen();
	assert_int_equal(stats().versions, 100);
	check_all(100, 1);
	put_all(100, 2);
	check_all(100, 2);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_setup_teardown(what_is_gone_is_dropped, setup, close_catalogue),
		cmocka_unit_test_setup_teardown(who_holds_a_view_keeps_it, setup, close_catalogue),
		cmocka_unit_test_setup_teardown(a_new_property_comes_along, setup, close_catalogue),
		cmocka_unit_test_setup_teardown(one_that_is_cancelled_changes_nothing, setup,
						close_catalogue),
		cmocka_unit_test_setup_teardown(full_segments_are_written_anew, setup,
						close_catalogue),
		cmocka_unit_test_setup_teardown(it_happens_by_itself, setup, close_catalogue),
		cmocka_unit_test_setup_teardown(words_are_merged_when_nobody_writes, setup,
						close_catalogue),
		cmocka_unit_test_setup_teardown(words_are_not_merged_between_long_transactions,
						setup, close_catalogue),
		cmocka_unit_test_setup_teardown(writers_and_readers_go_on, setup, close_catalogue),
		cmocka_unit_test_setup_teardown(documents_are_numbered_anew_before_numbers_end,
						setup, close_catalogue),
	};

	return cmocka_run_group_tests_name("compaction", TESTS, NULL, NULL);
}
