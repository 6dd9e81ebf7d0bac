/* column.h - one property's values by document number.
 *
 * A column is an array over all documents, cut into segments of 65,536 (one Roaring container
 * each). It is append-only: the one writer fills places that no view shows yet, so readers need no
 * lock. Strings are codes of the column's dictionary, everything else is a 64-bit number whose
 * order is the values' order. */
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

int column_new(const struct query_property *property, struct column **ret_column);
void column_free(struct column *column);
DEFINE_CLEANUP(column, struct column *, column_free)

const struct query_property *column_property(const struct column *column);
/* NULL unless the property is a string. */
const struct dict *column_dict(const struct column *column);

/* Set the values of DOC, once, before any view shows it; N > 1 only for lists. */
int column_set(struct column *column, uint32_t doc, const struct query_value *values, size_t n);

/* The number as which a column keeps VALUE, and back. Not for strings. */
int64_t column_number(const struct query_value *value);
void column_number_value(const struct query_property *property, int64_t number,
			 struct query_value *ret_value);

/* The values of one segment: column_slice.h says how to read them. */
void column_slice(const struct column *column, uint32_t segment, struct column_slice *ret_slice);

/* Going away, as they cannot read what is stored in less: one segment's places, COLUMN_SEGMENT_DOCS
 * of them; NULL if none has a value. Strings that are no list: codes, 0 where missing. */
const uint32_t *column_codes(const struct column *column, uint32_t segment);
/* Other types that are no list: numbers, COLUMN_MISSING where missing. */
const int64_t *column_numbers(const struct column *column, uint32_t segment);
/* Lists: slots, 0 where missing, to be told apart by the two below. Values ascend, without
 * duplicates (strings: of code, not of text). */
const uint32_t *column_slots(const struct column *column, uint32_t segment);
size_t column_list_codes(const struct column *column, uint32_t slot, const uint32_t **ret_codes);
size_t column_list_numbers(const struct column *column, uint32_t slot, const int64_t **ret_numbers);

/* The slow path for any kind: number of values of DOC, up to N of them in VALUES. */
size_t column_values(const struct column *column, uint32_t doc, struct query_value *values,
		     size_t n);

uint64_t column_bytes(const struct column *column); /* of memory, with its dictionary */

#endif
