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
#include "index/column_test.h"
#include "index/derived.h"
#include "index/doclist.h"
#include "index/exact.h"
#include "index/search.h"
#include "index/segment_bits.h"
#include "index/view.h"
#include "query/query.h"

/* Candidates are looked up one by one while they are fewer than this part of the documents. */
#define FEW_PART 16

/* Texts are compared in bunches of this many between two looks at the budget. */
#define TEXTS_AT_ONCE 4096

/* Codes are tried in chunks of this many where they are those of candidates. */
#define CODES_AT_ONCE 1024

struct test {
	struct column_test column_test;
	bool nothing; /* no place passes */
};

static void
test_cleanup(struct test *test)
{
	free(test->column_test.code_set);
}

/* --- Making the test --- */

static void
test_equal_text(struct test *test, const struct query_node *node)
{
	const char *text = node->value.string;

	test->column_test.low = test->column_test.high = dict_find(
		column_dict(test->column_test.column), text, strlen(text));
	test->nothing = test->column_test.low == 0;
}

/* No document has the number that stands for a missing one. */
static void
test_equal_number(struct test *test, const struct query_node *node)
{
	test->column_test.low = test->column_test.high = column_number(&node->value);
	test->nothing = test->column_test.low == COLUMN_MISSING;
}

static void
test_exists(struct test *test)
{
	test->column_test.low = column_dict(test->column_test.column) ? 1 : COLUMN_MISSING + 1;
	test->column_test.high = INT64_MAX;
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
	test->column_test.low = low + (node->low.set && !node->low.inclusive);
	test->column_test.high = high - (node->high.set && !node->high.inclusive);
	test->nothing = test->column_test.low > test->column_test.high;
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
		return query_fold(text, strlen(text), folded);
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
	const char *text = dict_text(column_dict(test->column_test.column), code);
	int r;

	if (range->node->folded) {
		pxs_buf_clear(&range->text);
		r = query_fold(text, strlen(text), &range->text);
		if (r < 0)
			return r;
		text = pxs_buf_text(&range->text);
	}
	if (is_between(range, text))
		test->column_test.code_set[code / 64] |= UINT64_C(1) << (code % 64);
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

static int
try_codes_of_list(struct test *test, struct text_range *range, const struct column_slice *slice,
		  uint32_t place)
{
	const void *values;
	size_t n = column_slice_list(slice, place, &values);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = try_code(test, range, column_list_code_at(slice, values, i));
	return r;
}

static int
try_codes_of_slice(struct test *test, struct text_range *range, const struct doclist_slice *docs)
{
	bool multi = column_property(test->column_test.column)->multi;
	uint32_t codes[CODES_AT_ONCE];
	struct column_slice slice;
	int r = 0;

	column_slice(test->column_test.column, docs->segment, &slice);
	if (slice.form == COLUMN_ABSENT)
		return 0;
	for (size_t i = 0; multi && r == 0 && i < docs->n; i++)
		r = try_codes_of_list(test, range, &slice, docs->docs[i] & COLUMN_PLACE_MASK);
	for (size_t from = 0, n; !multi && r == 0 && from < docs->n; from += n) {
		n = MIN(docs->n - from, (size_t)CODES_AT_ONCE);
		column_slice_codes(&slice, docs, from, n, codes);
		for (size_t i = 0; r == 0 && i < n; i++)
			r = codes[i] ? try_code(test, range, codes[i]) : 0;
	}
	return r;
}

/* Only the codes that candidates have. */
static int
try_codes_of(struct search *search, struct test *test, struct text_range *range,
	     const struct doclist *docs)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < docs->n_slices; i++) {
		r = budget_check(search->budget);
		if (r == 0)
			r = try_codes_of_slice(test, range, &docs->slices[i]);
	}
	return r;
}

/* By ranks, if someone has worked them out before: no string is looked at but a few. */
static int
set_ranked_codes(struct search *search, struct test *test, const struct query_node *node,
		 uint32_t count, bool *ret_done)
{
	const struct dict *dict = column_dict(test->column_test.column);
	struct ranks_slot *slot = &column_derived(test->column_test.column)->ranks;
	CLEANUP(ranks) struct ranks *ranks = NULL;
	int64_t first = 0, end = INT64_MAX;
	int r;

	*ret_done = false;
	if (node->folded || !ranks_are_made(slot))
		return 0;
	r = ranks_get(slot, dict, search->budget, &ranks);
	if (r < 0)
		return r;
	if (node->low.set)
		first = ranks_limit(ranks, dict, node->low.value.string, !node->low.inclusive);
	if (node->high.set)
		end = ranks_limit(ranks, dict, node->high.value.string, node->high.inclusive);
	for (uint32_t code = 1; code <= MIN(ranks->n, count); code++)
		if (ranks_of(ranks, code) > first && ranks_of(ranks, code) <= end)
			test->column_test.code_set[code / 64] |= UINT64_C(1) << (code % 64);
	*ret_done = true;
	return 0;
}

