/* pxs sync: ask the upstream now, wait until all of it is here, allow removals. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/sync.h"

#define WAIT_MS 100

enum { KEY_WAIT = OPTIONS_KEY_FIRST, KEY_CONFIRM };

struct sync_verb {
	struct options shared; /* first: options_parse() hands it on */
	bool wait;
	bool confirm;
};

static const struct argp_option OPTIONS[] = {
	{ "wait", KEY_WAIT, NULL, 0, "Return when all that there is has been taken over", 0 },
	{ "confirm", KEY_CONFIRM, NULL, 0,
	  "The documents that the upstream no longer has may go, as many as `pxs status` says", 0 },
	{ 0 },
};

static const char DOC[] =
	"A daemon with --upstream asks it without end; this ends the pause before it does so "
	"again. With --wait the exit status is 1 if the upstream cannot be followed.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct sync_verb *verb = state->input;

	switch (key) {
	case KEY_WAIT:
		verb->wait = true;
		return 0;
	case KEY_CONFIRM:
		verb->confirm = true;
		return 0;
	default:
		return options_none(key, arg, state);
	}
}

/* --- Waiting --- */

/* One that waits for a new attempt has failed. */
static bool
has_failed(const char *state)
{
	return strcmp(state, "away") == 0 || strcmp(state, "not authorised") == 0 ||
	       strcmp(state, "held") == 0;
}

int
sync_wait(const char *speaker, struct client *client, int *ret_failed, struct pxs_error *err)
{
	for (;;) {
		CLEANUP(json_decref) json_t *document = NULL;
		int r = client_get(client, "/sync", &document, err);
		const json_t *upstream = json_array_get(json_object_get(document, "upstreams"), 0);
		const char *state = json_string_value(json_object_get(upstream, "state"));
		const char *reason = json_string_value(json_object_get(upstream, "reason"));

		if (r < 0 || !state || strcmp(state, "following") == 0)
			return r;
		if (has_failed(state)) {
			message(speaker, "upstream: %s", reason ? reason : state);
			*ret_failed = 1;
			return 0;
		}
		interrupt_sleep_ms(WAIT_MS);
		if (interrupt_came())
			return -EINTR;
	}
}

static int
ask(const struct sync_verb *verb, struct client *client, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *sent = json_object();
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;

	if (!sent || json_object_set_new(sent, "confirm", json_boolean(verb->confirm)))
		return -ENOMEM;
	return client_ask(client, "POST", "/sync", sent, NULL, &answer, err);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct sync_verb verb = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int failed = 0;
	int r;

	options_parse(&CLI_SYNC, argc, argv, parse, DOC, &verb.shared);
	r = client_open(&verb.shared, CLIENT_DAEMON, program, &client, &err);
	if (r == 0)
		r = ask(&verb, client, &err);
	if (r == 0 && verb.wait)
		r = sync_wait(argv[0], client, &failed, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	return failed ? CLI_NOTHING : CLI_OK;
}

const struct cli_verb CLI_SYNC = {
	.name = "sync",
	.arguments = "",
	.summary = "Ask the upstream now",
	.options = OPTIONS,
	.shared = CLI_SHARED_CLIENT,
	.run = run,
};
