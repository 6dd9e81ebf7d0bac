/* pxs user: users of pxs's own, for machines without system users. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/secret.h"

#define NAME_WIDTH 24

enum { KEY_PASSWORD_FILE = OPTIONS_KEY_FIRST, KEY_RIGHTS };

struct user {
	struct options shared; /* first: options_parse() hands it on */
	const char *action;
	const char *name;
	const char *password_file;
	const char *rights;
};

static const struct argp_option OPTIONS[] = {
	{ "password-file", KEY_PASSWORD_FILE, "FILE", 0,
	  "Its first line is the password; - is standard input (default: asked for)", 0 },
	{ "rights", KEY_RIGHTS, "R[,R]", 0,
	  "read (the default), update_search_metadata, delete_search_metadata, "
	  "bypass_file_access_security, operate; or all, which is all but operate",
	  0 },
	{ 0 },
};

static const char DOC[] =
	"  pxs user add NAME [--password-file FILE] [--rights R,...]\n"
	"  pxs user passwd NAME [--password-file FILE]    which ends his tokens\n"
	"  pxs user rights NAME --rights R,...\n"
	"  pxs user remove NAME                           with his tokens\n"
	"  pxs user list [--json]\n\n"
	"They are for POST /oauth2/token; users of this machine log in there by PAM and need no "
	"entry here. Only root and the user of the daemon may do this.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct user *user = state->input;

	switch (key) {
	case KEY_PASSWORD_FILE:
		user->password_file = arg;
		return 0;
	case KEY_RIGHTS:
		user->rights = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (!user->action)
			user->action = arg;
		else if (!user->name)
			user->name = arg;
		else
			argp_error(state, "one user at a time");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void
add_path(struct pxs_buf *href, const char *name)
{
	pxs_buf_add_str(href, "/users/");
	client_add_part(href, name);
}

static int
send(struct client *client, const char *method, const char *href, const json_t *body,
     struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;

	return client_ask(client, method, href, body, "application/json", &answer, err);
}

static int
add(const struct user *user, struct client *client, struct pxs_error *err)
{
	CLEANUP(secret) char *password = NULL;
	CLEANUP(json_decref) json_t *body = NULL;
	int r = secret_read(user->password_file, &password, err);

	if (r < 0)
		return r;
	body = json_pack("{s:s, s:s, s:s}", "name", user->name, "password", password, "rights",
			 user->rights ? user->rights : "read");
	if (!body)
		return pxs_error_set(err, -EINVAL, -1, "name and password must be UTF-8");
	return send(client, "POST", "/users", body, err);
}

static int
change_password(const struct user *user, struct client *client, struct pxs_error *err)
{
	CLEANUP(secret) char *password = NULL;
	CLEANUP(json_decref) json_t *body = NULL;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	int r = secret_read(user->password_file, &password, err);

	if (r < 0)
		return r;
	body = json_pack("{s:s}", "password", password);
	if (!body)
		return pxs_error_set(err, -EINVAL, -1, "a password must be UTF-8");
	add_path(&href, user->name);
	return send(client, "PATCH", pxs_buf_text(&href), body, err);
}

static int
change_rights(const struct user *user, struct client *client, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;

	if (!user->rights)
		return pxs_error_set(err, -EINVAL, -1, "which? use --rights");
	body = json_pack("{s:s}", "rights", user->rights);
	add_path(&href, user->name);
	return send(client, "PATCH", pxs_buf_text(&href), body, err);
}

static int
drop(const struct user *user, struct client *client, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;

	add_path(&href, user->name);
	return send(client, "DELETE", pxs_buf_text(&href), NULL, err);
}

static int
list(const struct user *user, struct client *client, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	const json_t *entry;
	size_t i;
	int r = client_get(client, "/users", &answer, err);

	if (r < 0)
		return r;
	json_array_foreach (json_object_get(answer, "users"), i, entry) {
		if (user->shared.json) {
			answer_print_json(entry, &out);
			continue;
		}
		output_add_padded(&out, json_string_value(json_object_get(entry, "name")),
				  NAME_WIDTH);
		pxs_buf_add_str(&out, "  ");
		answer_print_value(json_object_get(entry, "rights"), &out);
		pxs_buf_add_char(&out, '\n');
	}
	return output_write(&out, err);
}

static const struct {
	const char *name;
	bool named; /* needs NAME */
	int (*run)(const struct user *user, struct client *client, struct pxs_error *err);
} ACTIONS[] = {
	{ "add", true, add },
	{ "passwd", true, change_password },
	{ "rights", true, change_rights },
	{ "remove", true, drop },
	{ "list", false, list },
};

static int
act(const struct user *user, struct client *client, struct pxs_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(ACTIONS); i++) {
		if (!user->action || strcmp(ACTIONS[i].name, user->action) != 0)
			continue;
		if (ACTIONS[i].named != (user->name != NULL))
			return pxs_error_set(err, -EINVAL, -1, "%s %s", user->action,
					     user->name ? "takes no name" : "needs a NAME");
		return ACTIONS[i].run(user, client, err);
	}
	return pxs_error_set(err, -EINVAL, -1,
			     "what is to be done? add, passwd, rights, remove or list");
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct user user = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int r;

	options_parse(&CLI_USER, argc, argv, parse, DOC, &user.shared);
	r = client_open(&user.shared, CLIENT_CREATE, program, &client, &err);
	if (r == 0)
		r = act(&user, client, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_USER = {
	.name = "user",
	.arguments = "add|passwd|rights|remove|list [NAME]",
	.summary = "Keep users of pxs's own, who get tokens for passwords",
	.options = OPTIONS,
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
