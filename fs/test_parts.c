#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "fs/bucket.h"
#include "fs/errors.h"
#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/mountpoint.h"
#include "fs/probe.h"
#include "fs/served.h"
#include "query/query.h"

/* --- Buckets --- */

static const struct query_property SIZE = { .name = "core.size", .type = QUERY_TYPE_LONG };
static const struct query_property KIND = { .name = "core.type", .type = QUERY_TYPE_STRING };
static const struct query_property *const PROPERTIES[] = { &SIZE, &KIND };
static const struct query_schema SCHEMA = { PROPERTIES, ARRAY_SIZE(PROPERTIES) };

/* SEGMENT's condition is called NAME in PROPERTY's folder, which leads back to it. */
static const struct bucket {
	const char *segment;
	const char *name;
	const char *target;
	const struct query_property *property;
} BUCKETS[] = {
	{ "core.size=27400-44000", "27400-44000", "../core.size=27400-44000", &SIZE },
	{ "core.size=5", "5", "../core.size=5", &SIZE },
	{ "core.size=!..", "(none)", "../core.size=!..", &SIZE },
	{ "core.type=file", "file", "../core.type=file", &KIND },
	{ "core.type=a%2Fb", "a%2Fb", "../core.type=a%2Fb", &KIND },
	{ "core.type=(none)", "%28none)", "../core.type=%28none)", &KIND },
	{ "core.type=%2E", "%2E", "../core.type=%2E", &KIND },
	{ "core.type=%2E%2E", "%2E%2E", "../core.type=%2E%2E", &KIND },
};

static void
check_bucket(const struct bucket *bucket)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *back = NULL;
	struct query_key key = { 0 };
	struct query_key key_back = { 0 };

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_segment(query, bucket->segment, &SCHEMA, NULL), 0);
	assert_int_equal(fs_bucket_print_name(bucket->property, query->root, &name), 0);
	assert_string_equal(name.data, bucket->name);

	fs_bucket_print_target(bucket->property, name.data, &target);
	assert_string_equal(target.data, bucket->target);
	assert_int_equal(query_new(&back), 0);
	assert_int_equal(query_add_segment(back, target.data + strlen(FS_BUCKET_UP), &SCHEMA, NULL),
			 0);
	assert_int_equal(query_key(query, &key), 0);
	assert_int_equal(query_key(back, &key_back), 0);
	assert_memory_equal(&key, &key_back, sizeof(key));
}

static void
buckets_lead_to_their_condition(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(BUCKETS); i++)
		check_bucket(&BUCKETS[i]);
}

/* --- The record of failures --- */

static size_t
count_lines(const struct pxs_buf *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < buf->len; i++)
		n += buf->data[i] == '\n';
	return n;
}

static void
the_last_failures_are_kept(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct fs_errors *errors;
	char path[32];

	(void)state;
	assert_int_equal(fs_errors_new(&errors), 0);
	fs_errors_print(errors, FS_ERRORS_ALL, &buf);
	assert_int_equal(buf.len, 0);
	for (int i = 0; i < FS_ERRORS_MAX + 5; i++) {
		(void)snprintf(path, sizeof(path), "/path-%d.", i);
		fs_errors_add(errors, 0, 7, path, -EINVAL, "why");
	}
	fs_errors_print(errors, FS_ERRORS_ALL, &buf);
	assert_int_equal(count_lines(&buf), FS_ERRORS_MAX);
	assert_null(strstr(buf.data, "/path-4."));
	assert_non_null(strstr(buf.data, "\t0\t/path-5.\tEINVAL\twhy\n"));
	fs_errors_free(errors);
}

static void
failures_of_others_are_not_told(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct fs_errors *errors;

	(void)state;
	assert_int_equal(fs_errors_new(&errors), 0);
	fs_errors_add(errors, 1000, 7, "/mine", -EACCES, "first");
	fs_errors_add(errors, 1001, 7, "/other", -EACCES, "second");
	fs_errors_print(errors, 1000, &buf);
	assert_int_equal(count_lines(&buf), 1);
	assert_non_null(strstr(buf.data, "/mine"));

	pxs_buf_clear(&buf);
	assert_true(fs_errors_find(errors, 1000, 7, &buf));
	assert_string_equal(buf.data, "first");
	pxs_buf_clear(&buf);
	assert_true(fs_errors_find(errors, FS_ERRORS_ALL, 7, &buf));
	assert_string_equal(buf.data, "second");
	assert_false(fs_errors_find(errors, 1000, 8, &buf));
	fs_errors_free(errors);
}

static void
a_path_cannot_break_its_line(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct fs_errors *errors;

	(void)state;
	assert_int_equal(fs_errors_new(&errors), 0);
	fs_errors_add(errors, 0, 7, "/a\nb\tc\x1b", -EINVAL, "why");
	fs_errors_print(errors, FS_ERRORS_ALL, &buf);
	assert_int_equal(count_lines(&buf), 1);
	assert_non_null(strstr(buf.data, "\t/a\\x0ab\\x09c\\x1b\t"));
	fs_errors_free(errors);
}

/* --- Cached content --- */

