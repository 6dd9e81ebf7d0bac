/* guided.h - facets as links: which restriction would divide these hits best? */
#ifndef PXS_REST_GUIDED_H
#define PXS_REST_GUIDED_H

struct pxs_error;
struct pxs_json;
struct request;
struct search;

/* Adds to the open array "links" what search->projection.filters asks for. As index_search(). */
int guided_links(struct pxs_json *json, const struct search *search, struct request *request,
		 struct pxs_error *err);

#endif
