/* upstreams.h - how the upstream is that this catalogue follows. */
#ifndef PXS_REST_UPSTREAMS_H
#define PXS_REST_UPSTREAMS_H

struct pxs_buf;
struct pxs_json;
struct rest;

/* An array: one object, or none without an upstream. */
void upstreams_write(struct pxs_json *json, struct rest *rest);
/* The same as lines for people. */
void upstreams_print(struct rest *rest, struct pxs_buf *buf);

#endif
