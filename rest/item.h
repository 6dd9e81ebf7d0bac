/* item.h - how a request to /files/{id} says which document and which version of it. */
#ifndef PXS_REST_ITEM_H
#define PXS_REST_ITEM_H

#include <stdbool.h>
#include <stdint.h>

/* A positive 63-bit decimal number. -ENOENT: TEXT is none, so no document is called that. */
int item_id_parse(const char *text, int64_t *ret_id);

struct index_view;
struct pxs_error;
struct pxs_json;
struct request;

/* The document that the request's path names, as its sender may see it. -ENOENT, ERR says so. */
int item_find(const struct request *request, const struct index_view *view, uint32_t *ret_doc,
	      struct pxs_error *err);

/* Whether the sender has the version already that REPLY tells the etag and time of, so that 304 is
 * enough. */
struct reply;
bool item_is_known(const struct request *request, const struct reply *reply);

/* Whether LIST (the value of If-None-Match or If-Match) names ETAG: '*', or etags separated by
 * commas, each bare, quoted, or weak (W/). */
bool item_etag_matches(const char *list, const char *etag);

#endif
