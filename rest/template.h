/* template.h - what a PATCH says: {"template":{"data":[{"name":"user.tags","value":["a"]}]}} */
#ifndef PXS_REST_TEMPLATE_H
#define PXS_REST_TEMPLATE_H

#include <jansson.h>

struct pxs_error;

/* The values in BODY by name, as edit_values_read() takes them; the caller's. -EINVAL: it has not
 * the shape of a template, ERR; -ENOMEM. */
int template_read(const json_t *body, json_t **ret_values, struct pxs_error *err);

#endif
