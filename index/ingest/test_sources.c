/* What may go, what may not, what cannot be read, and how scans end. */
#include "index/ingest/test_world.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* --- Removals --- */

static void
removed_files_lose_their_documents(void **state)
{
	struct ingest_status status;

	(void)state;
	tree_folder(&tree, "a");
	tree_file(&tree, "a/1", "");
	tree_file(&tree, "2", "");
	(void)scan();
	tree_remove(&tree, "a");
	status = scan();
	assert_counts(&status, 0, 0, 0, 2, 1);
	assert_index_is_the_tree();
}

static void
make_files(const char *folder, int n)
{
	char path[64];

	tree_folder(&tree, folder);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%d", folder, i);
		tree_file(&tree, path, "");
	}
}

static void
a_mass_removal_wants_a_word(void **state)
{
	struct ingest_status status;

	(void)state;
	make_files("many", 1001);
	tree_file(&tree, "stays", "");
	(void)scan();
	tree_remove(&tree, "many");
	tree_file(&tree, "new", "");
	status = run(tree.path, false, false);
	assert_int_equal(status.state, INGEST_FAILED);
	assert_int_equal(status.error, EPERM);
	assert_non_null(strstr(status.reason, "1002 of 1003 documents"));
	assert_non_null(strstr(status.reason, "pxs ingest --allow-mass-removal "));
	/* Nothing is gone, and what is new is there. */
	assert_int_equal(count_documents(), 1004);

	status = run(tree.path, true, false);
	assert_int_equal(status.state, INGEST_DONE);
	assert_int_equal(status.removed, 1002);
	assert_index_is_the_tree();
}

static void
a_thousand_may_go_without(void **state)
{
	(void)state;
	make_files("many", 999);
	tree_file(&tree, "stays", "");
	(void)scan();
	tree_remove(&tree, "many");
	assert_int_equal(scan().removed, 1000);
	assert_index_is_the_tree();
}

/* As package managers and editors do: new files under the old names. */
static void
replaced_files_do_not_count_as_gone(void **state)
{
	struct ingest_status status;

	(void)state;
	make_files("many", 1100);
	(void)scan();
	tree_rename(&tree, "many", "old");
	make_files("many", 1100);
	tree_remove(&tree, "old");
	status = scan();
	assert_int_equal(status.added, 1101);
	assert_int_equal(status.removed, 1101);
	assert_index_is_the_tree();
}

static void
an_emptied_source_is_not_believed(void **state)
{
	struct ingest_status status;

	(void)state;
	tree_file(&tree, "only", "");
	(void)scan();
	tree_remove(&tree, "only");
	status = run(tree.path, false, false);
	assert_int_equal(status.state, INGEST_FAILED);
	assert_non_null(strstr(status.reason, "is empty"));
	assert_int_equal(count_documents(), 1);
	assert_int_equal(run(tree.path, true, false).state, INGEST_DONE);
	assert_int_equal(count_documents(), 0);
}

static void
a_vanished_source_is_not_believed(void **state)
{
	struct ingest_status status;
	char source[PATH_MAX];

	(void)state;
	tree_folder(&tree, "source");
	tree_file(&tree, "source/1", "");
	(void)snprintf(source, sizeof(source), "%s/source", tree.path);
	assert_int_equal(run(source, false, false).added, 1);
	tree_rename(&tree, "source", "elsewhere");
	status = run(source, false, false);
	assert_int_equal(status.state, INGEST_FAILED);
	assert_non_null(strstr(status.reason, "is gone"));
	assert_non_null(strstr(status.reason, source));
	assert_int_equal(count_documents(), 1);

	tree_rename(&tree, "elsewhere", "source");
	assert_int_equal(run(source, false, false).unchanged, 1);
	tree_remove(&tree, "source");
	assert_int_equal(run(source, true, false).removed, 1);
}

/* --- Sources --- */

static void
sources_may_not_overlap(void **state)
{
	struct pxs_error err = { 0 };
	char part[PATH_MAX];
	uint64_t job;

	(void)state;
	tree_folder(&tree, "a");
	tree_folder(&tree, "a/b");
	tree_file(&tree, "a/b/1", "");
	(void)snprintf(part, sizeof(part), "%s/a", tree.path);
	assert_int_equal(run(part, false, false).added, 2);
	assert_int_equal(submit(tree.path, false, false, &job, &err), -EEXIST);
	assert_non_null(strstr(err.text, "pxs ingest --forget "));
	assert_non_null(strstr(err.text, part));

	assert_int_equal(run(part, false, true).removed, 2);
	assert_int_equal(count_documents(), 0);
	assert_int_equal(scan().added, 3);
}

static void
a_part_of_a_source_is_scanned_alone(void **state)
{
	struct ingest_status status;
	char part[PATH_MAX];

	(void)state;
	tree_folder(&tree, "a");
	tree_folder(&tree, "b");
	tree_file(&tree, "a/1", "");
	tree_file(&tree, "b/1", "");
	(void)scan();
	tree_remove(&tree, "a/1");
	tree_remove(&tree, "b/1");
	tree_file(&tree, "b/2", "");
	(void)snprintf(part, sizeof(part), "%s//b/.", tree.path);
	status = run(part, false, false);
	assert_counts(&status, 1, 1, 0, 1, 0);
	status = scan();
	assert_counts(&status, 0, 1, 0, 1, 2);
	assert_index_is_the_tree();
}

