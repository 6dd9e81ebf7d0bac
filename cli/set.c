/* pxs set: what people say of files. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Somebody else may change the same document in between; then it is read again. */
#define TRIES 10

struct set {
	struct options shared; /* first: options_parse() hands it on */
	const char *what;
	char **changes; /* the arguments behind, NULL-terminated by argv */
	int n_changes;
};

static const char DOC[] =
	"ID|PATH is an _id, the path of a file, or a file in a mount of pxs. A PROPERTY=VALUE "
	"gives the property this value, PROPERTY= takes its value away. Of a list, "
	"PROPERTY=VALUE,VALUE gives these values, PROPERTY+=VALUE adds one and "
	"PROPERTY-=VALUE takes one away. `pxs schema` lists the properties; those that a scan "
	"finds out cannot be set.\n\n"
	"Exit status: 0 done, 1 no such document, 2 a value that cannot be taken, 12 not allowed.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct set *set = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (!set->what) {
			set->what = arg;
			return 0;
		}
		if (!strchr(arg, '='))
			argp_error(state, "%s is not PROPERTY=VALUE", arg);
		if (!set->changes)
			set->changes = &state->argv[state->next - 1];
		set->n_changes++;
		return 0;
	case ARGP_KEY_END:
		if (!set->n_changes)
			argp_error(state, "an id or a path, and PROPERTY=VALUE are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- Types --- */

/* The type that SCHEMA declares for NAME, whose part from AT on is still to be found among ENTRIES;
 * NULL: none. */
static const char *
type_among(const json_t *entries, const char *at)
{
	size_t len = strcspn(at, ".");
	const json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));
		const json_t *group = json_object_getn(entry, at, len);

		if (!at[len] && name && strcmp(name, at) == 0)
			return json_string_value(
				json_object_get(json_object_get(entry, "value"), "datatype"));
		if (at[len] && group)
			return type_among(group, at + len + 1);
	}
	return NULL;
}

static const char *
type_of(const json_t *schema, const char *name)
{
	size_t len = strcspn(name, ".");

	return name[len] ? type_among(json_object_getn(schema, name, len), name + len + 1) : NULL;
}

/* TEXT as a value of TYPE ("Integer", or of a list "[Integer]"). What is none goes out as text, and
 * is refused with a sentence. */
static json_t *
value_of(const char *type, const char *text, size_t len)
{
	CLEANUP(free) char *copy = strndup(text, len);
	char *end;
	bool is_list = type[0] == '[';
	const char *name = type + is_list;
	json_t *value = NULL;

	if (!copy)
		return NULL;
	errno = 0;
	if (strncmp(name, "Integer", 7) == 0 || strncmp(name, "Long", 4) == 0) {
		long long number = strtoll(copy, &end, 10);

		value = *copy && !*end && !errno ? json_integer(number) : NULL;
	} else if (strncmp(name, "Float", 5) == 0 || strncmp(name, "Double", 6) == 0) {
		double number = strtod(copy, &end);

		value = *copy && !*end && !errno ? json_real(number) : NULL;
	} else if (strncmp(name, "Boolean", 7) == 0) {
		value = strcmp(copy, "true") == 0    ? json_true()
			: strcmp(copy, "false") == 0 ? json_false()
						     : NULL;
	}
	return value ? value : json_string(copy);
}

/* --- Values --- */

/* "a,b" */
static json_t *
list_of(const char *type, const char *text)
{
	json_t *list = json_array();

	for (size_t len; list && *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (len)
			(void)json_array_append_new(list, value_of(type, text, len));
	}
	return list;
}

static size_t
place_in(const json_t *list, const json_t *value)
{
	size_t i = 0;

	while (i < json_array_size(list) && !json_equal(json_array_get(list, i), value))
		i++;
	return i;
}

/* The values that there are, with one more or one fewer. */
static json_t *
changed_list(const json_t *before, const char *type, char sign, const char *text)
{
	json_t *list = json_is_array(before) ? json_copy((json_t *)before) : json_array();
	json_t *value = value_of(type, text, strlen(text));
	size_t at = place_in(list, value);
	bool is_there = list && at < json_array_size(list);

	if (sign == '-' && is_there)
		(void)json_array_remove(list, at);
	if (sign == '+' && !is_there)
		(void)json_array_append(list, value);
	json_decref(value);
	return list;
}

/* One argument as an entry of the template. Several for one list build on each other: NEW has what
 * came before. */
static int
add_change(json_t *values, const json_t *schema, const json_t *document, const char *change,
	   struct pxs_error *err)
{
	const char *equals = strchr(change, '=');
	bool signed_ = equals > change && strchr("+-", equals[-1]);
	CLEANUP(free) char *name = strndup(change, (size_t)(equals - change) - signed_);
	const char *type = name ? type_of(schema, name) : NULL;
	const json_t *before = name ? json_object_get(values, name) : NULL;
	json_t *value;

	if (!name)
		return -ENOMEM;
	if (!type)
		return pxs_error_set(err, -EINVAL, -1,
				     "there is no property %s; `pxs schema` lists them", name);
	if (signed_ && type[0] != '[')
		return pxs_error_set(err, -EINVAL, -1, "%s is no list: it takes no %c=", name,
				     equals[-1]);
	if (signed_)
		value = changed_list(before ? before : json_object_get(document, name), type,
				     equals[-1], equals + 1);
	else if (type[0] == '[')
		value = list_of(type, equals + 1);
	else
		value = value_of(type, equals + 1, strlen(equals + 1));
	return value && json_object_set_new(values, name, value) == 0 ? 0 : -ENOMEM;
}

static json_t *
template_of(json_t *values)
{
	json_t *data = json_array();
	const char *name;
	json_t *value;

	json_object_foreach (values, name, value)
		(void)json_array_append_new(data,
					    json_pack("{s:s, s:O}", "name", name, "value", value));
	return json_pack("{s:{s:o}}", "template", "data", data);
}

/* --- Asking --- */

static int
patch(struct client *client, const struct set *set, const json_t *schema, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *document = NULL;
	CLEANUP(json_decref) json_t *values = json_object();
	CLEANUP(json_decref) json_t *sent = NULL;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	int r = document_find(client, set->what, &document, err);

	for (int i = 0; i < set->n_changes && r == 0; i++)
		r = add_change(values, schema, document, set->changes[i], err);
	if (r == 0)
		r = document_href(document, &href);
	if (r < 0)
		return r;
	sent = template_of(values);
	client_match(client, json_string_value(json_object_get(document, "_etag")));
	return sent ? client_ask(client, "PATCH", pxs_buf_text(&href), sent, NULL, &answer, err)
		    : -ENOMEM;
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct set set = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(json_decref) json_t *schema = NULL;
	int r;

	options_parse(&CLI_SET, argc, argv, parse, DOC, &set.shared);
	r = client_open(&set.shared, 0, program, &client, &err);
	if (r == 0)
		r = client_get(client, "/schema/files", &schema, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	for (int i = 0; i < TRIES; i++) {
		memset(&err, 0, sizeof(err));
		r = patch(client, &set, schema, &err);
		if (r != -EAGAIN)
			break;
	}
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_SET = {
	.name = "set",
	.arguments = "ID|PATH PROPERTY=VALUE...",
	.summary = "Give properties of one document values",
	.shared = CLI_SHARED_CLIENT,
	.run = run,
};
