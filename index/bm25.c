#include "index/bm25.h"

#include <math.h>

#include "base/macros.h"

/* Lengths below this are their own code; the other codes are floats of three bits and an exponent.
 */
#define EXACT 24u

static uint32_t
float_of(uint32_t n)
{
	uint32_t shift;

	if (n < 8)
		return n;
	shift = 31 - (uint32_t)__builtin_clz(n) - 3;
	return (n >> shift & 7) | (shift + 1) << 3;
}

uint8_t
bm25_length_code(uint32_t words)
{
	words = MIN(words, (uint32_t)INT32_MAX);
	return (uint8_t)(words < EXACT ? words : EXACT + float_of(words - EXACT));
}

uint32_t
bm25_length(uint8_t code)
{
	uint32_t n = code - EXACT;

	if (code < EXACT)
		return code;
	return EXACT + (n < 8 ? n : ((n & 7) | 8) << ((n >> 3) - 1));
}

double
bm25_idf(uint64_t documents, uint64_t all)
{
	double with = (double)documents, n = (double)MAX(documents, all);

	return log(1 + (n - with + 0.5) / (with + 0.5));
}

double
bm25_score(double idf, double times, double length, double average)
{
	double norm = BM25_K1 * (1 - BM25_B + BM25_B * length / MAX(average, 1e-9));

	return idf * times / (times + norm);
}
