#include "base/percent.h"

#include "base/buf.h"

int
pxs_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void
pxs_percent_encode(struct pxs_buf *buf, const char *text, size_t len,
		   bool (*escaped)(unsigned char c))
{
	static const char HEX[] = "0123456789ABCDEF";
	unsigned char c;

	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (escaped(c))
			pxs_buf_add(buf, (char[]){ '%', HEX[c >> 4], HEX[c & 15] }, 3);
		else
			pxs_buf_add_char(buf, text[i]);
	}
}

void
pxs_percent_decode(struct pxs_buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && len - i > 2 && pxs_hex_digit(text[i + 1]) >= 0 &&
		    pxs_hex_digit(text[i + 2]) >= 0) {
			pxs_buf_add_char(buf, (char)(pxs_hex_digit(text[i + 1]) << 4 |
						     pxs_hex_digit(text[i + 2])));
			i += 2;
		} else {
			pxs_buf_add_char(buf, text[i]);
		}
	}
}
