/* pxs rm and pxs undelete: documents of the catalogue go and come back; files stay where they are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/document.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

enum { KEY_DRY_RUN = OPTIONS_KEY_FIRST };

struct removal {
	struct options shared; /* first: options_parse() hands it on */
	char **whats;	       /* NULL-terminated by argv */
	int n_whats;
	bool dry_run;
	bool yes;
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct removal *removal = state->input;

	(void)arg;
	switch (key) {
	case KEY_DRY_RUN:
		removal->dry_run = true;
		return 0;
	case 'y':
		removal->yes = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!removal->whats)
			removal->whats = &state->argv[state->next - 1];
		removal->n_whats++;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- By name --- */

static int
remove_one(struct client *client, const struct removal *removal, const char *what,
	   struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *document = NULL;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	int r = document_find(client, what, &document, err);

	if (r == 0)
		r = document_href(document, &href);
	if (r < 0 || removal->dry_run)
		return r;
	client_match(client, json_string_value(json_object_get(document, "_etag")));
	return client_ask(client, "DELETE", pxs_buf_text(&href), NULL, NULL, &answer, err);
}

/* Calls DO_ONE for each argument; what fails is told, and the rest goes on. */
static int
for_each(const char *speaker, const struct removal *removal, struct client *client,
	 int (*do_one)(struct client *client, const struct removal *removal, const char *what,
		       struct pxs_error *err))
{
	int code = CLI_OK;
	int failed = 0;

	for (int i = 0; i < removal->n_whats; i++) {
		struct pxs_error err = { 0 };
		int r = do_one(client, removal, removal->whats[i], &err);

		if (r == 0)
			continue;
		code = message_failure(speaker, r, &err);
		failed++;
		if (r == -EINTR)
			return code;
	}
	return failed && failed < removal->n_whats ? CLI_PARTIAL : code;
}

/* --- By a query --- */

static int
print_query_href(const struct removal *removal, const char *name, const char *value,
		 struct pxs_buf *href)
{
	pxs_buf_add_str(href, "/files/");
	client_add_param(href, "where", removal->shared.where);
	client_add_param(href, "path", removal->shared.path);
	client_add_param(href, name, value);
	return href->error;
}

static int
count_found(struct client *client, const struct removal *removal, uint64_t *ret_count,
	    struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	CLEANUP(json_decref) json_t *document = NULL;
	int r = print_query_href(removal, "dry_run", "1", &href);

	if (r == 0)
		r = client_ask(client, "DELETE", pxs_buf_text(&href), NULL, NULL, &answer, err);
	if (r < 0)
		return r;
	document = json_loadb(pxs_buf_text(&answer), answer.len, 0, NULL);
	if (!document)
		return pxs_error_set(err, -EPROTO, -1, "the daemon answered no JSON");
	*ret_count = answer_hits(document);
	return 0;
}

/* Whether somebody at the terminal means it. */
static bool
is_meant(const struct removal *removal, uint64_t count)
{
	char line[16] = "";

	if (removal->yes)
		return true;
	if (!isatty(STDIN_FILENO))
		return false;
	(void)fprintf(stderr, "Delete %" PRIu64 " documents (not the files)? [y/N] ", count);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int
remove_count(struct client *client, const struct removal *removal, uint64_t count,
	     struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	char expected[24];
	int r;

	(void)snprintf(expected, sizeof(expected), "%" PRIu64, count);
	r = print_query_href(removal, "expect", expected, &href);
	return r < 0 ? r
		     : client_ask(client, "DELETE", pxs_buf_text(&href), NULL, NULL, &answer, err);
}

static int
remove_found(const char *speaker, struct client *client, const struct removal *removal)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	uint64_t count = 0;
	int r = count_found(client, removal, &count, &err);

	if (r == 0 && count && !removal->dry_run && !is_meant(removal, count))
		r = pxs_error_set(&err, -EINVAL, -1,
				  "%" PRIu64 " documents would be deleted; if that is right: --yes",
				  count);
	if (r == 0 && count && !removal->dry_run)
		r = remove_count(client, removal, count, &err);
	if (r == 0) {
		pxs_buf_addf(&out, "%" PRIu64 " documents%s\n", count,
			     removal->dry_run ? " would be deleted" : " deleted");
		r = output_write(&out, &err);
	}
	if (r < 0)
		return message_failure(speaker, r, &err);
	return count ? CLI_OK : CLI_NOTHING;
}

/* --- rm --- */

static const struct argp_option RM_OPTIONS[] = {
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "Delete nothing, only tell", 0 },
	{ "yes", 'y', NULL, 0, "Do not ask before deleting what a query finds", 0 },
	{ 0 },
};