/* FEW: the candidates, or NULL where they are many. */
static int
test_text_range(struct search *search, struct test *test, const struct query_node *node,
		const struct doclist *few)
{
	CLEANUP(text_range) struct text_range range = { .node = node };
	uint32_t count = dict_count(column_dict(test->column_test.column));
	bool done;
	int r;

	test->column_test.code_set = calloc((size_t)count / 64 + 1, sizeof(uint64_t));
	if (!test->column_test.code_set)
		return -ENOMEM;
	r = set_ranked_codes(search, test, node, count, &done);
	if (r < 0 || done)
		return r;
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
	bool is_text = column_dict(test->column_test.column) != NULL;

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

static int
scan_few(struct search *search, const struct test *test, const struct doclist *docs,
	 roaring_bitmap_t **ret_hits)
{
	CLEANUP(free) uint32_t *passed = malloc((COLUMN_SEGMENT_DOCS + 1) * sizeof(*passed));
	CLEANUP(bitmap) roaring_bitmap_t *hits = roaring_bitmap_create();
	int r = passed && hits ? 0 : -ENOMEM;

	for (size_t i = 0; i < docs->n_slices && r == 0; i++) {
		size_t n = column_test_some(&test->column_test, &docs->slices[i], passed);

		roaring_bitmap_add_many(hits, n, passed);
		r = budget_check(search->budget);
	}
	if (r == 0)
		*ret_hits = STEAL(hits);
	return r;
}

/* Every document there is, then those that are candidates. */
static int
scan_all(struct search *search, const struct test *test, const roaring_bitmap_t *within,
	 roaring_bitmap_t **ret_hits)
{
	CLEANUP(segment_bits) struct segment_bits hits = { 0 };
	uint32_t max_doc = search->view->max_doc;
	uint64_t bits[SEGMENT_WORDS];
	int r;

	for (uint32_t segment = 0; segment <= max_doc >> COLUMN_SEGMENT_SHIFT; segment++) {
		uint32_t first = segment << COLUMN_SEGMENT_SHIFT;
		uint32_t n = MIN(max_doc - first, COLUMN_PLACE_MASK) + 1;

		if (roaring_bitmap_range_cardinality(within, first, (uint64_t)first + n) == 0)
			continue;
		column_test_segment(&test->column_test, segment, n, bits);
		segment_bits_add(&hits, segment, bits);
		r = budget_check(search->budget);
		if (r < 0)
			return r;
	}
	r = segment_bits_end(&hits, ret_hits);
	if (r == 0)
		roaring_bitmap_and_inplace(*ret_hits, within);
	return r;
}

static int
find_none(roaring_bitmap_t **ret_hits)
{
	*ret_hits = roaring_bitmap_create();
	return *ret_hits ? 0 : -ENOMEM;
}

/* NODE: the condition, or NULL if TEST has its set of codes already. */
static int
scan(struct search *search, const struct query_node *node, struct test *test,
     const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits)
{
	bool are_few = roaring_bitmap_get_cardinality(within) < search->view->max_doc / FEW_PART;
	CLEANUP(doclist) struct doclist few = { 0 };
	int r = are_few ? doclist_init(&few, within) : 0;

	if (r == 0 && node)
		r = make_test(search, node, are_few ? &few : NULL, test);
	if (r < 0)
		return r;
	if (test->nothing)
		return find_none(ret_hits);
	return are_few ? scan_few(search, test, &few, ret_hits)
		       : scan_all(search, test, within, ret_hits);
}

int
search_code_set(struct search *search, const struct column *column, uint64_t *set,
		const roaring_bitmap_t *within, roaring_bitmap_t *hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *found = NULL;
	CLEANUP(test) struct test test = { .column_test = { .column = column, .code_set = set } };
	int r = scan(search, NULL, &test, within, &found);

	if (r == 0)
		roaring_bitmap_or_inplace(hits, found);
	return r;
}

int
search_column(struct search *search, const struct query_node *node, const roaring_bitmap_t *within,
	      roaring_bitmap_t **ret_hits)
{
	CLEANUP(test)
	struct test test = {
		.column_test.column = view_column(search->view, node->property),
	};
	CLEANUP(bitmap) roaring_bitmap_t *candidates = NULL;

	/* A property that the view does not know yet: no document has it. */
	if (!test.column_test.column)
		return find_none(ret_hits);
	if (search_is_text(node))
		candidates = exact_candidates(search->view, node->property, node->value.string,
					      within, search->budget);
	if (candidates)
		search->from = "words, then columns";
	return scan(search, node, &test, candidates ? candidates : within, ret_hits);
}

bool
search_is_text(const struct query_node *node)
{
	return node->kind == QUERY_EQUALS && node->value.type == QUERY_TYPE_STRING;
}

/* Put the codes that DICT has for the texts into SET, which has room for COUNT; how many. Higher
 * ones came into being meanwhile: no document of the view has them. */
static size_t
set_codes(const struct dict *dict, uint32_t count, const struct query_node *first,
	  const struct query_node *end, uint64_t *set)
{
	size_t n = 0;

	for (const struct query_node *node = first; node != end; node = node->next) {
		const char *text = node->value.string;
		uint32_t code = dict_find(dict, text, strlen(text));

		if (code && code <= count) {
			set[code / 64] |= UINT64_C(1) << (code % 64);
			n++;
		}
	}
	return n;
}

int
search_texts(struct search *search, const struct query_node *first, const struct query_node *end,
	     const roaring_bitmap_t *within, roaring_bitmap_t **ret_hits)
{
	CLEANUP(test)
	struct test test = {
		.column_test.column = view_column(search->view, first->property),
	};
	const struct dict *dict;
	uint32_t count;
	int r = budget_check(search->budget);

	if (r < 0)
		return r;
	if (!test.column_test.column)
		return find_none(ret_hits);
	dict = column_dict(test.column_test.column);
	count = dict_count(dict);
	test.column_test.code_set = calloc((size_t)count / 64 + 1, sizeof(uint64_t));
	if (!test.column_test.code_set)
		return -ENOMEM;
	test.nothing = set_codes(dict, count, first, end, test.column_test.code_set) == 0;
	return scan(search, NULL, &test, within, ret_hits);
}
