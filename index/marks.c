#include "index/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/segment_bits.h"

void
marks_done(struct marks *marks)
{
	for (uint32_t i = 0; i < marks->n; i++)
		free(marks->segments[i]);
	free(marks->segments);
	*marks = (struct marks){ 0 };
}

static int
reserve(struct marks *marks, uint32_t segment)
{
	uint32_t n = MAX(segment + 1, marks->n * 2);
	uint64_t **segments = realloc(marks->segments, n * sizeof(*segments));

	if (!segments)
		return -ENOMEM;
	memset(segments + marks->n, 0, (n - marks->n) * sizeof(*segments));
	marks->segments = segments;
	marks->n = n;
	return 0;
}

int
marks_add(struct marks *marks, uint32_t doc)
{
	uint32_t segment = doc >> COLUMN_SEGMENT_SHIFT;
	uint32_t place = doc & COLUMN_PLACE_MASK;

	if (segment >= marks->n && reserve(marks, segment) < 0)
		return -ENOMEM;
	if (!marks->segments[segment]) {
		marks->segments[segment] = calloc(SEGMENT_WORDS, sizeof(uint64_t));
		if (!marks->segments[segment])
			return -ENOMEM;
	}
	marks->segments[segment][place / 64] |= UINT64_C(1) << place % 64;
	return 0;
}

int
marks_bitmap(const struct marks *marks, roaring_bitmap_t **ret_documents)
{
	CLEANUP(segment_bits) struct segment_bits bits = { 0 };

	for (uint32_t segment = 0; segment < marks->n; segment++)
		if (marks->segments[segment])
			segment_bits_add(&bits, segment, marks->segments[segment]);
	return segment_bits_end(&bits, ret_documents);
}
