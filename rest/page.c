#include "rest/page.h"

#include <errno.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"

int
page_read(struct page *page, const struct search *search, struct pxs_error *err)
{
	size_t size = (size_t)search->href.max_results;
	uint64_t offset = (search->href.page - 1) * size;
	int r;

	if (search->by_cursor)
		r = index_hits_resume(search->hits, search->href.after, &search->budget, page->docs,
				      size + 1, &page->n, NULL);
	else
		r = index_hits_page(search->hits, offset, &search->budget, page->docs, size + 1,
				    &page->n);
	if (r == -EINVAL)
		return pxs_error_set(err, r, 0,
				     "after must be a cursor from a link of ours, of the same "
				     "order, or empty to start");
	if (r < 0)
		return r;
	page->more = page->n > size;
	page->n = MIN(page->n, size);
	return 0;
}

uint64_t
page_count(const struct search *search)
{
	uint64_t hits = index_hits_count(search->hits);
	uint64_t size = search->href.max_results;

	return MIN((hits + size - 1) / size, SEARCH_WINDOW / size);
}

int
page_print_next(const struct page *page, const struct search *search, struct pxs_buf *buf)
{
	struct href href = search->href;
	CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
	int r = 0;

	if (!search->by_cursor && href.page < page_count(search)) {
		href.page++;
	} else {
		r = index_hits_cursor(search->hits, page->docs[page->n - 1], &cursor);
		href.page = 0;
		href.after = pxs_buf_text(&cursor);
	}
	href_print(&href, buf);
	return r < 0 ? r : cursor.error;
}
