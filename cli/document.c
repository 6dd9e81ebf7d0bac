#include "cli/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "cli/answer.h"
#include "cli/client.h"
#include "cli/place.h"

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

int
document_get(struct client *client, const char *what, struct pxs_buf *text, struct pxs_error *err)
{
	char id[24];

	if (is_id(what))
		return get_by_id(client, what, text, err);
	if (id_from_mount(what, id, sizeof(id)))
		return get_by_id(client, id, text, err);
	return get_by_path(client, what, text, err);
}

int
document_find(struct client *client, const char *what, json_t **ret_document, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	int r = document_get(client, what, &text, err);

	if (r < 0)
		return r;
	*ret_document = json_loadb(pxs_buf_text(&text), text.len, 0, NULL);
	return *ret_document ? 0 : pxs_error_set(err, -EPROTO, -1, "the daemon answered no JSON");
}

int
document_href(const json_t *document, struct pxs_buf *href)
{
	pxs_buf_addf(href, "/files/%" JSON_INTEGER_FORMAT,
		     json_integer_value(json_object_get(document, "_id")));
	return href->error;
}
