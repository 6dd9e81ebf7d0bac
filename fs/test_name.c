#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "fs/name.h"
#include "query/query.h"

#define ID INT64_C(156) /* "e4" in base 32 */
#define SUFFIX "~aaaaaaaaaaae4"

static const struct query_property SIZE = { .name = "core.size", .type = QUERY_TYPE_LONG };
static const struct query_property *const PROPERTIES[] = { &SIZE };
static const struct query_schema SCHEMA = { PROPERTIES, 1 };

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define X230 X60 X60 X60 X10 X10 X10 X10 X10
#define X238 X230 "xxxxxxxx" /* as much as a suffix leaves room for, less one */
#define E "\xc3\xa9"

struct row {
	const char *name;
	const char *filename;
	const char *plain; /* NULL: it never goes without a suffix */
	const char *suffixed;
};

static const struct row ROWS[] = {
	{ "an ordinary name stays", "cat.jpg", "cat.jpg", "cat" SUFFIX ".jpg" },
	{ "only the last extension counts", "a.tar.gz", "a.tar.gz", "a.tar" SUFFIX ".gz" },
	{ "no extension", "README", "README", "README" SUFFIX },
	{ "a leading dot starts no extension", ".bashrc", ".bashrc", ".bashrc" SUFFIX },
	{ "UTF-8 stays", "caf\xc3\xa9.txt", "caf\xc3\xa9.txt", "caf\xc3\xa9" SUFFIX ".txt" },
	{ "percent is escaped", "50% off", "50%25 off", "50%25 off" SUFFIX },
	{ "control characters are escaped", "a\nb\x7f", "a%0Ab%7F", "a%0Ab%7F" SUFFIX },
	{ "what SMB cannot carry is escaped", "<>:\"|?*\\", "%3C%3E%3A%22%7C%3F%2A%5C",
	  "%3C%3E%3A%22%7C%3F%2A%5C" SUFFIX },
	{ "a dot at the end is escaped", "end.", "end%2E", "end." SUFFIX },
	{ "only the last dot is", "end...", "end..%2E", "end..." SUFFIX },
	{ "a blank at the end is escaped", "end ", "end%20", "end " SUFFIX },
	{ "a blank at the end of an extension too", "a.b ", "a.b%20", "a" SUFFIX ".b%20" },
	{ "blanks elsewhere stay", " a b", " a b", " a b" SUFFIX },
	{ "what reads as a segment is no segment", "core.size=5", "%63ore.size=5",
	  "core" SUFFIX ".size=5" },
	{ "also of unknown properties", "a=b", "%61=b", "%61=b" SUFFIX },
	{ "a query string is none", "_all=cats", "%5Fall=cats", "%5Fall=cats" SUFFIX },
	{ "a facet folder is none", "core.size", "%63ore.size", "core" SUFFIX ".size" },
	{ "an unknown property is a name", "core.sizes", "core.sizes", "core" SUFFIX ".sizes" },
	{ ".pxs is escaped", ".pxs", "%2Epxs", ".pxs" SUFFIX },
	{ "what reads as a suffix gets one", "a~aaaaaaaaaaaab.txt", NULL,
	  "a~aaaaaaaaaaaab" SUFFIX ".txt" },
	{ "twelve digits are no suffix", "a~aaaaaaaaaaab.txt", "a~aaaaaaaaaaab.txt",
	  "a~aaaaaaaaaaab" SUFFIX ".txt" },
	{ "a backup file is none", "a.txt~", "a.txt~", "a" SUFFIX ".txt~" },
	{ "255 bytes go", X238 X10 "1234567", X238 X10 "1234567", X238 "x" SUFFIX },
	{ "256 bytes do not", X238 X10 "1234.678", NULL, X230 "xxxxx" SUFFIX ".678" },
	{ "escapes make a name too long", X238 X10 "%%%", NULL, X238 "x" SUFFIX },
	{ "a character is never cut in two", X238 E E E, X238 E E E, X238 SUFFIX },
	{ "an escape is never cut in two", X238 "%%%", X238 "%25%25%25", X238 SUFFIX },
	{ "no name at all", "", NULL, SUFFIX },
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	char name[FS_NAME_SIZE];
	size_t len = fs_name_plain(row->filename, &SCHEMA, FS_NAME_MAX, name);

	if (row->plain) {
		assert_int_equal(len, strlen(row->plain));
		assert_string_equal(name, row->plain);
	} else {
		assert_int_equal(len, 0);
	}
	len = fs_name_suffixed(row->filename, ID, &SCHEMA, FS_NAME_MAX, name);
	assert_int_equal(len, strlen(name));
	assert_string_equal(name, row->suffixed);
}

static void
decoded(const char *name, struct pxs_buf *filename)
{
	pxs_buf_clear(filename);
	assert_int_equal(fs_name_decode(name, filename), 0);
}

