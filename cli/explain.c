/* pxs explain: how a query is understood, and what each part of it found where. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/search.h"

/* Conditions wider than this push their numbers to the right. */
#define WIDTH_MAX 72

struct explain {
	struct options shared; /* first: options_parse() hands it on */
	struct pxs_buf words;
};

static const char DOC[] =
	"It tells the query in its canonical form, as a path of the mount and as a where "
	"clause; then its tree: what must hold, what should and what must not, each with what "
	"answered it (words: the text index; columns: the values), how many words it stands "
	"for, how many documents it found among those that were left, and how long that took; "
	"below it the first of these words, with the property that they stand in and their "
	"documents. A limit that was passed is told as it would fail.\n\n"
	"Exit status: 0 found, 1 nothing found or a limit passed, 2 bad usage or bad query.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct explain *explain = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	options_add_word(&explain->words, arg);
	return 0;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int64_t
number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double
milliseconds_of(const json_t *object)
{
	return json_number_value(json_object_get(object, "milliseconds"));
}

/* --- The tree --- */

static void
add_condition(struct pxs_buf *buf, const json_t *node)
{
	int depth = (int)number_of(node, "depth");
	const char *text = text_of(node, "text");

	if (depth)
		pxs_buf_addf(buf, "%*s%-9s", 2 * (depth - 1), "", text_of(node, "occur"));
	output_add_text(buf, text, strlen(text), true);
}

static size_t
width_of(const json_t *tree)
{
	const json_t *node;
	size_t width = 0;
	size_t i;

	json_array_foreach (tree, i, node) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		add_condition(&text, node);
		width = MAX(width, output_width(pxs_buf_text(&text)));
	}
	return MIN(width, (size_t)WIDTH_MAX);
}

/* The words that a condition stands for, where they are not simply those that were typed. */
static void
add_words(struct pxs_buf *out, const json_t *node)
{
	const json_t *words = json_object_get(node, "words");
	int64_t left_out = number_of(node, "terms") - (int64_t)json_array_size(words);
	int indent = 2 * (int)number_of(node, "depth") + 9;
	const json_t *word;
	size_t i;

	json_array_foreach (words, i, word) {
		const char *text = text_of(word, "word");

		pxs_buf_addf(out, "%*s", indent, "");
		output_add_text(out, text, strlen(text), true);
		pxs_buf_addf(out, "  %s  %" PRId64 "\n", text_of(word, "property"),
			     number_of(word, "documents"));
	}
	if (json_array_size(words) && left_out > 0)
		pxs_buf_addf(out, "%*sand %" PRId64 " more\n", indent, "", left_out);
}

static void
add_node(struct pxs_buf *out, const json_t *node, size_t width)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	add_condition(&text, node);
	if (json_object_get(node, "found")) {
		output_add_padded(out, pxs_buf_text(&text), width);
		pxs_buf_addf(out, "  %-8s %7" PRId64 " %9" PRId64 " %9.3f", text_of(node, "from"),
			     number_of(node, "terms"), number_of(node, "found"),
			     milliseconds_of(node));
	} else {
		pxs_buf_add_str(out, pxs_buf_text(&text));
	}
	pxs_buf_add_char(out, '\n');
	add_words(out, node);
}

static void
add_tree(const struct explain *explain, struct pxs_buf *out, const json_t *tree)
{
	size_t width = width_of(tree);
	CLEANUP(pxs_buf) struct pxs_buf head = PXS_BUF_INIT;
	const json_t *node;
	size_t i;

	output_add_padded(&head, "condition", width);
	pxs_buf_addf(&head, "  %-8s %7s %9s %9s", "from", "words", "found", "ms");
	output_add_heading(out, pxs_buf_text(&head), explain->shared.color);
	pxs_buf_add_char(out, '\n');
	json_array_foreach (tree, i, node)
		add_node(out, node, width);
}

/* --- The whole --- */

/* "query    (+_all has ...)" for a member that is there. */
static void
add_line(struct pxs_buf *out, const char *key, const json_t *value)
{
	CLEANUP(free) char *dumped = NULL;
	const char *text = json_string_value(value);

	if (json_is_object(value)) {
		dumped = json_dumps(value, JSON_ENSURE_ASCII);
		text = dumped;
	}
	if (!text)
		return;
	pxs_buf_addf(out, "%-10s", key);
	output_add_text(out, text, strlen(text), true);
	pxs_buf_add_char(out, '\n');
}

static void
add_result(struct pxs_buf *out, const json_t *document)
{
	const json_t *hits = json_object_get(document, "hits");

	pxs_buf_add_char(out, '\n');
	if (hits)
		pxs_buf_addf(out, "%" PRId64 " documents in ", (int64_t)json_integer_value(hits));
	else
		pxs_buf_addf(out, "%s, after ", text_of(document, "failure"));
	pxs_buf_addf(out, "%.3f ms, generation %" PRId64 "\n", milliseconds_of(document),
		     number_of(document, "generation"));
}

static void
add_text(const struct explain *explain, struct pxs_buf *out, const json_t *document)
{
	static const char *const KEYS[] = { "query", "now", "path", "where" };

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		add_line(out, KEYS[i], json_object_get(document, KEYS[i]));
	pxs_buf_add_char(out, '\n');
	add_tree(explain, out, json_object_get(document, "tree"));
	add_result(out, document);
}

static void
add_json(struct pxs_buf *out, const json_t *document)
{
	CLEANUP(free) char *dumped = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(15));

	if (!dumped)
		out->error = -ENOMEM;
	else
		pxs_buf_addf(out, "%s\n", dumped);
}

static int
ask(const struct explain *explain, struct client *client, bool *ret_found, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	CLEANUP(json_decref) json_t *document = NULL;
	int r;

	search_add_href(&href, "/explain", &explain->words, &explain->shared);
	r = href.error ? href.error : client_get(client, pxs_buf_text(&href), &document, err);
	if (r < 0)
		return r;
	*ret_found = number_of(document, "hits") > 0;
	if (explain->shared.json)
		add_json(&out, document);
	else
		add_text(explain, &out, document);
	return output_write(&out, err);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct explain explain = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	bool found = false;
	int code;
	int r;

	options_parse(&CLI_EXPLAIN, argc, argv, parse, DOC, &explain.shared);
	r = client_open(&explain.shared, 0, program, &client, &err);
	if (r == 0)
		r = ask(&explain, client, &found, &err);
	if (r < 0)
		code = search_failure(argv[0], r, &err, client, &explain.words, &explain.shared);
	else
		code = found ? CLI_OK : CLI_NOTHING;
	pxs_buf_done(&explain.words);
	return code;
}

const struct cli_verb CLI_EXPLAIN = {
	.name = "explain",
	.arguments = "[QUERY...]",
	.summary = "Show how a query is understood and answered",
	.shared = CLI_SHARED_QUERY | CLI_SHARED_JSON | CLI_SHARED_COLOR | CLI_SHARED_CLIENT,
	.run = run,
};