static void
only_the_same_content_is_cached(void **state)
{
	struct stat st = { .st_size = 5, .st_mtim = { 1, 2 }, .st_ctim = { 3, 4 } };
	struct stat longer = st;
	struct stat newer = st;
	struct stat put_back = st; /* modification time set back after a change */
	struct fs_served *served;

	(void)state;
	longer.st_size = 6;
	newer.st_mtim.tv_nsec = 3;
	put_back.st_ctim.tv_sec = 4;
	assert_int_equal(fs_served_new(&served), 0);
	assert_false(fs_served_is_same(served, 1, &st));
	assert_true(fs_served_is_same(served, 1, &st));
	assert_false(fs_served_is_same(served, 2, &st));
	assert_false(fs_served_is_same(served, 1, &longer));
	assert_false(fs_served_is_same(served, 1, &st));
	assert_false(fs_served_is_same(served, 1, &newer));
	assert_false(fs_served_is_same(served, 1, &st));
	assert_false(fs_served_is_same(served, 1, &put_back));
	assert_true(fs_served_is_same(served, 1, &put_back));
	assert_false(fs_served_is_same(served, 1 + 4096, &put_back)); /* takes its place */
	assert_false(fs_served_is_same(served, 1, &put_back));
	fs_served_free(served);
}

/* --- Options and mountpoints --- */

static void
options_are_parsed(void **state)
{
	static const struct {
		const char *text;
		int result;
		bool allow_other;
		unsigned int unlinks;
		bool visibility_unix;
	} ROWS[] = {
		{ "", 0, false, 0, false },
		{ "allow_other", 0, true, 0, false },
		{ ",allow_other,", 0, true, 0, false },
		{ "nonsense", -EINVAL, false, 0, false },
		{ "allow_other,nonsense", -EINVAL, false, 0, false }, /* nothing is set then */
		{ "allow_othe", -EINVAL, false, 0, false },
		{ "delete", 0, false, 100, false },
		{ "delete=7,allow_other", 0, true, 7, false },
		{ "delete=0", 0, false, 0, false },
		{ "delete=", -EINVAL, false, 0, false },
		{ "delete=-1", -EINVAL, false, 0, false },
		{ "delete=5x", -EINVAL, false, 0, false },
		{ "delete=1000001", -EINVAL, false, 0, false },
		{ "deleted", -EINVAL, false, 0, false },
		{ "visibility=unix", 0, false, 0, true },
		{ "visibility=unix,visibility=all", 0, false, 0, false },
		{ "visibility=none", -EINVAL, false, 0, false },
		{ "visibility", -EINVAL, false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct fs_options options = { 0 };
		struct pxs_error err = { 0 };

		assert_int_equal(fs_options_parse(ROWS[i].text, &options, &err), ROWS[i].result);
		assert_int_equal(options.allow_other, ROWS[i].allow_other);
		assert_int_equal(options.deletions_per_minute, ROWS[i].unlinks);
		assert_int_equal(options.visibility_unix, ROWS[i].visibility_unix);
		assert_true((err.code != 0) == (ROWS[i].result != 0));
	}
}

static void
mountpoints_are_resolved(void **state)
{
	static const char *const REFUSED[] = { "", "relative", "/", "//", "/nonexistent/below" };
	struct pxs_error err = { 0 };
	char *path = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(REFUSED); i++)
		assert_true(fs_mountpoint_resolve(REFUSED[i], &path, &err) < 0);
	assert_int_equal(fs_mountpoint_resolve("/proc/../usr//new///", &path, NULL), 0);
	assert_string_equal(path, "/usr/new");
	free(path);
	assert_int_equal(fs_mountpoint_resolve("/mnt", &path, NULL), 0);
	assert_string_equal(path, "/mnt");
	free(path);
}

static void
unfit_mountpoints_are_explained(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *sentence;
	} ROWS[] = {
		{ "/usr/nonexistent", -ENOENT, "make it first" },
		{ "/etc/passwd", -ENOTDIR, "not a folder" },
		{ "/usr", -ENOTEMPTY, "not empty" },
		{ "/proc", -EBUSY, "mounted there already" },
	};

	(void)state;
	if (access("/dev/fuse", F_OK) < 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct fs_options options = { .mountpoint = ROWS[i].path };
		struct pxs_error err = { 0 };

		assert_int_equal(fs_mountpoint_prepare(&options, &err), ROWS[i].result);
		assert_non_null(strstr(err.text, ROWS[i].path));
		assert_non_null(strstr(err.text, ROWS[i].sentence));
	}
}

static void
probes_are_known(void **state)
{
	(void)state;
	assert_true(fs_probe_is(".DS_Store"));
	assert_true(fs_probe_is("._anything"));
	assert_true(fs_probe_is(".Trash-1000"));
	assert_false(fs_probe_is("cat.jpg"));
	assert_false(fs_probe_is(".pxs"));
}

/* --- Handles --- */

static int n_freed;

static void
count_free(struct fs_handle *handle)
{
	handle->free = NULL;
	n_freed++;
}

static void
what_nobody_closes_is_freed_with_the_mount(void **state)
{
	struct fs_handle handles[3] = { { count_free }, { count_free }, { count_free } };
	struct fs_handles *all;

	(void)state;
	assert_int_equal(fs_handles_new(&all), 0);
	for (size_t i = 0; i < ARRAY_SIZE(handles); i++)
		fs_handle_open(all, &handles[i]);
	fs_handle_close(all, &handles[1]);
	assert_int_equal(n_freed, 1);
	assert_null(handles[1].free);
	fs_handles_free(all);
	assert_int_equal(n_freed, 3);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(buckets_lead_to_their_condition),
		cmocka_unit_test(the_last_failures_are_kept),
		cmocka_unit_test(failures_of_others_are_not_told),
		cmocka_unit_test(a_path_cannot_break_its_line),
		cmocka_unit_test(only_the_same_content_is_cached),
		cmocka_unit_test(options_are_parsed),
		cmocka_unit_test(mountpoints_are_resolved),
		cmocka_unit_test(unfit_mountpoints_are_explained),
		cmocka_unit_test(probes_are_known),
		cmocka_unit_test(what_nobody_closes_is_freed_with_the_mount),
	};

	return cmocka_run_group_tests_name("fs parts", TESTS, NULL, NULL);
}
