/* page.h - one page of hits, and how to ask for the one behind it. */
#ifndef PXS_REST_PAGE_H
#define PXS_REST_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rest/search.h"

struct pxs_buf;
struct pxs_error;

struct page {
	uint32_t docs[SEARCH_MAX_RESULTS + 1]; /* one more than is shown: is there another page? */
	size_t n;
	bool more;
};

/* The page that SEARCH asks for. -EINVAL: its cursor is none of ours, ERR; -ENOMEM; -ETIMEDOUT,
 * -ECANCELED. */
int page_read(struct page *page, const struct search *search, struct pxs_error *err);

/* How many pages there are, as far as the window goes. */
uint64_t page_count(const struct search *search);

/* Adds the href of the page behind PAGE: by its number, or past the window by a cursor. Only if
 * there is more. */
int page_print_next(const struct page *page, const struct search *search, struct pxs_buf *buf);

#endif
