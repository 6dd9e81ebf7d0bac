/* pxs saved: searches under names, for everybody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/shelf.h"
#include "query/query.h"

#define WORDS_MAX 256
#define NAME_WIDTH 24

enum { KEY_REPLACE = OPTIONS_KEY_FIRST };

struct saved {
	struct options shared; /* first: options_parse() hands it on */
	const char *action;
	const char *words[WORDS_MAX];
	size_t n_words;
	bool replace;
};

static const struct argp_option OPTIONS[] = {
	{ "replace", KEY_REPLACE, NULL, 0, "Instead of one that has the name already", 0 },
	{ 0 },
};

static const char DOC[] =
	"  pxs saved add NAME [QUERY...] [--path SEGMENTS] [--where JSON] [--sort S]\n"
	"  pxs saved add GROUP/\n"
	"  pxs saved list [--json]\n"
	"  pxs saved rm NAME...\n"
	"  pxs saved export >FILE\n"
	"  pxs saved import [FILE] [--replace]\n\n"
	"A saved search is a folder in saved/ of every mount, and a query that REST offers. NAME "
	"may lie in groups, as pets/cats. In a search {name} waits for a value: after pxs saved "
	"add "
	"by-owner --path 'core.uid={owner}', saved/by-owner=1000 has that user's files.\n\n"
	"The text that export writes has one search a line, by name, so that versions can be "
	"compared. import adds what is missing and leaves alone what is the same.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct saved *saved = state->input;

	switch (key) {
	case KEY_REPLACE:
		saved->replace = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!saved->action)
			saved->action = arg;
		else if (saved->n_words == WORDS_MAX)
			argp_error(state, "at most %d arguments", WORDS_MAX);
		else
			saved->words[saved->n_words++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- add --- */

static void
add_segment(struct pxs_buf *path, const char *begin, const char *value)
{
	if (!value)
		return;
	pxs_buf_addf(path, "%s%s", path->len ? "/" : "", begin);
	pxs_percent_encode(path, value, strlen(value), query_segment_escapes);
}

/* The query as a path below query/. */
static void
print_path(const struct saved *saved, struct pxs_buf *path)
{
	CLEANUP(pxs_buf) struct pxs_buf words = PXS_BUF_INIT;

	for (size_t i = 1; i < saved->n_words; i++)
		options_add_word(&words, saved->words[i]);
	if (saved->shared.path)
		pxs_buf_add_str(path, saved->shared.path);
	add_segment(path, "_all=", words.len ? pxs_buf_text(&words) : NULL);
	add_segment(path, "_where=", saved->shared.where);
	add_segment(path, "_sort=", saved->shared.sort);
	if (words.error)
		path->error = words.error;
}

/* PATH NULL: a group. */
static int
post(struct client *client, const char *name, const char *path, bool replace, struct pxs_error *err)
{
	CLEANUP(json_decref)
	json_t *body = json_pack("{s:s, s:s*, s:b}", "name", name, "path", path, "replace",
				 replace);
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;

	if (!body)
		return pxs_error_set(err, -EINVAL, -1, "names and searches must be UTF-8");
	return client_ask(client, "POST", "/saved", body, "application/json", &answer, err);
}

/* Whether NAME is a group's, GROUP/; the slash goes. */
static bool
take_slash(char *name)
{
	size_t len = strlen(name);
	bool is_group = len && name[len - 1] == '/';

	if (is_group)
		name[len - 1] = '\0';
	return is_group;
}

static int
add(const struct saved *saved, struct client *client, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(free) char *name = strdup(saved->n_words ? saved->words[0] : "");
	bool group;

	print_path(saved, &path);
	if (!name || path.error)
		return -ENOMEM;
	if (!*name)
		return pxs_error_set(err, -EINVAL, -1, "what is it to be called?");
	group = take_slash(name);
	if (group && path.len)
		return pxs_error_set(err, -EINVAL, -1, "a group, %.100s/, is no search", name);
	if (!group && !path.len)
		return pxs_error_set(err, -EINVAL, -1,
				     "which search? give a QUERY, --path or --where (a group is "
				     "%.100s/)",
				     name);
	return post(client, name, group ? NULL : path.data, saved->replace, err);
}

/* --- list, export --- */

/* The caller's to decref. */
static int
ask_all(struct client *client, json_t **ret_answer, const json_t **ret_entries,
	struct pxs_error *err)
{
	int r = client_get(client, "/saved", ret_answer, err);

	if (r < 0)
		return r;
	*ret_entries = json_object_get(*ret_answer, "saved");
	if (!json_is_array(*ret_entries))
		return pxs_error_set(err, -EPROTO, -1, "the daemon answered without a list");
	return 0;
}

static const char *
text_of(const json_t *entry, const char *key)
{
	return json_string_value(json_object_get(entry, key));
}

/* Names may hold what a terminal would obey. */
static void
print_entry(const json_t *entry, struct pxs_buf *out)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	const char *text = text_of(entry, "name");
	const char *path = text_of(entry, "path");
	bool escape = output_is_terminal();

	output_add_text(&name, text, strlen(text), escape);
	if (!path)
		pxs_buf_add_str(&name, "/");
	output_add_padded(out, pxs_buf_text(&name), path ? NAME_WIDTH : 0);
	if (path) {
		pxs_buf_add_str(out, "  ");
		output_add_text(out, path, strlen(path), escape);
	}
	pxs_buf_add_str(out, "\n");
}

