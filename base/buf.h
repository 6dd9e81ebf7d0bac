/* buf.h - bytes that grow: for text that is built piece by piece. */
#ifndef PXS_BUF_H
#define PXS_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Always NUL-terminated once something was added, the NUL not counted in len. The first failed
 * allocation sets error and every later addition does nothing, so callers check once, at the end.
 */
struct pxs_buf {
	char *data; /* NULL while empty */
	size_t len;
	size_t cap;
	int error; /* 0 or -ENOMEM */
};

#define PXS_BUF_INIT                                                                               \
	{                                                                                          \
		NULL, 0, 0, 0                                                                      \
	}

void pxs_buf_done(struct pxs_buf *buf);
static inline void
pxs_buf_cleanup(struct pxs_buf *buf)
{
	pxs_buf_done(buf);
}

/* Make room for EXTRA more bytes: a pointer to them, or NULL (error is set). len is not changed. */
char *pxs_buf_reserve(struct pxs_buf *buf, size_t extra);
void pxs_buf_add(struct pxs_buf *buf, const void *bytes, size_t len);
void pxs_buf_add_str(struct pxs_buf *buf, const char *text);
void pxs_buf_add_char(struct pxs_buf *buf, char c);
__attribute__((format(printf, 2, 3))) void pxs_buf_addf(struct pxs_buf *buf, const char *fmt, ...);

/* Forget the content (and the error), keep the memory. */
void pxs_buf_clear(struct pxs_buf *buf);

/* The text, never NULL; lent until the next change. "" while empty. */
const char *pxs_buf_text(const struct pxs_buf *buf);

/* The text, the caller's to free, "" rather than NULL; NULL if an allocation failed. BUF is empty.
 */
char *pxs_buf_steal(struct pxs_buf *buf);

#endif
