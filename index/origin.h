/* origin.h - what an upstream says of a document that is its own: its etag and times. */
#ifndef PXS_INDEX_ORIGIN_H
#define PXS_INDEX_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "index/index.h"

struct column;

/* COLUMN is new: if it is one of them, put it into its place in ORIGIN. */
void origin_note(const struct column *origin[ORIGIN_COUNT], const struct column *column);

/* False, and nothing is written: DOC is ours. */
bool origin_etag(const struct column *const origin[ORIGIN_COUNT], uint32_t doc,
		 char etag[INDEX_ETAG_SIZE]);
bool origin_time(const struct column *const origin[ORIGIN_COUNT], enum index_origin_field field,
		 uint32_t doc, int64_t *ret_ns);

#endif
