/* Columns as files: the same answers from memory, from files, after damage and after a crash. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/test_random.h"

/* A segment and a bit; once more as many fill the second. */
#define DOCUMENTS 70000
#define SEGMENTS 1
#define PER_WRITE 10000
#define WAIT_S 60

static char base[] = "/tmp/pxs-test-segments-XXXXXX";
static char full[64]; /* an index with all documents, to be copied */
static char dir[64];  /* that of the test */
static struct pxs_error err;

static const struct query_property DECLARED[] = {
	{ .name = "t.name", .prompt = "", .type = QUERY_TYPE_STRING, .filter = true },
	{ .name = "t.kind", .prompt = "", .type = QUERY_TYPE_STRING, .filter = true },
	{ .name = "t.size", .prompt = "", .type = QUERY_TYPE_LONG, .filter = true },
	{ .name = "t.tags",
	  .prompt = "",
	  .type = QUERY_TYPE_STRING,
	  .multi = true,
	  .filter = true },
	{ .name = "t.ratio", .prompt = "", .type = QUERY_TYPE_DOUBLE, .filter = true },
};
enum { NAME, KIND, SIZE, TAGS, RATIO, PROPERTIES };
static const struct query_property *property[PROPERTIES];

/* The version of each document by id; 0: there is none. What a version holds follows from both. */
static uint16_t version[DOCUMENTS + 1];

/* --- An index --- */

static struct index *
open_index(void)
{
	struct index *index = NULL;

	err = (struct pxs_error){ 0 };
	if (index_open(dir, INDEX_CREATE, &index, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < PROPERTIES; i++)
		assert_int_equal(index_property_add(index, &DECLARED[i], &property[i], &err), 0);
	return index;
}

static void
make_name(int64_t id, unsigned int of, char text[32])
{
	(void)snprintf(text, 32, "file %" PRId64 ".%u", id, of);
}

static void
put(struct index_write *write, struct index_document *document, int64_t id)
{
	unsigned int of = version[id];
	char text[32];

	index_document_clear(document);
	index_document_set_id(document, id);
	make_name(id, of, text);
	(void)index_document_add_string(document, property[NAME], text, strlen(text));
	(void)index_document_add_string(document, property[KIND], id % 3 ? "some" : "other",
					id % 3 ? 4 : 5);
	(void)index_document_add_int(document, property[SIZE], id * of);
	for (int64_t i = 0; i < id % 4; i++) {
		(void)snprintf(text, sizeof(text), "t%" PRId64, i + of);
		(void)index_document_add_string(document, property[TAGS], text, strlen(text));
	}
	if (id % 10 == 0)
		(void)index_document_add(
			document, property[RATIO],
			&(struct query_value){ .type = QUERY_TYPE_DOUBLE, .real = (double)id / 8 });
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

/* Another version of ids FROM .. TO - 1, in steps of STEP. */
static void
put_all(struct index *index, int64_t from, int64_t to, int64_t step)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	assert_int_equal(index_document_new(&document), 0);
	for (int64_t id = from; id < to;) {
		assert_int_equal(index_write_begin(index, &write), 0);
		for (int n = 0; n < PER_WRITE && id < to; n++, id += step) {
			version[id]++;
			put(write, document, id);
		}
		assert_int_equal(index_write_commit(write, &err), 0);
	}
}

static void
remove_all(struct index *index, int64_t from, int64_t to, int64_t step)
{
	struct index_write *write;

	assert_int_equal(index_write_begin(index, &write), 0);
	for (int64_t id = from; id < to; id += step) {
		version[id] = 0;
		assert_int_equal(index_write_remove(write, id), 0);
	}
	assert_int_equal(index_write_commit(write, &err), 0);
}

static struct index_stats
stats_of(struct index *index)
{
	struct index_stats stats;

	assert_int_equal(index_stats(index, &stats), 0);
	return stats;
}

static void
wait_for_segments(struct index *index, uint64_t n)
{
	int64_t until_ns = pxs_clock_steady_ns() + WAIT_S * PXS_NS_PER_S;

	while (stats_of(index).segments < n) {
		if (pxs_clock_steady_ns() > until_ns)
			fail_msg("only %" PRIu64 " segments were written",
				 stats_of(index).segments);
		(void)nanosleep(&(struct timespec){ .tv_nsec = PXS_NS_PER_MS }, NULL);
	}
}

/* --- Comparing --- */

static void
check_document(const struct index_view *view, uint32_t doc, int64_t id, unsigned int of)
{
	struct query_value values[4];
	char text[32];

	make_name(id, of, text);
	assert_true(index_doc_value(view, doc, property[NAME], values));
	assert_string_equal(values[0].string, text);
	assert_true(index_doc_value(view, doc, property[KIND], values));
	assert_string_equal(values[0].string, id % 3 ? "some" : "other");
	assert_true(index_doc_value(view, doc, property[SIZE], values));
	assert_int_equal(values[0].integer, id * of);
	assert_int_equal(index_doc_values(view, doc, property[TAGS], values, 4), id % 4);
	assert_int_equal(index_doc_value(view, doc, property[RATIO], values), id % 10 == 0);
	if (id % 10 == 0)
		assert_true(values[0].real == (double)id / 8);
	assert_int_equal(index_doc_id(view, doc), id);
}

static void
check_view(struct index_view *view)
{
	uint64_t count = 0;
	uint32_t doc, by_row;

	for (int64_t id = 1; id <= DOCUMENTS; id++) {
		if (!version[id]) {
			assert_int_equal(index_doc_find(view, id, &doc), -ENOENT);
			continue;
		}
		count++;
		assert_int_equal(index_doc_find(view, id, &doc), 0);
		check_document(view, doc, id, version[id]);
		assert_int_equal(index_doc_find_row(view, index_doc_row(view, doc), &by_row), 0);
		assert_int_equal(by_row, doc);
	}
	assert_int_equal(index_view_count(view), count);
}

static void
check_index(struct index *index)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;

	check_view(view);
	if (index_check(index, &report) != 0)
		fail_msg("%s", pxs_buf_text(&report));
}

