/* The text index: its terms, what it keeps when writers fail and processes die, and its readers. */
#include "index/test_fts.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- Terms --- */

static void
terms_may_hold_any_byte_but_nul(void **state)
{
	static const char VALUE[] = "say \"\"hi\" AND (x OR -y) ^:*{}+\\ \x7f' \n\t";
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();

	(void)state;
	assert_int_equal(terms_stream_add_number(&stream, VALUE, strlen(VALUE)), 0);
	assert_int_equal(fts_begin(fts), 0);
	put_text(fts, 1, "other");
	assert_int_equal(fts_put(fts, 4000000000u, stream.data, stream.len), 0);
	assert_int_equal(fts_commit(fts, 1), 0);

	assert_int_equal(fts_find_term(fts, VALUE, strlen(VALUE), NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 1);
	assert_true(roaring_bitmap_contains(hits, 4000000000u));
	assert_int_equal(find_prefix(fts, VALUE, 8, NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 1);
	roaring_bitmap_free(hits);
}

static void
what_no_term_can_be_is_found_nowhere(void **state)
{
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();
	struct pxs_buf empty = PXS_BUF_INIT;

	(void)state;
	fill(fts, 1, 3, 1);
	assert_int_equal(fts_find_term(fts, "", 0, NULL, hits), 0);
	assert_int_equal(fts_find_term(fts, "every\0", 6, NULL, hits), 0);
	assert_int_equal(find_prefix(fts, "", 0, NULL, hits), 0);
	assert_int_equal(find_prefix(fts, "e\0", 2, NULL, hits), 0);
	assert_int_equal(fts_count_phrase(fts, &empty, 1, 0, NULL, add_doc, hits), 0);
	assert_int_equal(fts_count_phrase(fts, NULL, 0, 0, NULL, add_doc, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 0);
	roaring_bitmap_free(hits);
}

static void
phrases_do_not_cross_numbers(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();
	char one[] = "1", two[] = "2", red[] = "red";
	const struct pxs_buf numbers[] = { { one, 1, 2, 0 }, { two, 1, 2, 0 } };
	const struct pxs_buf mixed[] = { { two, 1, 2, 0 }, { red, 3, 4, 0 } };

	(void)state;
	assert_int_equal(terms_stream_add_number(&stream, one, 1), 0);
	assert_int_equal(terms_stream_add_number(&stream, two, 1), 0);
	assert_int_equal(terms_stream_add_string(&stream, &TITLE, red, 3), 0);
	assert_int_equal(fts_begin(fts), 0);
	assert_int_equal(fts_put(fts, 1, stream.data, stream.len), 0);
	assert_int_equal(fts_put(fts, 2, NULL, 0), 0);
	assert_int_equal(fts_commit(fts, 1), 0);
	assert_int_equal(fts_count_phrase(fts, numbers, 2, 0, NULL, add_doc, hits), 0);
	assert_int_equal(fts_count_phrase(fts, mixed, 2, 0, NULL, add_doc, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 0);
	assert_int_equal(count_hits(fts, two), 1);
	roaring_bitmap_free(hits);
}

static void
a_damaged_stream_is_refused(void **state)
{
	CLEANUP(fts) struct fts *fts = open_fts(0);

	(void)state;
	assert_int_equal(fts_begin(fts), 0);
	assert_int_equal(fts_put(fts, 1, "\4\0cat", 5), -EIO);
	fts_rollback(fts);
	fill(fts, 1, 1, 1);
	assert_int_equal(count_hits(fts, "every"), 1);
}

/* --- Transactions --- */

static void
only_commits_are_seen_and_kept(void **state)
{
	struct fts *fts = open_fts(0);

	(void)state;
	fill(fts, 1, 10, 77);
	assert_int_equal(fts_begin(fts), 0);
	put_many(fts, 11, 20);
	assert_int_equal(count_hits(fts, "every"), 10);
	fts_rollback(fts);
	fts_rollback(fts);
	assert_int_equal(count_hits(fts, "every"), 10);
	fill(fts, 11, 30, 78);
	assert_int_equal(count_hits(fts, "every"), 30);
	assert_true(fts_bytes(fts) > 8192);
	fts_close(fts);

	fts = open_fts(78);
	assert_int_equal(count_hits(fts, "every"), 30);
	fts_close(fts);
}

static void
a_process_that_dies_leaves_its_commits(void **state)
{
	pid_t pid = fork();
	struct fts *fts;
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		fts = open_fts(0);
		fill(fts, 1, 500, 5);
		fill(fts, 501, 900, 6);
		assert_int_equal(fts_begin(fts), 0);
		put_many(fts, 901, 2000);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));

	fts = open_fts(6);
	assert_int_equal(count_hits(fts, "every"), 900);
	assert_sound(fts);
	fts_close(fts);
}

/* A file that may grow no further stands for a full disk. */
static void
a_write_that_fails_loses_only_itself(void **state)
{
	struct fts *fts = open_fts(0);
	struct rlimit before;
	struct rlimit limit;
	int r;

	(void)state;
	fill(fts, 1, 100, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 200000;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

	assert_int_equal(fts_begin(fts), 0);
	put_many(fts, 101, 8000);
	r = fts_commit(fts, 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(r < 0);
	fts_rollback(fts);
	assert_int_equal(fts_commit(fts, 3), -EIO);
	assert_int_equal(fts_put(fts, 1, NULL, 0), -EIO);

	assert_int_equal(count_hits(fts, "every"), 100);
	fill(fts, 101, 200, 4);
	assert_int_equal(count_hits(fts, "every"), 200);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(4));
}

/* --- Readers --- */

static bool
cancel_third_time(void *context)
{
	int *calls = context;

	return ++*calls == 3;
}

static bool
expire_on_the_way(void *context)
{
	struct index_budget *budget = context;

	budget->deadline_ns = budget->deadline_ns == INT64_MAX - 1 ? 1 : budget->deadline_ns - 1;
	return false;
}

static void
budgets_end_searches(void **state)
{
	int calls = 0;
	struct index_budget late = { .deadline_ns = 1 };
	struct index_budget expiring = { .deadline_ns = INT64_MAX,
					 .cancelled = expire_on_the_way,
					 .context = &expiring };
	struct index_budget ample = { .deadline_ns = INT64_MAX };
	struct index_budget cancelled = { .cancelled = cancel_third_time, .context = &calls };
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();

	(void)state;
	fill(fts, 1, 5000, 1);
	assert_int_equal(fts_find_term(fts, "n1", 2, &late, hits), -ETIMEDOUT);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 0);
	assert_int_equal(fts_find_term(fts, "every", 5, &cancelled, hits), -ECANCELED);
	assert_int_equal(calls, 3);
	assert_true(roaring_bitmap_get_cardinality(hits) < 5000);
	calls = 0;
	assert_int_equal(find_prefix(fts, "n", 1, &cancelled, hits), -ECANCELED);
	assert_int_equal(fts_find_term(fts, "every", 5, &expiring, hits), -ETIMEDOUT);
	assert_int_equal(fts_find_term(fts, "every", 5, &ample, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 5000);
	roaring_bitmap_free(hits);
}

/* The log can be emptied, so nobody still reads an old state of the file. */
static void
no_reader_stays_in_a_transaction(void **state)
{
	int calls = 0;
	struct index_budget cancelled = { .cancelled = cancel_third_time, .context = &calls };
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();
	char wal[sizeof(path) + 8];
	struct stat st;

	(void)state;
	fill(fts, 1, 3000, 1);
	assert_int_equal(count_hits(fts, "every"), 3000);
	assert_int_equal(fts_find_term(fts, "every", 5, &cancelled, hits), -ECANCELED);
	fill(fts, 3001, 3002, 2);
	execute("PRAGMA wal_checkpoint(TRUNCATE)");
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	roaring_bitmap_free(hits);
}

enum { READERS = 12, COMMITS = 40 };

static struct {
	struct fts *fts;
	_Atomic uint64_t committed; /* documents */
	_Atomic bool cleared;
	_Atomic bool ended;
	_Atomic bool failed;
} shared;

/* A search sees at least what was committed when it began, and nothing half done. */
static void *
read_on(void *context)
{
	roaring_bitmap_t *hits;
	uint64_t before;
	uint64_t n;
	int r;

	(void)context;
	while (!shared.ended) {
		before = shared.committed;
		hits = roaring_bitmap_create();
		r = fts_find_term(shared.fts, "every", 5, NULL, hits);
		n = roaring_bitmap_get_cardinality(hits);
		if (r < 0 || n % 10 || (n < before && !shared.cleared))
			shared.failed = true;
		roaring_bitmap_free(hits);
	}
	return NULL;
}

static void
commit_on(void)
{
	for (uint32_t i = 0; i < COMMITS; i++) {
		fill(shared.fts, i * 10 + 1, i * 10 + 10, i + 1);
		shared.committed = (i + 1) * 10;
	}
}

static void
many_threads_read_while_one_writes(void **state)
{
	pthread_t threads[READERS];

	(void)state;
	shared.fts = open_fts(0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, NULL), 0);
	commit_on();
	shared.cleared = true;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(fts_clear(shared.fts), 0);
		commit_on();
	}
	shared.ended = true;
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(shared.failed);
	fts_close(shared.fts);
}

/* --- Merging --- */

static int
number_of(const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

/* Rows of FTS5's data above 2^37 are a segment's. */
static int
segments(void)
{
	return number_of("SELECT count(DISTINCT id >> 37) FROM f_data WHERE id >= 1 << 37");
}

static void
many_commits_become_one_segment(void **state)
{
	CLEANUP(fts) struct fts *fts = open_fts(0);
	bool more = true;
	int steps;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		fill(fts, i * 900 + 1, (i + 1) * 900, i + 1);
	assert_true(fts_merge_is_due(fts));
	assert_in_range(segments(), 2, 15);
	assert_int_equal(fts_merge(fts, &more), 0);
	assert_true(more);
	/* A commit comes between. */
	fill(fts, 9001, 9500, 11);
	for (steps = 1; more; steps++)
		assert_int_equal(fts_merge(fts, &more), 0);
	assert_in_range(steps, 3, 1000);
	assert_int_equal(segments(), 1);
	assert_int_equal(number_of("PRAGMA freelist_count"), 0);
	assert_int_equal(count_hits(fts, "every"), 9500);
	assert_int_equal(count_hits(fts, "n9001"), 1);
	assert_sound(fts);
	assert_false(fts_merge_is_due(fts));

	/* That is known after a start, and counts until there is a quarter more. */
	fts_close(STEAL(fts));
	fts = open_fts(11);
	fill(fts, 9501, 9501 + 9500 / 4, 12);
	assert_false(fts_merge_is_due(fts));
	fill(fts, 12000, 12700, 13);
	assert_true(fts_merge_is_due(fts));
	assert_int_equal(fts_clear(fts), 0);
	assert_false(fts_merge_is_due(fts));
}

/* One that was not made for it. */
static void
a_file_that_cannot_give_back_is_merged_all_the_same(void **state)
{
	CLEANUP(fts) struct fts *fts = open_fts(0);
	bool more = true;
	int steps;

	(void)state;
	fts_close(STEAL(fts));
	execute("PRAGMA auto_vacuum = NONE; VACUUM");
	fts = open_fts(0);
	for (uint32_t i = 0; i < 10; i++)
		fill(fts, i * 900 + 1, (i + 1) * 900, i + 1);
	for (steps = 0; more && steps < 1000; steps++)
		assert_int_equal(fts_merge(fts, &more), 0);
	assert_false(more);
	assert_int_equal(segments(), 1);
	assert_in_range(number_of("PRAGMA freelist_count"), 1, 100000);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_teardown(terms_may_hold_any_byte_but_nul, remove_file),
		cmocka_unit_test_teardown(what_no_term_can_be_is_found_nowhere, remove_file),
		cmocka_unit_test_teardown(phrases_do_not_cross_numbers, remove_file),
		cmocka_unit_test_teardown(a_damaged_stream_is_refused, remove_file),
		cmocka_unit_test_teardown(only_commits_are_seen_and_kept, remove_file),
		cmocka_unit_test_teardown(a_process_that_dies_leaves_its_commits, remove_file),
		cmocka_unit_test_teardown(a_write_that_fails_loses_only_itself, remove_file),
		cmocka_unit_test_teardown(budgets_end_searches, remove_file),
		cmocka_unit_test_teardown(no_reader_stays_in_a_transaction, remove_file),
		cmocka_unit_test_teardown(many_threads_read_while_one_writes, remove_file),
		cmocka_unit_test_teardown(many_commits_become_one_segment, remove_file),
		cmocka_unit_test_teardown(a_file_that_cannot_give_back_is_merged_all_the_same,
					  remove_file),
	};

	return cmocka_run_group_tests_name("fts", TESTS, make_folder, remove_folder);
}
