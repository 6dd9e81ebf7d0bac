/* Sixteen places at a time are asked whether the needle's first and last byte stand there; only
 * where both do is the rest compared. In vectors of the compiler, for any machine that has some. */
#include "index/find_bytes.h"

#include <stdint.h>
#include <string.h>

#define WIDTH 16

typedef unsigned char lane16 __attribute__((vector_size(WIDTH)));
typedef uint64_t lane2 __attribute__((vector_size(WIDTH)));

static lane16
load(const char *at)
{
	lane16 bytes;

	memcpy(&bytes, at, sizeof(bytes));
	return bytes;
}

static const char *
find_slowly(const char *hay, size_t len, const char *needle, size_t n)
{
	return len < n ? NULL : memmem(hay, len, needle, n);
}

const char *
find_bytes(const char *hay, size_t len, const char *needle, size_t n)
{
	lane16 first = (lane16){ 0 } + (unsigned char)needle[0];
	lane16 last = (lane16){ 0 } + (unsigned char)needle[n - 1];
	size_t at = 0;

	for (; len - at >= WIDTH + n && at < len; at += WIDTH) {
		lane16 both = (lane16)((load(hay + at) == first) &
				       (load(hay + at + n - 1) == last));
		lane2 any = (lane2)both;

		if (!(any[0] | any[1]))
			continue;
		for (size_t i = 0; i < WIDTH; i++)
			if (both[i] && memcmp(hay + at + i, needle, n) == 0)
				return hay + at + i;
	}
	return find_slowly(hay + at, len - at, needle, n);
}
