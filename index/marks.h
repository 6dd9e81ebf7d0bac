/* marks.h - documents are marked in any order and any number of times, then become a bitmap: a bit
 * for each place, where Roaring would keep arrays sorted with every one that comes. */
#ifndef PXS_INDEX_MARKS_H
#define PXS_INDEX_MARKS_H

#include <stdint.h>

#include <roaring/roaring.h>

/* Zero is empty. */
struct marks {
	uint64_t **segments; /* of SEGMENT_WORDS each; NULL: nothing is marked there */
	uint32_t n;
};

void marks_done(struct marks *marks);
static inline void
marks_cleanup(struct marks *marks)
{
	marks_done(marks);
}

/* -ENOMEM. */
int marks_add(struct marks *marks, uint32_t doc);

/* What is marked; the caller frees it. -ENOMEM. */
int marks_bitmap(const struct marks *marks, roaring_bitmap_t **ret_documents);

#endif
