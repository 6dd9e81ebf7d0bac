/* document.h - the document that an argument names: by its _id, its path or a file in a mount. */
#ifndef PXS_CLI_DOCUMENT_H
#define PXS_CLI_DOCUMENT_H

#include <jansson.h>

struct client;
struct pxs_buf;
struct pxs_error;

/* The document that WHAT names as one flat JSON object, added to TEXT. -ENOENT: there is none. */
int document_get(struct client *client, const char *what, struct pxs_buf *text,
		 struct pxs_error *err);

/* The same, parsed; the caller's to decref. */
int document_find(struct client *client, const char *what, json_t **ret_document,
		  struct pxs_error *err);

/* Adds "/files/ID". -ENOMEM. */
int document_href(const json_t *document, struct pxs_buf *href);

#endif
