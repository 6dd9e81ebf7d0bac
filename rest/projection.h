/* projection.h - which properties a reply shows: {"core.size": 1}, {"filters": "."} */
#ifndef PXS_REST_PROJECTION_H
#define PXS_REST_PROJECTION_H

#include <stdbool.h>

#include <jansson.h>

struct pxs_error;

/* Start it as { 0 }: everything is shown. */
struct projection {
	json_t *rules;	     /* an object, or NULL */
	bool inclusive;	     /* a rule says 1: only what such rules name; the others are ignored */
	const char *filters; /* "." or a property or a namespace: facets, no items; or NULL; lent */
};

/* -EINVAL: TEXT is no JSON object, or its "filters" is no text; ERR says where. */
int projection_parse(const char *text, struct projection *ret_projection, struct pxs_error *err);
void projection_done(struct projection *projection);

/* A rule for "image" also governs "image.width". */
bool projection_shows(const struct projection *projection, const char *property);

#endif
