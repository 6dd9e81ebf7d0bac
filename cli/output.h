/* output.h - standard output: data, for people on a terminal and for programs elsewhere. */
#ifndef PXS_CLI_OUTPUT_H
#define PXS_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct pxs_buf;
struct pxs_error;

/* Write what is in BUF, and forget it there. -EPIPE: the reader left; -errno with ERR. */
int output_write(struct pxs_buf *buf, struct pxs_error *err);

bool output_is_terminal(void);

/* Adds TEXT, with control characters as \xNN if ESCAPE: a terminal would obey them. */
void output_add_text(struct pxs_buf *buf, const char *text, size_t len, bool escape);

/* Adds TEXT, bold if BOLD. */
void output_add_heading(struct pxs_buf *buf, const char *text, bool bold);

/* Columns that TEXT takes, where each character takes one. */
size_t output_width(const char *text);
/* Adds TEXT and spaces up to WIDTH columns. */
void output_add_padded(struct pxs_buf *buf, const char *text, size_t width);

#endif
