/* utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing past U+10FFFF. */
#ifndef PXS_UTF8_H
#define PXS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the valid character at TEXT (LEN > 0 bytes left): 1 to 4, or 0 if it is not one. */
size_t pxs_utf8_char(const char *text, size_t len);

/* Offset of the first byte that is no part of valid UTF-8, LEN if there is none. */
size_t pxs_utf8_valid_prefix(const char *text, size_t len);

static inline bool
pxs_utf8_valid(const char *text, size_t len)
{
	return pxs_utf8_valid_prefix(text, len) == len;
}

#endif
