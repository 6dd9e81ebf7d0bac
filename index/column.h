/* column.h - one property's values by document number.
 *
 * A column is an array over all documents, cut into segments of 65,536 (one Roaring container
 * each). It is append-only: the one writer fills places that no view shows yet, so readers need no
 * lock. Strings are codes of the column's dictionary, everything else is a 64-bit number whose
 * order is the values' order.
 *
 * A segment that is full is written down in fewer bytes and from then on read from its file
 * (segments.h); column_slice.h is the common face of both. */
#ifndef PXS_INDEX_COLUMN_H
#define PXS_INDEX_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/column_slice.h"
#include "index/dict.h"
#include "query/query.h"

struct column;
struct epoch;
struct pxs_buf;

int column_new(const struct query_property *property, struct column **ret_column);
void column_free(struct column *column);
DEFINE_CLEANUP(column, struct column *, column_free)

const struct query_property *column_property(const struct column *column);
/* NULL unless the property is a string. */
struct dict *column_dict(const struct column *column);

/* Set the values of DOC, once, before any view shows it; N > 1 only for lists. */
int column_set(struct column *column, uint32_t doc, const struct query_value *values, size_t n);

/* The number as which a column keeps VALUE, and back. Not for strings. */
int64_t column_number(const struct query_value *value);
void column_number_value(const struct query_property *property, int64_t number,
			 struct query_value *ret_value);

/* The values of one segment: column_slice.h says how to read them. */
void column_slice(const struct column *column, uint32_t segment, struct column_slice *ret_slice);

/* The slow path for any kind: number of values of DOC, up to N of them in VALUES. */
size_t column_values(const struct column *column, uint32_t doc, struct query_value *values,
		     size_t n);

/* Of memory, with its dictionary, mapped files included. */
uint64_t column_bytes(const struct column *column);

/* SEGMENT, all of whose places are set that will be, as column_encode() has it. */
void column_write(const struct column *column, uint32_t segment, struct pxs_buf *buf);

/* From now on read SEGMENT through SLICE, whose BYTES outlive the column. What is no longer needed
 * goes to EPOCH. -ENOMEM. */
int column_map(struct column *column, uint32_t segment, const struct column_slice *slice,
	       size_t bytes, struct epoch *epoch);

#endif
