/* pxs schema: the properties that there are. */
#include <errno.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

/* Groups in groups are deeper only in a broken answer. */
#define DEPTH_MAX 16

#define NAME_WIDTH 24
#define TYPE_WIDTH 10

static void
print_property(const char *space, const json_t *entry, struct pxs_buf *out)
{
	CLEANUP(pxs_buf) struct pxs_buf full = PXS_BUF_INIT;
	const char *name = json_string_value(json_object_get(entry, "name"));
	const char *prompt = json_string_value(json_object_get(entry, "prompt"));
	const char *type = json_string_value(
		json_object_get(json_object_get(entry, "value"), "datatype"));

	if (!name || !prompt || !type)
		return;
	pxs_buf_addf(&full, "%s.%s", space, name);
	output_add_padded(out, pxs_buf_text(&full), NAME_WIDTH);
	pxs_buf_add_str(out, "  ");
	output_add_padded(out, type, TYPE_WIDTH);
	pxs_buf_addf(out, "  %s\n", prompt);
}

/* NODE: an array of properties and of objects that are groups of them. */
static void
print_group(const char *space, json_t *node, int depth, struct pxs_buf *out)
{
	json_t *entry;
	size_t i;

	if (depth > DEPTH_MAX)
		return;
	json_array_foreach (node, i, entry) {
		const char *key;
		json_t *group;

		print_property(space, entry, out);
		json_object_foreach (entry, key, group) {
			CLEANUP(pxs_buf) struct pxs_buf inner = PXS_BUF_INIT;

			if (!json_is_array(group))
				continue;
			pxs_buf_addf(&inner, "%s.%s", space, key);
			print_group(pxs_buf_text(&inner), group, depth + 1, out);
		}
	}
}

static int
print(const struct pxs_buf *answer, struct pxs_buf *out, struct pxs_error *err)
{
	CLEANUP(json_decref)
	json_t *schema = json_loadb(pxs_buf_text(answer), answer->len, 0, NULL);
	const char *space;
	json_t *group;

	if (!schema)
		return pxs_error_set(err, -EPROTO, -1, "the daemon answered no JSON");
	json_object_foreach (schema, space, group)
		print_group(space, group, 0, out);
	return 0;
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct options options = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int r;

	options_parse(&CLI_SCHEMA, argc, argv, options_none, NULL, &options);
	r = client_open(&options, 0, program, &client, &err);
	if (r == 0)
		r = client_ask(client, "GET", "/schema/files", NULL, NULL, &answer, &err);
	if (r == 0 && options.json)
		pxs_buf_addf(&out, "%s\n", pxs_buf_text(&answer));
	else if (r == 0)
		r = print(&answer, &out, &err);
	if (r == 0)
		r = output_write(&out, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_SCHEMA = {
	.name = "schema",
	.arguments = "",
	.summary = "List the properties that files may have: name, type, meaning",
	.shared = CLI_SHARED_JSON | CLI_SHARED_CLIENT,
	.run = run,
};
