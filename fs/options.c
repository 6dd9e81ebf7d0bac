#include "fs/fs.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"

/* Those that are set or not. */
static const struct {
	const char *name;
	size_t field; /* a bool of struct fs_options */
} FLAGS[] = {
	{ "allow_other", offsetof(struct fs_options, allow_other) },
};

static int
parse_one(const char *option, struct fs_options *options, struct pxs_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(FLAGS); i++)
		if (!strcmp(option, FLAGS[i].name)) {
			*(bool *)((char *)options + FLAGS[i].field) = true;
			return 0;
		}
	return pxs_error_set(err, -EINVAL, -1,
			     "unknown mount option '%.100s'; there is: allow_other", option);
}

int
fs_options_parse(const char *text, struct fs_options *options, struct pxs_error *err)
{
	CLEANUP(free) char *copy = strdup(text);
	struct fs_options parsed = *options;
	char *rest = copy;
	char *option;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (option = strsep(&rest, ",")))
		if (*option)
			r = parse_one(option, &parsed, err);
	if (r == 0)
		*options = parsed;
	return r;
}
