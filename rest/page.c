#include "rest/page.h"

#include "base/macros.h"

int
page_read(struct page *page, const struct search *search)
{
	size_t size = (size_t)search->href.max_results;
	uint64_t offset = (search->href.page - 1) * size;
	int r;

	if (search->by_cursor)
		r = index_hits_after(search->hits, search->row, &search->budget, page->docs,
				     size + 1, &page->n);
	else
		r = index_hits_page(search->hits, offset, &search->budget, page->docs, size + 1,
				    &page->n);
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

void
page_print_next(const struct page *page, const struct search *search, struct pxs_buf *buf)
{
	struct href href = search->href;
	char cursor[SEARCH_CURSOR_SIZE];

	if (!search->by_cursor && href.page < page_count(search)) {
		href.page++;
	} else {
		search_cursor_print(index_doc_row(search->view, page->docs[page->n - 1]), cursor);
		href.page = 0;
		href.after = cursor;
	}
	href_print(&href, buf);
}
