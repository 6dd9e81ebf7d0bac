/* pxs facets: how the files that a query finds divide. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "base/percent.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/search.h"

/* Names wider than this push their count to the right. */
#define WIDTH_MAX 60

enum { KEY_PROPERTY = OPTIONS_KEY_FIRST };

struct facets {
	struct options shared; /* first: options_parse() hands it on */
	struct pxs_buf words;
	const char *property; /* NULL: all */
	char **arguments;     /* in argv */
	int n_arguments;
};

static const struct argp_option OPTIONS[] = {
	{ "property", KEY_PROPERTY, "PROPERTY", 0, "Only this one, with up to 100 values", 0 },
	{ 0 },
};

static const char DOC[] =
	"Properties come with the most useful first: those whose choice leaves the fewest "
	"files to look through. The first five come with their buckets; a property given "
	"as the last argument, or with --property, comes alone, with up to 100 values.\n\n"
	"Exit status: 0 found, 1 nothing found, 2 bad usage or bad query.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct facets *facets = state->input;

	switch (key) {
	case KEY_PROPERTY:
		facets->property = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (!facets->arguments)
			facets->arguments = &state->argv[state->next - 1];
		facets->n_arguments++;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whether the schema declares NAME; a query string hardly ever looks like a property. */
static int
is_property(struct client *client, const char *name, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *schema = NULL;
	const char *dot = strchr(name, '.');
	CLEANUP(free) char *space = dot ? strndup(name, (size_t)(dot - name)) : NULL;
	const json_t *entry;
	size_t i;
	int r;

	if (!dot || strchr(name, ' '))
		return 0;
	r = space ? client_get(client, "/schema/files", &schema, err) : -ENOMEM;
	if (r < 0)
		return r;
	json_array_foreach (json_object_get(schema, space), i, entry) {
		const char *its_name = json_string_value(json_object_get(entry, "name"));

		if (its_name && strcmp(its_name, dot + 1) == 0)
			return 1;
	}
	return 0;
}

/* The last argument is a property or one more word. */
static int
sort_arguments(struct facets *facets, struct client *client, struct pxs_error *err)
{
	int n_words = facets->n_arguments;
	const char *last = n_words ? facets->arguments[n_words - 1] : NULL;
	int r = last && !facets->property ? is_property(client, last, err) : 0;

	if (r < 0)
		return r;
	if (r > 0) {
		facets->property = last;
		n_words--;
	}
	for (int i = 0; i < n_words; i++)
		options_add_word(&facets->words, facets->arguments[i]);
	return facets->words.error;
}

static int
ask(const struct facets *facets, struct client *client, json_t **ret_document,
    struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf projection = PXS_BUF_INIT;
	struct pxs_json json;

	pxs_json_init(&json, &projection, 0);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "filters", facets->property ? facets->property : ".");
	pxs_json_end_object(&json);
	search_add_href(&href, "/files/", &facets->words, &facets->shared);
	client_add_param(&href, "projection", pxs_buf_text(&projection));
	if (href.error || projection.error)
		return -ENOMEM;
	return client_get(client, pxs_buf_text(&href), ret_document, err);
}

/* One line of the answer: a property, or a bucket of the property before. */
struct line {
	const char *property; /* NULL: a bucket */
	const char *bucket;   /* as the mount calls it, else as the API does */
	const char *segment;  /* NULL: too long for a name */
	int64_t count;
};

static bool
read_line(const json_t *link, const char *property, struct line *ret_line)
{
	const char *rel = json_string_value(json_object_get(link, "rel"));
	const char *name = json_string_value(json_object_get(link, "name"));
	const char *segment = json_string_value(json_object_get(link, "segment"));
	const json_t *count = json_object_get(link, "count");
	const char *equals = segment ? strchr(segment, '=') : NULL;

	if (!rel || !name || !count)
		return false;
	*ret_line = (struct line){ .count = json_integer_value(count) };
	if (strcmp(rel, "links") == 0) {
		ret_line->property = name;
		return true;
	}
	if (!property || strncmp(name, property, strlen(property)) != 0)
		return false;
	ret_line->bucket = equals ? equals + 1 : name + strlen(property) + 1;
	ret_line->segment = equals ? segment : NULL;
	return true;
}

