/* record.h - a document's properties as text: for extended attributes and for JSON. */
#ifndef PXS_FS_RECORD_H
#define PXS_FS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

struct index_view;
struct pxs_buf;
struct pxs_json;
struct query_property;

/* Whether users see it. */
bool fs_record_shows(const struct query_property *property);

/* Adds DOC's value of PROPERTY: as query_value_print() has it, a list as a JSON array. -ENODATA: it
 * has none; -ENOMEM. */
int fs_record_print_text(const struct index_view *view, uint32_t doc,
			 const struct query_property *property, struct pxs_buf *buf);

/* One property of a document, for a callback. */
struct fs_field {
	const char *name;
	const char *prompt;
	const struct query_property *property; /* NULL: one that every document has ... */
	unsigned int fixed;		       /* ... and which of those */
	const struct index_view *view;
	uint32_t doc;
};

/* Calls EACH for what every document has (_id, _etag, _created, _updated) and then for each
 * property that DOC has a value of, until it returns a failure, which is then returned. */
int fs_record_each(const struct index_view *view, uint32_t doc,
		   int (*each)(void *context, const struct fs_field *field), void *context);

/* Writes the field's value; lists as arrays. -ENOMEM. */
int fs_record_print_value(const struct fs_field *field, struct pxs_json *json);

/* Adds all of them as one JSON object, for people to read. */
int fs_record_print(const struct index_view *view, uint32_t doc, struct pxs_buf *buf);

#endif
