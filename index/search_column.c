/* Every condition on a column is reduced to a test of one place: a number within closed limits, a
 * code within closed limits, or a code out of a set. The places tested are those of the candidates
 * while they are few, else whole segments, which are read faster than candidates are looked up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/doclist.h"
#include "index/search.h"
#include "index/terms.h"
#include "index/view.h"

#define PLACE_MASK (COLUMN_SEGMENT_DOCS - 1)

/* Candidates are looked up one by one while they are fewer than this part of the documents. */
#define FEW_PART 16

/* Texts are compared in bunches of this many between two looks at the budget. */
#define TEXTS_AT_ONCE 4096

struct test {
	const struct column *column;
	bool nothing;	    /* no place passes */
	uint64_t *code_set; /* a bit for each code, or NULL: limits count */
	int64_t low, high;  /* closed; of numbers, or of codes (which are never negative) */
};

static void
test_cleanup(struct test *test)
{
	free(test->code_set);
}

static bool
in_set(const uint64_t *set, uint32_t code)
{
	return set[code / 64] >> (code % 64) & 1;
}

/* --- Making the test --- */

static void
test_equal_text(struct test *test, const struct query_node *node)
{
	const char *text = node->value.string;

	test->low = test->high = dict_find(column_dict(test->column), text, strlen(text));
	test->nothing = test->low == 0;
}

/* No document has the number that stands for a missing one. */
static void
test_equal_number(struct test *test, const struct query_node *node)
{
	test->low = test->high = column_number(&node->value);
	test->nothing = test->low == COLUMN_MISSING;
}

static void
test_exists(struct test *test)
{
	test->low = column_dict(test->column) ? 1 : COLUMN_MISSING + 1;
	test->high = INT64_MAX;
}

static void
test_number_range(struct test *test, const struct query_node *node)
{
	int64_t low = COLUMN_MISSING + 1, high = INT64_MAX;

	if (node->low.set)
		low = MAX(low, column_number(&node->low.value));
	if (node->high.set)
		high = column_number(&node->high.value);
	test->nothing = (node->low.set && !node->low.inclusive && low == INT64_MAX) ||
			(node->high.set && !node->high.inclusive && high <= COLUMN_MISSING + 1);
	if (test->nothing)
		return;
	test->low = low + (node->low.set && !node->low.inclusive);
	test->high = high - (node->high.set && !node->high.inclusive);
	test->nothing = test->low > test->high;
}

/* The bounds of a range of strings, as they are compared. */
struct text_range {
	const struct query_node *node;
	struct pxs_buf low, high, text; /* case-folded, if the node asks for that */
};

static void
text_range_cleanup(struct text_range *range)
{
	pxs_buf_done(&range->low);
	pxs_buf_done(&range->high);
	pxs_buf_done(&range->text);
}

static int
fold_bound(const struct text_range *range, const struct query_bound *bound, struct pxs_buf *folded)
{
	const char *text = bound->value.string;

	if (!bound->set)
		return 0;
	if (range->node->folded)
		return terms_fold(text, strlen(text), folded);
	pxs_buf_add_str(folded, text);
	return folded->error;
}

static bool
is_between(const struct text_range *range, const char *text)
{
	const struct query_bound *low = &range->node->low, *high = &range->node->high;
	int order;

	if (low->set) {
		order = strcmp(text, pxs_buf_text(&range->low));
		if (low->inclusive ? order < 0 : order <= 0)
			return false;
	}
	if (high->set) {
		order = strcmp(text, pxs_buf_text(&range->high));
		if (high->inclusive ? order > 0 : order >= 0)
			return false;
	}
	return true;
}

/* Put CODE into the test's set if its text is in the range. */
static int
try_code(struct test *test, struct text_range *range, uint32_t code)
{
	const char *text = dict_text(column_dict(test->column), code);
	int r;

	if (range->node->folded) {
		pxs_buf_clear(&range->text);
		r = terms_fold(text, strlen(text), &range->text);
		if (r < 0)
			return r;
		text = pxs_buf_text(&range->text);
	}
	if (is_between(range, text))
		test->code_set[code / 64] |= UINT64_C(1) << (code % 64);
	return 0;
}

