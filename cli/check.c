/* pxs check: is the index sound? pxs repair: make it so. */

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

static const char CHECK_DOC[] = "Each fault is a line on standard output.\n\n"
				"Exit status: 0 sound, 4 damaged, 10 no index.";

static const char REPAIR_DOC[] =
	"Words, values and texts are read from docs.db once more, beside those in use, and take "
	"their place; then all is compared. It takes as long as an index of that size takes to "
	"start without its other files, and its space once more. What is damaged in docs.db itself "
	"stays so: restore it from a backup.\n\n"
	"Each fault that is left is a line on standard output.\n\n"
	"Exit status: 0 sound, 4 still damaged, 10 no index.";

static void
print_faults(const json_t *answer, struct pxs_buf *out)
{
	const json_t *fault;
	size_t i;

	json_array_foreach (json_object_get(answer, "faults"), i, fault)
		pxs_buf_addf(out, "%s\n", json_string_value(fault));
}

/* Ask for METHOD TARGET, which tells the faults that there are. */
static int
report(const struct cli_verb *verb, const char *doc, const char *method, const char *target,
       int argc, char **argv, const struct cli_program *program)
{
	struct options options = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int r;

	options_parse(verb, argc, argv, options_none, doc, &options);
	r = client_open(&options, 0, program, &client, &err);
	if (r == 0)
		r = client_ask(client, method, target, NULL, NULL, &text, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	answer = json_loadb(pxs_buf_text(&text), text.len, 0, NULL);
	if (options.json)
		pxs_buf_addf(&out, "%s\n", pxs_buf_text(&text));
	else
		print_faults(answer, &out);
	r = output_write(&out, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	if (json_is_true(json_object_get(answer, "sound")))
		return CLI_OK;
	message(argv[0], "the index is damaged");
	return CLI_DAMAGED;
}

static int
run_check(int argc, char **argv, const struct cli_program *program)
{
	return report(&CLI_CHECK, CHECK_DOC, "GET", "/check", argc, argv, program);
}

static int
run_repair(int argc, char **argv, const struct cli_program *program)
{
	return report(&CLI_REPAIR, REPAIR_DOC, "POST", "/repair", argc, argv, program);
}

const struct cli_verb CLI_CHECK = {
	.name = "check",
	.arguments = "",
	.summary = "Compare the parts of the index with its record",
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run_check,
};

const struct cli_verb CLI_REPAIR = {
	.name = "repair",
	.arguments = "",
	.summary = "Make the parts of the index anew from its record",
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run_repair,
};
