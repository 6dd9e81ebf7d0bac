#include "rest/search.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "rest/request.h"
#include "rest/saved.h"
#include "rest/server.h"

#define PAGE_MAX UINT64_C(1000000000) /* far outside the window, and its products fit 64 bits */

static int
add_where(struct search *search, const char *text, struct pxs_error *err)
{
	return query_add_where(search->query, text, index_view_schema(search->view), err);
}

static int
add_string(struct search *search, const char *text, struct pxs_error *err)
{
	return query_add_string(search->query, text, index_view_schema(search->view), err);
}

/* The segments of a path of the mount, below query/. */
static int
add_path(struct search *search, const char *text, struct pxs_error *err)
{
	return query_add_path(search->query, text, index_view_schema(search->view), err);
}

/* An empty one is how templates say "by relevance". */
static int
add_sort(struct search *search, const char *text, struct pxs_error *err)
{
	if (!*text)
		return 0;
	return query_set_sort(search->query, text, index_view_schema(search->view), err);
}

static int
add_limit(struct search *search, const char *text, struct pxs_error *err)
{
	uint64_t limit = request_count(text, 0, UINT64_MAX / 2);

	search->href.limit = limit;
	/* That of a path holds as well. */
	if (!search->query->limit || limit < search->query->limit)
		search->query->limit = limit;
	if (limit)
		return 0;
	return pxs_error_set(err, -EINVAL, 0, "limit must be a positive number");
}

static int
add_projection(struct search *search, const char *text, struct pxs_error *err)
{
	return projection_parse(text, &search->projection, err);
}

/* What it holds is the index's business, when the page is read. */
static int
add_cursor(struct search *search, const char *text, struct pxs_error *err)
{
	(void)text;
	(void)err;
	search->by_cursor = true;
	return 0;
}

/* In this order, so that what comes later may replace what a path said. */
static const struct {
	const char *name;
	bool asks;	  /* it is part of a query */
	long text_offset; /* where struct href keeps the text; -1: it does not */
	int (*add)(struct search *search, const char *text, struct pxs_error *err);
} PARAMETERS[] = {
	{ "path", true, offsetof(struct href, path), add_path },
	{ "where", true, offsetof(struct href, where), add_where },
	{ "q", true, offsetof(struct href, q), add_string },
	{ "sort", false, offsetof(struct href, sort), add_sort },
	{ "limit", false, -1, add_limit },
	{ "projection", false, offsetof(struct href, projection), add_projection },
	{ "after", false, offsetof(struct href, after), add_cursor },
};

/* A saved search is its path, as if that had come: links go on to mean the same when another is
 * saved under its name. */
static int
read_saved(struct search *search, struct request *request, struct pxs_error *err)
{
	const char *name = request_param(request, "saved");
	const char *path = request_param(request, "path");
	int r;

	if (!name)
		return 0;
	r = saved_print_path(request, name, &search->saved, err);
	if (r < 0) {
		request->faulty = "saved";
		return r;
	}
	if (path)
		pxs_buf_addf(&search->saved, "/%s", path);
	return search->saved.error;
}

static const char *
read_text(const struct search *search, const struct request *request, const char *name)
{
	return search->saved.len && strcmp(name, "path") == 0 ? search->saved.data
							      : request_param(request, name);
}

static int
parse(struct search *search, struct request *request, struct pxs_error *err)
{
	int r = read_saved(search, request, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(PARAMETERS); i++) {
		const char *text = read_text(search, request, PARAMETERS[i].name);

		if (!text)
			continue;
		if (PARAMETERS[i].text_offset >= 0)
			*(const char **)((char *)&search->href + PARAMETERS[i].text_offset) = text;
		search->asked = search->asked || PARAMETERS[i].asks;
		r = PARAMETERS[i].add(search, text, err);
		if (r < 0) {
			request->faulty = PARAMETERS[i].name;
			return r;
		}
	}
	search->href.max_results = request_param_count(
		request, "max_results", HREF_MAX_RESULTS_DEFAULT, SEARCH_MAX_RESULTS);
	search->href.page = request_param_count(request, "page", 1, PAGE_MAX);
	return 0;
}

static int
check_window(const struct search *search, struct pxs_error *err)
{
	uint64_t end = search->href.page * search->href.max_results;

	if (search->by_cursor || end <= SEARCH_WINDOW)
		return 0;
	return pxs_error_set(err, -ERANGE, -1,
			     "Result window is too large, page * max_results must be <= %d but was "
			     "%" PRIu64 "; follow the links \"next\" to go beyond it",
			     SEARCH_WINDOW, end);
}

int
search_parse(struct search *search, struct request *request, struct pxs_error *err)
{
	int r = request_view(request, &search->view);

	search->fields = &request->rest->fields;

	if (r == 0)
		r = query_new(&search->query);
	if (r == 0)
		r = parse(search, request, err);
	return r < 0 ? r : check_window(search, err);
}

int
search_find(struct search *search, struct request *request, struct pxs_error *err)
{
	request_budget(request, &search->budget);
	return index_search(search->view, search->query, &search->budget, &search->hits, err);
}

int
search_run(struct search *search, struct request *request, struct pxs_error *err)
{
	int r = search_parse(search, request, err);

	if (r < 0 || (!search->asked && !search->projection.filters))
		return r;
	return search_find(search, request, err);
}

void
search_done(struct search *search)
{
	index_hits_put(search->hits);
	query_free(search->query);
	index_view_put(search->view);
	pxs_buf_done(&search->saved);
	projection_done(&search->projection);
}
