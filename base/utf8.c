#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Unicode 15, table 3-7: the second byte's range depends on the first. */
static bool
second_is_allowed(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

size_t
pxs_utf8_char(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t size;

	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	size = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	if (len < size || !is_continuation(c[1]) || !second_is_allowed(c[0], c[1]))
		return 0;
	for (size_t i = 2; i < size; i++)
		if (!is_continuation(c[i]))
			return 0;
	return size;
}

/* Eight ASCII bytes at a time: most text is. */
static size_t
skip_ascii(const char *text, size_t len)
{
	size_t at = 0;
	uint64_t word;

	while (len - at >= sizeof(word)) {
		memcpy(&word, text + at, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
		at += sizeof(word);
	}
	return at;
}

size_t
pxs_utf8_valid_prefix(const char *text, size_t len)
{
	size_t at = skip_ascii(text, len);
	size_t size;

	while (at < len) {
		size = pxs_utf8_char(text + at, len - at);
		if (!size)
			break;
		at += size;
	}
	return at;
}
