/* pxs get: what is known of one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"

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

static bool
is_id(const char *what)
{
	return *what && what[strspn(what, "0123456789")] == '\0';
}

/* In a mount every file tells its document. */
static bool
id_from_mount(const char *path, char *id, size_t size)
{
	ssize_t n = getxattr(path, "user.pxs.id", id, size - 1);

	if (n <= 0)
		return false;
	id[n] = '\0';
	return is_id(id);
}

/* The document as one flat object, in TEXT. */
static int
get_by_id(struct client *client, const char *id, struct pxs_buf *text, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;

	pxs_buf_addf(&href, "/files/%s", id);
	return client_ask(client, "GET", pxs_buf_text(&href), NULL, "application/x-ndjson", text,
			  err);
}

static bool
is_escaped(unsigned char c)
{
	return c <= ' ' || c >= 0x7f || c == '%';
}

/* A where for documents whose path may be PATH. Text is compared in its normal form, so several
 * names may be found; bytes that are no text are in a property of their own. */
static int
where_of(const char *path, struct pxs_buf *where)
{
	CLEANUP(pxs_buf) struct pxs_buf escaped = PXS_BUF_INIT;
	bool is_text = pxs_utf8_valid(path, strlen(path));
	struct pxs_json json;

	pxs_json_init(&json, where, 0);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, is_text ? "core.pathname" : "_index.path");
	if (!is_text)
		pxs_percent_encode(&escaped, path, strlen(path), is_escaped);
	pxs_json_string(&json, is_text ? path : pxs_buf_text(&escaped));
	pxs_json_end_object(&json);
	return escaped.error ? escaped.error : where->error;
}

/* The item whose exact path is PATH. */
static const json_t *
exact_item(const json_t *document, const char *path)
{
	const json_t *item;
	size_t i;

	json_array_foreach (answer_items(document), i, item) {
		CLEANUP(pxs_buf) struct pxs_buf its_path = PXS_BUF_INIT;

		if (answer_item_path(item, &its_path) == 0 &&
		    strcmp(pxs_buf_text(&its_path), path) == 0)
			return item;
	}
	return NULL;
}

static int
get_by_path(struct client *client, const char *path, struct pxs_buf *text, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *found = NULL;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(free) char *absolute = NULL;
	const json_t *item;
	char id[24];
	int r = place_absolute(path, &absolute);

	if (r == 0)
		r = where_of(absolute, &where);
	if (r < 0)
		return r;
	pxs_buf_add_str(&href, "/files/");
	client_add_param(&href, "where", pxs_buf_text(&where));
	client_add_param(&href, "max_results", "1000");
	client_add_param(&href, "projection", "{\"core.pathname\":1}");
	r = href.error ? href.error : client_get(client, pxs_buf_text(&href), &found, err);
	if (r < 0)
		return r;
	item = exact_item(found, absolute);
	if (!item)
		return pxs_error_set(err, -ENOENT, -1, "%s is not in the index", absolute);
	(void)snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT,
		       json_integer_value(answer_value(item, "_id")));
	return get_by_id(client, id, text, err);
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
	char id[24];
	int r;

	options_parse(&CLI_GET, argc, argv, parse, DOC, &get.shared);
	r = client_open(&get.shared, 0, program, &client, &err);
	if (r == 0 && is_id(get.what))
		r = get_by_id(client, get.what, &text, &err);
	else if (r == 0 && id_from_mount(get.what, id, sizeof(id)))
		r = get_by_id(client, id, &text, &err);
	else if (r == 0)
		r = get_by_path(client, get.what, &text, &err);
	if (r == 0)
		r = print(&get, &text, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_GET = {
	.name = "get",
	.arguments = "ID|PATH [PROPERTY...]",
	.summary = "Write what is known of one file",
	.shared = CLI_SHARED_JSON | CLI_SHARED_COLOR | CLI_SHARED_PLACE,
	.run = run,
};
