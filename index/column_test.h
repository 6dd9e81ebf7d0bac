/* column_test.h - which documents have a value within limits, or out of a set: read as it is kept.
 */
#ifndef PXS_INDEX_COLUMN_TEST_H
#define PXS_INDEX_COLUMN_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct column;
struct doclist_slice;

struct column_test {
	const struct column *column;
	uint64_t *code_set; /* a bit for each code, or NULL: limits count */
	int64_t low, high;  /* closed; of numbers, or of codes; no value at all is never within */
};

static inline bool
column_test_has(const struct column_test *test, uint32_t code)
{
	return test->code_set[code / 64] >> (code % 64) & 1;
}

/* Those of DOCS that pass, ascending, into PASSED, which has room for one more than DOCS are: their
 * number. */
size_t column_test_some(const struct column_test *test, const struct doclist_slice *docs,
			uint32_t *passed);

/* The same of the first N places of SEGMENT: a bit for each of its places (COLUMN_SEGMENT_DOCS). */
void column_test_segment(const struct column_test *test, uint32_t segment, uint32_t n,
			 uint64_t *bits);

#endif
