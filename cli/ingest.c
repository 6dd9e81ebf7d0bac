/* pxs ingest: read trees into the catalogue, and tell how it goes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"

/* A small scan is over soon, so asking begins often and becomes seldom. */
#define ASK_FIRST_MS 10
#define ASK_MAX_MS 200

enum { KEY_ALLOW_MASS_REMOVAL = OPTIONS_KEY_FIRST, KEY_FORGET, KEY_NO_WAIT };

struct ingest_verb {
	struct options shared; /* first: options_parse() hands it on */
	char **paths;	       /* in argv */
	int n_paths;
	bool allow_mass_removal;
	bool forget;
	bool no_wait;
	const char *speaker;
};

static const struct argp_option OPTIONS[] = {
	{ "allow-mass-removal", KEY_ALLOW_MASS_REMOVAL, NULL, 0,
	  "Go on where more than 1 % of the documents (and more than 1,000) would be removed", 0 },
	{ "forget", KEY_FORGET, NULL, 0, "Remove the tree from the catalogue; no file is touched",
	  0 },
	{ "no-wait", KEY_NO_WAIT, NULL, 0, "Do not wait until the daemon is done", 0 },
	{ 0 },
};

static const char DOC[] =
	"PATH is a folder. What is in the catalogue already is read again only where it "
	"changed. Without a daemon the scan runs in this process.\n\n"
	"Exit status: 0 done, 1 failed, 3 some entries could not be read (pxs status "
	"--failed lists them), 130 interrupted.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct ingest_verb *verb = state->input;

	(void)arg;
	switch (key) {
	case KEY_ALLOW_MASS_REMOVAL:
		verb->allow_mass_removal = true;
		return 0;
	case KEY_FORGET:
		verb->forget = true;
		return 0;
	case KEY_NO_WAIT:
		verb->no_wait = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!verb->paths)
			verb->paths = &state->argv[state->next - 1];
		verb->n_paths++;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a folder is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
submit(const struct ingest_verb *verb, struct client *client, const char *path, int64_t *ret_job,
       struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *sent = json_object();
	CLEANUP(json_decref) json_t *job = NULL;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	int r = sent ? answer_set_path(sent, "path", path) : -ENOMEM;

	if (r == 0 && (json_object_set_new(sent, "allow_mass_removal",
					   json_boolean(verb->allow_mass_removal)) ||
		       json_object_set_new(sent, "forget", json_boolean(verb->forget))))
		r = -ENOMEM;
	if (r == 0)
		r = client_ask(client, "POST", "/ingest", sent, NULL, &answer, err);
	if (r < 0)
		return r;
	job = json_loadb(pxs_buf_text(&answer), answer.len, 0, NULL);
	*ret_job = json_integer_value(json_object_get(job, "job"));
	return *ret_job > 0 ? 0 : pxs_error_set(err, -EPROTO, -1, "the daemon answered no job");
}

/* A relative path is one in our folder, not in the daemon's. A source that vanished can be
 * forgotten. */
static int
absolute(const struct ingest_verb *verb, const char *path, char **ret_path, struct pxs_error *err)
{
	*ret_path = realpath(path, NULL);
	if (*ret_path)
		return 0;
	if (errno == ENOENT && verb->forget && path[0] == '/') {
		*ret_path = strdup(path);
		return *ret_path ? 0 : -ENOMEM;
	}
	return pxs_error_set(err, errno == ENOENT ? -ENOENT : -errno, -1, "%s: %s", path,
			     strerror(errno));
}

