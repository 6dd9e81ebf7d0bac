/* Two ways to the same order. A few out of many are picked by a heap that compares values. All of
 * them are sorted by radix, from the last key to the first, each as a number: what a column holds,
 * or for strings the rank among those that occur. */
#include "index/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macros.h"
#include "index/column.h"
#include "index/radix.h"
#include "index/text_order.h"
#include "index/view.h"

#define PLACE_MASK (COLUMN_SEGMENT_DOCS - 1)

/* A heap is quicker while it holds less than this part of everything. */
#define HEAP_PART 64

/* After every value, in both directions. */
#define KEY_MISSING UINT64_MAX

void
sorter_init(struct sorter *sorter, const struct index_view *view, const struct query *query)
{
	*sorter = (struct sorter){ .view = view };
	for (size_t i = 0; i < query->n_sorts; i++) {
		const struct query_property *property = query->sorts[i].property;
		const struct column *column = property ? view_column(view, property) : NULL;

		/* By relevance is by row; a property without a column is missing everywhere. */
		if (column)
			sorter->keys[sorter->n++] = (struct sort_key){ column,
								       query->sorts[i].descending };
	}
}

bool
sorter_is_natural(const struct sorter *sorter)
{
	return sorter->n == 0 && sorter->view->rows_ascend;
}

/* --- Comparing two documents --- */

/* What one document has of one key. */
struct place {
	bool missing;
	int64_t number;
	const char *text; /* strings only */
};

static void
choose_text(const struct sort_key *key, const uint32_t *codes, size_t n, struct place *place)
{
	const struct dict *dict = column_dict(key->column);

	for (size_t i = 0; i < n; i++) {
		const char *text = dict_text(dict, codes[i]);
		int order = place->text ? strcmp(text, place->text) : 0;

		if (!place->text || (key->descending ? order > 0 : order < 0))
			place->text = text;
	}
}

static struct place
place_in_list(const struct sort_key *key, uint32_t slot)
{
	struct place place = { .missing = slot == 0 };
	const uint32_t *codes;
	const int64_t *numbers;
	size_t n;

	if (place.missing)
		return place;
	if (column_dict(key->column)) {
		n = column_list_codes(key->column, slot, &codes);
		choose_text(key, codes, n, &place);
	} else {
		n = column_list_numbers(key->column, slot, &numbers);
		place.number = numbers[key->descending ? n - 1 : 0];
	}
	return place;
}

static struct place
place_of(const struct sort_key *key, uint32_t doc)
{
	uint32_t segment = doc >> COLUMN_SEGMENT_SHIFT, at = doc & PLACE_MASK;
	struct place place = { .missing = true };
	const uint32_t *codes;
	const int64_t *numbers;

	if (column_property(key->column)->multi) {
		codes = column_slots(key->column, segment);
		return place_in_list(key, codes ? codes[at] : 0);
	}
	if (column_dict(key->column)) {
		codes = column_codes(key->column, segment);
		place.missing = !codes || !codes[at];
		if (!place.missing)
			choose_text(key, &codes[at], 1, &place);
		return place;
	}
	numbers = column_numbers(key->column, segment);
	place.missing = !numbers || numbers[at] == COLUMN_MISSING;
	if (!place.missing)
		place.number = numbers[at];
	return place;
}

static int
compare_places(const struct sort_key *key, const struct place *a, const struct place *b)
{
	int order;

	if (a->missing || b->missing)
		return a->missing - b->missing;
	order = a->text && b->text ? strcmp(a->text, b->text)
				   : (a->number > b->number) - (a->number < b->number);
	return key->descending ? -order : order;
}

int
sorter_compare(const struct sorter *sorter, uint32_t a, uint32_t b)
{
	uint64_t row_a, row_b;

	for (size_t i = 0; i < sorter->n; i++) {
		struct place place_a = place_of(&sorter->keys[i], a);
		struct place place_b = place_of(&sorter->keys[i], b);
		int order = compare_places(&sorter->keys[i], &place_a, &place_b);

		if (order != 0)
			return order;
	}
	row_a = index_doc_row(sorter->view, a);
	row_b = index_doc_row(sorter->view, b);
	return (row_a > row_b) - (row_a < row_b);
}

/* --- The first few --- */

/* Restore the heap (its last in order on top) below AT. */
static void
sift_down(const struct sorter *sorter, uint32_t *heap, size_t n, size_t at)
{
	uint32_t moving = heap[at];
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && sorter_compare(sorter, heap[child + 1], heap[child]) > 0)
			child++;
		if (sorter_compare(sorter, moving, heap[child]) >= 0)
			break;
		heap[at] = heap[child];
	}
	heap[at] = moving;
}

struct heap {
	const struct sorter *sorter;
	uint32_t *docs;
	size_t n, room;
};

static bool
offer(uint32_t doc, void *context)
{
	struct heap *heap = context;

	if (heap->n < heap->room) {
		heap->docs[heap->n++] = doc;
		if (heap->n == heap->room)
			for (size_t i = heap->n / 2; i-- > 0;)
				sift_down(heap->sorter, heap->docs, heap->n, i);
	} else if (sorter_compare(heap->sorter, doc, heap->docs[0]) < 0) {
		heap->docs[0] = doc;
		sift_down(heap->sorter, heap->docs, heap->n, 0);
	}
	return true;
}

