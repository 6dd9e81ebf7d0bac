#include "base/error.h"

#include <stdio.h>
#include <string.h>

int
pxs_error_vset(struct pxs_error *err, int code, long at, const char *fmt, va_list args)
{
	if (!err || err->code)
		return code;

	err->code = -code;
	err->at = at;
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	for (char *c = err->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?'; /* one line, and nothing that a terminal would obey */
	return code;
}

int
pxs_error_set(struct pxs_error *err, int code, long at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	code = pxs_error_vset(err, code, at, fmt, args);
	va_end(args);
	return code;
}

const char *
pxs_error_text(const struct pxs_error *err, int code)
{
	return err && err->code ? err->text : strerror(-code);
}
