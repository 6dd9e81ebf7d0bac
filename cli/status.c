/* pxs status: how the catalogue is. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/sync.h"

#define WAIT_MS 200

enum { KEY_WAIT = OPTIONS_KEY_FIRST, KEY_FAILED };

struct status {
	struct options shared; /* first: options_parse() hands it on */
	bool wait;
	bool failed;
};

static const struct argp_option OPTIONS[] = {
	{ "wait", KEY_WAIT, NULL, 0, "Return when nothing is left to ingest or to sync", 0 },
	{ "failed", KEY_FAILED, NULL, 0, "List what could not be read: path, a tab, the reason",
	  0 },
	{ 0 },
};

static const char DOC[] =
	"With --wait the exit status is 1 if the last scan of some source failed, or the upstream "
	"cannot be followed.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct status *status = state->input;

	switch (key) {
	case KEY_WAIT:
		status->wait = true;
		return 0;
	case KEY_FAILED:
		status->failed = true;
		return 0;
	default:
		return options_none(key, arg, state);
	}
}

static int
show(const struct status *status, struct client *client, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int r = client_ask(client, "GET", "/status", NULL,
			   status->shared.json ? "application/json" : "text/plain", &out, err);

	if (r < 0)
		return r;
	if (status->shared.json)
		pxs_buf_add_char(&out, '\n');
	return output_write(&out, err);
}

/* --- --failed --- */

static int
add_failure(const struct status *status, const json_t *failure, struct pxs_buf *out)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	const char *reason = json_string_value(json_object_get(failure, "reason"));
	char *line;
	int r;

	if (status->shared.json) {
		line = json_dumps(failure, JSON_COMPACT);
		pxs_buf_add_str(out, line ? line : "");
		pxs_buf_add_char(out, '\n');
		free(line);
		return line ? 0 : -ENOMEM;
	}
	r = answer_path(failure, "path", &path);
	if (r < 0)
		return r;
	/* Escaped even where nobody looks: a line is one failure. */
	output_add_text(out, pxs_buf_text(&path), path.len, true);
	pxs_buf_addf(out, "\t%s\n", reason ? reason : "");
	return 0;
}

static int
show_failures_page(const struct status *status, struct client *client, int64_t *page,
		   struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *document = NULL;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	const json_t *failure;
	size_t i;
	int r;

	pxs_buf_addf(&href, "/failures?page=%" PRId64, *page);
	r = client_get(client, pxs_buf_text(&href), &document, err);
	if (r < 0)
		return r;
	json_array_foreach (json_object_get(document, "failures"), i, failure) {
		r = add_failure(status, failure, &out);
		if (r < 0)
			return r;
	}
	*page = json_integer_value(json_object_get(document, "next")); /* 0 for null */
	return output_write(&out, err);
}

static int
show_failures(const struct status *status, struct client *client, struct pxs_error *err)
{
	int64_t page = 1;
	int r = 0;

	while (page && r == 0)
		r = show_failures_page(status, client, &page, err);
	return r;
}

/* --- --wait --- */

/* Whether a newer job than JOBS[N] had the same path. */
static bool
is_outdated(const json_t *jobs, size_t n, const json_t *path)
{
	for (size_t i = 0; i < n; i++)
		if (json_equal(json_object_get(json_array_get(jobs, i), "path"), path))
			return true;
	return false;
}

/* Names each source whose last scan failed: how many. JOBS come with the newest first. */
static int
tell_failed(const char *speaker, const json_t *jobs)
{
	const json_t *job;
	size_t i;
	int n = 0;

	json_array_foreach (jobs, i, job) {
		const json_t *path = json_object_get(job, "path");
		const char *state = json_string_value(json_object_get(job, "state"));
		const char *reason = json_string_value(json_object_get(job, "reason"));

		if (!state || strcmp(state, "failed") != 0 || is_outdated(jobs, i, path))
			continue;
		message(speaker, "%s: %s", json_string_value(path), reason ? reason : "failed");
		n++;
	}
	return n;
}

/* *RET_FAILED: how many sources could not be scanned. */
static int
wait_until_done(const char *speaker, struct client *client, int *ret_failed, struct pxs_error *err)
{
	for (;;) {
		CLEANUP(json_decref) json_t *document = NULL;
		int r = client_get(client, "/ingest", &document, err);

		if (r < 0)
			return r;
		if (json_is_null(json_object_get(document, "current"))) {
			*ret_failed = tell_failed(speaker, json_object_get(document, "jobs"));
			return 0;
		}
		interrupt_sleep_ms(WAIT_MS);
		if (interrupt_came())
			return -EINTR;
	}
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct status status = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int failed = 0;
	int r;

	options_parse(&CLI_STATUS, argc, argv, parse, DOC, &status.shared);
	r = client_open(&status.shared, 0, program, &client, &err);
	if (r == 0 && status.wait)
		r = wait_until_done(argv[0], client, &failed, &err);
	if (r == 0 && status.wait)
		r = sync_wait(argv[0], client, &failed, &err);
	if (r == 0 && status.failed)
		r = show_failures(&status, client, &err);
	else if (r == 0 && (!status.wait || status.shared.json))
		r = show(&status, client, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	return failed ? CLI_NOTHING : CLI_OK;
}

const struct cli_verb CLI_STATUS = {
	.name = "status",
	.arguments = "",
	.summary = "Show how the catalogue is: documents, sources, mounts, scans, failures",
	.options = OPTIONS,
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