/* N is less than there are. */
static int
first_by_heap(const struct sorter *sorter, const roaring_bitmap_t *bitmap, size_t n,
	      uint32_t **ret_docs)
{
	struct heap heap = { .sorter = sorter, .room = n };

	heap.docs = malloc(n * sizeof(*heap.docs));
	if (!heap.docs)
		return -ENOMEM;
	(void)roaring_iterate(bitmap, offer, &heap);
	for (size_t left = n; left > 1; left--) {
		uint32_t last = heap.docs[0];

		heap.docs[0] = heap.docs[left - 1];
		heap.docs[left - 1] = last;
		sift_down(sorter, heap.docs, left - 1, 0);
	}
	*ret_docs = heap.docs;
	return 0;
}

/* --- All --- */

struct all {
	struct radix_item *items; /* value: the document */
	struct radix_item *scratch;
	size_t n;
};

/* COLUMN_MISSING is the one number that no value has; without it there is room for KEY_MISSING. */
static uint64_t
key_of_number(const struct sort_key *key, int64_t number)
{
	uint64_t ordered = (uint64_t)number ^ ((uint64_t)1 << 63);

	return key->descending ? ~ordered : ordered - 1;
}

static void
key_by_numbers(const struct sort_key *key, struct all *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct place place = place_of(key, all->items[i].value);

		all->items[i].key = place.missing ? KEY_MISSING : key_of_number(key, place.number);
	}
}

/* The codes of a document: none, one or a list. */
static size_t
codes_of(const struct column *column, uint32_t doc, const uint32_t **ret_codes)
{
	uint32_t segment = doc >> COLUMN_SEGMENT_SHIFT;
	bool multi = column_property(column)->multi;
	const uint32_t *places = multi ? column_slots(column, segment)
				       : column_codes(column, segment);

	if (!places || !places[doc & PLACE_MASK])
		return 0;
	if (multi)
		return column_list_codes(column, places[doc & PLACE_MASK], ret_codes);
	*ret_codes = &places[doc & PLACE_MASK];
	return 1;
}

/* The codes that occur, each with its rank (from 1) among them, by code. */
static int
rank_codes(const struct column *column, const struct all *all, uint32_t **ret_ranks)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	CLEANUP(free) uint32_t *ranks = NULL;
	const uint32_t *codes = NULL;
	size_t n = 0;
	int r;

	ranks = calloc((size_t)dict_count(column_dict(column)) + 1, sizeof(*ranks));
	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++)
		for (size_t j = codes_of(column, all->items[i].value, &codes); j-- > 0;)
			n += ranks[codes[j]]++ == 0;

	r = text_order_new(column_dict(column), n, &order);
	if (r < 0)
		return r;
	for (uint32_t code = 1; n > 0; code++)
		if (ranks[code]) {
			text_order_add(order, code, 1);
			n--;
		}
	text_order_sort(order);
	for (size_t i = 0; i < text_order_count(order); i++)
		ranks[text_order_code(order, i)] = (uint32_t)i + 1;
	*ret_ranks = STEAL(ranks);
	return 0;
}

static int
key_by_texts(const struct sort_key *key, struct all *all)
{
	CLEANUP(free) uint32_t *ranks = NULL;
	const uint32_t *codes = NULL;
	int r;

	r = rank_codes(key->column, all, &ranks);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all->n; i++) {
		uint64_t best = KEY_MISSING;

		for (size_t j = codes_of(key->column, all->items[i].value, &codes); j-- > 0;)
			best = MIN(best, key_of_number(key, ranks[codes[j]]));
		all->items[i].key = best;
	}
	return 0;
}

static void
key_by_rows(const struct sorter *sorter, struct all *all)
{
	for (size_t i = 0; i < all->n; i++)
		all->items[i].key = index_doc_row(sorter->view, all->items[i].value);
}

static bool
append(uint32_t doc, void *context)
{
	struct all *all = context;

	all->items[all->n++].value = doc;
	return true;
}

static void
all_cleanup(struct all *all)
{
	free(all->items);
	free(all->scratch);
}

static int
order_all(const struct sorter *sorter, struct all *all)
{
	int r;

	/* Equal keys keep their order, so the least important key comes first. */
	if (!sorter->view->rows_ascend) {
		key_by_rows(sorter, all);
		radix_sort(all->items, all->scratch, all->n);
	}
	for (size_t i = sorter->n; i-- > 0;) {
		if (column_dict(sorter->keys[i].column)) {
			r = key_by_texts(&sorter->keys[i], all);
			if (r < 0)
				return r;
		} else {
			key_by_numbers(&sorter->keys[i], all);
		}
		radix_sort(all->items, all->scratch, all->n);
	}
	return 0;
}

int
sorter_order(const struct sorter *sorter, const roaring_bitmap_t *bitmap, uint64_t n,
	     uint32_t **ret_docs)
{
	size_t total = roaring_bitmap_get_cardinality(bitmap);
	CLEANUP(all) struct all all = { 0 };
	uint32_t *docs;
	int r;

	n = MIN(n, (uint64_t)total);
	if (n > 0 && n < total / HEAP_PART)
		return first_by_heap(sorter, bitmap, n, ret_docs);

	all.items = malloc((total + 1) * sizeof(*all.items));
	all.scratch = malloc((total + 1) * sizeof(*all.scratch));
	if (!all.items || !all.scratch)
		return -ENOMEM;
	(void)roaring_iterate(bitmap, append, &all);
	r = order_all(sorter, &all);
	if (r < 0)
		return r;

	docs = malloc((n + 1) * sizeof(*docs));
	if (!docs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		docs[i] = all.items[i].value;
	*ret_docs = docs;
	return 0;
}
