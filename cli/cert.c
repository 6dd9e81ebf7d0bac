/* pxs cert: the certificate that clients of the daemon see. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

#define NAME_WIDTH 12

enum { KEY_PEM = OPTIONS_KEY_FIRST };

struct cert {
	struct options shared; /* first: options_parse() hands it on */
	const char *action;
	bool pem;
};

static const struct argp_option OPTIONS[] = {
	{ "pem", KEY_PEM, NULL, 0, "Write the certificate itself, for clients to trust", 0 },
	{ 0 },
};

static const char DOC[] =
	"  pxs cert show [--pem|--json]\n\n"
	"Compare the fingerprint with what a client shows; curl takes the pin as --pinnedpubkey, "
	"and the certificate as --cacert. The pin stays when the certificate is renewed.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct cert *cert = state->input;

	switch (key) {
	case KEY_PEM:
		cert->pem = true;
		return 0;
	case ARGP_KEY_ARG:
		if (cert->action || strcmp(arg, "show") != 0)
			argp_error(state, "what is to be done? show");
		cert->action = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "what is to be done? show");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void
print_text(const json_t *answer, const char *key, struct pxs_buf *out)
{
	const char *text = json_string_value(json_object_get(answer, key));

	output_add_padded(out, key, NAME_WIDTH);
	pxs_buf_addf(out, "%s\n", text ? text : "");
}

static void
print_until(const json_t *answer, struct pxs_buf *out)
{
	time_t end_s = (time_t)json_integer_value(json_object_get(answer, "not_after"));
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&end_s, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	output_add_padded(out, "valid until", NAME_WIDTH);
	pxs_buf_addf(out, "%s\n", text);
}

static int
print(const struct cert *cert, const json_t *answer, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	const char *pem = json_string_value(json_object_get(answer, "pem"));

	if (cert->pem) {
		pxs_buf_add_str(&out, pem ? pem : "");
	} else if (cert->shared.json) {
		answer_print_json(answer, &out);
	} else {
		print_text(answer, "fingerprint", &out);
		print_text(answer, "pin", &out);
		print_text(answer, "names", &out);
		print_until(answer, &out);
		print_text(answer, "path", &out);
	}
	return output_write(&out, err);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct cert cert = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(json_decref) json_t *answer = NULL;
	int r;

	options_parse(&CLI_CERT, argc, argv, parse, DOC, &cert.shared);
	r = client_open(&cert.shared, CLIENT_DAEMON, program, &client, &err);
	if (r == 0)
		r = client_get(client, "/certificate", &answer, &err);
	if (r == 0)
		r = print(&cert, answer, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_CERT = {
	.name = "cert",
	.arguments = "show",
	.summary = "Show the certificate that clients see",
	.options = OPTIONS,
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
