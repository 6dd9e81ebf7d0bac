/* The daemon, and what it says about its sources and its upstream. */
#include "cli/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/answer.h"
#include "cli/client.h"
#include "cli/output.h"

#define FILES_MAX_PERCENT 90
#define UPSTREAM_AGE_MAX_S (24 * 3600)

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int
daemon_pid(const struct doctor *doctor)
{
	return (int)json_integer_value(json_object_get(doctor->status, "pid"));
}

static void
check_answers(struct doctor *doctor)
{
	if (doctor->client)
		return;
	if (doctor->refusal == -EACCES) {
		doctor_tell(doctor, DOCTOR_DOUBT, "%s", doctor->why.text);
		doctor_advise(doctor, "sudo pxs doctor; pxs daemon --public answers every user");
	} else if (doctor->refusal == -ECONNREFUSED) {
		doctor_tell(doctor, DOCTOR_DOUBT, "%s", doctor->why.text);
		doctor_advise(doctor, "systemctl start pxs, or pxs daemon; --socket names another "
				      "one");
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "%s",
			    pxs_error_text(&doctor->why, doctor->refusal));
		doctor_advise(doctor,
			      "systemctl restart pxs; without systemd, kill -9 it and start "
			      "it again");
	}
}

static void
check_ready(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	int r;

	if (!doctor_has_daemon(doctor))
		return;
	r = client_ask(doctor->client, "GET", "/readyz", NULL, "text/plain", &answer, &err);
	if (r == 0)
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "%s", pxs_error_text(&err, r));
	doctor_advise(doctor, "wait until it has ended, then start it: systemctl restart pxs");
}

static void
check_version(struct doctor *doctor)
{
	const char *version = text_of(doctor->status, "version");

	if (!doctor_has_daemon(doctor) || strcmp(version, PXS_VERSION) == 0)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "the daemon is pxs %s, this is pxs %s", version,
		    PXS_VERSION);
	doctor_advise(doctor, "systemctl restart pxs");
}

/* After an upgrade, the old program runs on as one that has no name. */
static void
check_program(struct doctor *doctor)
{
	static const char GONE[] = " (deleted)";
	char link[64];
	char program[4096];
	ssize_t n;

	if (!doctor_has_daemon(doctor))
		return;
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", daemon_pid(doctor));
	n = readlink(link, program, sizeof(program) - 1);
	if (n < (ssize_t)sizeof(GONE))
		return;
	program[n] = '\0';
	if (strcmp(program + n - (sizeof(GONE) - 1), GONE) != 0)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "the daemon runs a program that was replaced since");
	doctor_advise(doctor, "systemctl restart pxs");
}

static long long
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	long long n = -2; /* . and .. */

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

static void
check_files(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf limits = PXS_BUF_INIT;
	char path[64];
	long long limit;
	long long used;

	if (!doctor_has_daemon(doctor))
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/limits", daemon_pid(doctor));
	(void)doctor_read(path, &limits);
	limit = doctor_number(pxs_buf_text(&limits), "Max open files", 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", daemon_pid(doctor));
	used = count_entries(path);
	if (limit <= 0 || used < limit * FILES_MAX_PERCENT / 100)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "the daemon has %lld files open, and may open %lld", used,
		    limit);
	doctor_advise(doctor, "LimitNOFILE=65536 in its unit, then systemctl restart pxs");
}

static void
check_namespace(struct doctor *doctor)
{
	char path[64];
	char theirs[64] = "";
	char ours[64] = "";

	if (!doctor_has_daemon(doctor))
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", daemon_pid(doctor));
	if (readlink(path, theirs, sizeof(theirs) - 1) < 0 ||
	    readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) < 0 ||
	    strcmp(theirs, ours) == 0 ||
	    !json_array_size(json_object_get(doctor->status, "mounts")))
		return;
	doctor_tell(doctor, DOCTOR_FAULT,
		    "the daemon has a mount namespace of its own: nobody else sees its mounts");
	doctor_advise(doctor, "take PrivateTmp=, ProtectSystem= and the like out of its unit "
			      "(systemctl edit --full pxs), then systemctl restart pxs");
}

