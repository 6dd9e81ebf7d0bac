/* The parts of cli/ that need no daemon: rows of text in, text out. */
#include "cli/cli.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/message.h"
#include "cli/mountinfo.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/verb.h"

static const struct cli_verb *const VERBS[] = { &CLI_FIND,   &CLI_FACETS, &CLI_STATUS, &CLI_MOUNT,
						&CLI_UMOUNT, &CLI_GET,	  &CLI_INGEST, NULL };
static const struct cli_program PROGRAM = { .verbs = VERBS };

static void
a_misspelt_verb_is_guessed(void **state)
{
	static const struct {
		const char *typed;
		const char *meant; /* NULL: no guess */
	} ROWS[] = {
		{ "fnid", "find" },    { "finds", "find" },
		{ "facet", "facets" }, { "unmount", "umount" },
		{ "stat", "status" },  { "FIND", NULL },
		{ "xyzzy", NULL },     { "q", NULL },
		{ "xt", NULL },	       { "an-argument-much-too-long", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		const struct cli_verb *verb = verb_nearest(&PROGRAM, ROWS[i].typed);

		if (!verb || !ROWS[i].meant)
			assert_true(!verb && !ROWS[i].meant);
		else
			assert_string_equal(verb->name, ROWS[i].meant);
	}
}

static void
a_caret_stands_under_the_fault(void **state)
{
	static const struct {
		const char *text;
		long at;
		const char *lines;
	} ROWS[] = {
		{ "(a b", 4, "  (a b\n      ^\n" },
		{ "x", 0, "  x\n  ^\n" },
		{ "\xc3\xa9t\xc3\xa9 )", 6, "  \xc3\xa9t\xc3\xa9 )\n      ^\n" },
		{ "a\tb\033", 3, "  a b \n     ^\n" },
		{ "ab", 99, "  ab\n    ^\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf lines = PXS_BUF_INIT;

		message_point(ROWS[i].text, ROWS[i].at, &lines);
		assert_string_equal(pxs_buf_text(&lines), ROWS[i].lines);
	}
}

static void
each_failure_has_its_exit_code(void **state)
{
	static const struct {
		int r;
		int code;
	} ROWS[] = {
		{ -EINVAL, CLI_USAGE },	     { -ENOMEDIUM, CLI_NO_INDEX },
		{ -EBUSY, CLI_BUSY },	     { -EADDRINUSE, CLI_BUSY },
		{ -EACCES, CLI_AUTH },	     { -ECONNREFUSED, CLI_UNREACHABLE },
		{ -EINTR, CLI_INTERRUPTED }, { -EBADMSG, CLI_DAMAGED },
		{ -EPIPE, CLI_PIPE_CLOSED }, { -ENOENT, CLI_NOTHING },
		{ -EIO, CLI_NOTHING },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_int_equal(message_exit_code(ROWS[i].r), ROWS[i].code);
}

static void
a_line_of_mountinfo_is_understood(void **state)
{
	static const struct {
		const char *line;
		const char *mountpoint;
		bool is_there;
		bool is_ours;
	} ROWS[] = {
		{ "36 35 0:55 / /mnt/pxs rw,nosuid - fuse.pxs pxs rw", "/mnt/pxs", true, true },
		{ "36 35 0:55 / /mnt/pxs rw shared:1 master:2 - fuse.pxs pxs rw", "/mnt/pxs", true,
		  true },
		{ "36 35 0:55 / /mnt/pxs rw - fuse.pxsx pxs rw", "/mnt/pxs", true, false },
		{ "36 35 0:55 / /mnt/pxs rw - ext4 /dev/a rw", "/mnt/pxs", true, false },
		{ "36 35 0:55 / /mnt/pxs2 rw - fuse.pxs pxs rw", "/mnt/pxs", false, true },
		{ "36 35 0:55 / /a\\040b\\012\\134 rw - fuse.pxs pxs rw", "/a b\n\\", true, true },
		{ "garbage", "/mnt/pxs", false, false },
		{ "1 2 - fuse.pxs x", "/mnt/pxs", false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		char line[128];
		bool is_ours = false;

		(void)snprintf(line, sizeof(line), "%s", ROWS[i].line);
		assert_int_equal(mountinfo_line_parse(line, ROWS[i].mountpoint, &is_ours),
				 ROWS[i].is_there);
		assert_int_equal(is_ours, ROWS[i].is_ours);
	}
}

static void
paths_become_absolute(void **state)
{
	char dir[] = "/tmp/pxs-test-cli-XXXXXX";
	char real[PATH_MAX];
	char expected[PATH_MAX + 64];
	char path[128];
	static const struct {
		const char *path; /* below the folder, which is the current one */
		const char *absolute;
	} ROWS[] = {
		{ "a", "/a" },
		{ "a/", "/a" },
		{ "./a//", "/a" },
		{ ".", "" },
		{ "a/..", "" },
		{ "link/x", "/a/x" },
		{ "link", "/link" }, /* the last name is not followed */
		{ "no/such", "/no/such" },
	};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(realpath(dir, real));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(symlink("a", "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(free) char *absolute = NULL;

		assert_int_equal(place_absolute(ROWS[i].path, &absolute), 0);
		(void)snprintf(expected, sizeof(expected), "%s%s", real, ROWS[i].absolute);
		assert_string_equal(absolute, expected);
	}
	(void)snprintf(path, sizeof(path), "%s/b/c/d", dir);
	assert_int_equal(place_make_parents(path), 0);
	assert_int_equal(access("b/c", F_OK), 0);
	assert_int_equal(access("b/c/d", F_OK), -1);
	assert_int_equal(rmdir("b/c") | rmdir("b") | rmdir("a") | unlink("link") | chdir("/") |
				 rmdir(dir),
			 0);
}

static void
places_are_looked_for_in_order(void **state)
{
	CLEANUP(place_sockets) struct place_sockets named = { 0 };
	CLEANUP(place_sockets) struct place_sockets usual = { 0 };
	CLEANUP(free) char *index = NULL;
	bool is_named;

	(void)state;
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
	assert_int_equal(setenv("PXS_SOCKET", "", 1), 0); /* as if it were not set */
	assert_int_equal(place_sockets(NULL, &usual), 0);
	assert_int_equal(usual.n, 2);
	assert_false(usual.named);
	assert_string_equal(usual.paths[0], "/run/user/7/pxs.sock");
	assert_string_equal(usual.paths[1], "/run/pxs/pxs.sock");
	assert_int_equal(setenv("PXS_SOCKET", "/a", 1), 0);
	assert_int_equal(place_sockets(NULL, &named), 0);
	assert_int_equal(named.n, 1);
	assert_true(named.named);
	assert_int_equal(setenv("PXS_INDEX", "/tmp/i", 1), 0);
	assert_int_equal(place_index(NULL, &index, &is_named), 0);
	assert_string_equal(index, "/tmp/i");
	assert_true(is_named);
}

static void
control_characters_are_shown_on_terminals(void **state)
{
	static const char TEXT[] = "a\033[31m\n\x7f\xff";
	CLEANUP(pxs_buf) struct pxs_buf raw = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf shown = PXS_BUF_INIT;

	(void)state;
	output_add_text(&raw, TEXT, strlen(TEXT), false);
	output_add_text(&shown, TEXT, strlen(TEXT), true);
	assert_string_equal(pxs_buf_text(&raw), TEXT);
	assert_string_equal(pxs_buf_text(&shown), "a\\x1b[31m\\x0a\\x7f\xff");
}

static void
progress_is_a_sentence(void **state)
{
	static const struct {
		const char *job;
		const char *progress;
	} ROWS[] = {
		{ "{\"seen\":12345,\"expected\":160000,\"rate\":13012.7,\"eta_s\":11.2}",
		  "12,345 of about 160,000 entries, 13,012 a second, 11 s left" },
		{ "{\"seen\":7,\"expected\":0,\"rate\":0,\"eta_s\":null}",
		  "7 entries, 0 a second" },
		{ "{\"seen\":1000,\"expected\":0,\"rate\":999,\"eta_s\":125}",
		  "1,000 entries, 999 a second, 2 min 5 s left" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(json_decref) json_t *job = json_loads(ROWS[i].job, 0, NULL);
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		progress_print(job, &text);
		assert_string_equal(pxs_buf_text(&text), ROWS[i].progress);
	}
}

static void
the_summary_tells_every_count(void **state)
{
	CLEANUP(json_decref)
	json_t *job = json_loads(
		"{\"added\":1,\"changed\":2,\"renamed\":3,\"removed\":4,\"unchanged\":5000,"
		"\"failures\":6,\"elapsed_s\":12.34,\"rate\":405.9}",
		0, NULL);
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	progress_print_summary(job, &text);
	assert_string_equal(pxs_buf_text(&text), "1 added, 2 changed, 3 renamed, 4 removed, "
						 "5,000 unchanged, 6 failed, in 12.3 s "
						 "(405 files a second)");
}

static const char ITEM[] = "{\"href\":\"/files/9007199254740993\",\"data\":["
			   "{\"name\":\"_id\",\"value\":9007199254740993,\"prompt\":\"_id\"},"
			   "{\"name\":\"core.pathname\",\"value\":\"/a%FF\"},"
			   "{\"name\":\"user.tags\",\"value\":[\"x\",\"y z\"]},"
			   "{\"name\":\"user.ratio\",\"value\":0.1},"
			   "{\"name\":\"user.flag\",\"value\":true}],\"path_escaped\":\"/a%FF\"}";

static void
an_item_is_read(void **state)
{
	CLEANUP(json_decref) json_t *item = json_loads(ITEM, 0, NULL);
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf tags = PXS_BUF_INIT;

	(void)state;
	assert_true(json_integer_value(answer_value(item, "_id")) == INT64_C(9007199254740993));
	assert_int_equal(answer_item_path(item, &path), 0);
	assert_string_equal(pxs_buf_text(&path), "/a\xff"); /* the bytes, not the text */
	answer_print_value(answer_value(item, "user.tags"), &tags);
	assert_string_equal(pxs_buf_text(&tags), "x, y z");
	assert_null(answer_value(item, "no.such"));
}

static void
a_path_of_any_bytes_can_be_sent(void **state)
{
	static const char *const ROWS[] = { "/plain %41", "/caf\xc3\xa9", "/bad\xff%41\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(json_decref) json_t *object = json_object();
		CLEANUP(pxs_buf) struct pxs_buf back = PXS_BUF_INIT;

		assert_int_equal(answer_set_path(object, "path", ROWS[i]), 0);
		assert_int_equal(answer_path(object, "path", &back), 0);
		assert_string_equal(pxs_buf_text(&back), ROWS[i]);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_misspelt_verb_is_guessed),
		cmocka_unit_test(a_caret_stands_under_the_fault),
		cmocka_unit_test(each_failure_has_its_exit_code),
		cmocka_unit_test(a_line_of_mountinfo_is_understood),
		cmocka_unit_test(paths_become_absolute),
		cmocka_unit_test(places_are_looked_for_in_order),
		cmocka_unit_test(control_characters_are_shown_on_terminals),
		cmocka_unit_test(progress_is_a_sentence),
		cmocka_unit_test(the_summary_tells_every_count),
		cmocka_unit_test(an_item_is_read),
		cmocka_unit_test(a_path_of_any_bytes_can_be_sent),
	};

	return cmocka_run_group_tests_name("cli", TESTS, NULL, NULL);
}