/* --- Folders --- */

__attribute__((format(printf, 1, 2))) static void
run(const char *fmt, ...)
{
	char command[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static int
make_full(void **state)
{
	struct index *index;

	(void)state;
	if (!mkdtemp(base))
		return -1;
	(void)snprintf(full, sizeof(full), "%s/full", base);
	(void)snprintf(dir, sizeof(dir), "%s", full);
	index = open_index();
	put_all(index, 1, DOCUMENTS + 1, 1);
	wait_for_segments(index, SEGMENTS);
	index_close(index);
	return 0;
}

static int
remove_full(void **state)
{
	(void)state;
	run("rm -rf %s", base);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/test", base);
	run("cp -r %s %s", full, dir);
	for (int64_t id = 1; id <= DOCUMENTS; id++)
		version[id] = 1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	run("rm -rf %s", dir);
	return 0;
}

/* --- The tests --- */

static void
full_segments_are_read_from_files(void **state)
{
	CLEANUP(index) struct index *index = open_index();

	(void)state;
	assert_int_equal(stats_of(index).segments, SEGMENTS);
	assert_false(stats_of(index).segments_rebuilt);
	check_index(index);
}

static void
changes_after_the_files_count(void **state)
{
	struct index *index = open_index();

	(void)state;
	put_all(index, 3, DOCUMENTS, 50);
	remove_all(index, 4, DOCUMENTS, 50);
	check_index(index);
	index_close(index);

	index = open_index();
	check_index(index);
	put_all(index, 4, DOCUMENTS, 100);
	remove_all(index, 7, DOCUMENTS, 100);
	index_close(index);

	index = open_index();
	assert_false(stats_of(index).segments_rebuilt);
	check_index(index);
	index_close(index);
}

/* The child never closes its index, so the next start has the log of changes only. */
static void
changes_before_a_crash_count(void **state)
{
	struct index *index;
	pid_t child;
	int status;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		index = open_index();
		put_all(index, 3, DOCUMENTS, 50);
		remove_all(index, 4, DOCUMENTS, 50);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int64_t id = 3; id < DOCUMENTS; id += 50)
		version[id]++;
	for (int64_t id = 4; id < DOCUMENTS; id += 50)
		version[id] = 0;
	index = open_index();
	assert_false(stats_of(index).segments_rebuilt);
	check_index(index);
	index_close(index);
}

/* Readers of a view go on while what they read is written down and replaced. */
static void
an_old_view_goes_on(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	CLEANUP(index_view) struct index_view *old = index_view_get(index);
	uint16_t *before = malloc(sizeof(version));

	(void)state;
	assert_non_null(before);
	memcpy(before, version, sizeof(version));
	put_all(index, 1, DOCUMENTS, 1); /* fills another segment */
	wait_for_segments(index, SEGMENTS + 1);
	check_index(index);
	memcpy(version, before, sizeof(version));
	check_view(old);
	free(before);
}

struct reading {
	struct index *index;
	atomic_bool done;
	atomic_uint wrong;
};

/* What a document holds is its name's, whichever version of it is shown. */
static bool
is_whole(const struct index_view *view, int64_t id)
{
	struct query_value name, number;
	char text[32];
	uint32_t doc;

	if (index_doc_find(view, id, &doc) < 0 ||
	    !index_doc_value(view, doc, property[NAME], &name) ||
	    !index_doc_value(view, doc, property[SIZE], &number))
		return false;
	make_name(id, (unsigned int)(number.integer / id), text);
	return strcmp(text, name.string) == 0;
}

static void *
read_on(void *context)
{
	struct reading *reading = context;
	unsigned int seed = 1;

	while (!atomic_load(&reading->done)) {
		CLEANUP(index_view) struct index_view *view = index_view_get(reading->index);

		for (int i = 0; i < 1000; i++)
			if (!is_whole(view, rand_r(&seed) % DOCUMENTS + 1))
				atomic_fetch_add(&reading->wrong, 1);
	}
	return NULL;
}

static void
readers_go_on_beside(void **state)
{
	CLEANUP(index) struct index *index = open_index();
	struct reading reading = { .index = index };
	pthread_t readers[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_on, &reading), 0);
	put_all(index, 1, DOCUMENTS, 1);
	wait_for_segments(index, SEGMENTS + 1);
	atomic_store(&reading.done, true);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_int_equal(reading.wrong, 0);
}

