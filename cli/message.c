#include "cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/cli.h"

/* What is not here is CLI_NOTHING. */
static const struct {
	int error;
	enum cli_exit code;
} CODES[] = {
	{ EINVAL, CLI_USAGE },
	{ EMSGSIZE, CLI_USAGE },
	{ ENAMETOOLONG, CLI_USAGE },
	{ EBADMSG, CLI_DAMAGED },
	{ ENOMEDIUM, CLI_NO_INDEX }, /* client.c: no daemon and no index */
	{ EBUSY, CLI_BUSY },
	{ EADDRINUSE, CLI_BUSY },
	{ EACCES, CLI_AUTH },
	{ EPERM, CLI_AUTH },
	{ ECONNREFUSED, CLI_UNREACHABLE },
	{ ECONNRESET, CLI_UNREACHABLE },
	{ EINTR, CLI_INTERRUPTED },
	{ EPIPE, CLI_PIPE_CLOSED },
};

void
message(const char *speaker, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	(void)fprintf(stderr, "%s: %s\n", speaker, text);
}

int
message_exit_code(int r)
{
	for (size_t i = 0; i < ARRAY_SIZE(CODES); i++)
		if (CODES[i].error == -r)
			return CODES[i].code;
	return CLI_NOTHING;
}

int
message_failure(const char *speaker, int r, const struct pxs_error *err)
{
	if (r != -EPIPE && r != -EINTR)
		message(speaker, "%s", pxs_error_text(err, r));
	return message_exit_code(r);
}

/* One column for each character: no combining marks, no wide ones. */
static bool
begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

void
message_point(const char *text, long at, struct pxs_buf *buf)
{
	pxs_buf_add_str(buf, "  ");
	for (const char *c = text; *c; c++) {
		bool is_control = (unsigned char)*c < ' ' || *c == 0x7f;

		pxs_buf_add(buf, is_control ? " " : c, 1);
	}
	pxs_buf_add_str(buf, "\n  ");
	for (long i = 0; i < at && text[i]; i++)
		if (begins_character(text[i]))
			pxs_buf_add_char(buf, ' ');
	pxs_buf_add_str(buf, "^\n");
}
