/* What pxs doctor tells, of situations that are made up. */
#include "cli/doctor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/cli.h"

static int
no_record(const char *dir, struct pxs_error *err)
{
	(void)dir;
	return pxs_error_set(err, -EBADMSG, -1, "docs.db is none");
}

static int
owned_by_7(const char *dir, int *ret_pid)
{
	(void)dir;
	*ret_pid = 7;
	return 0;
}

static const struct cli_examine EXAMINE = { .record = no_record, .owner = owned_by_7 };
static const struct cli_program PROGRAM = { .examine = &EXAMINE };

/* Runs the check NAME of TABLE on DOCTOR alone. */
static void
run(struct doctor *doctor, const struct doctor_check *table, const char *name)
{
	json_decref(doctor->findings);
	doctor->findings = json_array();
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	assert_non_null(table->name);
	doctor_run(doctor, table);
	assert_true(json_array_size(doctor->findings) > 0);
}

static const char *
told(const struct doctor *doctor, const char *key)
{
	return json_string_value(json_object_get(json_array_get(doctor->findings, 0), key));
}

/* One check, one situation: what the daemon's status says. */
static void
a_status_is_judged(void **state)
{
	static const struct {
		const struct doctor_check *table;
		const char *check;
		const char *status;
		const char *verdict;
		const char *words; /* in what is found */
	} ROWS[] = {
		{ DOCTOR_DAEMON, "daemon-version", "{\"version\":\"" PXS_VERSION "\"}", "ok", "" },
		{ DOCTOR_DAEMON, "daemon-version", "{\"version\":\"9.9\"}", "doubt", "pxs 9.9" },
		{ DOCTOR_DAEMON, "upstream", "{\"upstreams\":[]}", "ok", "" },
		{ DOCTOR_DAEMON, "upstream",
		  "{\"upstreams\":[{\"url\":\"U\",\"state\":\"following\",\"age_s\":3}]}", "ok",
		  "" },
		{ DOCTOR_DAEMON, "upstream",
		  "{\"upstreams\":[{\"url\":\"U\",\"state\":\"following\",\"age_s\":90000}]}",
		  "doubt", "25 h ago" },
		{ DOCTOR_DAEMON, "upstream",
		  "{\"upstreams\":[{\"url\":\"U\",\"state\":\"not authorised\",\"reason\":\"R\"}]}",
		  "fault", "refuses us: R" },
		{ DOCTOR_DAEMON, "upstream",
		  "{\"upstreams\":[{\"url\":\"U\",\"state\":\"away\",\"reason\":\"R\"}]}", "fault",
		  "cannot be reached: R" },
		{ DOCTOR_DAEMON, "upstream",
		  "{\"upstreams\":[{\"url\":\"U\",\"state\":\"held\",\"reason\":\"R\"}]}", "doubt",
		  "waits for a word" },
		{ DOCTOR_SOURCES, "sources-there", "{\"sources\":[{\"path\":\"/tmp\"}]}", "ok",
		  "" },
		{ DOCTOR_SOURCES, "sources-there", "{\"sources\":[{\"path\":\"/no/such\"}]}",
		  "fault", "/no/such" },
		{ DOCTOR_SOURCES, "sources-apart", "{\"sources\":[{\"path\":\"/srv\"}]}", "ok",
		  "" },
		{ DOCTOR_SOURCES, "sources-apart", "{\"sources\":[{\"path\":\"/index/a\"}]}",
		  "fault", "in the index" },
		{ DOCTOR_SOURCES, "sources-apart", "{\"sources\":[{\"path\":\"/mnt/pxs/a\"}]}",
		  "fault", "in the mount" },
		{ DOCTOR_SOURCES, "sources-followed",
		  "{\"sources\":[1],\"watching\":true,\"trouble\":null}", "ok", "" },
		{ DOCTOR_SOURCES, "sources-followed",
		  "{\"sources\":[1],\"watching\":false,\"trouble\":\"T\"}", "doubt", "T" },
		{ DOCTOR_SOURCES, "sources-followed", "{\"sources\":[1],\"watching\":false}",
		  "doubt", "no-watch" },
		{ DOCTOR_SOURCES, "sources-followed", "{\"sources\":[],\"watching\":false}", "ok",
		  "" },
		{ DOCTOR_SOURCES, "sources-scanned",
		  "{\"job\":null,\"sources\":[{\"path\":\"/a\",\"scanned\":null}]}", "doubt",
		  "/a was never" },
		{ DOCTOR_SOURCES, "sources-scanned",
		  "{\"job\":1,\"sources\":[{\"path\":\"/a\",\"scanned\":null}]}", "ok", "" },
		{ DOCTOR_SOURCES, "last-scan",
		  "{\"last_job\":{\"state\":\"failed\",\"path\":\"/a\",\"reason\":\"R\"}}", "fault",
		  "/a, failed: R" },
		{ DOCTOR_SOURCES, "last-scan", "{\"last_job\":null}", "ok", "" },
		{ DOCTOR_SOURCES, "unread", "{\"failures\":2}", "doubt", "2 entries" },
		{ DOCTOR_SOURCES, "unread", "{\"failures\":0}", "ok", "" },
	};
	struct doctor_mount mount = { .mountpoint = (char *)"/mnt/pxs" };
	struct doctor doctor = { .client = (struct client *)&mount, /* only its being there */
				 .index = (char *)"/index",
				 .mounts = &mount,
				 .n_mounts = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(json_decref) json_t *status = json_loads(ROWS[i].status, 0, NULL);

		assert_non_null(status);
		doctor.status = status;
		run(&doctor, ROWS[i].table, ROWS[i].check);
		assert_string_equal(told(&doctor, "verdict"), ROWS[i].verdict);
		assert_non_null(strstr(told(&doctor, "found"), ROWS[i].words));
	}
	json_decref(doctor.findings);
}

