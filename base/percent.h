/* percent.h - %XX escapes, as in names of the mount and in URIs (RFC 3986 section 2.1). */
#ifndef PXS_PERCENT_H
#define PXS_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

struct pxs_buf;

/* Adds TEXT to BUF with each byte for which ESCAPED says true written as %XX (capitals). */
void pxs_percent_encode(struct pxs_buf *buf, const char *text, size_t len,
			bool (*escaped)(unsigned char c));

/* Adds TEXT to BUF with every %XX replaced by its byte; a '%' that starts none stays itself. */
void pxs_percent_decode(struct pxs_buf *buf, const char *text, size_t len);

/* 0 to 15, or -1 if C is no hexadecimal digit. */
int pxs_hex_digit(char c);

#endif
