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

/* Documents that `delete` alone lets each user remove in a minute. */
#define DELETIONS 100
#define DELETIONS_MAX 1000000

/* "delete" or "delete=N"; false: something else. */
static bool
is_delete(const char *option, struct fs_options *options)
{
	static const char NAME[] = "delete";
	const char *number = option + strlen(NAME);
	char *end;
	unsigned long n = DELETIONS;

	if (strncmp(option, NAME, strlen(NAME)) != 0)
		return false;
	if (*number == '=') {
		n = strtoul(number + 1, &end, 10);
		if (number[1] < '0' || number[1] > '9' || *end || n > DELETIONS_MAX)
			return false;
	} else if (*number) {
		return false;
	}
	options->deletions_per_minute = (unsigned int)n;
	return true;
}

/* False: something else. */
static bool
is_visibility(const char *option, struct fs_options *options)
{
	bool is_unix = !strcmp(option, "visibility=unix");

	if (!is_unix && strcmp(option, "visibility=all") != 0)
		return false;
	options->visibility_unix = is_unix;
	return true;
}

static int
parse_one(const char *option, struct fs_options *options, struct pxs_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(FLAGS); i++)
		if (!strcmp(option, FLAGS[i].name)) {
			*(bool *)((char *)options + FLAGS[i].field) = true;
			return 0;
		}
	if (is_delete(option, options) || is_visibility(option, options))
		return 0;
	return pxs_error_set(err, -EINVAL, -1,
			     "unknown mount option '%.100s'; there are: allow_other, "
			     "delete[=DOCUMENTS-A-MINUTE], visibility=all|unix",
			     option);
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