static bool
has_ended(const json_t *job)
{
	const char *state = json_string_value(json_object_get(job, "state"));

	return state && strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

/* Follow job NUMBER until it ended: *RET_JOB is what it became, the caller's. */
static int
follow(const struct ingest_verb *verb, struct client *client, int64_t number, json_t **ret_job,
       struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(json_decref) json_t *job = NULL;
	struct progress progress;
	int pause_ms = ASK_FIRST_MS;
	int r;

	progress_init(&progress, verb->speaker);
	pxs_buf_addf(&href, "/ingest/%" PRId64, number);
	for (;;) {
		json_decref(job);
		job = NULL;
		r = client_get(client, pxs_buf_text(&href), &job, err);
		if (r == 0 && interrupt_came())
			r = -EINTR;
		if (r < 0 || has_ended(job))
			break;
		progress_show(&progress, job);
		interrupt_sleep_ms(pause_ms);
		pause_ms = MIN(pause_ms * 2, ASK_MAX_MS);
	}
	progress_clear(&progress);
	*ret_job = r == 0 ? STEAL(job) : NULL;
	return r;
}

/* The last word about one job: the exit code. */
static int
conclude(const struct ingest_verb *verb, const json_t *job, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	CLEANUP(free) char *text = verb->shared.json ? json_dumps(job, JSON_COMPACT) : NULL;
	const char *state = json_string_value(json_object_get(job, "state"));
	const char *reason = json_string_value(json_object_get(job, "reason"));
	const char *path = json_string_value(json_object_get(job, "path"));
	int r;

	if (text) {
		pxs_buf_addf(&out, "%s\n", text);
	} else if (strcmp(state, "done") == 0) {
		output_add_text(&out, path, strlen(path), true);
		pxs_buf_add_str(&out, ": ");
		progress_print_summary(job, &out);
		pxs_buf_add_char(&out, '\n');
	}
	r = output_write(&out, err);
	if (r < 0)
		return message_failure(verb->speaker, r, err);
	if (strcmp(state, "done") != 0) {
		message(verb->speaker, "%s: %s", path, reason ? reason : "stopped");
		return CLI_NOTHING;
	}
	return json_integer_value(json_object_get(job, "failures")) ? CLI_PARTIAL : CLI_OK;
}

static int
interrupted(const struct ingest_verb *verb, const struct client *client)
{
	if (client_is_local(client))
		message(verb->speaker,
			"interrupted; what was read so far stays, and running it again "
			"goes on from there");
	else
		message(verb->speaker, "the daemon goes on; `pxs status` shows how far it is");
	return CLI_INTERRUPTED;
}

/* The worse of two exit codes: failure, then partial. */
static int
worse(int a, int b)
{
	if (a == CLI_OK || b == CLI_OK)
		return a == CLI_OK ? b : a;
	return a == CLI_PARTIAL ? b : a;
}

static int
ingest_one(const struct ingest_verb *verb, struct client *client, const char *path)
{
	CLEANUP(free) char *whole = NULL;
	CLEANUP(json_decref) json_t *job = NULL;
	struct pxs_error err = { 0 };
	int64_t number = 0;
	int r = absolute(verb, path, &whole, &err);

	if (r == 0)
		r = submit(verb, client, whole, &number, &err);
	if (r == 0 && verb->no_wait && !client_is_local(client))
		return CLI_OK;
	if (r == 0)
		r = follow(verb, client, number, &job, &err);
	if (r == -EINTR)
		return interrupted(verb, client);
	if (r < 0)
		return message_failure(verb->speaker, r, &err);
	return conclude(verb, job, &err);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct ingest_verb verb = { .speaker = argv[0] };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int code = CLI_OK;
	int r;

	options_parse(&CLI_INGEST, argc, argv, parse, DOC, &verb.shared);
	r = client_open(&verb.shared, CLIENT_CREATE, program, &client, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	if (verb.no_wait && client_is_local(client))
		message(argv[0], "no daemon runs, so this waits until the scan is done");
	for (int i = 0; i < verb.n_paths && code != CLI_INTERRUPTED; i++)
		code = worse(code, ingest_one(&verb, client, verb.paths[i]));
	return code;
}

const struct cli_verb CLI_INGEST = {
	.name = "ingest",
	.arguments = "PATH...",
	.summary = "Read folders into the catalogue, or read them again",
	.options = OPTIONS,
	.shared = CLI_SHARED_JSON | CLI_SHARED_PLACE,
	.run = run,
};
