/* record.h - a document's values as bytes: what docs.db stores.
 *
 * For each value, in the order in which they were added: property number (varint), then for a
 * string its length (varint) and its bytes, else 8 bytes, little endian: an integer, or a double's
 * bits. */
#ifndef PXS_INDEX_RECORD_H
#define PXS_INDEX_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "query/query.h"

void record_add(struct pxs_buf *record, const struct query_property *property,
		const struct query_value *value);

/* Reads a record value by value. */
struct record_reader {
	const unsigned char *at, *end;
	struct pxs_buf text; /* the string of the last value, NUL-terminated */
};

static inline void
record_reader_cleanup(struct record_reader *reader)
{
	pxs_buf_done(&reader->text);
}

void record_read(struct record_reader *reader, const void *record, size_t len);

/* The next value; strings are lent until the next call. PROPERTIES is indexed by number, holes are
 * NULL. 1: there is one; 0: the end; -EBADMSG: damaged; -ENOMEM. */
int record_next(struct record_reader *reader, const struct query_property *const *properties,
		size_t n_properties, const struct query_property **ret_property,
		struct query_value *ret_value);

#endif
