#include "rest/export.h"

#include <string.h>

#include "base/macros.h"
#include "base/percent.h"
#include "rest/collection.h"
#include "rest/page.h"
#include "rest/reply.h"
#include "rest/request.h"

static int
write_lines(struct pxs_buf *buf, const struct search *search, const struct page *page)
{
	CLEANUP(collection_fields) struct collection_fields *fields = NULL;
	int r = collection_fields_get(search->fields, search->view, &search->projection, &fields);

	for (size_t i = 0; i < page->n && r == 0; i++)
		r = collection_line(buf, search->view, page->docs[i], fields);
	return r;
}

/* A document without a path has no line; ingest makes none such. */
static int
write_paths(struct pxs_buf *buf, const struct search *search, const struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		if (index_doc_path(search->view, page->docs[i], buf))
			pxs_buf_add_char(buf, '\0');
	return 0;
}

static const struct {
	const char *type;
	int (*write)(struct pxs_buf *buf, const struct search *search, const struct page *page);
} TYPES[] = {
	{ EXPORT_LINES, write_lines },
	{ EXPORT_PATHS, write_paths },
};

const char *
export_type(const struct request *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(TYPES); i++)
		if (request_prefers(request, TYPES[i].type))
			return TYPES[i].type;
	return NULL;
}

int
export_write(struct reply *reply, const struct search *search, const char *type,
	     struct pxs_error *err)
{
	struct page page;
	int r = page_read(&page, search, err);

	if (r < 0)
		return r;
	reply->type = type;
	reply->hits = (int64_t)index_hits_count(search->hits);
	if (page.more)
		r = page_print_next(&page, search, &reply->next);
	for (size_t i = 0; i < ARRAY_SIZE(TYPES) && r == 0; i++)
		if (strcmp(TYPES[i].type, type) == 0)
			r = TYPES[i].write(&reply->body, search, &page);
	return r < 0 ? r : reply->next.error;
}
