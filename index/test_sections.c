/* A file of sections is either what was written or refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macros.h"
#include "index/sections.h"

static const struct sections_name NAME = { .kind = 2, .number = 7, .generation = 9, .salt = 1 };

static char folder[] = "/tmp/pxs-sections-XXXXXX";
static int dir_fd;

static int
setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlinkat(dir_fd, "file", 0);
	(void)close(dir_fd);
	return rmdir(folder);
}

static void
write_file(void)
{
	CLEANUP(sections_writer) struct sections_writer *writer = NULL;

	assert_int_equal(sections_create(dir_fd, "file", &NAME, &writer), 0);
	assert_int_equal(sections_add(writer, 1, 10, "first", 5), 0);
	assert_int_equal(sections_add(writer, 1, 11, "", 0), 0);
	assert_int_equal(sections_add(writer, 2, 10, "second and longer", 17), 0);
	assert_int_equal(sections_finish(STEAL(writer)), 0);
}

static void
what_was_written_is_read(void **state)
{
	CLEANUP(sections) struct sections *sections = NULL;
	const struct section *section;

	(void)state;
	write_file();
	assert_int_equal(sections_open(dir_fd, "file", &NAME, &sections), 0);
	assert_int_equal(sections->n, 3);
	section = sections_find(sections, 2, 10);
	assert_non_null(section);
	assert_int_equal(section->len, 17);
	assert_memory_equal(section->data, "second and longer", 17);
	assert_int_equal(sections_find(sections, 1, 11)->len, 0);
	assert_null(sections_find(sections, 2, 11));
}

static void
a_file_of_another_name_is_refused(void **state)
{
	const struct sections_name others[] = {
		{ 3, 7, 9, 1 }, { 2, 8, 9, 1 }, { 2, 7, 8, 1 }, { 2, 7, 9, 2 }
	};
	struct sections *sections = NULL;

	(void)state;
	write_file();
	assert_int_equal(sections_open(dir_fd, "nothing", &NAME, &sections), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(sections_open(dir_fd, "file", &others[i], &sections), -EBADMSG);
}

static size_t
read_file(char *bytes, size_t size)
{
	CLEANUP(close) int fd = openat(dir_fd, "file", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, bytes, size, 0);

	assert_true(n > 0);
	return (size_t)n;
}

/* But for bytes between two sections, which nobody reads. */
static void
every_byte_counts(void **state)
{
	_Alignas(64) static char bytes[4096], copy[4096];
	struct sections *sections;
	size_t len, harmless = 0;

	(void)state;
	write_file();
	len = read_file(bytes, sizeof(bytes));
	for (size_t at = 0; at < len; at++) {
		int r;

		memcpy(copy, bytes, len);
		copy[at] ^= 0x10;
		r = sections_read(copy, len, &NAME, &sections);
		if (r == 0) {
			assert_int_equal(bytes[at], 0);
			sections_close(sections);
			harmless++;
		} else {
			assert_int_equal(r, -EBADMSG);
		}
	}
	assert_true(harmless < 3 * 64);
	for (size_t shorter = 0; shorter < len; shorter++)
		assert_int_equal(sections_read(bytes, shorter, &NAME, &sections), -EBADMSG);
}

static void
an_aborted_file_is_gone(void **state)
{
	struct sections_writer *writer;

	(void)state;
	assert_int_equal(sections_create(dir_fd, "file", &NAME, &writer), 0);
	assert_int_equal(sections_add(writer, 1, 1, "x", 1), 0);
	sections_abort(writer);
	assert_int_equal(faccessat(dir_fd, "file", F_OK, 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_file_of_another_name_is_refused),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(an_aborted_file_is_gone),
	};

	return cmocka_run_group_tests_name("sections", tests, setup, teardown);
}