static const char RM_DOC[] =
	"ID|PATH is an _id, the path of a file, or a file in a mount of pxs. Only documents of the "
	"catalogue are deleted, never files; `pxs undelete` brings them back, and a scan adds "
	"documents of files that are there. With --where or --path all that they find are "
	"deleted.\n\n"
	"Exit status: 0 done, 1 nothing found, 3 done in part, 12 not allowed.";

static error_t
parse_rm(int key, char *arg, struct argp_state *state)
{
	const struct removal *removal = state->input;
	bool by_query = removal->shared.where || removal->shared.path;

	if (key == ARGP_KEY_END && (removal->n_whats > 0) == by_query)
		argp_error(state, "either documents, or --where or --path are needed");
	return parse(key, arg, state);
}

static int
run_rm(int argc, char **argv, const struct cli_program *program)
{
	struct removal removal = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	int r;

	options_parse(&CLI_RM, argc, argv, parse_rm, RM_DOC, &removal.shared);
	r = client_open(&removal.shared, 0, program, &client, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	return removal.n_whats ? for_each(argv[0], &removal, client, remove_one)
			       : remove_found(argv[0], client, &removal);
}

const struct cli_verb CLI_RM = {
	.name = "rm",
	.arguments = "ID|PATH...",
	.summary = "Delete documents of the catalogue, never files",
	.options = RM_OPTIONS,
	.shared = CLI_SHARED_QUERY | CLI_SHARED_CLIENT,
	.run = run_rm,
};

/* --- undelete --- */

static int
bring_back(struct client *client, const struct removal *removal, const char *what,
	   struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;

	(void)removal;
	pxs_buf_addf(&href, "/files/%s/undelete", what);
	return href.error
		       ? href.error
		       : client_ask(client, "POST", pxs_buf_text(&href), NULL, NULL, &answer, err);
}

static void
print_removed(const struct removal *removal, const json_t *entry, struct pxs_buf *out)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(free) char *text = removal->shared.json ? json_dumps(entry, JSON_COMPACT) : NULL;

	if (text) {
		pxs_buf_addf(out, "%s\n", text);
		return;
	}
	(void)answer_path(entry, "path", &path);
	pxs_buf_addf(out, "%" JSON_INTEGER_FORMAT "\t%s\t%s\t",
		     json_integer_value(json_object_get(entry, "id")),
		     json_string_value(json_object_get(entry, "time")),
		     json_string_value(json_object_get(entry, "user")));
	output_add_text(out, pxs_buf_text(&path), path.len, output_is_terminal());
	pxs_buf_add_char(out, '\n');
}

/* What can be brought back, newest first: all pages. */
static int
list_removed(const struct removal *removal, struct client *client, uint64_t *n,
	     struct pxs_error *err)
{
	json_int_t before = 0;
	int r = 0;

	do {
		CLEANUP(json_decref) json_t *page = NULL;
		CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
		const json_t *entry;
		size_t i;

		pxs_buf_add_str(&href, "/removed?max_results=1000");
		if (before)
			pxs_buf_addf(&href, "&before=%" JSON_INTEGER_FORMAT, before);
		r = href.error ? href.error : client_get(client, pxs_buf_text(&href), &page, err);
		if (r < 0)
			return r;
		json_array_foreach (json_object_get(page, "removed"), i, entry)
			print_removed(removal, entry, &out);
		*n += i;
		before = json_integer_value(json_object_get(page, "before"));
		r = output_write(&out, err);
	} while (before && r == 0);
	return r;
}

static const char UNDELETE_DOC[] =
	"Without an ID, what can be brought back is listed, newest first: id, time, who deleted "
	"it, "
	"path. Documents are kept for 30 days.\n\n"
	"Exit status: 0 done, 1 nothing to bring back, 3 done in part, 11 it is there, 12 not "
	"allowed.";

static int
run_undelete(int argc, char **argv, const struct cli_program *program)
{
	struct removal removal = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	uint64_t n = 0;
	int r;

	options_parse(&CLI_UNDELETE, argc, argv, parse, UNDELETE_DOC, &removal.shared);
	r = client_open(&removal.shared, 0, program, &client, &err);
	if (r == 0 && removal.n_whats)
		return for_each(argv[0], &removal, client, bring_back);
	if (r == 0)
		r = list_removed(&removal, client, &n, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	return n ? CLI_OK : CLI_NOTHING;
}

const struct cli_verb CLI_UNDELETE = {
	.name = "undelete",
	.arguments = "[ID...]",
	.summary = "Bring back documents that were deleted, or list them",
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run_undelete,
};
