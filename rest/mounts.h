/* mounts.h - the folders through which the catalogue is seen. */
#ifndef PXS_REST_MOUNTS_H
#define PXS_REST_MOUNTS_H

struct pxs_json;
struct rest;

/* An array of {"mountpoint": PATH}. */
void mounts_write(struct pxs_json *json, const struct rest *rest);

#endif
