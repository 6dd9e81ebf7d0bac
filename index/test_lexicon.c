/* The terms in memory: numbered once, found by content and by what they hold, kept in a file. */
#include "index/lexicon.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"

enum { TERMS = 200000 };

static const struct lexicon_filter ALL = LEXICON_FILTER_ALL;

static char folder[] = "/tmp/pxs-test-lexicon-XXXXXX";
static char path[sizeof(folder) + 16];

static int
make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/terms", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static size_t
term_of(uint32_t i, char term[32])
{
	return (size_t)snprintf(term, 32, "word%uend%u", i, i % 7);
}

/* Number i is term i; those that three divides are held by no document. */
static struct lexicon *
fill(void)
{
	struct lexicon *lexicon = NULL;
	char term[32];
	uint32_t number;

	assert_int_equal(lexicon_new(&lexicon), 0);
	for (uint32_t i = 1; i <= TERMS; i++) {
		assert_int_equal(lexicon_add(lexicon, term, term_of(i, term), &number), 0);
		assert_int_equal(number, i);
		if (i % 3)
			lexicon_count(lexicon, i, i);
	}
	return lexicon;
}

static int
count(void *context, uint32_t number, const char *term, size_t len)
{
	int *found = context;
	char expected[32];

	assert_int_equal(len, term_of(number, expected));
	assert_string_equal(term, expected);
	assert_int_not_equal(number % 3, 0);
	++*found;
	return 0;
}

static void
terms_are_numbered_once(void **state)
{
	CLEANUP(lexicon) struct lexicon *lexicon = fill();
	char term[32];
	uint32_t number;

	(void)state;
	assert_int_equal(lexicon_size(lexicon), TERMS);
	for (uint32_t i = 1; i <= TERMS; i++) {
		size_t len = term_of(i, term);

		assert_int_equal(lexicon_find(lexicon, term, len), i);
		assert_int_equal(lexicon_find(lexicon, term, len - 1), 0);
		assert_int_equal(lexicon_add(lexicon, term, len, &number), 0);
		assert_int_equal(number, i);
	}
	assert_int_equal(lexicon_add(lexicon, term, LEXICON_TERM_MAX + 1, &number), -E2BIG);
}

static void
all_that_hold_a_literal_are_told(void **state)
{
	CLEANUP(lexicon) struct lexicon *lexicon = fill();
	int expected = 0, found = 0;
	char term[32];

	(void)state;
	for (uint32_t i = 1; i <= TERMS; i++) {
		(void)term_of(i, term);
		expected += i % 3 && strstr(term, "99");
	}
	assert_int_equal(lexicon_scan(lexicon,
				      &(struct lexicon_filter){ .literal = "99", .len = 2 }, NULL,
				      count, &found),
			 0);
	assert_int_equal(found, expected);
	found = 0;
	assert_int_equal(lexicon_scan(lexicon, &ALL, NULL, count, &found), 0);
	assert_int_equal(found, TERMS - TERMS / 3);
	found = 0;
	assert_int_equal(lexicon_scan(lexicon,
				      &(struct lexicon_filter){ .literal = "absent", .len = 6 },
				      NULL, count, &found),
			 0);
	assert_int_equal(found, 0);
}

static void
documents_are_counted_once(void **state)
{
	CLEANUP(lexicon) struct lexicon *lexicon = NULL;
	uint32_t number, doc;

	(void)state;
	assert_int_equal(lexicon_new(&lexicon), 0);
	assert_int_equal(lexicon_add(lexicon, "a", 1, &number), 0);
	assert_int_equal(lexicon_documents(lexicon, number, &doc), 0);
	lexicon_count(lexicon, number, 7);
	lexicon_count(lexicon, number, 7);
	assert_int_equal(lexicon_documents(lexicon, number, &doc), 1);
	assert_int_equal(doc, 7);
	lexicon_count(lexicon, number, 9);
	assert_int_equal(lexicon_documents(lexicon, number, &doc), 2);
	assert_int_equal(doc, 0);
}

static void
a_file_keeps_what_documents_have(void **state)
{
	CLEANUP(lexicon) struct lexicon *lexicon = fill();
	CLEANUP(lexicon) struct lexicon *loaded = NULL;
	char term[32];
	uint32_t doc;

	(void)state;
	assert_int_equal(lexicon_save(lexicon, path, 5), 0);
	assert_int_equal(lexicon_new(&loaded), 0);
	assert_int_equal(lexicon_load(loaded, path, 6), -ENOENT);
	assert_int_equal(lexicon_load(loaded, path, 5), 0);
	assert_int_equal(lexicon_size(loaded), TERMS - TERMS / 3);
	for (uint32_t i = 1; i <= TERMS; i++) {
		uint32_t number = lexicon_find(loaded, term, term_of(i, term));

		assert_int_equal(number != 0, i % 3 != 0);
		if (number) {
			assert_int_equal(lexicon_documents(loaded, number, &doc), 1);
			assert_int_equal(doc, i);
		}
	}
}

static void
a_damaged_file_is_told(void **state)
{
	CLEANUP(lexicon) struct lexicon *lexicon = fill();
	CLEANUP(lexicon) struct lexicon *loaded = NULL;
	int found = 0;

	(void)state;
	assert_int_equal(lexicon_new(&loaded), 0);
	for (off_t at = 16; at < 500000; at = at < 48 ? at + 8 : at * 3 + 1) {
		CLEANUP(close) int fd = -1;

		assert_int_equal(lexicon_save(lexicon, path, 5), 0);
		fd = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pwrite(fd, "\xa5\x5a", 2, at), 2);
		assert_int_equal(lexicon_load(loaded, path, 5), -EBADMSG);
		assert_int_equal(ftruncate(fd, at), 0);
		assert_int_equal(lexicon_load(loaded, path, 5), -EBADMSG);
	}
	assert_int_equal(lexicon_scan(loaded, &ALL, NULL, count, &found), 0);
	assert_int_equal(found, 0);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(terms_are_numbered_once),
		cmocka_unit_test(all_that_hold_a_literal_are_told),
		cmocka_unit_test(documents_are_counted_once),
		cmocka_unit_test(a_file_keeps_what_documents_have),
		cmocka_unit_test(a_damaged_file_is_told),
	};

	return cmocka_run_group_tests_name("lexicon", TESTS, make_folder, remove_folder);
}
