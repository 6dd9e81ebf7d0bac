#include "index/ingest/pathname.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uninorm.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/percent.h"
#include "base/utf8.h"

static bool
is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

static bool
add_normalized(struct pxs_buf *buf, const char *text, size_t len)
{
	CLEANUP(free) uint8_t *nfc = NULL;
	size_t nfc_len = 0;
	bool same;

	nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)text, len, NULL, &nfc_len);
	if (!nfc) {
		buf->error = -ENOMEM;
		return false;
	}

	same = nfc_len == len && !memcmp(nfc, text, len);
	pxs_buf_add(buf, nfc, nfc_len);
	return same;
}

static bool
is_percent(unsigned char c)
{
	return c == '%';
}

static bool
always(unsigned char c)
{
	(void)c;
	return true;
}

/* NAME is not UTF-8. */
static void
add_repaired(struct pxs_buf *buf, const char *name, size_t len)
{
	CLEANUP(pxs_buf) struct pxs_buf repaired = PXS_BUF_INIT;

	while (len > 0) {
		size_t valid = pxs_utf8_valid_prefix(name, len);

		pxs_percent_encode(&repaired, name, valid, is_percent);
		if (valid < len)
			pxs_percent_encode(&repaired, name + valid++, 1, always);
		name += valid;
		len -= valid;
	}

	if (repaired.error)
		buf->error = repaired.error;
	else
		(void)add_normalized(buf, pxs_buf_text(&repaired), repaired.len);
}

static bool
add_name(struct pxs_buf *buf, const char *name, size_t len)
{
	if (pxs_utf8_valid(name, len))
		return add_normalized(buf, name, len);
	add_repaired(buf, name, len);
	return false;
}

bool
pathname_add_text(struct pxs_buf *buf, const char *path, size_t len)
{
	bool same = true;

	if (is_ascii(path, len)) {
		pxs_buf_add(buf, path, len);
		return true;
	}

	for (;;) {
		const char *slash = memchr(path, '/', len);
		size_t name_len = slash ? (size_t)(slash - path) : len;

		same = add_name(buf, path, name_len) && same;
		if (!slash)
			return same;
		pxs_buf_add_char(buf, '/');
		path += name_len + 1;
		len -= name_len + 1;
	}
}

static bool
escaped_in_exact(unsigned char c)
{
	return c < ' ' || c > '~' || c == '%';
}

void
pathname_add_exact(struct pxs_buf *buf, const char *path, size_t len)
{
	pxs_percent_encode(buf, path, len, escaped_in_exact);
}

bool
pathname_within(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (len == 1)
		return true;
	return !strncmp(path, folder, len) && (path[len] == '\0' || path[len] == '/');
}
