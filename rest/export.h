/* export.h - hits for programs that want no hypermedia: lines of JSON, or bare paths. */
#ifndef PXS_REST_EXPORT_H
#define PXS_REST_EXPORT_H

struct pxs_error;
struct reply;
struct request;
struct search;

#define EXPORT_LINES "application/x-ndjson"
/* Ours: the exact bytes of each path, each ended by a NUL. */
#define EXPORT_PATHS "application/x-pxs-paths"

/* The type that the request would rather have than Collection+JSON; NULL: none of these. */
const char *export_type(const struct request *request);

/* One page of SEARCH as TYPE. The next one is told in the header Link (RFC 8288), the number of
 * hits in Pxs-Hits. */
int export_write(struct reply *reply, const struct search *search, const char *type,
		 struct pxs_error *err);

#endif
