/* document.h - what a sealed document is made of, for the writer. */
#ifndef PXS_INDEX_DOCUMENT_H
#define PXS_INDEX_DOCUMENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "index/index.h"

/* Values in the order in which they were added; strings lie in `text`. */
struct document_value {
	const struct query_property *property;
	struct query_value value; /* a string is set once the document is sealed or read */
	size_t text_at;		  /* of a string in `text` */
};

struct index_document {
	int64_t id;
	struct document_value *values;
	size_t n_values;
	size_t cap_values;
	struct pxs_buf text;
	bool sealed;
	struct pxs_buf record; /* for docs.db */
	struct pxs_buf stream; /* terms, for fts.db */
};

/* Whether PROPERTY belongs to us alone: no facet, no text search, not shown. */
static inline bool
property_is_hidden(const struct query_property *property)
{
	return property->name[0] == '_';
}

/* Whether fts.db has the words of its values. */
static inline bool
property_has_words(const struct query_property *property)
{
	return property->type == QUERY_TYPE_STRING && !property_is_hidden(property);
}

/* Add the values of RECORD, as stored, to the empty DOCUMENT. */
int document_from_record(struct index_document *document, const void *record, size_t len,
			 const struct query_property *const *properties, size_t n_properties);

#endif
