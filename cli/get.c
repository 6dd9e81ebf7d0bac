/* pxs get: what is known of one file. */
#include <errno.h>
#include <stdlib.h>

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

struct get {
	struct options shared; /* first: options_parse() hands it on */
	const char *what;
	char **properties; /* the arguments behind, NULL-terminated by argv */
	int n_properties;
};

static const char DOC[] =
	"What is an _id, the path of a file, or a file in a mount of pxs. With properties "
	"named, only their values are written, one a line.\n\n"
	"Exit status: 0 found, 1 no such document or no such value.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct get *get = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (!get->what) {
			get->what = arg;
		} else {
			if (!get->properties)
				get->properties = &state->argv[state->next - 1];
			get->n_properties++;
		}
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "an id or a path is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void
print_all(json_t *document, bool bold, struct pxs_buf *out)
{
	const char *key;
	json_t *value;
	size_t width = 0;

	json_object_foreach (document, key, value)
		width = MAX(width, output_width(key));
	json_object_foreach (document, key, value) {
		CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		output_add_padded(&name, key, width);
		output_add_heading(out, pxs_buf_text(&name), bold);
		pxs_buf_add_str(out, "  ");
		answer_print_value(value, &text);
		output_add_text(out, pxs_buf_text(&text), text.len, output_is_terminal());
		pxs_buf_add_char(out, '\n');
	}
}

/* -ENOENT: it lacks one of them. */
static int
print_named(const struct get *get, const json_t *document, struct pxs_buf *out,
	    struct pxs_error *err)
{
	int r = 0;

	for (int i = 0; i < get->n_properties; i++) {
		const json_t *value = json_object_get(document, get->properties[i]);

		if (value)
			answer_print_value(value, out);
		else
			r = pxs_error_set(err, -ENOENT, -1, "it has no %s", get->properties[i]);
		pxs_buf_add_char(out, '\n');
	}
	return r;
}

/* TEXT is the document as JSON. */
static int
print(const struct get *get, struct pxs_buf *text, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *document = json_loadb(pxs_buf_text(text), text->len, 0, NULL);
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int missing = 0;
	int r;

	if (!document)
		return pxs_error_set(err, -EPROTO, -1, "the daemon answered no JSON");
	if (get->shared.json && !get->n_properties)
		return output_write(text, err);
	if (get->n_properties)
		missing = print_named(get, document, &out, err);
	else
		print_all(document, get->shared.color, &out);
	r = output_write(&out, err);
	return r < 0 ? r : missing;
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct get get = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	int r;

	options_parse(&CLI_GET, argc, argv, parse, DOC, &get.shared);
	r = client_open(&get.shared, 0, program, &client, &err);
	if (r == 0)
		r = document_get(client, get.what, &text, &err);
	if (r == 0)
		r = print(&get, &text, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_GET = {
	.name = "get",
	.arguments = "ID|PATH [PROPERTY...]",
	.summary = "Write what is known of one file",
	.shared = CLI_SHARED_JSON | CLI_SHARED_COLOR | CLI_SHARED_CLIENT,
	.run = run,
};