static void
every_spelling_of_a_name_is_understood(void **state)
{
	static const char *const SPELLINGS[][2] = {
		{ "cat.jpg", "cat.jpg" },
		{ "%63%61t.jpg", "cat.jpg" },
		{ "50%25", "50%" },
		{ "50%", "50%" },
		{ "cafe\xcc\x81", "caf\xc3\xa9" }, /* NFD */
		{ "cafe%CC%81", "caf\xc3\xa9" },
	};
	CLEANUP(pxs_buf) struct pxs_buf filename = PXS_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(SPELLINGS); i++) {
		decoded(SPELLINGS[i][0], &filename);
		assert_string_equal(pxs_buf_text(&filename), SPELLINGS[i][1]);
	}
}

static void
what_is_no_text_is_no_name(void **state)
{
	static const char *const NAMES[] = { "", "%FF", "\xff", "a%00b", "%C0%AF" };
	CLEANUP(pxs_buf) struct pxs_buf filename = PXS_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		assert_int_equal(fs_name_decode(NAMES[i], &filename), -ENOENT);
}

static void
suffixes_are_found_from_the_end(void **state)
{
	const char *name = "a~aaaaaaaaaaaab.~aaaaaaaaaaaac";
	const char *at = NULL;
	int64_t id;

	(void)state;
	assert_true(fs_name_next_suffix(name, &at, &id));
	assert_int_equal(id, 2);
	assert_true(fs_name_next_suffix(name, &at, &id));
	assert_int_equal(id, 1);
	assert_false(fs_name_next_suffix(name, &at, &id));
}

static void
ids_that_none_has_are_no_suffix(void **state)
{
	static const char *const NAMES[] = {
		"a~aaaaaaaaaaaaa", /* 0 */
		"a~p777777777777", /* all 64 bits */
		"a~iaaaaaaaaaaaa", /* the sign bit */
		"a~AAAAAAAAAAAAB",
		"a~aaaaaaaaaaaab-", /* something follows */
		"~",
	};
	const char *at;
	int64_t id;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		at = NULL;
		assert_false(fs_name_next_suffix(NAMES[i], &at, &id));
	}
}

/* --- Random file names, of what is likely to go wrong --- */

static void
random_filename(unsigned int *seed, char filename[FS_NAME_SIZE])
{
	static const char *const PIECES[] = {
		"a",
		"b",
		"%",
		"%4",
		".",
		"..",
		" ",
		"~",
		"=",
		"core.size",
		"_all=",
		"\xc3\xa9",
		".pxs",
		"\n",
		"?",
		"-",
		"!",
		".txt",
		X10,
		"~aaaaaaaaaaaab",
		"\xf0\x9f\x90\x88",
	};
	size_t n = 1 + (size_t)rand_r(seed) % 40;
	const char *piece;
	size_t len = 0;

	while (n-- > 0) {
		piece = PIECES[(size_t)rand_r(seed) % ARRAY_SIZE(PIECES)];
		if (len + strlen(piece) > FS_NAME_MAX)
			break;
		memcpy(filename + len, piece, strlen(piece));
		len += strlen(piece);
	}
	filename[len] = '\0';
}

static void
check_shown(const char *name, size_t len, size_t max)
{
	assert_int_equal(len, strlen(name));
	assert_in_range(len, 1, max);
	assert_true(pxs_utf8_valid(name, len));
	assert_null(strpbrk(name, "/<>:\"|?*\\\n"));
	assert_true(name[len - 1] != '.' && name[len - 1] != ' ');
	assert_int_equal(query_name_classify(name, &SCHEMA), QUERY_NAME_OTHER);
	assert_string_not_equal(name, ".pxs");
}

static void
check_random(unsigned int *seed, struct pxs_buf *decoded_name)
{
	size_t max = rand_r(seed) % 2 ? FS_NAME_MAX : 64 + (size_t)rand_r(seed) % 100;
	int64_t id = 1 + (int64_t)((uint64_t)rand_r(seed) << 31 | (uint64_t)rand_r(seed));
	char filename[FS_NAME_SIZE];
	char name[FS_NAME_SIZE];
	const char *at = NULL;
	bool found = false;
	int64_t found_id;
	size_t len;

	random_filename(seed, filename);
	len = fs_name_plain(filename, &SCHEMA, max, name);
	if (len) {
		check_shown(name, len, max);
		assert_false(fs_name_next_suffix(name, &at, &found_id));
		decoded(name, decoded_name);
		assert_string_equal(pxs_buf_text(decoded_name), filename);
	}

	len = fs_name_suffixed(filename, id, &SCHEMA, max, name);
	check_shown(name, len, max);
	at = NULL;
	while (!found && fs_name_next_suffix(name, &at, &found_id))
		found = found_id == id;
	assert_true(found);
}

static void
names_lead_back_to_their_files(void **state)
{
	const char *given = getenv("PXS_SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10)
				  : (unsigned int)time(NULL);
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	print_message("seed %u\n", seed);
	for (int i = 0; i < 50000; i++)
		check_random(&seed, &text);
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(every_spelling_of_a_name_is_understood),
		cmocka_unit_test(what_is_no_text_is_no_name),
		cmocka_unit_test(suffixes_are_found_from_the_end),
		cmocka_unit_test(ids_that_none_has_are_no_suffix),
		cmocka_unit_test(names_lead_back_to_their_files),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(OTHERS)];

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	memcpy(tests + ARRAY_SIZE(ROWS), OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("fs names", tests, NULL, NULL);
}