static void
tell_upstream(struct doctor *doctor, const json_t *upstream)
{
	const char *state = text_of(upstream, "state");
	const char *url = text_of(upstream, "url");
	json_int_t age_s = json_integer_value(json_object_get(upstream, "age_s"));

	if (strcmp(state, "not authorised") == 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "the upstream %s refuses us: %s", url,
			    text_of(upstream, "reason"));
		doctor_advise(doctor, "mend the password file, then: pxs sync");
	} else if (strcmp(state, "held") == 0) {
		doctor_tell(doctor, DOCTOR_DOUBT, "the upstream %s waits for a word: %s", url,
			    text_of(upstream, "reason"));
		doctor_advise(doctor, "look at it, then: pxs sync --confirm");
	} else if (strcmp(state, "away") == 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "the upstream %s cannot be reached: %s", url,
			    text_of(upstream, "reason"));
		doctor_advise(doctor, "see to it and to the network, then: pxs sync --wait");
	} else if (age_s > UPSTREAM_AGE_MAX_S) {
		doctor_tell(doctor, DOCTOR_DOUBT, "we were in step with the upstream %s %lld h ago",
			    url, (long long)age_s / 3600);
		doctor_advise(doctor, "pxs sync --wait");
	}
}

static void
check_upstream(struct doctor *doctor)
{
	const json_t *upstream;
	size_t i;

	if (!doctor_has_daemon(doctor))
		return;
	json_array_foreach (json_object_get(doctor->status, "upstreams"), i, upstream)
		tell_upstream(doctor, upstream);
}

const struct doctor_check DOCTOR_DAEMON[] = {
	{ "daemon", "daemon-answers", "the daemon answers", check_answers },
	{ "daemon", "daemon-ready", "it is ready", check_ready },
	{ "daemon", "daemon-version", "it is of this version", check_version },
	{ "daemon", "daemon-program", "it runs the program that is installed", check_program },
	{ "daemon", "daemon-files", "it may open more files", check_files },
	{ "daemon", "daemon-namespace", "its mounts are seen by all", check_namespace },
	{ "daemon", "upstream", "it is in step with its upstream, if it has one", check_upstream },
	{ 0 },
};

/* --- Sources --- */

/* Calls EACH with the path of every source: the daemon's, or those of the configuration. */
static void
for_sources(struct doctor *doctor, void (*each)(struct doctor *doctor, const char *path))
{
	const json_t *source;
	size_t i;

	if (!doctor->status) {
		json_array_foreach (json_object_get(doctor->settings, "source"), i, source)
			if (json_string_value(source))
				each(doctor, json_string_value(source));
		return;
	}
	json_array_foreach (json_object_get(doctor->status, "sources"), i, source) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

		if (answer_path(source, "path", &path) == 0)
			each(doctor, pxs_buf_text(&path));
	}
}

static void
look_at_source(struct doctor *doctor, const char *path)
{
	struct doctor_look look;

	doctor_look(path, &look);
	if (look.error == -ETIMEDOUT) {
		doctor_tell(doctor, DOCTOR_FAULT, "the source %s does not answer", path);
		doctor_advise(doctor, "its file system hangs: mend its server, or umount -f it");
	} else if (look.error == -EACCES || (look.error == 0 && !look.is_readable)) {
		doctor_tell(doctor, DOCTOR_DOUBT, "the source %s is closed to you", path);
		doctor_advise(doctor, "its owner or root is to scan it; sudo pxs doctor sees more");
	} else if (look.error < 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "the source %s: %s", path, strerror(-look.error));
		doctor_advise_path(doctor,
				   "mount what belongs there; if it is gone for good: pxs "
				   "ingest --forget",
				   path);
	}
}

static void
check_sources(struct doctor *doctor)
{
	for_sources(doctor, look_at_source);
}

