/* pxs token: tokens without a password, and all that are valid. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/duration.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

#define ID_WIDTH 6
#define USER_WIDTH 16
#define TIME_WIDTH 21
#define IDS_MAX 256

enum { KEY_USER = OPTIONS_KEY_FIRST, KEY_RIGHTS, KEY_EXPIRES, KEY_LABEL };

struct token {
	struct options shared; /* first: options_parse() hands it on */
	const char *action;
	const char *ids[IDS_MAX];
	size_t n_ids;
	const char *user;
	const char *rights;
	const char *label;
	int64_t life_s;
};

static const struct argp_option OPTIONS[] = {
	{ "user", KEY_USER, "NAME", 0, "Whose it is (default: yours)", 0 },
	{ "rights", KEY_RIGHTS, "R[,R]", 0,
	  "What it may, as for `pxs user` (default: what its user may, but not operate)", 0 },
	{ "expires", KEY_EXPIRES, "TIME", 0, "How long it is valid, as 90s, 15m, 24h, 7d (24h)",
	  0 },
	{ "label", KEY_LABEL, "TEXT", 0, "What it is for, as the list shows it", 0 },
	{ 0 },
};

static const char DOC[] =
	"  pxs token create [--user NAME] [--rights R,...] [--expires 24h] [--label TEXT]\n"
	"  pxs token list [--json]\n"
	"  pxs token revoke ID...\n\n"
	"The token is printed once and kept nowhere: pxs knows only its hash. Only root and the "
	"user of the daemon may do this.";

static void
set_life(struct token *token, const char *text, struct argp_state *state)
{
	struct pxs_error err = { 0 };

	if (duration_parse(text, &token->life_s, &err) < 0)
		argp_error(state, "--expires: %s", err.text);
}

static void
add_argument(struct token *token, const char *text, struct argp_state *state)
{
	if (!token->action)
		token->action = text;
	else if (token->n_ids == IDS_MAX)
		argp_error(state, "at most %d at a time", IDS_MAX);
	else
		token->ids[token->n_ids++] = text;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct token *token = state->input;

	switch (key) {
	case KEY_USER:
		token->user = arg;
		return 0;
	case KEY_RIGHTS:
		token->rights = arg;
		return 0;
	case KEY_EXPIRES:
		set_life(token, arg, state);
		return 0;
	case KEY_LABEL:
		token->label = arg;
		return 0;
	case ARGP_KEY_ARG:
		add_argument(token, arg, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
create(const struct token *token, struct client *client, struct pxs_error *err)
{
	CLEANUP(json_decref)
	json_t *body = json_pack("{s:s*, s:s*, s:s*}", "user", token->user, "rights", token->rights,
				 "label", token->label);
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	const char *made;
	int r;

	if (!body || (token->life_s &&
		      json_object_set_new(body, "expires_in", json_integer(token->life_s)) < 0))
		return pxs_error_set(err, -EINVAL, -1, "names and labels must be UTF-8");
	r = client_ask(client, "POST", "/tokens", body, "application/json", &text, err);
	if (r < 0)
		return r;
	answer = json_loadb(pxs_buf_text(&text), text.len, 0, NULL);
	made = json_string_value(json_object_get(answer, "token"));
	if (!made)
		return pxs_error_set(err, -EPROTO, -1, "the daemon answered without a token");
	if (token->shared.json)
		answer_print_json(answer, &out);
	else
		pxs_buf_addf(&out, "%s\n", made);
	return output_write(&out, err);
}

static void
add_time(const json_t *seconds, struct pxs_buf *out)
{
	time_t time_s = (time_t)json_integer_value(seconds);
	char text[32] = "never";
	struct tm tm;

	if (json_is_integer(seconds) && gmtime_r(&time_s, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	output_add_padded(out, text, TIME_WIDTH);
	pxs_buf_add_str(out, "  ");
}

static void
print_token(const json_t *entry, struct pxs_buf *out)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRId64,
		       (int64_t)json_integer_value(json_object_get(entry, "id")));
	output_add_padded(out, id, ID_WIDTH);
	pxs_buf_add_str(out, "  ");
	output_add_padded(out, json_string_value(json_object_get(entry, "user")), USER_WIDTH);
	pxs_buf_addf(out, "  %s...  ", json_string_value(json_object_get(entry, "begins")));
	add_time(json_object_get(entry, "expires"), out);
	add_time(json_object_get(entry, "used"), out);
	answer_print_value(json_object_get(entry, "rights"), out);
	pxs_buf_addf(out, "  %s\n", json_string_value(json_object_get(entry, "label")));
}

static int
list(const struct token *token, struct client *client, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	const json_t *entry;
	size_t i;
	int r = client_get(client, "/tokens", &answer, err);

	if (r < 0)
		return r;
	if (!token->shared.json && output_is_terminal())
		pxs_buf_add_str(&out,
				"number  user              begins with       valid until      "
				"      last used              rights\n");
	json_array_foreach (json_object_get(answer, "tokens"), i, entry)
		if (token->shared.json)
			answer_print_json(entry, &out);
		else
			print_token(entry, &out);
	return output_write(&out, err);
}

static int
end_tokens(const struct token *token, struct client *client, struct pxs_error *err)
{
	int r = 0;

	if (!token->n_ids)
		return pxs_error_set(err, -EINVAL, -1,
				     "which? give numbers, as `pxs token list` shows them");
	for (size_t i = 0; i < token->n_ids && r == 0; i++) {
		CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;

		pxs_buf_add_str(&href, "/tokens/");
		client_add_part(&href, token->ids[i]);
		r = client_ask(client, "DELETE", pxs_buf_text(&href), NULL, NULL, &answer, err);
	}
	return r;
}

static int
act(const struct token *token, struct client *client, struct pxs_error *err)
{
	const char *action = token->action ? token->action : "";

	if (token->n_ids && strcmp(action, "revoke") != 0)
		return pxs_error_set(err, -EINVAL, -1, "%s takes no arguments", action);
	if (strcmp(action, "create") == 0)
		return create(token, client, err);
	if (strcmp(action, "list") == 0)
		return list(token, client, err);
	if (strcmp(action, "revoke") == 0)
		return end_tokens(token, client, err);
	return pxs_error_set(err, -EINVAL, -1, "what is to be done? create, list or revoke");
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct token token = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int r;

	options_parse(&CLI_TOKEN, argc, argv, parse, DOC, &token.shared);
	r = client_open(&token.shared, CLIENT_CREATE, program, &client, &err);
	if (r == 0)
		r = act(&token, client, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_TOKEN = {
	.name = "token",
	.arguments = "create|list|revoke [ID...]",
	.summary = "Make tokens, list them, end them",
	.options = OPTIONS,
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
