/* What names and contents tell: rules on a database of our own, then the system's. */
#include "index/ingest/mime.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/ingest/filetype.h"
#include "index/ingest/sniff.h"
#include "index/ingest/test_tree.h"

static const char GLOBS[] = "# a comment\n"
			    "80:text/html:*.html\n"
			    "50:application/gzip:*.gz\n"
			    "50:application/x-compressed-tar:*.tar.gz\n"
			    "60:application/x-heavy:*.h\n"
			    "50:application/x-long:*.longer.h\n"
			    "50:text/x-makefile:makefile\n"
			    "10:text/x-makefile:makefile.*\n"
			    "10:text/x-readme:readme*\n"
			    "50:text/x-c++src:*.C:cs\n"
			    "50:text/x-c++src:*.C\n"
			    "50:text/x-csrc:*.c:cs\n"
			    "50:text/x-csrc:*.c\n"
			    "50:text/x-genie:*.gs:cs\n"
			    "50:application/x-trash:*~\n"
			    "50:audio/one:*.two\n"
			    "50:video/two:*.two\n"
			    "50:audio/one:*.two\n"
			    "50:application/x-object:*.so.[0-9]*\n"
			    "nonsense\n"
			    "50:text/empty:\n";

static const struct row {
	const char *test;
	const char *name;
	const char *first;  /* NULL: nothing */
	const char *second; /* NULL: no more */
} ROWS[] = {
	{ "a suffix tells", "index.html", "text/html", NULL },
	{ "case is folded where nothing matches as it is", "INDEX.HTML", "text/html", NULL },
	{ "the longest suffix wins", "a.tar.gz", "application/x-compressed-tar", NULL },
	{ "a suffix within the name does not count", "a.gz.b", NULL, NULL },
	{ "weight goes before length", "a.longer.h", "application/x-heavy", NULL },
	{ "a literal", "Makefile", "text/x-makefile", NULL },
	{ "a pattern with a light weight", "makefile.h", "application/x-heavy", NULL },
	{ "a pattern at the start", "README.first", "text/x-readme", NULL },
	{ "a pattern at the end", "a.html~", "application/x-trash", NULL },
	{ "a bracket", "libc.so.6", "application/x-object", NULL },
	{ "a bracket does not match", "libc.so.x", NULL, NULL },
	{ "case told apart: C", "a.C", "text/x-c++src", NULL },
	{ "case told apart: c", "a.c", "text/x-csrc", NULL },
	{ "case told apart: not folded", "a.GS", NULL, NULL },
	{ "two types, each once, in order", "a.two", "audio/one", "video/two" },
	{ "a bare suffix is a name too", ".html", "text/html", NULL },
	{ "no dot, no type", "html", NULL, NULL },
	{ "a name of 255 bytes and no more",
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  ".HTML",
	  "text/html", NULL },
};

static struct tree tree;
static struct mime *own;
static struct mime *system_wide;
static struct sniff *sniff;
static struct pxs_error err;

