/* search.h - what a request to /files asks for: a query, a part of its hits, their form. */
#ifndef PXS_REST_SEARCH_H
#define PXS_REST_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "index/index.h"
#include "rest/href.h"
#include "rest/projection.h"

struct collection_cache;
struct pxs_error;
struct request;

/* spec/pixstor.md 1.1: pages end here; what lies behind is reached by the cursor of `next`. */
#define SEARCH_WINDOW 10000
#define SEARCH_MAX_RESULTS 1000

/* Start it as { 0 }. */
struct search {
	struct href href;     /* the parameters as they came, for the links of the reply */
	struct pxs_buf saved; /* the path of the saved search that was named, and `path` */
	bool asked;	      /* some part of a query came; else this is the billboard */
	bool by_cursor;	      /* `after` came: the page begins behind the place that it tells */
	struct projection projection;
	struct collection_cache *fields; /* lent by the server */
	struct index_view *view;
	struct query *query;
	struct index_hits *hits; /* NULL where nothing was asked */
	struct index_budget budget;
};

/* The two halves of search_run(). */
int search_parse(struct search *search, struct request *request, struct pxs_error *err);
int search_find(struct search *search, struct request *request, struct pxs_error *err);

/* Understand REQUEST and find. -EINVAL: some parameter is wrong, ERR says which and where; -ERANGE:
 * outside the window; or as index_search(). */
int search_run(struct search *search, struct request *request, struct pxs_error *err);
void search_done(struct search *search);

static inline void
search_cleanup(struct search *search)
{
	search_done(search);
}

#endif
