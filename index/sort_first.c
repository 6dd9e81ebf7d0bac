/* A heap keeps the first few seen so far, its last in order on top; from then on a document needs
 * a look only if it comes before that one. Documents are taken in blocks, and a block is thinned
 * out level by level: the second key is read only of those whose first key does not rule them out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/budget.h"
#include "index/segment_bits.h"
#include "index/sort.h"
#include "index/view.h"

/* Documents looked at together: their keys fit the first cache. */
#define BLOCK 2048

/* A segment with so many hits is scanned for those that the first key does not rule out, and these
 * are taken where they are no more than a part. */
#define MANY_HITS 8192
#define FEW_PART 8

/* A row: the keys level by level, then the document. */
struct first {
	const struct sorter *sorter;
	const struct sort_place *after; /* or NULL */
	uint64_t *rows;
	size_t n, room, levels, stride;
	uint32_t docs[BLOCK]; /* the block, as far as it is not ruled out */
	bool less[BLOCK];     /* comes before the top for sure */
	uint64_t keys[SORT_LEVELS_MAX][BLOCK];
};

static void
first_cleanup(struct first **first)
{
	if (*first)
		free((*first)->rows);
	free(*first);
}

static uint64_t *
row_at(const struct first *first, size_t at)
{
	return first->rows + at * first->stride;
}

static int
compare_rows(const struct first *first, const uint64_t *a, const uint64_t *b)
{
	for (size_t level = 0; level < first->levels; level++)
		if (a[level] != b[level])
			return a[level] < b[level] ? -1 : 1;
	return 0;
}

static void
copy_row(const struct first *first, uint64_t *to, const uint64_t *from)
{
	memcpy(to, from, first->stride * sizeof(*to));
}

/* Put ROW into the heap of N rows at AT or below, where it belongs. */
static void
sift_down(const struct first *first, const uint64_t *row, size_t n, size_t at)
{
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n &&
		    compare_rows(first, row_at(first, child + 1), row_at(first, child)) > 0)
			child++;
		if (compare_rows(first, row, row_at(first, child)) >= 0)
			break;
		copy_row(first, row_at(first, at), row_at(first, child));
	}
	copy_row(first, row_at(first, at), row);
}

static void
heapify(const struct first *first)
{
	uint64_t row[SORT_LEVELS_MAX + 1];

	for (size_t i = first->n / 2; i-- > 0;) {
		copy_row(first, row, row_at(first, i));
		sift_down(first, row, first->n, i);
	}
}

static void
offer(struct first *first, const uint64_t *row)
{
	if (first->after && compare_rows(first, row, first->after->levels) <= 0)
		return;
	if (first->n < first->room) {
		copy_row(first, row_at(first, first->n++), row);
		if (first->n == first->room)
			heapify(first);
	} else if (compare_rows(first, row, row_at(first, 0)) < 0) {
		sift_down(first, row, first->n, 0);
	}
}

/* What is not ruled out by the first key; the others are not there yet. */
static size_t
thin_first(struct first *first, size_t n, uint64_t top)
{
	const uint64_t *from = first->keys[0];
	uint64_t low = first->after ? first->after->levels[0] : 0;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t key = from[i];

		first->keys[0][kept] = key;
		first->docs[kept] = first->docs[i];
		first->less[kept] = key < top;
		kept += key <= top && key >= low;
	}
	return kept;
}

/* The same by a later key, of those that were equal to the top so far. */
static size_t
thin_next(struct first *first, size_t n, size_t level, uint64_t top)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t key = first->keys[level][i];
		bool stays = first->less[i] || key <= top;

		for (size_t before = 0; before <= level; before++)
			first->keys[before][kept] = first->keys[before][i];
		first->docs[kept] = first->docs[i];
		first->less[kept] = first->less[i] || key < top;
		kept += stays;
	}
	return kept;
}

static size_t
thin(struct first *first, size_t n, size_t level)
{
	uint64_t top = first->n == first->room ? row_at(first, 0)[level] : UINT64_MAX;

	if (level == 0)
		return thin_first(first, n, top);
	return first->n == first->room ? thin_next(first, n, level, top) : n;
}

/* The first N of `docs`. */
static void
offer_block(struct first *first, size_t n)
{
	uint64_t row[SORT_LEVELS_MAX + 1];

	for (size_t level = 0; level < first->levels && n > 0; level++) {
		sorter_level(first->sorter, level, first->docs, n, first->keys[level]);
		n = thin(first, n, level);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t level = 0; level < first->levels; level++)
			row[level] = first->keys[level][i];
		row[first->levels] = first->docs[i];
		offer(first, row);
	}
}

/* Those of N hits in SEGMENT that the first key does not rule out, where these are few: they are
 * found without a look at the hits. */
static bool
offer_few(struct first *first, const roaring_bitmap_t *bitmap, uint32_t segment, uint32_t n)
{
	uint32_t base = segment << COLUMN_SEGMENT_SHIFT;
	uint32_t last = MIN(first->sorter->view->max_doc - base, COLUMN_PLACE_MASK);
	uint64_t low = first->after ? first->after->levels[0] : 0, few = 0;
	uint64_t bits[SEGMENT_WORDS];

	if (first->n < first->room || n < MANY_HITS || row_at(first, 0)[0] == SORT_MISSING ||
	    !sorter_segment(first->sorter, low, row_at(first, 0)[0], segment, last + 1, bits))
		return false;
	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		few += (uint64_t)__builtin_popcountll(bits[i]);
	if (few > n / FEW_PART)
		return false;
	n = 0;
	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		for (uint64_t word = bits[i]; word; word &= word - 1) {
			first->docs[n] = base + i * 64 + (uint32_t)__builtin_ctzll(word);
			n += roaring_bitmap_contains(bitmap, first->docs[n]);
			if (n == BLOCK) {
				offer_block(first, n);
				n = 0;
			}
		}
	offer_block(first, n);
	return true;
}