/* --- Damage --- */

enum damage { FLIPPED, SHORTENED, EMPTIED, REMOVED, LENGTHENED };

struct damaged {
	const char *name;
	const char *ending; /* of the file, the first such */
	enum damage damage;
	bool rebuilt; /* else the file can be done without */
};

static void
find_file(const char *ending, char path[512])
{
	char folder[128];
	const struct dirent *entry;
	DIR *files;

	(void)snprintf(folder, sizeof(folder), "%s/segments", dir);
	files = opendir(folder);
	assert_non_null(files);
	while ((entry = readdir(files))) {
		size_t len = strlen(entry->d_name);

		if (len >= strlen(ending) &&
		    strcmp(entry->d_name + len - strlen(ending), ending) == 0)
			break;
	}
	assert_non_null(entry);
	(void)snprintf(path, 512, "%s/%s", folder, entry->d_name);
	(void)closedir(files);
}

static void
damage_file(const struct damaged *damaged)
{
	CLEANUP(close) int fd = -1;
	char path[512];
	struct stat st;
	char byte;
	off_t at;

	find_file(damaged->ending, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	at = random() % st.st_size;
	switch (damaged->damage) {
	case FLIPPED:
		do { /* zeros may be room that nobody reads */
			at = random() % st.st_size;
			assert_int_equal(pread(fd, &byte, 1, at), 1);
		} while (byte == 0);
		byte ^= 0x04;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		break;
	case SHORTENED:
		assert_int_equal(ftruncate(fd, at), 0);
		break;
	case EMPTIED:
		assert_int_equal(ftruncate(fd, 0), 0);
		break;
	case LENGTHENED:
		assert_int_equal(ftruncate(fd, st.st_size + 1), 0);
		break;
	case REMOVED:
		assert_int_equal(unlink(path), 0);
		break;
	}
}

static void
damage_is_seen_and_healed(void **state)
{
	const struct damaged *damaged = *state;
	struct index *index;

	damage_file(damaged);
	index = open_index();
	assert_int_equal(stats_of(index).segments_rebuilt, damaged->rebuilt);
	check_index(index);
	wait_for_segments(index, SEGMENTS);
	check_index(index);
	index_close(index);
	index = open_index();
	assert_int_equal(stats_of(index).segments, SEGMENTS);
	assert_false(stats_of(index).segments_rebuilt);
	check_index(index);
	index_close(index);
}

static const struct damaged DAMAGED[] = {
	{ "a byte of a segment", ".segment", FLIPPED, true },
	{ "a short segment", ".segment", SHORTENED, true },
	{ "an empty segment", ".segment", EMPTIED, true },
	{ "a missing segment", ".segment", REMOVED, true },
	{ "a long segment", ".segment", LENGTHENED, true },
	{ "a byte of the lexicon", ".lexicon", FLIPPED, false },
	{ "a short lexicon", ".lexicon", SHORTENED, false },
	{ "a missing lexicon", ".lexicon", REMOVED, false },
	{ "a byte of the manifest", "manifest", FLIPPED, true },
	{ "a short manifest", "manifest", SHORTENED, true },
	{ "a missing manifest", "manifest", REMOVED, false },
};

static int
setup_damaged(void **state)
{
	void *damaged = *state;
	int r = setup(state);

	*state = damaged;
	return r;
}

/* What is mapped was read before; only the disk has lost it. */
static void
a_check_reads_the_files_again(void **state)
{
	static const struct damaged SHORT = { .ending = ".segment", .damage = FLIPPED };
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	CLEANUP(index) struct index *index = open_index();

	(void)state;
	assert_int_equal(index_check(index, &report), 0);
	damage_file(&SHORT);
	assert_int_equal(index_check(index, &report), 1);
	assert_non_null(strstr(pxs_buf_text(&report), ".segment: is damaged"));
}

/* docs.db was put back from a backup: files that are ahead of it are not its own. */
static void
files_of_another_history_are_dropped(void **state)
{
	struct index *index = open_index();

	(void)state;
	put_all(index, 5, 5000, 10);
	index_close(index);
	for (int64_t id = 5; id < 5000; id += 10)
		version[id] = 1;
	run("cp %s/docs.db %s/docs.db", full, dir);
	index = open_index();
	assert_true(stats_of(index).segments_rebuilt);
	check_index(index);
	index_close(index);
}

/* Where files cannot be written, memory serves, and the next start reads the record. */
static void
without_files_all_goes_on(void **state)
{
	struct index *index;

	(void)state;
	run("rm -r %s/segments && mkdir -p %s/segments/manifest.new", dir, dir);
	index = open_index();
	check_index(index);
	assert_int_equal(stats_of(index).segments, 0);
	put_all(index, 5, 500, 10);
	index_close(index);
	index = open_index();
	check_index(index);
	index_close(index);
}

/* --- Crashes --- */

#define CRASHES 6

/* Writes until it is killed, so that segments are being written most of the time. */
static void
write_for_ever(void)
{
	struct index *index = open_index();

	for (;;)
		put_all(index, 1, DOCUMENTS, 1);
}

/* What was acknowledged is not known here; the record is what must be told. */
static void
a_crash_at_any_time_is_survived(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	struct index *index;
	pid_t child;

	(void)state;
	for (int i = 0; i < CRASHES; i++) {
		long wait_ns = random() % 900 * PXS_NS_PER_MS;

		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			write_for_ever();
		(void)nanosleep(&(struct timespec){ .tv_nsec = wait_ns }, NULL);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		index = open_index();
		assert_false(stats_of(index).segments_rebuilt);
		if (index_check(index, &report) != 0)
			fail_msg("after %ld ns: %s", wait_ns, pxs_buf_text(&report));
		index_close(index);
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(DAMAGED) + 9] = {
		[ARRAY_SIZE(DAMAGED)] = cmocka_unit_test_setup_teardown(
			full_segments_are_read_from_files, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_after_the_files_count, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_before_a_crash_count, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_view_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_go_on_beside, setup, teardown),
		cmocka_unit_test_setup_teardown(a_check_reads_the_files_again, setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_another_history_are_dropped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_files_all_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_at_any_time_is_survived, setup, teardown),
	};

	start_random();
	for (size_t i = 0; i < ARRAY_SIZE(DAMAGED); i++)
		tests[i] = (struct CMUnitTest){
			.name = DAMAGED[i].name,
			.test_func = damage_is_seen_and_healed,
			.setup_func = setup_damaged,
			.teardown_func = teardown,
			.initial_state = (void *)&DAMAGED[i],
		};
	return cmocka_run_group_tests_name("segments", tests, make_full, remove_full);
}
