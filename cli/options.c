#include "cli/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/cli.h"

enum {
	KEY_INDEX = 0x101,
	KEY_SOCKET,
	KEY_SERVER,
	KEY_TOKEN_FILE,
	KEY_CACERT,
	KEY_JSON,
	KEY_COLOR,
	KEY_WHERE,
	KEY_PATH,
	KEY_SORT
};

static const struct argp_option PLACE_OPTIONS[] = {
	{ "index", KEY_INDEX, "DIR", 0,
	  "Folder of the index (default: $PXS_INDEX, /var/lib/pxs for root, ~/.local/share/pxs)",
	  1 },
	{ "socket", KEY_SOCKET, "PATH", 0,
	  "Socket of the daemon (default: $PXS_SOCKET, $XDG_RUNTIME_DIR/pxs.sock, "
	  "/run/pxs/pxs.sock)",
	  1 },
	{ 0 },
};

static const struct argp_option SERVER_OPTIONS[] = {
	{ "server", KEY_SERVER, "URL", 0,
	  "A daemon over TCP instead, as https://host:5000 (default: $PXS_SERVER)", 2 },
	{ "token-file", KEY_TOKEN_FILE, "FILE", 0,
	  "Its first line is the token for --server (default: $PXS_TOKEN_FILE)", 2 },
	{ "cacert", KEY_CACERT, "FILE", 0,
	  "Certificate to trust for --server, as `pxs cert show --pem` writes it", 2 },
	{ 0 },
};

static const struct argp_option JSON_OPTIONS[] = {
	{ "json", KEY_JSON, NULL, 0, "Write JSON", 0 },
	{ 0 },
};

static const struct argp_option COLOR_OPTIONS[] = {
	{ "color", KEY_COLOR, "WHEN", 0,
	  "always, never or auto (the default: on a terminal, unless NO_COLOR is set)", 0 },
	{ 0 },
};

static const struct argp_option QUERY_OPTIONS[] = {
	{ "where", KEY_WHERE, "JSON", 0,
	  "Only documents that this where clause matches, as {\"core.extension\":\".png\"}", 0 },
	{ "path", KEY_PATH, "SEGMENTS", 0,
	  "Only documents in this query folder of the mount, as "
	  "core.extension=.png/core.size=100..",
	  0 },
	{ "sort", KEY_SORT, "KEYS", 0,
	  "In this order: properties with commas between, '-' before one for descending", 0 },
	{ 0 },
};

static const struct {
	unsigned int bit;
	const struct argp_option *options;
} SHARED[] = {
	{ CLI_SHARED_QUERY, QUERY_OPTIONS },   { CLI_SHARED_JSON, JSON_OPTIONS },
	{ CLI_SHARED_COLOR, COLOR_OPTIONS },   { CLI_SHARED_PLACE, PLACE_OPTIONS },
	{ CLI_SHARED_SERVER, SERVER_OPTIONS },
};

/* https://no-color.org */
static bool
color_by_default(void)
{
	const char *off = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(off && *off) &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

static void
set_color(struct options *options, const char *when, struct argp_state *state)
{
	if (strcmp(when, "always") == 0)
		options->color = true;
	else if (strcmp(when, "never") == 0)
		options->color = false;
	else if (strcmp(when, "auto") != 0)
		argp_error(state, "--color is always, never or auto, not %s", when);
}

static error_t
parse_shared(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_INDEX:
		options->index = arg;
		return 0;
	case KEY_SOCKET:
		options->socket = arg;
		return 0;
	case KEY_SERVER:
		options->server = arg;
		return 0;
	case KEY_TOKEN_FILE:
		options->token_file = arg;
		return 0;
	case KEY_CACERT:
		options->cacert = arg;
		return 0;
	case KEY_JSON:
		options->json = true;
		return 0;
	case KEY_COLOR:
		set_color(options, arg, state);
		return 0;
	case KEY_WHERE:
		options->where = arg;
		return 0;
	case KEY_PATH:
		options->path = arg;
		return 0;
	case KEY_SORT:
		options->sort = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The root of the tree of parsers only hands the options to all others. */
struct root {
	struct options *options;
	int n_children;
};

static error_t
parse_root(int key, char *arg, struct argp_state *state)
{
	const struct root *root = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	for (int i = 0; i < root->n_children; i++)
		state->child_inputs[i] = root->options;
	return 0;
}

/* The tables of the shared options that VERB takes, up to MAX of them. */
static int
shared_tables(const struct cli_verb *verb, const struct argp_option **tables, int max)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(SHARED) && n < max; i++)
		if (verb->shared & SHARED[i].bit)
			tables[n++] = SHARED[i].options;
	return n;
}

error_t
options_none(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "it takes no arguments");
	return 0;
}

bool
options_has_letter(const struct argp_option *option)
{
	return option->key > 0 && option->key < 0x80 && isgraph(option->key);
}

void
options_each(const struct cli_verb *verb, struct pxs_buf *out,
	     void (*each)(struct pxs_buf *out, const struct cli_verb *verb,
			  const struct argp_option *option))
{
	static const struct argp_option HELP[] = { { "help", '?', NULL, 0, "Show help", 0 },
						   { 0 } };
	const struct argp_option *tables[2 + ARRAY_SIZE(SHARED)] = { verb->options, HELP };
	int n = 2 + shared_tables(verb, tables + 2, ARRAY_SIZE(SHARED));

	for (int i = 0; i < n; i++)
		for (const struct argp_option *o = tables[i]; o && (o->name || o->key); o++)
			each(out, verb, o);
}

void
options_parse(const struct cli_verb *verb, int argc, char **argv, argp_parser_t parse,
	      const char *doc, struct options *options)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	const struct argp_option *tables[ARRAY_SIZE(SHARED)];
	int n = shared_tables(verb, tables, ARRAY_SIZE(SHARED));
	struct argp parsers[ARRAY_SIZE(SHARED) + 1];
	struct argp_child children[ARRAY_SIZE(SHARED) + 2] = { { 0 } };
	struct root root = { .options = options, .n_children = n + 1 };
	struct argp argp = { .parser = parse_root,
			     .args_doc = *verb->arguments ? verb->arguments : NULL,
			     .children = children };

	parsers[0] = (struct argp){ .options = verb->options, .parser = parse };
	children[0].argp = &parsers[0];
	for (int i = 0; i < n; i++) {
		parsers[i + 1] = (struct argp){ .options = tables[i], .parser = parse_shared };
		children[i + 1].argp = &parsers[i + 1];
	}
	pxs_buf_addf(&text, "%s.%s%s", verb->summary, doc ? "\v" : "", doc ? doc : "");
	argp.doc = pxs_buf_text(&text);
	options->color = color_by_default();
	argp_err_exit_status = CLI_USAGE;
	(void)argp_parse(&argp, argc, argv, 0, NULL, &root);
}

void
options_add_word(struct pxs_buf *query, const char *word)
{
	if (query->len)
		pxs_buf_add_char(query, ' ');
	pxs_buf_add_str(query, word);
}
