/* template.h - what a PATCH says: {"template":{"data":[{"name":"user.tags","value":["a"]}]}} */
#ifndef PXS_REST_TEMPLATE_H
#define PXS_REST_TEMPLATE_H

#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"

struct index_document;
struct pxs_error;
struct query_property;
struct query_schema;

/* Start it as { 0 }. */
struct template
{
	struct index_document *document;       /* the values, sealed */
	const struct query_property **emptied; /* those that get "" or [], that is no value */
	size_t n_emptied;
	struct pxs_buf faults; /* not "": these values are refused, and why (spec/pixstor.md 1.3) */
};

void template_done(struct template *template);
static inline void
template_cleanup(struct template *template)
{
	template_done(template);
}

/* Read BODY. -EINVAL: it has not the shape of a template, ERR; -ENOMEM. 0 even where values are
 * faulty: then `faults` names all of them, in order of name, and nothing else counts. */
int template_read(json_t *body, const struct query_schema *schema, struct template *template,
		  struct pxs_error *err);

#endif
