#include "cli/output.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/interrupt.h"

int
output_write(struct pxs_buf *buf, struct pxs_error *err)
{
	size_t done = 0;

	if (buf->error)
		return buf->error;
	while (done < buf->len) {
		ssize_t n = write(STDOUT_FILENO, buf->data + done, buf->len - done);

		if (n < 0 && errno == EINTR && !interrupt_came())
			continue;
		if (n < 0)
			return pxs_error_set(err, -errno, -1,
					     "cannot write to standard output: %m");
		done += (size_t)n;
	}
	pxs_buf_clear(buf);
	return 0;
}

bool
output_is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

void
output_add_text(struct pxs_buf *buf, const char *text, size_t len, bool escape)
{
	if (!escape) {
		pxs_buf_add(buf, text, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			pxs_buf_addf(buf, "\\x%02x", (unsigned char)text[i]);
		else
			pxs_buf_add_char(buf, text[i]);
}

void
output_add_heading(struct pxs_buf *buf, const char *text, bool bold)
{
	pxs_buf_addf(buf, bold ? "\033[1m%s\033[0m" : "%s", text);
}

size_t
output_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void
output_add_padded(struct pxs_buf *buf, const char *text, size_t width)
{
	pxs_buf_add_str(buf, text);
	for (size_t have = output_width(text); have < width; have++)
		pxs_buf_add_char(buf, ' ');
}
