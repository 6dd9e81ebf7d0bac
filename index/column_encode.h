/* column_encode.h - one segment of a column as bytes, in the form that takes the fewest. */
#ifndef PXS_INDEX_COLUMN_ENCODE_H
#define PXS_INDEX_COLUMN_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/column_slice.h"

struct pxs_buf;

/* Below this part of the places in per cent, those that have a value are listed. */
#define COLUMN_SPARSE_PERCENT 25

/* Adds to BUF (at a multiple of 8) the COLUMN_SEGMENT_DOCS NUMBERS, COLUMN_MISSING where there is
 * none; nothing if there is none at all. Those before FIRST are of no document. CODES: the numbers
 * are codes. An allocation that fails is in BUF's error. */
void column_encode(const int64_t *numbers, uint32_t first, bool codes, struct pxs_buf *buf);

/* The same of lists: those of place i are NUMBERS[OFFSETS[i]] to before NUMBERS[OFFSETS[i + 1]]. */
void column_encode_lists(const int64_t *numbers, const uint32_t *offsets, bool codes,
			 struct pxs_buf *buf);

/* A slice that reads LEN bytes at DATA (at a multiple of 8) in place, and the greatest number in
 * it. -EBADMSG: they are none, or reading them would leave them. */
int column_decode(const void *data, size_t len, struct column_slice *ret_slice, int64_t *ret_max);

#endif
