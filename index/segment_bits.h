/* segment_bits.h - a bitmap of documents from a bit for each place of its segments, as scans find
 * them: Roaring's containers are segments, so none of them has to be listed. */
#ifndef PXS_INDEX_SEGMENT_BITS_H
#define PXS_INDEX_SEGMENT_BITS_H

#include <stddef.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "index/column_slice.h"

#define SEGMENT_WORDS (COLUMN_SEGMENT_DOCS / 64)

/* Zero is empty. */
struct segment_bits {
	struct pxs_buf heads;	   /* what Roaring's format says of each container */
	struct pxs_buf containers; /* after it */
	uint32_t n;
};

void segment_bits_done(struct segment_bits *bits);
static inline void
segment_bits_cleanup(struct segment_bits *bits)
{
	segment_bits_done(bits);
}

/* Segments come in ascending order, each once. What goes wrong is told by the end. */
void segment_bits_add(struct segment_bits *bits, uint32_t segment,
		      const uint64_t words[SEGMENT_WORDS]);

/* The documents; the caller frees them. -ENOMEM. */
int segment_bits_end(struct segment_bits *bits, roaring_bitmap_t **ret_documents);

#endif