static void
bad_places_are_named(void **state)
{
	struct row {
		const char *path; /* below the tree, unless absolute */
		int error;
		const char *text;
	} rows[] = {
		{ "relative", -EINVAL, "is not an absolute path" },
		{ "/nonexistent/pxs", -ENOENT, "cannot find /nonexistent/pxs" },
		{ "/etc/passwd", -ENOTDIR, "is not a folder" },
		{ "/proc", -EINVAL, "holds no files to index" },
		{ "/proc/self/task", -EINVAL, "holds no files to index" },
		{ index_tree.path, -EINVAL, "is the index itself" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pxs_error err = { 0 };
		uint64_t job;

		assert_int_equal(submit(rows[i].path, false, false, &job, &err), rows[i].error);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: %s", rows[i].path, err.text);
	}
}

static void
what_is_no_source_cannot_be_forgotten(void **state)
{
	struct pxs_error err = { 0 };
	uint64_t job;

	(void)state;
	assert_int_equal(submit(tree.path, false, true, &job, &err), -ENOENT);
	assert_non_null(strstr(err.text, "is no source"));
}

static void
the_index_does_not_index_itself(void **state)
{
	char dir[PATH_MAX];

	(void)state;
	close_world();
	(void)snprintf(dir, sizeof(dir), "%s/index", tree.path);
	open_world_in(dir);
	tree_file(&tree, "file", "");
	assert_int_equal(scan().added, 1);
}

static void
a_path_queued_twice_is_one_job(void **state)
{
	struct ingest_status status;
	uint64_t jobs[4];

	(void)state;
	assert_int_equal(submit("/usr/share", false, false, &jobs[0], NULL), 0); /* takes a while */
	assert_int_equal(submit(tree.path, false, false, &jobs[1], NULL), 0);
	assert_int_equal(submit(tree.path, true, false, &jobs[2], NULL), 0);
	assert_int_equal(jobs[0], 1);
	assert_int_equal(jobs[1], 2);
	assert_int_equal(jobs[2], 2);
	assert_int_equal(ingest_status(ingest, 2, &status), 0);
	assert_int_equal(status.state, INGEST_QUEUED);
	assert_int_equal(ingest_current(ingest, &status), 0);
	assert_int_equal(status.job, 2);
	assert_int_equal(ingest_status(ingest, 3, &status), -ENOENT);
}

static void
the_last_jobs_are_remembered(void **state)
{
	struct ingest_status status;

	(void)state;
	assert_int_equal(ingest_current(ingest, &status), -ENOENT);
	for (int i = 0; i < 70; i++)
		(void)scan();
	assert_int_equal(ingest_current(ingest, &status), -ENOENT);
	assert_int_equal(ingest_status(ingest, 6, &status), -ENOENT);
	assert_int_equal(ingest_status(ingest, 7, &status), 0);
	assert_int_equal(status.state, INGEST_DONE);
	assert_string_equal(status.path, tree.path);
}

/* --- What cannot be read --- */

#define NOBODY 65534

/* In children, where a failed assertion would go on with the next test. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static struct ingest_status
check_scan(void)
{
	struct ingest_status status;
	uint64_t job;

	CHECK(submit(tree.path, false, false, &job, NULL) == 0);
	do
		CHECK(ingest_status(ingest, job, &status) == 0 && usleep(1000) == 0);
	while (status.state < INGEST_DONE);
	CHECK(status.state == INGEST_DONE);
	return status;
}

static void
check_failures(void)
{
	static const char *const PATHS[] = { "closed", "listed/3", "secret" };
	struct index_failure *failures;
	char path[PATH_MAX];
	size_t n;

	CHECK(index_failure_list(index_, 0, 10, &failures, &n) == 0);
	CHECK(n == ARRAY_SIZE(PATHS));
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", tree.path, PATHS[i]);
		CHECK(!strcmp(failures[i].path, path));
		CHECK(strstr(failures[i].reason, "Permission denied"));
	}
	index_failure_free(failures, n);
}

static void
set_modes(mode_t closed, mode_t listed, mode_t secret)
{
	CHECK(fchmodat(tree.fd, "closed", closed, 0) == 0);
	CHECK(fchmodat(tree.fd, "listed", listed, 0) == 0);
	CHECK(fchmodat(tree.fd, "secret", secret, 0) == 0);
}

static void
become_nobody(void)
{
	if (getuid() == 0)
		CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		      setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void
check_counts(const struct ingest_status *status, uint64_t changed, uint64_t removed,
	     uint64_t failures)
{
	CHECK(status->changed == changed);
	CHECK(status->removed == removed);
	CHECK(status->failures == failures);
}

/* Permissions bind the owner, unless he is root. */
static void
scan_as_nobody(void)
{
	struct ingest_status status;

	become_nobody();
	open_world();
	CHECK(check_scan().added == 7);

	/* "open" changes too; of "secret" the type is lost with the right to read it. */
	set_modes(0, 0444, 0);
	CHECK(unlinkat(tree.fd, "open/1", 0) == 0);
	status = check_scan();
	check_counts(&status, 4, 1, 3);
	check_failures();

	status = check_scan();
	check_counts(&status, 0, 0, 3);
	check_failures();

	set_modes(0755, 0755, 0644);
	status = check_scan();
	check_counts(&status, 3, 0, 0);
	close_world();
	_exit(0);
}

static int
own_by_nobody(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return lchown(path, NOBODY, NOBODY);
}

static void
unreadable_places_keep_their_documents(void **state)
{
	int status;
	pid_t child;

	(void)state;
	tree_folder(&tree, "open");
	tree_folder(&tree, "closed");
	tree_folder(&tree, "listed");
	tree_file(&tree, "open/1", "");
	tree_file(&tree, "closed/2", "");
	tree_file(&tree, "listed/3", "");
	tree_file(&tree, "secret", "text");
	close_world();
	tree_empty_folder(dup(index_tree.fd));
	if (getuid() == 0) {
		assert_int_equal(nftw(tree.path, own_by_nobody, 64, FTW_PHYS), 0);
		assert_int_equal(chown(index_tree.path, NOBODY, NOBODY), 0);
	}

	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		scan_as_nobody();
	assert_int_equal(waitpid(child, &status, 0), child);
	open_world();
	assert_int_equal(status, 0);
	assert_index_is_the_tree();
}

static void
scan_privately(void)
{
	struct ingest_status status;

	become_nobody();
	open_world();
	status = check_scan();
	CHECK(status.added == 1 && status.failures == 1);
	close_world();
	_exit(0);
}

/* Nothing about the file changes, only who asks. */
static void
a_type_is_asked_for_until_it_is_known(void **state)
{
	struct ingest_status scanned;
	int status;
	pid_t child;

	(void)state;
	if (getuid() != 0)
		skip();
	tree_file(&tree, "private", "text");
	assert_int_equal(fchmodat(tree.fd, "private", 0600, 0), 0);
	close_world();
	tree_empty_folder(dup(index_tree.fd));
	assert_int_equal(chown(index_tree.path, NOBODY, NOBODY), 0);

	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		scan_privately();
	assert_int_equal(waitpid(child, &status, 0), child);
	open_world();
	assert_int_equal(status, 0);
	assert_string_equal(text_of("private", "core.mimetype"), "");
	scanned = scan();
	assert_counts(&scanned, 0, 1, 0, 0, 0);
	assert_string_equal(text_of("private", "core.mimetype"), "text/plain");
}

/* --- Ends --- */

/* Kill a scan after a while, at whatever it does; the next makes good. */
static void
killed_scans_are_made_good(void **state)
{
	unsigned int seed = (unsigned int)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (int i = 0; i < 8; i++) {
		char folder[16];

		(void)snprintf(folder, sizeof(folder), "%d", i);
		make_files(folder, 500);
	}
	for (int i = 0; i < 5; i++) {
		CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
		pid_t child;

		close_world();
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			open_world();
			(void)check_scan();
			_exit(0);
		}
		(void)usleep((useconds_t)(rand_r(&seed) % 400000));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		open_world();
		if (index_check(index_, &report) != 0)
			fail_msg("%s", pxs_buf_text(&report));
	}
	(void)scan();
	assert_index_is_the_tree();
}

