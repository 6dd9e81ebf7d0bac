/* href.h - links into /files: a path and parameters, as spec/pixstor.md 1.0 writes them. */
#ifndef PXS_REST_HREF_H
#define PXS_REST_HREF_H

#include <stdint.h>

struct pxs_buf;

/* The parameters of a list, as texts; NULL or 0: not there. Written in this order. */
struct href {
	const char *where;
	const char *q;
	const char *path;
	uint64_t limit;
	const char *sort;
	const char *projection;
	uint64_t max_results; /* HREF_MAX_RESULTS_DEFAULT is not written */
	uint64_t page;	      /* nor is 1 */
	const char *after;
};

#define HREF_MAX_RESULTS_DEFAULT 25

/* Adds "/files/?where=..."; "/files" where HREF has no parameter to write. */
void href_print(const struct href *href, struct pxs_buf *buf);

/* Adds VALUE as the value of a parameter: unreserved characters of RFC 3986 and {}[]":, as they
 * are, which is what this API documents, all others as %XX. */
void href_print_value(const char *value, struct pxs_buf *buf);

#endif