static void
an_index_folder_is_judged(void **state)
{
	struct doctor_look fine = { .is_readable = true };
	struct doctor doctor = { .program = &PROGRAM, .index = (char *)"/no/such" };

	(void)state;
	fine.stat.st_mode = S_IFDIR | 0700;
	fine.fs.f_blocks = 100;
	fine.fs.f_bavail = 50;
	fine.fs.f_bsize = 1 << 30;
	const struct {
		const char *check;
		struct doctor_look look;
		const char *verdict;
		int refusal;
	} rows[] = {
		{ "index-folder", fine, "ok" },
		{ "index-folder", { .error = -ENOENT }, "doubt" },
		{ "index-folder", { .error = -EIO }, "fault" },
		{ "index-folder", { .error = -ETIMEDOUT }, "fault" },
		{ "index-folder", { .stat.st_mode = S_IFREG }, "fault" },
		{ "index-mode", fine, "ok" },
		{ "index-mode", { .stat.st_mode = S_IFDIR | 0720 }, "fault" },
		{ "index-mode", { .stat.st_mode = S_IFDIR | 0755 }, "doubt" },
		{ "index-mode", { .error = -ENOENT }, "skipped" },
		{ "index-disk", fine, "ok" },
		{ "index-disk", { .stat.st_mode = S_IFDIR, .fs.f_type = 0x6969 }, "doubt" },
		{ "index-disk", { .stat.st_mode = S_IFDIR, .fs.f_type = 0x01021994 }, "doubt" },
		{ "index-disk", { .stat.st_mode = S_IFDIR, .fs.f_flags = 1 }, "fault" },
		{ "index-space", fine, "ok" },
		{ "index-space", { .stat.st_mode = S_IFDIR, .fs.f_blocks = 9 }, "fault" },
		{ "index-space",
		  { .stat.st_mode = S_IFDIR,
		    .fs = { .f_blocks = 1000, .f_bavail = 9, .f_bsize = 1 << 30 } },
		  "doubt" },
		{ "index-inodes", fine, "ok" },
		{ "index-inodes",
		  { .stat.st_mode = S_IFDIR, .fs = { .f_files = 1000, .f_ffree = 3 } },
		  "doubt" },
		{ "index-record", fine, "fault" },
		{ "index-lock", fine, "fault", -ECONNRESET },
		{ "index-lock", fine, "doubt", -ECONNREFUSED },
		{ "index-lock", fine, "ok", -EACCES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		doctor.index_look = rows[i].look;
		doctor.refusal = rows[i].refusal;
		run(&doctor, DOCTOR_INDEX, rows[i].check);
		assert_string_equal(told(&doctor, "verdict"), rows[i].verdict);
		assert_true(strcmp(rows[i].verdict, "doubt") != 0 || told(&doctor, "fix"));
		assert_true(strcmp(rows[i].verdict, "fault") != 0 || told(&doctor, "fix"));
	}
	json_decref(doctor.findings);
}

static void
a_mount_is_judged(void **state)
{
	static const struct {
		struct doctor_mount mount;
		const char *check;
		const char *verdict;
	} ROWS[] = {
		{ { .look.error = 0 }, "mount-answers", "ok" },
		{ { .look.error = -EACCES }, "mount-answers", "ok" },
		{ { .look.error = -ENOTCONN }, "mount-answers", "fault" },
		{ { .look.error = -ETIMEDOUT }, "mount-answers", "fault" },
		{ { .is_covered = true }, "mount-covered", "doubt" },
		{ { .options = (char *)"rw" }, "mount-others", "doubt" },
		{ { .options = (char *)"rw,allow_other" }, "mount-others", "ok" },
	};
	CLEANUP(json_decref) json_t *status = json_loads("{\"public\":true}", 0, NULL);
	struct doctor doctor = { .client = (struct client *)status,
				 .status = status,
				 .n_mounts = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct doctor_mount mount = ROWS[i].mount;

		mount.mountpoint = (char *)"/a b's";
		doctor.mounts = &mount;
		run(&doctor, DOCTOR_MOUNT, ROWS[i].check);
		assert_string_equal(told(&doctor, "verdict"), ROWS[i].verdict);
		if (i == 2)
			assert_non_null(strstr(told(&doctor, "fix"), " '/a b'\\''s'"));
	}
	json_decref(doctor.findings);
}

static void
a_clock_is_judged(void **state)
{
	struct doctor doctor = { 0 };

	(void)state;
	doctor.index_look.stat.st_mtime = time(NULL) - 10;
	run(&doctor, DOCTOR_MACHINE, "clock");
	assert_string_equal(told(&doctor, "verdict"), "ok");
	doctor.index_look.stat.st_mtime = time(NULL) + 3 * 86400;
	run(&doctor, DOCTOR_MACHINE, "clock");
	assert_string_equal(told(&doctor, "verdict"), "doubt");
	json_decref(doctor.findings);
}

static void
a_kernel_is_old_or_new(void **state)
{
	(void)state;
	assert_true(doctor_is_kernel_since("5.17.0", 5, 17));
	assert_true(doctor_is_kernel_since("6.1.0-18-amd64", 5, 17));
	assert_true(doctor_is_kernel_since("10.0", 5, 17));
	assert_false(doctor_is_kernel_since("5.16.99", 5, 17));
	assert_false(doctor_is_kernel_since("4.19.0", 5, 17));
}

static void
a_unit_that_hides_its_mounts_is_seen(void **state)
{
	static const struct {
		const char *text;
		const char *key; /* NULL: it hides none */
	} ROWS[] = {
		{ "[Service]\nType=notify\n", NULL },
		{ "[Service]\nPrivateTmp=yes\n", "PrivateTmp" },
		{ "PrivateTmp=yes\nPrivateTmp=no\n", NULL },
		{ "# PrivateTmp=yes\nProtectSystem=strict", "ProtectSystem" },
		{ "PrivateTmpX=yes\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		const char *key = doctor_unit_hides(ROWS[i].text);

		assert_int_equal(key == NULL, ROWS[i].key == NULL);
		if (key)
			assert_string_equal(key, ROWS[i].key);
	}
}

static void
updatedb_keeps_out_or_not(void **state)
{
	(void)state;
	assert_true(doctor_updatedb_prunes("X=1\nPRUNEFS=\"NFS fuse.pxs\"\n"));
	assert_true(doctor_updatedb_prunes("PRUNEFS = \"NFS fuse.pxs tmpfs\""));
	assert_false(doctor_updatedb_prunes("PRUNEFS=\"NFS fuse.sshfs\"\n"));
	assert_false(doctor_updatedb_prunes("# PRUNEFS=\"fuse.pxs\"\n"));
	assert_false(doctor_updatedb_prunes(""));
}

static void
a_share_is_judged(void **state)
{
	static const char WELL[] = "ea support = no\nstore dos attributes = no\n"
				   "mangled names = no\n";
	static const struct {
		const char *options;
		const char *head;
		const char *tail;
		size_t faults;
		size_t doubts;
	} ROWS[] = {
		{ "allow_other", "[a]\n\tpath = /mnt/pxs\n", WELL, 0, 0 },
		{ "allow_other", "[a]\npath=/mnt/pxs/query\n", "", 0, 1 },
		{ "rw", "[a]\npath = /mnt/pxs\n", WELL, 1, 0 },
		{ "rw", "[a]\npath = /mnt/pxsx\n", "", 0, 0 },
		{ "allow_other", "[a]\npath = /mnt/pxs\n[b]\n", WELL, 0, 1 },
	};
	static const struct doctor_check CHECK = { "exports", "samba", "about", NULL };
	char path[] = "/tmp/pxs-test-doctor-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct doctor_mount mount = { .mountpoint = (char *)"/mnt/pxs",
					      .options = (char *)ROWS[i].options };
		struct doctor doctor = {
			.check = &CHECK, .findings = json_array(), .mounts = &mount, .n_mounts = 1
		};
		CLEANUP(fclose) FILE *file = fopen(path, "we");

		assert_true(file && fputs(ROWS[i].head, file) >= 0 &&
			    fputs(ROWS[i].tail, file) >= 0 && fflush(file) == 0);
		doctor_look_at_shares(&doctor, path);
		assert_int_equal(doctor_count(&doctor, DOCTOR_FAULT), ROWS[i].faults);
		assert_int_equal(doctor_count(&doctor, DOCTOR_DOUBT), ROWS[i].doubts);
		json_decref(doctor.findings);
	}
	assert_int_equal(unlink(path) | close(fd), 0);
}