/* Each entry as PRINT does. */
static int
print_all(const struct saved *saved, struct client *client,
	  void (*print)(const struct saved *saved, const json_t *entry, struct pxs_buf *out),
	  struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	const json_t *entries;
	const json_t *entry;
	size_t i;
	int r = ask_all(client, &answer, &entries, err);

	if (r < 0)
		return r;
	json_array_foreach (entries, i, entry)
		if (text_of(entry, "name"))
			print(saved, entry, &out);
	return output_write(&out, err);
}

static void
list_entry(const struct saved *saved, const json_t *entry, struct pxs_buf *out)
{
	if (saved->shared.json)
		answer_print_json(entry, out);
	else
		print_entry(entry, out);
}

static int
list(const struct saved *saved, struct client *client, struct pxs_error *err)
{
	return print_all(saved, client, list_entry, err);
}

static void
export_entry(const struct saved *saved, const json_t *entry, struct pxs_buf *out)
{
	(void)saved;
	shelf_print(text_of(entry, "name"), text_of(entry, "path"), out);
}

static int
export_all(const struct saved *saved, struct client *client, struct pxs_error *err)
{
	return print_all(saved, client, export_entry, err);
}

/* --- rm --- */

static int
rm(const struct saved *saved, struct client *client, struct pxs_error *err)
{
	int r = 0;

	if (!saved->n_words)
		return pxs_error_set(err, -EINVAL, -1,
				     "which? give names, as `pxs saved list` shows them");
	for (size_t i = 0; i < saved->n_words && r == 0; i++) {
		CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
		CLEANUP(free) char *name = strdup(saved->words[i]);

		if (!name)
			return -ENOMEM;
		(void)take_slash(name);
		pxs_buf_add_str(&href, "/saved");
		client_add_param(&href, "name", name);
		r = href.error ? href.error
			       : client_ask(client, "DELETE", pxs_buf_text(&href), NULL, NULL,
					    &answer, err);
	}
	return r;
}

/* --- import --- */

struct import {
	struct client *client;
	const json_t *there; /* entries */
	bool replace;
	size_t added;
	size_t same;
};

/* Whether NAME is there, as PATH. */
static bool
is_there(const struct import *import, const char *name, const char *path)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (import->there, i, entry) {
		const char *known = text_of(entry, "name");
		const char *known_path = text_of(entry, "path");

		if (known && strcmp(known, name) == 0)
			return !path || !known_path ? !path && !known_path
						    : strcmp(path, known_path) == 0;
	}
	return false;
}

static int
import_line(struct import *import, char *line, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	const char *path;
	int r = shelf_parse(line, &name, &path, err);

	if (r <= 0)
		return r;
	if (is_there(import, pxs_buf_text(&name), path)) {
		import->same++;
		return 0;
	}
	r = post(import->client, pxs_buf_text(&name), path, import->replace, err);
	if (r == 0)
		import->added++;
	return r;
}

static int
import_file(struct import *import, FILE *file, struct pxs_error *err)
{
	CLEANUP(free) char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	for (size_t number = 1; (len = getline(&line, &cap, file)) >= 0; number++) {
		struct pxs_error fault = { 0 };
		int r;

		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		r = import_line(import, line, &fault);
		if (r < 0)
			return pxs_error_set(err, r, -1, "line %zu: %s", number,
					     pxs_error_text(&fault, r));
	}
	return ferror(file) ? pxs_error_set(err, -EIO, -1, "cannot read it: %m") : 0;
}

static int
import(const struct saved *saved, struct client *client, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	CLEANUP(fclose) FILE *file = NULL;
	struct import import = { .client = client, .replace = saved->replace };
	int r;

	if (saved->n_words > 1)
		return pxs_error_set(err, -EINVAL, -1, "one FILE at a time");
	if (saved->n_words) {
		file = fopen(saved->words[0], "re");
		if (!file)
			return pxs_error_set(err, -errno, -1, "cannot read %.100s: %m",
					     saved->words[0]);
	}
	r = ask_all(client, &answer, &import.there, err);
	if (r == 0)
		r = import_file(&import, file ? file : stdin, err);
	pxs_buf_addf(&out, "%zu saved, %zu unchanged\n", import.added, import.same);
	return r < 0 ? r : output_write(&out, err);
}

/* --- The verb --- */

static const struct {
	const char *name;
	bool words; /* takes arguments */
	int (*act)(const struct saved *saved, struct client *client, struct pxs_error *err);
} ACTIONS[] = {
	{ "add", true, add },	    { "list", false, list },
	{ "rm", true, rm },	    { "export", false, export_all },
	{ "import", true, import },
};

static int
act(const struct saved *saved, struct client *client, struct pxs_error *err)
{
	const char *action = saved->action ? saved->action : "";

	for (size_t i = 0; i < ARRAY_SIZE(ACTIONS); i++) {
		if (strcmp(action, ACTIONS[i].name) != 0)
			continue;
		if (saved->n_words && !ACTIONS[i].words)
			return pxs_error_set(err, -EINVAL, -1, "%s takes no arguments", action);
		return ACTIONS[i].act(saved, client, err);
	}
	return pxs_error_set(err, -EINVAL, -1,
			     "what is to be done? add, list, rm, export or import");
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct saved saved = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int r;

	options_parse(&CLI_SAVED, argc, argv, parse, DOC, &saved.shared);
	r = client_open(&saved.shared, 0, program, &client, &err);
	if (r == 0)
		r = act(&saved, client, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_SAVED = {
	.name = "saved",
	.arguments = "add|list|rm|export|import [NAME...] [QUERY...]",
	.summary = "Keep searches under names",
	.options = OPTIONS,
	.shared = CLI_SHARED_QUERY | CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
