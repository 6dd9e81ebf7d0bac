/* message.h - what people are told: on standard error, as sentences that begin with who speaks. */
#ifndef PXS_CLI_MESSAGE_H
#define PXS_CLI_MESSAGE_H

struct pxs_buf;
struct pxs_error;

/* "pxs find: ..." and a newline; control characters as '?'. SPEAKER is argv[0]. */
__attribute__((format(printf, 2, 3))) void message(const char *speaker, const char *fmt, ...);

/* Say why R (negative errno) came; nothing for a reader who left or an interrupt. The exit code. */
int message_failure(const char *speaker, int r, const struct pxs_error *err);

/* The exit code for R (negative errno). */
int message_exit_code(int r);

/* Adds two lines to BUF: TEXT, and a caret under its byte AT (which may be its end). */
void message_point(const char *text, long at, struct pxs_buf *buf);

#endif
