#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
pxs_buf_done(struct pxs_buf *buf)
{
	free(buf->data);
	*buf = (struct pxs_buf)PXS_BUF_INIT;
}

char *
pxs_buf_reserve(struct pxs_buf *buf, size_t extra)
{
	size_t need = buf->len + extra + 1;
	size_t cap = buf->cap ? buf->cap : 64;
	char *data;

	if (buf->error)
		return NULL;
	if (need <= buf->cap)
		return buf->data + buf->len;
	if (extra > SIZE_MAX / 4 - buf->len) {
		buf->error = -ENOMEM;
		return NULL;
	}

	while (cap < need)
		cap += cap / 2 + 32;
	data = realloc(buf->data, cap);
	if (!data) {
		buf->error = -ENOMEM;
		return NULL;
	}
	buf->data = data;
	buf->cap = cap;
	return data + buf->len;
}

void
pxs_buf_add(struct pxs_buf *buf, const void *bytes, size_t len)
{
	char *end = pxs_buf_reserve(buf, len);

	if (!end)
		return;
	if (len)
		memcpy(end, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
pxs_buf_add_str(struct pxs_buf *buf, const char *text)
{
	pxs_buf_add(buf, text, strlen(text));
}

void
pxs_buf_add_char(struct pxs_buf *buf, char c)
{
	pxs_buf_add(buf, &c, 1);
}

void
pxs_buf_addf(struct pxs_buf *buf, const char *fmt, ...)
{
	va_list args;
	va_list again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len >= 0 && pxs_buf_reserve(buf, (size_t)len)) {
		(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void
pxs_buf_clear(struct pxs_buf *buf)
{
	buf->len = 0;
	buf->error = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

const char *
pxs_buf_text(const struct pxs_buf *buf)
{
	return buf->data ? buf->data : "";
}

char *
pxs_buf_steal(struct pxs_buf *buf)
{
	char *text;

	pxs_buf_add(buf, "", 0);
	if (buf->error) {
		pxs_buf_done(buf);
		return NULL;
	}
	text = STEAL(buf->data);
	*buf = (struct pxs_buf)PXS_BUF_INIT;
	return text;
}
