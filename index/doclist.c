#include "index/doclist.h"

#include <errno.h>
#include <stdlib.h>

#include "index/column.h"

/* The end of the run of documents that share the segment of the one at BEGIN. */
static size_t
segment_end(const struct doclist *list, size_t begin)
{
	uint32_t segment = list->docs[begin] >> COLUMN_SEGMENT_SHIFT;
	size_t low = begin, high = list->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (list->docs[mid] >> COLUMN_SEGMENT_SHIFT == segment)
			low = mid;
		else
			high = mid;
	}
	return high;
}

static void
slice(struct doclist *list)
{
	size_t end;

	for (size_t begin = 0; begin < list->n; begin = end) {
		end = segment_end(list, begin);
		list->slices[list->n_slices++] = (struct doclist_slice){
			.segment = list->docs[begin] >> COLUMN_SEGMENT_SHIFT,
			.run = list->docs[end - 1] - list->docs[begin] == end - 1 - begin,
			.docs = list->docs + begin,
			.n = end - begin,
		};
	}
}

int
doclist_init(struct doclist *list, const roaring_bitmap_t *bitmap)
{
	CLEANUP(doclist) struct doclist made = { 0 };
	size_t segments;

	*list = made;
	made.n = roaring_bitmap_get_cardinality(bitmap);
	if (made.n == 0)
		return 0;

	segments = (roaring_bitmap_maximum(bitmap) >> COLUMN_SEGMENT_SHIFT) + (size_t)1;
	made.docs = malloc(made.n * sizeof(*made.docs));
	made.slices = malloc(segments * sizeof(*made.slices));
	if (!made.docs || !made.slices)
		return -ENOMEM;

	roaring_bitmap_to_uint32_array(bitmap, made.docs);
	slice(&made);
	*list = made;
	made = (struct doclist){ 0 };
	return 0;
}

static void
set_slice(uint64_t *bits, const struct doclist_slice *slice)
{
	uint32_t first = slice->docs[0], end = first + (uint32_t)slice->n;
	size_t i = 0;

	/* Of a run, whole words at once. */
	for (; slice->run && first < end; first += 64 - first % 64) {
		uint64_t word = UINT64_MAX << (first % 64);

		if (end - first < 64 - first % 64)
			word &= ~(UINT64_MAX << (end % 64));
		bits[first / 64] |= word;
	}
	for (; !slice->run && i < slice->n; i++)
		bits[slice->docs[i] / 64] |= UINT64_C(1) << (slice->docs[i] % 64);
}

/* A whole segment's worth of them, so that any place of one that has documents can be asked for. */
int
doclist_set_bits(struct doclist *list)
{
	size_t segments = list->n ? (list->docs[list->n - 1] >> COLUMN_SEGMENT_SHIFT) + (size_t)1
				  : 0;

	list->bits = calloc(segments * COLUMN_SEGMENT_DOCS / 64 + 1, sizeof(*list->bits));
	if (!list->bits)
		return -ENOMEM;
	for (size_t i = 0; i < list->n_slices; i++)
		set_slice(list->bits, &list->slices[i]);
	return 0;
}

void
doclist_done(struct doclist *list)
{
	free(list->bits);
	free(list->docs);
	free(list->slices);
	*list = (struct doclist){ 0 };
}