static void
look_whether_apart(struct doctor *doctor, const char *path)
{
	for (size_t i = 0; i < doctor->n_mounts; i++) {
		if (!doctor_is_inside(path, doctor->mounts[i].mountpoint))
			continue;
		doctor_tell(doctor, DOCTOR_FAULT, "the source %s lies in the mount at %s", path,
			    doctor->mounts[i].mountpoint);
		doctor_advise_path(doctor, "pxs ingest --forget", path);
	}
	if (doctor_is_inside(path, doctor->index)) {
		doctor_tell(doctor, DOCTOR_FAULT, "the source %s lies in the index", path);
		doctor_advise_path(doctor, "pxs ingest --forget", path);
	}
}

static void
check_apart(struct doctor *doctor)
{
	for_sources(doctor, look_whether_apart);
}

static void
look_whether_remote(struct doctor *doctor, const char *path)
{
	struct doctor_look look;
	const char *remote;

	doctor_look(path, &look);
	remote = look.error == 0 ? doctor_remote_name((long)look.fs.f_type) : NULL;
	if (!remote || doctor_setting(doctor, "rescan"))
		return;
	doctor_tell(doctor, DOCTOR_DOUBT,
		    "the source %s is on %s: the kernel does not tell what others write there",
		    path, remote);
	doctor_advise(doctor, "rescan = 6h in the configuration, or pxs ingest from a timer");
}

static void
check_remote(struct doctor *doctor)
{
	for_sources(doctor, look_whether_remote);
}

static void
check_watching(struct doctor *doctor)
{
	const char *trouble = text_of(doctor->status, "trouble");

	if (!doctor_has_daemon(doctor) ||
	    !json_array_size(json_object_get(doctor->status, "sources")))
		return;
	if (*trouble) {
		doctor_tell(doctor, DOCTOR_DOUBT, "changes in sources are not all followed: %s",
			    trouble);
		doctor_advise(doctor, "run the daemon as root, on local disks; else pxs ingest DIR "
				      "or --rescan");
	} else if (!json_is_true(json_object_get(doctor->status, "watching"))) {
		doctor_tell(doctor, DOCTOR_DOUBT, "changes in sources are not followed (no-watch)");
		doctor_advise(doctor,
			      "take no-watch away, or pxs ingest DIR when something changed");
	}
}

static void
check_scanned(struct doctor *doctor)
{
	const json_t *source;
	size_t i;

	if (!doctor_has_daemon(doctor) || !json_is_null(json_object_get(doctor->status, "job")))
		return;
	json_array_foreach (json_object_get(doctor->status, "sources"), i, source) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

		if (!json_is_null(json_object_get(source, "scanned")) ||
		    answer_path(source, "path", &path) < 0)
			continue;
		doctor_tell(doctor, DOCTOR_DOUBT, "the source %s was never scanned to its end",
			    pxs_buf_text(&path));
		doctor_advise_path(doctor, "pxs ingest", pxs_buf_text(&path));
	}
}

static void
check_last_job(struct doctor *doctor)
{
	const json_t *job = json_object_get(doctor->status, "last_job");
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	if (!doctor_has_daemon(doctor) || strcmp(text_of(job, "state"), "failed") != 0 ||
	    answer_path(job, "path", &path) < 0)
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "the last scan, of %s, failed: %s", pxs_buf_text(&path),
		    text_of(job, "reason"));
	doctor_advise_path(doctor, "see to it, then: pxs ingest", pxs_buf_text(&path));
}

static void
check_failures(struct doctor *doctor)
{
	json_int_t n = json_integer_value(json_object_get(doctor->status, "failures"));

	if (!doctor_has_daemon(doctor) || n == 0)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "%lld entr%s could not be read", (long long)n,
		    n == 1 ? "y" : "ies");
	doctor_advise(doctor, "pxs status --failed");
}

const struct doctor_check DOCTOR_SOURCES[] = {
	{ "sources", "sources-there", "the sources are there and can be read", check_sources },
	{ "sources", "sources-apart", "none lies in the mount or the index", check_apart },
	{ "sources", "sources-remote", "none is written by other machines", check_remote },
	{ "sources", "sources-followed", "changes in them are followed", check_watching },
	{ "sources", "sources-scanned", "each was scanned", check_scanned },
	{ "sources", "last-scan", "the last scan did not fail", check_last_job },
	{ "sources", "unread", "everything could be read", check_failures },
	{ 0 },
};
