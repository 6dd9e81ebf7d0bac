/* results.json: the first results as Collection+JSON, in the shape of spec/pixstor.md 1.3. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/percent.h"
#include "fs/node.h"
#include "fs/record.h"
#include "fs/request.h"
#include "fs/virtual.h"
#include "query/query.h"

#define RESULTS_MAX 1000

#define PROMPT_SIZE 256

/* "File basename (string)"; the fixed ones are called as they are. */
static void
print_prompt(const struct fs_field *field, char prompt[PROMPT_SIZE])
{
	const struct query_property *property = field->property;
	const char *type;
	size_t at;

	if (!property) {
		(void)snprintf(prompt, PROMPT_SIZE, "%s", field->prompt);
		return;
	}
	type = query_type_name(property->type, false);
	at = (size_t)snprintf(prompt, PROMPT_SIZE, "%.200s (%s", field->prompt,
			      property->multi ? "list of " : "");
	while (*type && at + 2 < PROMPT_SIZE)
		prompt[at++] = (char)tolower((unsigned char)*type++);
	prompt[at++] = ')';
	prompt[at] = '\0';
}

static int
write_field(void *context, const struct fs_field *field)
{
	struct pxs_json *json = context;
	char prompt[PROMPT_SIZE];
	int r;

	print_prompt(field, prompt);
	pxs_json_begin_object(json);
	pxs_json_pair(json, "prompt", prompt);
	pxs_json_pair(json, "name", field->name);
	pxs_json_key(json, "value");
	r = fs_record_print_value(field, json);
	pxs_json_end_object(json);
	return r;
}

struct writing {
	struct pxs_json json;
	const struct index_view *view;
};

static int
write_item(void *context, uint32_t doc)
{
	struct writing *writing = context;
	struct pxs_json *json = &writing->json;
	char href[64];
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" PRId64, index_doc_id(writing->view, doc));
	pxs_json_begin_object(json);
	pxs_json_pair(json, "href", href);
	pxs_json_key(json, "data");
	pxs_json_begin_array(json);
	r = fs_record_each(writing->view, doc, write_field, json);
	pxs_json_end_array(json);
	pxs_json_end_object(json);
	return r;
}

static bool
is_escaped_in_uri(unsigned char c)
{
	return !isalnum(c) && !strchr("-._~", c);
}

/* The where clause of the query, as a REST client would ask it. */
static int
write_href(const struct query *query, struct pxs_json *json)
{
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	int r = query_print_where(query, &where);

	if (r < 0)
		return r;
	pxs_buf_add_str(&href, "/files/?where=");
	pxs_percent_encode(&href, pxs_buf_text(&where), where.len, is_escaped_in_uri);
	pxs_json_pair(json, "href", pxs_buf_text(&href));
	return href.error;
}

static void
write_hits(uint64_t count, struct pxs_json *json)
{
	pxs_json_key(json, "properties");
	pxs_json_begin_array(json);
	pxs_json_begin_object(json);
	pxs_json_pair(json, "prompt", "Number of matching documents");
	pxs_json_pair(json, "name", "hits");
	pxs_json_key(json, "value");
	pxs_json_int(json, (int64_t)count);
	pxs_json_end_object(json);
	pxs_json_end_array(json);
}

static int
write_items(struct fs_request *request, struct index_hits *hits, struct writing *writing)
{
	int r;

	pxs_json_key(&writing->json, "items");
	pxs_json_begin_array(&writing->json);
	r = fs_request_each_hit(request, hits, RESULTS_MAX, write_item, writing);
	pxs_json_end_array(&writing->json);
	return r;
}

int
fs_print_results(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct writing writing;
	int r = fs_request_hits(request, folder, &hits);

	if (r < 0)
		return r;
	writing.view = index_hits_view(hits);
	pxs_json_init(&writing.json, buf, 1);
	pxs_json_begin_object(&writing.json);
	pxs_json_key(&writing.json, "collection");
	pxs_json_begin_object(&writing.json);
	pxs_json_pair(&writing.json, "version", "1.0");
	r = write_href(folder->query, &writing.json);
	write_hits(index_hits_count(hits), &writing.json);
	if (r == 0)
		r = write_items(request, hits, &writing);
	pxs_json_end_object(&writing.json);
	pxs_json_end_object(&writing.json);
	pxs_buf_add_char(buf, '\n');
	return r < 0 ? r : buf->error;
}
