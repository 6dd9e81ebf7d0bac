/* GET /files: the billboard, a page of items, or facets. */

#include <errno.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "rest/collection.h"
#include "rest/export.h"
#include "rest/guided.h"
#include "rest/handlers.h"
#include "rest/page.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/saved.h"
#include "rest/search.h"
#include "rest/server.h"

/* The billboard's templates (spec/pixstor.md 1.3): clients put a value for each {name}. */
static const struct {
	const char *rel;
	const char *href;
	const char *prompt;
	const char *data[4][2]; /* name, prompt */
} QUERIES[] = {
	{ "search",
	  "/files/?where={\"_all\":\"{where}\"}",
	  "Enter a string to search in all fields across all files",
	  { { "where", "Search string" } } },
	{ "sorted search",
	  "/files/?where={\"_all\":\"{where}\"}&sort={sortfield}",
	  "Enter a string to search in all fields across all files, results returned sorted by "
	  "sortfield",
	  { { "where", "Search string" }, { "sortfield", "Sort by fields" } } },
	{ "filtered search",
	  "/files/?where={\"{field}\":\"{where}\"}&sort={sortfield}",
	  "Enter a field and a value that it must have, results returned sorted by sortfield",
	  { { "field", "Filter field" },
	    { "where", "Filter value" },
	    { "sortfield", "Sort by fields" } } },
};

static int
write_queries(struct pxs_json *json, struct index *index)
{
	int r;

	pxs_json_key(json, "queries");
	pxs_json_begin_array(json);
	for (size_t i = 0; i < ARRAY_SIZE(QUERIES); i++) {
		pxs_json_begin_object(json);
		pxs_json_pair(json, "rel", QUERIES[i].rel);
		pxs_json_pair(json, "href", QUERIES[i].href);
		pxs_json_pair(json, "prompt", QUERIES[i].prompt);
		pxs_json_key(json, "data");
		pxs_json_begin_array(json);
		for (size_t d = 0; QUERIES[i].data[d][0]; d++) {
			pxs_json_begin_object(json);
			pxs_json_pair(json, "prompt", QUERIES[i].data[d][1]);
			pxs_json_pair(json, "name", QUERIES[i].data[d][0]);
			pxs_json_pair(json, "value", "");
			pxs_json_end_object(json);
		}
		pxs_json_end_array(json);
		pxs_json_end_object(json);
	}
	r = saved_write_queries(json, index);
	pxs_json_end_array(json);
	return r;
}

static int
write_link(struct pxs_json *json, const char *rel, const char *prompt, const struct href *href)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	href_print(href, &text);
	collection_link(json, rel, rel, prompt, pxs_buf_text(&text));
	return text.error;
}

static int
write_page_link(struct pxs_json *json, const struct search *search, const char *rel,
		const char *prompt, uint64_t page)
{
	struct href href = search->href;

	href.page = page;
	return write_link(json, rel, prompt, &href);
}

static int
write_next(struct pxs_json *json, const struct search *search, const struct page *page)
{
	CLEANUP(pxs_buf) struct pxs_buf next = PXS_BUF_INIT;
	int r = 0;

	if (!page->more)
		return 0;
	if (!search->by_cursor && search->href.page < page_count(search))
		r = write_page_link(json, search, "last", "Last", page_count(search));
	if (r == 0)
		r = page_print_next(page, search, &next);
	collection_link(json, "next", "next", "Next", pxs_buf_text(&next));
	return r < 0 ? r : next.error;
}

static int
write_previous(struct pxs_json *json, const struct search *search)
{
	int r;

	if (search->by_cursor || search->href.page <= 1)
		return 0;
	r = write_page_link(json, search, "prev", "Previous", search->href.page - 1);
	return r < 0 ? r : write_page_link(json, search, "first", "First", 1);
}

static int
write_filters_link(struct pxs_json *json, const struct search *search)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct href href = search->href;

	href.projection = "{\"filters\":\".\"}";
	href.page = 0;
	href.after = NULL;
	href_print(&href, &text);
	collection_link(json, "links", "_filters", "Search filters", pxs_buf_text(&text));
	return text.error;
}

static int
write_own_links(struct pxs_json *json, const struct search *search)
{
	int r = write_link(json, "self", "Files", &search->href);

	collection_link(json, "parent", "parent", "Home", "/");
	return r;
}

static int
write_items(struct pxs_json *json, const struct search *search, const struct page *page)
{
	CLEANUP(collection_fields) struct collection_fields *fields = NULL;
	int r = collection_fields_get(search->fields, search->view, &search->projection, &fields);

	pxs_json_key(json, "items");
	pxs_json_begin_array(json);
	for (size_t i = 0; i < page->n && r == 0; i++)
		r = collection_item(json, search->view, page->docs[i], fields);
	pxs_json_end_array(json);
	return r;
}

static void
write_no_items(struct pxs_json *json)
{
	pxs_json_key(json, "items");
	pxs_json_begin_array(json);
	pxs_json_end_array(json);
}

static int
write_billboard(struct pxs_json *json, struct index *index)
{
	write_no_items(json);
	pxs_json_key(json, "links");
	pxs_json_begin_array(json);
	collection_link(json, "self", "self", "Files", "/files");
	collection_link(json, "parent", "parent", "Home", "/");
	pxs_json_end_array(json);
	return write_queries(json, index);
}

static int
write_facets(struct pxs_json *json, const struct search *search, struct request *request,
	     struct pxs_error *err)
{
	int r;

	pxs_json_key(json, "links");
	pxs_json_begin_array(json);
	r = write_own_links(json, search);
	if (r == 0)
		r = guided_links(json, search, request, err);
	pxs_json_end_array(json);
	collection_hits(json, index_hits_count(search->hits));
	write_no_items(json);
	return r;
}

static int
write_list(struct pxs_json *json, const struct search *search, struct request *request,
	   struct pxs_error *err)
{
	struct page page;
	int r = page_read(&page, search, err);

	if (r == -EINVAL)
		request->faulty = "after";
	if (r < 0)
		return r;
	pxs_json_key(json, "links");
	pxs_json_begin_array(json);
	r = write_own_links(json, search);
	if (r == 0)
		r = write_next(json, search, &page);
	if (r == 0)
		r = write_previous(json, search);
	if (r == 0)
		r = write_filters_link(json, search);
	pxs_json_end_array(json);
	collection_hits(json, index_hits_count(search->hits));
	return r < 0 ? r : write_items(json, search, &page);
}

int
handle_files(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(search) struct search search = { 0 };
	const char *export = export_type(request);
	struct pxs_json json;
	int r = search_run(&search, request, err);

	if (r < 0)
		return r;
	if (export && search.hits && !search.projection.filters)
		return export_write(reply, &search, export, err);
	reply_begin(reply, request, REPLY_COLLECTION, &json);
	collection_begin(&json, "/files");
	if (search.projection.filters)
		r = write_facets(&json, &search, request, err);
	else if (search.hits)
		r = write_list(&json, &search, request, err);
	else
		r = write_billboard(&json, request->rest->index);
	collection_end(&json);
	return r < 0 ? r : reply->body.error;
}
