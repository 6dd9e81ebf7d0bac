/* Files of words that are not as we left them: damaged, foreign, of another version. */
#include "index/test_fts.h"

#include <errno.h>
#include <fcntl.h>

/* --- Files that are not as we left them --- */

static void
overwrite(off_t at, size_t len, int byte)
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	CLEANUP(free) char *bytes = malloc(len);

	assert_true(fd >= 0);
	assert_non_null(bytes);
	memset(bytes, byte, len);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
}

static void
damage_header(void)
{
	overwrite(0, 100, 'x');
}

static void
damage_schema(void)
{
	overwrite(100, 8000, 0x5a);
}

static void
damage_length(void)
{
	assert_int_equal(truncate(path, 3 * 8192), 0);
}

static void
damage_all(void)
{
	overwrite(0, 60000, 0xa5);
}

static void
empty_file(void)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void
other_version(void)
{
	execute("UPDATE meta SET value = value + 1 WHERE key = 'version'");
}

static void
foreign_tables(void)
{
	(void)remove_file(NULL);
	execute("CREATE TABLE meta (x); CREATE TABLE f (y)");
}

static void
missing_settings(void)
{
	execute("DELETE FROM f_config");
}

static void
missing_structure(void)
{
	execute("DELETE FROM f_data WHERE id = 10");
}

static const struct damage {
	const char *name;
	void (*make)(void);
} DAMAGES[] = {
	{ "a damaged header empties the file", damage_header },
	{ "a damaged schema empties the file", damage_schema },
	{ "a file cut short is emptied", damage_length },
	{ "a file of rubbish is emptied", damage_all },
	{ "a file of length 0 is a new one", empty_file },
	{ "another version empties the file", other_version },
	{ "tables of others are replaced", foreign_tables },
	{ "FTS5 without its settings is emptied", missing_settings },
	{ "FTS5 without its structure is emptied", missing_structure },
};

static void
check_damage(void **state)
{
	const struct damage *damage = *state;
	struct fts *fts = open_fts(0);

	fill(fts, 1, 2000, 9);
	fts_close(fts);
	damage->make();

	fts = open_fts(0);
	assert_int_equal(count_hits(fts, "every"), 0);
	fill(fts, 1, 50, 1);
	assert_int_equal(count_hits(fts, "every"), 50);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(1));
}

static void
clearing_empties_while_readers_are_connected(void **state)
{
	struct fts *fts = open_fts(0);

	(void)state;
	fill(fts, 1, 3000, 9);
	assert_int_equal(count_hits(fts, "every"), 3000);
	assert_int_equal(fts_clear(fts), 0);
	assert_int_equal(count_hits(fts, "every"), 0);
	fts_close(fts);

	fts = open_fts(0);
	assert_int_equal(count_hits(fts, "every"), 0);
	fill(fts, 1, 20, 2);
	assert_int_equal(count_hits(fts, "every"), 20);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(2));
}

/* In all blocks but the last, the one where opening looks for a term that sorts last. */
static void
damage_posting_lists(void)
{
	execute("UPDATE f_data SET block = x'ee'"
		" WHERE id > 10 AND id < (SELECT max(id) FROM f_data)");
}

/* The page where FTS5 keeps the term "every", on which it is the first: after the length, and
 * FTS5's own "0". */
static void
damage_page(void)
{
	CLEANUP(fclose) FILE *file = fopen(path, "rb");
	char page[8192];
	off_t at = 0;

	assert_non_null(file);
	while (fread(page, sizeof(page), 1, file) == 1 && !memmem(page, sizeof(page),
								  "\x06"
								  "0every",
								  7))
		at += (off_t)sizeof(page);
	assert_false(feof(file));
	overwrite(at, sizeof(page), 0x5a);
}

static const struct damage WITHIN[] = {
	{ "damaged postings are told and can be cleared", damage_posting_lists },
	{ "a damaged page is told and can be cleared", damage_page },
};

static void
check_damage_within(void **state)
{
	const struct damage *damage = *state;
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	roaring_bitmap_t *hits = roaring_bitmap_create();
	struct fts *fts = open_fts(0);

	fill(fts, 1, 2000, 9);
	fts_close(fts);
	damage->make();

	fts = open_fts(9);
	assert_int_equal(fts_find_term(fts, "every", 5, NULL, hits), -EBADMSG);
	assert_int_equal(fts_check(fts, &report), 1);
	assert_true(report.len > 0 && report.data[report.len - 1] == '\n');
	assert_int_equal(fts_clear(fts), 0);
	fill(fts, 1, 10, 10);
	assert_int_equal(count_hits(fts, "every"), 10);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(10));
	roaring_bitmap_free(hits);
}

static void
a_file_that_cannot_be_opened_is_named(void **state)
{
	struct pxs_error err = { 0 };
	struct fts *fts = NULL;
	uint64_t seq = 1;

	(void)state;
	assert_int_equal(fts_open("/nonexistent/fts.db", &fts, &seq, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/fts.db"));
	assert_null(fts);
	assert_int_equal(seq, 1);
}

static struct CMUnitTest
damage_test(const struct damage *damage, CMUnitTestFunction check)
{
	return (struct CMUnitTest){
		.name = damage->name,
		.test_func = check,
		.teardown_func = remove_file,
		.initial_state = (void *)(uintptr_t)damage,
	};
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test_teardown(clearing_empties_while_readers_are_connected,
					  remove_file),
		cmocka_unit_test_teardown(a_file_that_cannot_be_opened_is_named, remove_file),
	};
	struct CMUnitTest tests[ARRAY_SIZE(DAMAGES) + ARRAY_SIZE(WITHIN) + ARRAY_SIZE(OTHERS)];
	struct CMUnitTest *test = tests;

	/* One named test for each row, so that a failure says which. */
	for (size_t i = 0; i < ARRAY_SIZE(DAMAGES); i++)
		*test++ = damage_test(&DAMAGES[i], check_damage);
	for (size_t i = 0; i < ARRAY_SIZE(WITHIN); i++)
		*test++ = damage_test(&WITHIN[i], check_damage_within);
	memcpy(test, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("fts_damage", tests, make_folder, remove_folder);
}