static size_t
width_of(const json_t *links)
{
	const char *property = NULL;
	const json_t *link;
	struct line line;
	size_t width = 0;
	size_t i;

	json_array_foreach (links, i, link) {
		if (!read_line(link, property, &line))
			continue;
		if (line.property)
			property = line.property;
		width = MAX(width, line.property ? output_width(line.property)
						 : output_width(line.bucket) + 2);
	}
	return MIN(width, (size_t)WIDTH_MAX);
}

static void
print_line(const struct line *line, size_t width, bool bold, struct pxs_buf *out)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf value = PXS_BUF_INIT;

	if (line->property) {
		output_add_padded(&name, line->property, width);
		output_add_heading(out, pxs_buf_text(&name), bold);
	} else {
		pxs_percent_decode(&value, line->bucket, strlen(line->bucket));
		pxs_buf_add_str(&name, "  ");
		output_add_text(&name, pxs_buf_text(&value), value.len, true);
		output_add_padded(out, pxs_buf_text(&name), width);
	}
	pxs_buf_addf(out, "  %8" PRId64 "\n", line->count);
}

static void
print_table(const struct facets *facets, const json_t *document, struct pxs_buf *out)
{
	const json_t *links = answer_links(document);
	size_t width = width_of(links);
	const char *property = NULL;
	const json_t *link;
	struct line line;
	size_t i;

	pxs_buf_addf(out, "%" PRIu64 " documents\n", answer_hits(document));
	json_array_foreach (links, i, link) {
		if (!read_line(link, property, &line))
			continue;
		if (line.property)
			property = line.property;
		print_line(&line, width, facets->shared.color, out);
	}
}

static void
write_line(struct pxs_json *json, const struct line *line)
{
	pxs_json_begin_object(json);
	pxs_json_pair(json, line->property ? "property" : "value",
		      line->property ? line->property : line->bucket);
	pxs_json_key(json, "count");
	pxs_json_int(json, line->count);
	if (line->segment) {
		pxs_json_pair(json, "segment", line->segment);
	}
	if (!line->property)
		pxs_json_end_object(json); /* a property's is open for its buckets */
}

static void
write_links(struct pxs_json *json, const json_t *links)
{
	const char *property = NULL;
	bool in_buckets = false;
	const json_t *link;
	struct line line;
	size_t i;

	json_array_foreach (links, i, link) {
		if (!read_line(link, property, &line))
			continue;
		if (line.property && in_buckets)
			pxs_json_end_array(json);
		if (line.property && property)
			pxs_json_end_object(json);
		if (!line.property && !in_buckets) {
			pxs_json_key(json, "buckets");
			pxs_json_begin_array(json);
		}
		in_buckets = !line.property;
		if (line.property)
			property = line.property;
		write_line(json, &line);
	}
	if (in_buckets)
		pxs_json_end_array(json);
	if (property)
		pxs_json_end_object(json);
}

static void
write_json(const json_t *document, struct pxs_buf *out)
{
	struct pxs_json json;

	pxs_json_init(&json, out, 0);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "hits");
	pxs_json_int(&json, (int64_t)answer_hits(document));
	pxs_json_key(&json, "facets");
	pxs_json_begin_array(&json);
	write_links(&json, answer_links(document));
	pxs_json_end_array(&json);
	pxs_json_end_object(&json);
	pxs_buf_add_char(out, '\n');
}

static int
print(const struct facets *facets, const json_t *document, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;

	if (facets->shared.json)
		write_json(document, &out);
	else
		print_table(facets, document, &out);
	return output_write(&out, err);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct facets facets = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(json_decref) json_t *document = NULL;
	int code;
	int r;

	options_parse(&CLI_FACETS, argc, argv, parse, DOC, &facets.shared);
	r = client_open(&facets.shared, 0, program, &client, &err);
	if (r == 0)
		r = sort_arguments(&facets, client, &err);
	if (r == 0)
		r = ask(&facets, client, &document, &err);
	if (r == 0)
		r = print(&facets, document, &err);
	if (r < 0)
		code = search_failure(argv[0], r, &err, client, &facets.words, &facets.shared);
	else
		code = answer_hits(document) ? CLI_OK : CLI_NOTHING;
	pxs_buf_done(&facets.words);
	return code;
}

const struct cli_verb CLI_FACETS = {
	.name = "facets",
	.arguments = "[QUERY...] [PROPERTY]",
	.summary = "Show how the files that a query finds divide, most useful property first",
	.options = OPTIONS,
	.shared = CLI_SHARED_QUERY | CLI_SHARED_JSON | CLI_SHARED_COLOR | CLI_SHARED_CLIENT,
	.run = run,
};
