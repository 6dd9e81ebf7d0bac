/* Everything is compared as unsigned numbers: what a column holds, of strings twice their rank, so
 * that a string that no document has fits between two ranks. Descending keys are turned over. */
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/column_test.h"
#include "index/doclist.h"
#include "index/ranks.h"
#include "index/relevance.h"
#include "index/sort.h"
#include "index/view.h"

/* Codes that are read together. */
#define BLOCK 1024

/* Beyond so many, looking up ranks takes as long as all the rest. */
#define RANKS_MAX 65536

/* COLUMN_MISSING is the one number that no value has; without it there is room for SORT_MISSING. */
static inline uint64_t
key_of(int64_t number, bool descending)
{
	uint64_t ordered = (uint64_t)number ^ ((uint64_t)1 << 63);

	return descending ? ~ordered : ordered - 1;
}

static inline int64_t
number_of_key(uint64_t key, bool descending)
{
	return (int64_t)((descending ? ~key : key + 1) ^ ((uint64_t)1 << 63));
}

static inline int64_t
number_of_rank(int64_t rank)
{
	return 2 * rank;
}

/* --- One segment --- */

/* What is read as numbers becomes keys where it stands: both have 64 bits. */
static void
keys_of_numbers(const struct sort_key *key, const struct column_slice *slice,
		const struct doclist_slice *docs, uint64_t *keys)
{
	bool descending = key->descending;

	column_slice_numbers(slice, docs, 0, docs->n, (int64_t *)keys);
	for (size_t i = 0; i < docs->n; i++)
		keys[i] = (int64_t)keys[i] == COLUMN_MISSING ? SORT_MISSING
							     : key_of((int64_t)keys[i], descending);
}

static void
keys_of_codes(const struct sort_key *key, const struct column_slice *slice,
	      const struct doclist_slice *docs, uint64_t *keys)
{
	const struct ranks *ranks = key->ranks;
	bool descending = key->descending;
	uint32_t codes[BLOCK];

	for (size_t from = 0, n; from < docs->n; from += n) {
		n = MIN(docs->n - from, (size_t)BLOCK);
		column_slice_codes(slice, docs, from, n, codes);
		for (size_t i = 0; i < n; i++) {
			int64_t rank = ranks_of(ranks, codes[i]);

			keys[from + i] = rank ? key_of(number_of_rank(rank), descending)
					      : SORT_MISSING;
		}
	}
}

/* Numbers of a list ascend, codes do not. */
static uint64_t
key_of_list(const struct sort_key *key, const struct column_slice *slice, uint32_t place)
{
	uint64_t best = SORT_MISSING;
	const void *values;
	size_t n = column_slice_list(slice, place, &values);

	if (n == 0)
		return SORT_MISSING;
	if (!key->ranks)
		return key_of(column_list_number_at(slice, values, key->descending ? n - 1 : 0),
			      key->descending);
	while (n-- > 0) {
		int64_t rank = ranks_of(key->ranks, column_list_code_at(slice, values, n));
		uint64_t one = key_of(number_of_rank(rank), key->descending);

		best = one < best ? one : best;
	}
	return best;
}

static inline uint64_t
key_of_score(const struct sort_key *key, float value)
{
	struct query_value score = { .type = QUERY_TYPE_DOUBLE, .real = (double)value };

	return key_of(column_number(&score), key->descending);
}

/* A listing may go on from a document that is no hit any more; it has no score, either. */
static void
keys_of_listed_scores(const struct sort_key *key, const struct score_segment *scores,
		      const struct doclist_slice *docs, uint64_t *keys)
{
	const struct column_slice listed = { .places = scores->places, .n = scores->n };
	uint32_t at = 0;

	for (size_t i = 0; i < docs->n; i++) {
		uint32_t place = docs->docs[i] & COLUMN_PLACE_MASK;
		bool found = column_slice_find(&listed, place, &at);

		keys[i] = key_of_score(key, found ? scores->values[at++] : 0);
	}
}

static void
keys_of_scores(const struct sort_key *key, const struct doclist_slice *docs, uint64_t *keys)
{
	static const struct score_segment NO_HITS;
	const struct score_segment *scores = docs->segment < key->scores->n_segments
						     ? &key->scores->segments[docs->segment]
						     : &NO_HITS;

	if (scores->n < COLUMN_SEGMENT_DOCS) {
		keys_of_listed_scores(key, scores, docs, keys);
		return;
	}
	for (size_t i = 0; i < docs->n; i++)
		keys[i] = key_of_score(key, scores->values[docs->docs[i] & COLUMN_PLACE_MASK]);
}

static void
segment_keys(const struct sort_key *key, const struct doclist_slice *docs, uint64_t *keys)
{
	struct column_slice slice;

	if (!key->column) {
		keys_of_scores(key, docs, keys);
		return;
	}
	column_slice(key->column, docs->segment, &slice);
	if (column_property(key->column)->multi)
		for (size_t i = 0; i < docs->n; i++)
			keys[i] = key_of_list(key, &slice, docs->docs[i] & COLUMN_PLACE_MASK);
	else if (key->ranks)
		keys_of_codes(key, &slice, docs, keys);
	else
		keys_of_numbers(key, &slice, docs, keys);
}