static int
setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_file(&tree, "globs2", GLOBS);
	tree_file(&tree, "aliases", "text/x-old text/x-new\nbroken\n");
	if (mime_open(tree.path, &own, &err) < 0 || mime_open(MIME_DIR, &system_wide, &err) < 0 ||
	    sniff_open(system_wide, &sniff, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sniff_close(sniff);
	mime_close(system_wide);
	mime_close(own);
	tree_done(&tree);
	return 0;
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	const char *types[MIME_TYPES_MAX];
	size_t n = mime_by_name(own, row->name, types);

	assert_int_equal(n, (row->first != NULL) + (row->second != NULL));
	if (row->first)
		assert_string_equal(types[0], row->first);
	if (row->second)
		assert_string_equal(types[1], row->second);
}

static void
aliases_are_resolved(void **state)
{
	(void)state;
	assert_string_equal(mime_canonical(own, "text/x-old"), "text/x-new");
	assert_string_equal(mime_canonical(own, "text/x-new"), "text/x-new");
	assert_string_equal(mime_canonical(own, "broken"), "broken");
}

static void
a_missing_database_is_named(void **state)
{
	struct pxs_error said = { 0 };
	struct mime *mime;

	(void)state;
	assert_int_equal(mime_open("/nonexistent", &mime, &said), -ENOENT);
	assert_non_null(strstr(said.text, "/nonexistent/globs2"));
	assert_non_null(strstr(said.text, "shared-mime-info"));
}

/* --- Files --- */

static const struct {
	const char *name;
	const char *content;
	const char *type;
} FILES[] = {
	{ "photo.png", "not looked at", "image/png" },
	{ "data.json", "{\"a\": 1}", "application/json" },
	{ "Module.pm", "package Module;\n", "application/x-perl" },
	{ "archive.tar.gz", "", "application/x-compressed-tar" },
	{ "main.c", "", "text/x-csrc" },
	{ "empty", "", "inode/x-empty" },
	{ "text", "Some text.\nMore of it: \xC3\xA9.\n", "text/plain" },
	{ "script", "#!/bin/sh\nexit 0\n", "application/x-shellscript" },
	{ "python", "#!/usr/bin/python3\nimport os\n", "text/x-python" },
	{ "page", "<!DOCTYPE html>\n<html><head></head></html>\n", "text/html" },
	{ "picture", "GIF89a\x01\x02\x03\x04", "image/gif" },
	{ "messages.mo", "\xDE\x12\x04\x95\x01\x01\x01\x01", "application/x-gettext-translation" },
	{ "terminal", "\x1A\x01\x30\x01\x1D", "application/x-terminfo" },
	{ "binary", "\x01\x02\x03\x04\x05\x06", "application/octet-stream" },
};

static const char *
type_of(const char *name)
{
	struct statx stat;
	const char *type = NULL;

	assert_int_equal(statx(tree.fd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stat), 0);
	assert_int_equal(filetype_mime(system_wide, sniff, tree.fd, name, &stat, &type), 0);
	return type;
}

static void
files_by_name_then_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FILES); i++) {
		tree_file(&tree, FILES[i].name, FILES[i].content);
		assert_string_equal(type_of(FILES[i].name), FILES[i].type);
	}
}

static void
what_is_no_file_is_not_opened(void **state)
{
	(void)state;
	tree_folder(&tree, "folder.png");
	tree_symlink(&tree, "link.png", "/nonexistent");
	assert_int_equal(mkfifoat(tree.fd, "fifo.png", 0644), 0);
	assert_string_equal(type_of("folder.png"), "inode/directory");
	assert_string_equal(type_of("link.png"), "inode/symlink");
	assert_string_equal(type_of("fifo.png"), "inode/fifo");
}

/* As of a file on tape, from where reading would fetch it. */
static void
a_file_without_blocks_is_not_read(void **state)
{
	const struct statx away = { .stx_mode = S_IFREG, .stx_size = 1 << 20, .stx_blocks = 0 };
	const char *type;

	(void)state;
	tree_file(&tree, "away", "This is text.");
	assert_int_equal(filetype_mime(system_wide, sniff, tree.fd, "away", &away, &type), 0);
	assert_string_equal(type, "application/octet-stream");
}

/* A reader of a fifo waits for its writer; we must not, whatever the name was before. */
static void
a_fifo_does_not_block(void **state)
{
	const char *type;

	(void)state;
	assert_int_equal(mkfifoat(tree.fd, "surprise", 0644), 0);
	assert_int_equal(sniff_file(sniff, tree.fd, "surprise", &type), 0);
	assert_string_equal(type, "inode/x-empty");
}

static void
a_symlink_is_not_followed(void **state)
{
	const char *type;

	(void)state;
	tree_symlink(&tree, "out", "/etc/passwd");
	assert_int_equal(sniff_file(sniff, tree.fd, "out", &type), -ELOOP);
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(aliases_are_resolved),
		cmocka_unit_test(a_missing_database_is_named),
		cmocka_unit_test(files_by_name_then_content),
		cmocka_unit_test(what_is_no_file_is_not_opened),
		cmocka_unit_test(a_file_without_blocks_is_not_read),
		cmocka_unit_test(a_fifo_does_not_block),
		cmocka_unit_test(a_symlink_is_not_followed),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(OTHERS)];

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].test,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	memcpy(tests + ARRAY_SIZE(ROWS), OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("mime", tests, setup, teardown);
}
