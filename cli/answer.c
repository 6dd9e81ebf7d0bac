#include "cli/answer.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/utf8.h"

static const json_t *
escaped_member(const json_t *object, const char *key)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;

	pxs_buf_addf(&name, "%s_escaped", key);
	return json_object_get(object, pxs_buf_text(&name));
}

int
answer_path(const json_t *object, const char *key, struct pxs_buf *buf)
{
	const char *text = json_string_value(json_object_get(object, key));
	const char *escaped = json_string_value(escaped_member(object, key));

	if (escaped)
		pxs_percent_decode(buf, escaped, strlen(escaped));
	else if (text)
		pxs_buf_add_str(buf, text);
	else
		return -EPROTO;
	return buf->error;
}

static bool
is_escaped(unsigned char c)
{
	return c <= ' ' || c >= 0x7f || c == '%';
}

int
answer_set_path(json_t *object, const char *key, const char *path)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (pxs_utf8_valid(path, strlen(path)))
		return json_object_set_new(object, key, json_string(path)) ? -ENOMEM : 0;
	pxs_buf_addf(&name, "%s_escaped", key);
	pxs_percent_encode(&text, path, strlen(path), is_escaped);
	if (name.error || text.error)
		return -ENOMEM;
	if (json_object_set_new(object, pxs_buf_text(&name), json_string(pxs_buf_text(&text))))
		return -ENOMEM;
	return 0;
}

static const json_t *
member(const json_t *document, const char *key)
{
	return json_object_get(json_object_get(document, "collection"), key);
}

const json_t *
answer_items(const json_t *document)
{
	return member(document, "items");
}

const json_t *
answer_links(const json_t *document)
{
	return member(document, "links");
}

/* VALUE of the pair called NAME in PAIRS. */
static const json_t *
pair_value(const json_t *pairs, const char *name)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (pairs, i, pair) {
		const char *its_name = json_string_value(json_object_get(pair, "name"));

		if (its_name && strcmp(its_name, name) == 0)
			return json_object_get(pair, "value");
	}
	return NULL;
}

uint64_t
answer_hits(const json_t *document)
{
	return (uint64_t)json_integer_value(pair_value(member(document, "properties"), "hits"));
}

const json_t *
answer_value(const json_t *item, const char *name)
{
	return pair_value(json_object_get(item, "data"), name);
}

int
answer_item_path(const json_t *item, struct pxs_buf *buf)
{
	const char *text;

	if (answer_path(item, "path", buf) == 0)
		return 0;
	text = json_string_value(answer_value(item, "core.pathname"));
	if (!text)
		return -EPROTO;
	pxs_buf_add_str(buf, text);
	return buf->error;
}

static void
print_scalar(const json_t *value, struct pxs_buf *buf)
{
	char number[32];

	if (json_is_string(value)) {
		pxs_buf_add(buf, json_string_value(value), json_string_length(value));
	} else if (json_is_integer(value)) {
		pxs_buf_addf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_real(value)) {
		pxs_double_print(json_real_value(value), number);
		pxs_buf_add_str(buf, number);
	} else if (json_is_boolean(value)) {
		pxs_buf_add_str(buf, json_is_true(value) ? "true" : "false");
	}
}

void
answer_print_value(const json_t *value, struct pxs_buf *buf)
{
	const json_t *element;
	size_t i;

	if (!json_is_array(value)) {
		print_scalar(value, buf);
		return;
	}
	json_array_foreach (value, i, element) {
		if (i)
			pxs_buf_add_str(buf, ", ");
		print_scalar(element, buf);
	}
}

void
answer_print_json(const json_t *value, struct pxs_buf *buf)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text)
		pxs_buf_addf(buf, "%s\n", text);
	else
		buf->error = -ENOMEM;
	free(text);
}