static void
closing_stops_a_scan_at_once(void **state)
{
	struct ingest_status status;
	struct pxs_error err = { 0 };
	struct index_stats stats;
	uint64_t job;

	(void)state;
	assert_int_equal(submit("/usr", false, false, &job, NULL), 0);
	do
		assert_int_equal(ingest_status(ingest, job, &status), 0);
	while (status.seen < 300);
	ingest_close(STEAL(ingest));
	assert_int_equal(index_stats(index_, &stats), 0);
	assert_true(stats.documents < 20000); /* there are several times as many */
	assert_int_equal(ingest_open(index_, &ingest, &err), 0);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(removed_files_lose_their_documents),
		TEST(a_mass_removal_wants_a_word),
		TEST(a_thousand_may_go_without),
		TEST(replaced_files_do_not_count_as_gone),
		TEST(an_emptied_source_is_not_believed),
		TEST(a_vanished_source_is_not_believed),
		TEST(sources_may_not_overlap),
		TEST(a_part_of_a_source_is_scanned_alone),
		TEST(bad_places_are_named),
		TEST(what_is_no_source_cannot_be_forgotten),
		TEST(the_index_does_not_index_itself),
		TEST(a_path_queued_twice_is_one_job),
		TEST(the_last_jobs_are_remembered),
		TEST(unreadable_places_keep_their_documents),
		TEST(a_type_is_asked_for_until_it_is_known),
		TEST(killed_scans_are_made_good),
		TEST(closing_stops_a_scan_at_once),
	};

	return cmocka_run_group_tests_name("sources", TESTS, NULL, NULL);
}
