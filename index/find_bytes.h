/* find_bytes.h - a few bytes in many. */
#ifndef PXS_INDEX_FIND_BYTES_H
#define PXS_INDEX_FIND_BYTES_H

#include <stddef.h>

/* As memmem(), but several times as fast where NEEDLE (N > 0 bytes) is rare. */
const char *find_bytes(const char *hay, size_t len, const char *needle, size_t n);

#endif
