/* varint.h - numbers in as many bytes as they need, 1 to 10: seven bits a byte, the lowest first,
 * the eighth says that more follow. */
#ifndef PXS_VARINT_H
#define PXS_VARINT_H

#include <errno.h>
#include <stdint.h>

#include "base/buf.h"

#define PXS_VARINT_MAX 10 /* bytes of one */

static inline void
pxs_varint_add(struct pxs_buf *buf, uint64_t number)
{
	unsigned char bytes[PXS_VARINT_MAX];
	size_t n = 0;

	while (number >= 0x80) {
		bytes[n++] = (unsigned char)(number | 0x80);
		number >>= 7;
	}
	bytes[n++] = (unsigned char)number;
	pxs_buf_add(buf, bytes, n);
}

/* The number at *AT, which moves behind it. -EBADMSG: none before END. */
static inline int
pxs_varint_read(const unsigned char **at, const unsigned char *end, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64 && *at < end; shift += 7) {
		number |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80)) {
			*ret_number = number;
			return 0;
		}
	}
	return -EBADMSG;
}

#endif