/* --- All --- */

/* As many of DOCS as are in the segment of the first. */
static struct doclist_slice
same_segment(const uint32_t *docs, size_t n)
{
	struct doclist_slice slice = { .segment = docs[0] >> COLUMN_SEGMENT_SHIFT, .docs = docs };

	if (docs[n - 1] >> COLUMN_SEGMENT_SHIFT == slice.segment)
		slice.n = n;
	while (slice.n < n && docs[slice.n] >> COLUMN_SEGMENT_SHIFT == slice.segment)
		slice.n++;
	slice.run = docs[slice.n - 1] - docs[0] == slice.n - 1;
	return slice;
}

static void
ties(const struct sorter *sorter, const uint32_t *docs, size_t n, uint64_t *keys)
{
	for (size_t i = 0; i < n; i++)
		keys[i] = sorter->n ? (uint64_t)index_doc_id(sorter->view, docs[i])
				    : index_doc_row(sorter->view, docs[i]);
}

void
sorter_level(const struct sorter *sorter, size_t level, const uint32_t *docs, size_t n,
	     uint64_t *keys)
{
	struct doclist_slice slice;

	if (level == sorter->n) {
		ties(sorter, docs, n, keys);
		return;
	}
	for (; n > 0; docs += slice.n, keys += slice.n, n -= slice.n) {
		slice = same_segment(docs, n);
		segment_keys(&sorter->keys[level], &slice, keys);
	}
}

/* The closed limits of what a column has, or of twice the ranks, from those of keys. */
static void
numbers_of(const struct sort_key *key, uint64_t low, uint64_t top, int64_t *ret_low,
	   int64_t *ret_high)
{
	int64_t first = number_of_key(low, key->descending);
	int64_t last = number_of_key(top, key->descending);

	*ret_low = MIN(first, last);
	*ret_high = MAX(first, last);
}

/* Ranks are looked up where they are few: a table that fits the cache. */
static void
segment_ranks(const struct sort_key *key, int64_t low, int64_t high, uint32_t segment, uint32_t n,
	      uint64_t *bits)
{
	uint32_t first = segment << COLUMN_SEGMENT_SHIFT, codes[BLOCK];
	struct doclist_slice all = { .segment = segment, .run = true, .docs = &first, .n = n };
	const struct ranks *ranks = key->ranks;
	struct column_slice slice;

	memset(bits, 0, COLUMN_SEGMENT_DOCS / 8);
	column_slice(key->column, segment, &slice);
	if (slice.form == COLUMN_ABSENT)
		return;
	for (uint32_t from = 0, some; from < n; from += some) {
		some = MIN(n - from, (uint32_t)BLOCK);
		column_slice_codes(&slice, &all, from, some, codes);
		for (uint32_t i = 0; i < some; i++) {
			int64_t rank = codes[i] <= ranks->n ? ranks_of(ranks, codes[i]) : 0;
			int64_t number = number_of_rank(rank);

			bits[(from + i) / 64] |=
				(uint64_t)(rank > 0 && number >= low && number <= high)
				<< (from + i) % 64;
		}
	}
}

bool
sorter_segment(const struct sorter *sorter, uint64_t low, uint64_t top, uint32_t segment,
	       uint32_t n, uint64_t *bits)
{
	const struct sort_key *key = &sorter->keys[0];
	struct column_test test = { .column = key->column };

	if (sorter->n == 0 || !key->column || column_property(key->column)->multi ||
	    (key->ranks && key->ranks->n > RANKS_MAX))
		return false;
	numbers_of(key, low, top, &test.low, &test.high);
	if (key->ranks)
		segment_ranks(key, test.low, test.high, segment, n, bits);
	else
		column_test_segment(&test, segment, n, bits);
	return true;
}

void
sorter_place(const struct sorter *sorter, uint32_t doc, struct sort_place *ret_place)
{
	for (size_t level = 0; level <= sorter->n; level++)
		sorter_level(sorter, level, &doc, 1, &ret_place->levels[level]);
}

uint64_t
sorter_value_key(const struct sorter *sorter, size_t level, const struct query_value *value)
{
	const struct sort_key *key = &sorter->keys[level];
	const struct dict *dict = sort_key_dict(key);
	int64_t less, equal;

	if (!value)
		return SORT_MISSING;
	if (!dict)
		return key_of(column_number(value), key->descending);
	less = ranks_less(key->ranks, dict, value->string);
	equal = ranks_limit(key->ranks, dict, value->string, true);
	return key_of(equal > less ? number_of_rank(equal) : number_of_rank(less) + 1,
		      key->descending);
}

bool
sorter_value(const struct sorter *sorter, size_t level, uint32_t doc, struct query_value *ret_value)
{
	const struct sort_key *key = &sorter->keys[level];
	uint64_t found;
	int64_t number;

	sorter_level(sorter, level, &doc, 1, &found);
	if (found == SORT_MISSING)
		return false;
	number = number_of_key(found, key->descending);
	if (!key->ranks) {
		column_number_value(sort_key_property(key), number, ret_value);
		return true;
	}
	ret_value->type = QUERY_TYPE_STRING;
	ret_value->string = dict_text(column_dict(key->column), ranks_code(key->ranks, number / 2));
	return true;
}