/* The hits of the segment that AT has come to, which is behind it then. */
static void
offer_segment(struct first *first, const roaring_bitmap_t *bitmap, roaring_uint32_iterator_t *at)
{
	uint32_t segment = at->current_value >> COLUMN_SEGMENT_SHIFT;
	uint64_t base = (uint64_t)segment << COLUMN_SEGMENT_SHIFT;
	uint32_t n = (uint32_t)roaring_bitmap_range_cardinality(bitmap, at->current_value,
								base + COLUMN_SEGMENT_DOCS);

	if (offer_few(first, bitmap, segment, n)) {
		(void)roaring_move_uint32_iterator_equalorlarger(at, (uint32_t)base |
									     COLUMN_PLACE_MASK);
		if (at->has_value && at->current_value == ((uint32_t)base | COLUMN_PLACE_MASK))
			(void)roaring_advance_uint32_iterator(at);
		return;
	}
	for (uint32_t got; n > 0; n -= got) {
		got = roaring_read_uint32_iterator(at, first->docs, MIN(n, (uint32_t)BLOCK));
		offer_block(first, got);
	}
}

/* The heap, from its end, becomes DOCS in order. */
static void
take(struct first *first, uint32_t *docs)
{
	uint64_t row[SORT_LEVELS_MAX + 1];

	if (first->n < first->room)
		heapify(first);
	for (size_t left = first->n; left > 0; left--) {
		docs[left - 1] = (uint32_t)row_at(first, 0)[first->levels];
		copy_row(first, row, row_at(first, left - 1));
		sift_down(first, row, left - 1, 0);
	}
}

/* --- By row alone --- */

/* How many of the first N of BITMAP, whose rows ascend, do not come after AFTER. */
static uint64_t
count_before(const struct sorter *sorter, const roaring_bitmap_t *bitmap, uint64_t n,
	     const struct sort_place *after)
{
	uint64_t before = 0;

	while (after && before < n) {
		uint64_t mid = before + (n - before) / 2, row;
		uint32_t doc = 0;

		(void)roaring_bitmap_select(bitmap, (uint32_t)mid, &doc);
		sorter_level(sorter, 0, &doc, 1, &row);
		if (row <= after->levels[0])
			before = mid + 1;
		else
			n = mid;
	}
	return before;
}

size_t
sorter_standing(const roaring_bitmap_t *bitmap, uint64_t begin, size_t n, uint32_t *docs)
{
	uint64_t total = roaring_bitmap_get_cardinality(bitmap);
	roaring_uint32_iterator_t at;
	uint32_t doc = 0;

	if (begin >= total)
		return 0;
	(void)roaring_bitmap_select(bitmap, (uint32_t)begin, &doc);
	roaring_init_iterator(bitmap, &at);
	(void)roaring_move_uint32_iterator_equalorlarger(&at, doc);
	return roaring_read_uint32_iterator(&at, docs, (uint32_t)MIN((uint64_t)n, total - begin));
}

/* Of the hits that stand in order only the next after the place can be among the first. The others
 * are those from AT on, then. */
static void
offer_standing(struct first *first, const roaring_bitmap_t *bitmap, roaring_uint32_iterator_t *at)
{
	uint32_t last = view_rows_ascend_to(first->sorter->view);
	uint64_t n = roaring_bitmap_rank(bitmap, last);
	uint64_t begin = count_before(first->sorter, bitmap, n, first->after);
	uint64_t end = MIN(n, begin + first->room);

	for (size_t got; begin < end; begin += got) {
		got = sorter_standing(bitmap, begin, MIN(end - begin, (uint64_t)BLOCK),
				      first->docs);
		offer_block(first, got);
	}
	(void)roaring_move_uint32_iterator_equalorlarger(at, last + 1);
}

static int
first_new(const struct sorter *sorter, const struct sort_place *after, size_t room,
	  struct first **ret_first)
{
	struct first *first = malloc(sizeof(*first));

	if (!first)
		return -ENOMEM;
	first->sorter = sorter;
	first->after = after;
	first->n = 0;
	first->room = room;
	first->levels = sorter->n + 1;
	first->stride = first->levels + 1;
	first->rows = malloc(room * first->stride * sizeof(*first->rows));
	if (!first->rows) {
		free(first);
		return -ENOMEM;
	}
	*ret_first = first;
	return 0;
}

int
sorter_first(const struct sorter *sorter, const roaring_bitmap_t *bitmap,
	     const struct sort_place *after, size_t n, const struct index_budget *budget,
	     uint32_t *docs, size_t *ret_n)
{
	CLEANUP(first) struct first *first = NULL;
	roaring_uint32_iterator_t at;
	int r = 0;

	*ret_n = 0;
	if (n == 0)
		return 0;
	if (sorter_is_natural(sorter)) {
		uint64_t all = roaring_bitmap_get_cardinality(bitmap);

		*ret_n = sorter_standing(bitmap, count_before(sorter, bitmap, all, after), n, docs);
		return 0;
	}
	r = first_new(sorter, after, n, &first);
	if (r < 0)
		return r;
	roaring_init_iterator(bitmap, &at);
	if (sorter->n == 0)
		offer_standing(first, bitmap, &at);
	while (r == 0 && at.has_value) {
		offer_segment(first, bitmap, &at);
		r = budget_check(budget);
	}
	if (r < 0)
		return r;
	*ret_n = first->n;
	take(first, docs);
	return 0;
}