static int
try_all_codes(struct search *search, struct test *test, struct text_range *range, uint32_t count)
{
	int r = 0;

	for (uint32_t code = 1; r == 0 && code <= count; code++) {
		if (code % TEXTS_AT_ONCE == 0)
			r = budget_check(search->budget);
		if (r == 0)
			r = try_code(test, range, code);
	}
	return r;
}

static const uint32_t *
codes_at(const struct column *column, const uint32_t *place, size_t *ret_n)
{
	const uint32_t *codes = place;

	*ret_n = *place != 0;
	if (*place && column_property(column)->multi)
		*ret_n = column_list_codes(column, *place, &codes);
	return codes;
}

/* Only the codes that candidates have. */
static int
try_codes_of(struct search *search, struct test *test, struct text_range *range,
	     const struct doclist *docs)
{
	for (size_t i = 0; i < docs->n_slices; i++) {
		const struct doclist_slice *slice = &docs->slices[i];
		const uint32_t *places = column_codes(test->column, slice->segment);
		int r = budget_check(search->budget);

		for (size_t j = 0; r == 0 && places && j < slice->n; j++) {
			size_t n;
			const uint32_t *codes = codes_at(test->column,
							 &places[slice->docs[j] & PLACE_MASK], &n);

			for (size_t k = 0; r == 0 && k < n; k++)
				r = try_code(test, range, codes[k]);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* FEW: the candidates, or NULL where they are many. */
static int
test_text_range(struct search *search, struct test *test, const struct query_node *node,
		const struct doclist *few)
{
	CLEANUP(text_range) struct text_range range = { .node = node };
	uint32_t count = dict_count(column_dict(test->column));
	int r;

	test->code_set = calloc((size_t)count / 64 + 1, sizeof(*test->code_set));
	if (!test->code_set)
		return -ENOMEM;
	r = fold_bound(&range, &node->low, &range.low);
	if (r == 0)
		r = fold_bound(&range, &node->high, &range.high);
	if (r < 0)
		return r;
	return few ? try_codes_of(search, test, &range, few)
		   : try_all_codes(search, test, &range, count);
}

static int
make_test(struct search *search, const struct query_node *node, const struct doclist *few,
	  struct test *test)
{
	bool is_text = column_dict(test->column) != NULL;

	if (node->kind == QUERY_EXISTS)
		test_exists(test);
	else if (node->kind == QUERY_RANGE && is_text)
		return test_text_range(search, test, node, few);
	else if (node->kind == QUERY_RANGE)
		test_number_range(test, node);
	else if (is_text)
		test_equal_text(test, node);
	else
		test_equal_number(test, node);
	return 0;
}

/* --- Testing places --- */

static uint32_t
doc_at(const struct doclist_slice *slice, size_t i)
{
	return slice->run ? slice->docs[0] + (uint32_t)i : slice->docs[i];
}

static size_t
pass_numbers(const struct test *test, const struct doclist_slice *slice, uint32_t *passed)
{
	const int64_t *numbers = column_numbers(test->column, slice->segment);
	size_t n = 0;

	for (size_t i = 0; numbers && i < slice->n; i++) {
		uint32_t doc = doc_at(slice, i);
		int64_t number = numbers[doc & PLACE_MASK];

		passed[n] = doc;
		n += number >= test->low && number <= test->high;
	}
	return n;
}

/* Code 0 is in no set and within no limits. */
static size_t
pass_codes(const struct test *test, const struct doclist_slice *slice, uint32_t *passed)
{
	const uint32_t *codes = column_codes(test->column, slice->segment);
	size_t n = 0;

	for (size_t i = 0; codes && i < slice->n; i++) {
		uint32_t doc = doc_at(slice, i);
		uint32_t code = codes[doc & PLACE_MASK];

		passed[n] = doc;
		n += test->code_set ? in_set(test->code_set, code)
				    : code >= test->low && code <= test->high;
	}
	return n;
}

/* Whether one element passes. */
static bool
passes_list(const struct test *test, uint32_t slot)
{
	const uint32_t *codes;
	const int64_t *numbers;
	size_t n;

	if (!column_dict(test->column)) {
		n = column_list_numbers(test->column, slot, &numbers);
		while (n > 0 && !(numbers[n - 1] >= test->low && numbers[n - 1] <= test->high))
			n--;
		return n > 0;
	}
	n = column_list_codes(test->column, slot, &codes);
	while (n > 0 && !(test->code_set ? in_set(test->code_set, codes[n - 1])
					 : codes[n - 1] >= test->low && codes[n - 1] <= test->high))
		n--;
	return n > 0;
}

static size_t
pass_lists(const struct test *test, const struct doclist_slice *slice, uint32_t *passed)
{
	const uint32_t *slots = column_slots(test->column, slice->segment);
	size_t n = 0;

	for (size_t i = 0; slots && i < slice->n; i++) {
		uint32_t doc = doc_at(slice, i);
		uint32_t slot = slots[doc & PLACE_MASK];

		passed[n] = doc;
		n += slot && passes_list(test, slot);
	}
	return n;
}

/* PASSED has room for a segment. */
static void
scan_slice(const struct test *test, const struct doclist_slice *slice, uint32_t *passed,
	   roaring_bitmap_t *hits)
{
	size_t n = column_property(test->column)->multi ? pass_lists(test, slice, passed)
		   : column_dict(test->column)		? pass_codes(test, slice, passed)
							: pass_numbers(test, slice, passed);

	roaring_bitmap_add_many(hits, n, passed);
}

static int
scan_few(struct search *search, const struct test *test, const struct doclist *docs,
	 uint32_t *passed, roaring_bitmap_t *hits)
{
	for (size_t i = 0; i < docs->n_slices; i++) {
		int r = budget_check(search->budget);

		if (r < 0)
			return r;
		scan_slice(test, &docs->slices[i], passed, hits);
	}
	return 0;
}

/* Every document there is, then those that are candidates. */
static int
scan_all(struct search *search, const struct test *test, const roaring_bitmap_t *within,
	 uint32_t *passed, roaring_bitmap_t *hits)
{
	uint32_t max_doc = search->view->max_doc;

	for (uint32_t segment = 0; segment <= max_doc >> COLUMN_SEGMENT_SHIFT; segment++) {
		uint32_t first = segment << COLUMN_SEGMENT_SHIFT;
		struct doclist_slice slice = {
			.segment = segment,
			.run = true,
			.docs = &first,
			.n = MIN(max_doc - first, PLACE_MASK) + (size_t)1,
		};
		int r = budget_check(search->budget);

		if (r < 0)
			return r;
		scan_slice(test, &slice, passed, hits);
	}
	roaring_bitmap_and_inplace(hits, within);
	return 0;
}

static int
scan(struct search *search, const struct query_node *node, const struct column *column,
     const roaring_bitmap_t *within, roaring_bitmap_t *hits)
{
	bool are_few = roaring_bitmap_get_cardinality(within) < search->view->max_doc / FEW_PART;
	CLEANUP(free) uint32_t *passed = malloc((COLUMN_SEGMENT_DOCS + 1) * sizeof(*passed));
	CLEANUP(doclist) struct doclist few = { 0 };
	CLEANUP(test) struct test test = { .column = column };
	int r;

	if (!passed)
		return -ENOMEM;
	if (are_few) {
		r = doclist_init(&few, within);
		if (r < 0)
			return r;
	}
	r = make_test(search, node, are_few ? &few : NULL, &test);
	if (r < 0 || test.nothing)
		return r;
	return are_few ? scan_few(search, &test, &few, passed, hits)
		       : scan_all(search, &test, within, passed, hits);
}

int
search_column(struct search *search, const struct query_node *node, const roaring_bitmap_t *within,
	      roaring_bitmap_t **ret_hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *hits = roaring_bitmap_create();
	const struct column *column = view_column(search->view, node->property);
	int r;

	if (!hits)
		return -ENOMEM;
	/* A property that the view does not know yet: no document has it. */
	r = column ? scan(search, node, column, within, hits) : 0;
	if (r < 0)
		return r;
	*ret_hits = STEAL(hits);
	return 0;
}