/* Takes longer than anybody waits, as a mount does whose daemon hangs. */
static void
hang(const void *context, void *result)
{
	(void)context;
	(void)result;
	(void)sleep(60);
}

static void
what_hangs_is_left_behind(void **state)
{
	time_t begin = time(NULL);
	int result = 0;

	(void)state;
	assert_int_equal(doctor_apart(hang, NULL, &result, sizeof(result)), -ETIMEDOUT);
	assert_true(time(NULL) - begin < 30);
}

static void
any_bytes_can_be_told(void **state)
{
	static const struct doctor_check CHECK = { "group", "check", "about", NULL };
	struct doctor doctor = { .check = &CHECK, .findings = json_array() };
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;

	(void)state;
	doctor_tell(&doctor, DOCTOR_FAULT, "bad \xff\033 bytes");
	doctor_advise(&doctor, "do it");
	doctor_print(&doctor, false, &out);
	assert_non_null(strstr(pxs_buf_text(&out), "bad \\xff\\x1b bytes"));
	assert_non_null(strstr(pxs_buf_text(&out), "what to do: do it\n"));
	assert_non_null(strstr(pxs_buf_text(&out), "1 fault, 0 doubts\n"));
	json_decref(doctor.findings);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_status_is_judged),
		cmocka_unit_test(an_index_folder_is_judged),
		cmocka_unit_test(a_mount_is_judged),
		cmocka_unit_test(a_clock_is_judged),
		cmocka_unit_test(a_kernel_is_old_or_new),
		cmocka_unit_test(a_unit_that_hides_its_mounts_is_seen),
		cmocka_unit_test(updatedb_keeps_out_or_not),
		cmocka_unit_test(a_share_is_judged),
		cmocka_unit_test(what_hangs_is_left_behind),
		cmocka_unit_test(any_bytes_can_be_told),
	};

	return cmocka_run_group_tests_name("doctor", TESTS, NULL, NULL);
}
