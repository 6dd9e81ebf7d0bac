/* pxs find: the paths of what a query finds, as many as there are. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/search.h"

/* As many as the server gives at once. */
#define PAGE_SIZE "1000"

enum { KEY_LIMIT = OPTIONS_KEY_FIRST, KEY_PATHS, KEY_COUNT };

struct find {
	struct options shared; /* first: options_parse() hands it on */
	struct pxs_buf words;
	uint64_t limit; /* 0: none */
	bool paths0;
	bool count;
	bool escape; /* control characters in paths */
};

static const struct argp_option OPTIONS[] = {
	{ "limit", KEY_LIMIT, "N", 0, "At most N of them", 0 },
	{ "paths", KEY_PATHS, NULL, 0, "One path a line (the default)", 0 },
	{ "null", '0', NULL, 0, "A NUL byte after each path, for xargs -0", 0 },
	{ "count", KEY_COUNT, NULL, 0, "Only how many there are", 0 },
	{ 0 },
};

static const char DOC[] =
	"QUERY is a query string: words (any of them), \"a phrase\", AND OR NOT and "
	"parentheses, property:word, property:>100, property:[10 TO 20}, property:>now-7d, "
	"beginning*, wi?dc*rds, misspelt~; pxs explain shows how one is understood. "
	"Several arguments are joined with spaces. Without QUERY, --where and --path "
	"everything is found.\n\n"
	"--json writes one object a line, with all properties.\n\n"
	"Exit status: 0 found, 1 nothing found, 2 bad usage or bad query, 10 no index.";

static uint64_t
parse_limit(const char *text, struct argp_state *state)
{
	char *end;
	uint64_t limit;

	errno = 0;
	limit = strtoull(text, &end, 10);
	if (errno || *end || text[strspn(text, "0123456789")] || !limit)
		argp_error(state, "--limit must be a positive number, not %s", text);
	return limit;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct find *find = state->input;

	switch (key) {
	case KEY_LIMIT:
		find->limit = parse_limit(arg, state);
		return 0;
	case KEY_PATHS:
		find->paths0 = false;
		find->shared.json = false;
		return 0;
	case '0':
		find->paths0 = true;
		return 0;
	case KEY_COUNT:
		find->count = true;
		return 0;
	case ARGP_KEY_ARG:
		options_add_word(&find->words, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* BYTES are paths, each ended by a NUL, as the server gives them. */
static void
add_paths(const struct find *find, const struct pxs_buf *bytes, struct pxs_buf *out)
{
	for (size_t at = 0; at < bytes->len;) {
		size_t len = strlen(bytes->data + at);

		output_add_text(out, bytes->data + at, len, find->escape);
		pxs_buf_add_char(out, '\n');
		at += len + 1;
	}
}

static int
write_page(const struct find *find, struct pxs_buf *answer, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf lines = PXS_BUF_INIT;

	if (find->paths0 || find->shared.json)
		return output_write(answer, err);
	add_paths(find, answer, &lines);
	return output_write(&lines, err);
}

static void
add_href(const struct find *find, struct pxs_buf *href)
{
	char limit[24];

	search_add_href(href, "/files/", &find->words, &find->shared);
	(void)snprintf(limit, sizeof(limit), "%" PRIu64, find->limit);
	client_add_param(href, "limit", find->limit ? limit : NULL);
}

static int
write_all(const struct find *find, struct client *client, uint64_t *ret_hits, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	const char *accept = find->shared.json ? "application/x-ndjson" : "application/x-pxs-paths";

	add_href(find, &href);
	client_add_param(&href, "max_results", PAGE_SIZE);
	client_add_param(&href, "after", "");
	while (href.len) {
		CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
		int r = href.error;

		if (r == 0)
			r = client_ask(client, "GET", pxs_buf_text(&href), NULL, accept, &answer,
				       err);
		if (r == 0)
			r = write_page(find, &answer, err);
		if (r < 0)
			return r;
		*ret_hits = client_hits(client);
		pxs_buf_clear(&href);
		pxs_buf_add_str(&href, client_next(client));
	}
	return 0;
}

static int
write_count(const struct find *find, struct client *client, uint64_t *ret_hits,
	    struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *document = NULL;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int r;

	add_href(find, &href);
	client_add_param(&href, "max_results", "1");
	r = href.error ? href.error : client_get(client, pxs_buf_text(&href), &document, err);
	if (r < 0)
		return r;
	*ret_hits = answer_hits(document);
	pxs_buf_addf(&out, find->shared.json ? "{\"hits\":%" PRIu64 "}\n" : "%" PRIu64 "\n",
		     *ret_hits);
	return output_write(&out, err);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct find find = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	uint64_t hits = 0;
	int code;
	int r;

	options_parse(&CLI_FIND, argc, argv, parse, DOC, &find.shared);
	find.escape = !find.paths0 && output_is_terminal();
	r = client_open(&find.shared, 0, program, &client, &err);
	if (r == 0 && find.count)
		r = write_count(&find, client, &hits, &err);
	else if (r == 0)
		r = write_all(&find, client, &hits, &err);
	if (r < 0)
		code = search_failure(argv[0], r, &err, client, &find.words, &find.shared);
	else
		code = hits ? CLI_OK : CLI_NOTHING;
	pxs_buf_done(&find.words);
	return code;
}

const struct cli_verb CLI_FIND = {
	.name = "find",
	.arguments = "[QUERY...]",
	.summary = "Write the paths of the files that a query finds",
	.options = OPTIONS,
	.shared = CLI_SHARED_QUERY | CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
