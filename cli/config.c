#include "cli/config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <ini.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Who needs more has generated the file wrongly. */
#define LINES_MAX 10000

struct reading {
	FILE *file;
	const char *name;
	int line;     /* the last that was read */
	bool stopped; /* with what is in why */
	config_set set;
	void *context;
	struct pxs_error why;
	int result;
};

static void
stop(struct reading *reading, int r)
{
	reading->stopped = true;
	reading->result = r;
}

static bool
has_control(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t' && line[i] != '\r')
			return true;
	return false;
}

/* One line for inih, which would read the rest of a long one as the next. */
static char *
next_line(char *line, int size, void *stream)
{
	struct reading *reading = stream;
	size_t len;

	if (reading->stopped || !fgets(line, size, reading->file))
		return NULL;
	reading->line++;
	len = strcspn(line, "\n");
	if (line[len] != '\n' && !feof(reading->file))
		stop(reading, pxs_error_set(&reading->why, -EINVAL, -1,
					    "a line has at most %d bytes, and no NUL", size - 2));
	else if (has_control(line, len))
		stop(reading,
		     pxs_error_set(&reading->why, -EINVAL, -1, "there is a control character"));
	else if (reading->line > LINES_MAX)
		stop(reading,
		     pxs_error_set(&reading->why, -EINVAL, -1, "more than %d lines", LINES_MAX));
	return reading->stopped ? NULL : line;
}

static int
on_value(void *context, const char *section, const char *key, const char *value)
{
	struct reading *reading = context;
	int r = reading->stopped ? -EINVAL
				 : reading->set(reading->context, section, key, value ? value : "",
						&reading->why);

	if (r < 0 && !reading->stopped)
		stop(reading, r);
	return r == 0;
}

int
config_read_stream(FILE *file, const char *name, config_set set, void *context,
		   struct pxs_error *err)
{
	struct reading reading = { .file = file, .name = name, .set = set, .context = context };
	int bad_line = ini_parse_stream(next_line, &reading, on_value, &reading);

	if (reading.stopped)
		return pxs_error_set(err, reading.result, -1, "%s, line %d: %s", name, reading.line,
				     pxs_error_text(&reading.why, reading.result));
	if (bad_line > 0)
		return pxs_error_set(err, -EINVAL, -1,
				     "%s, line %d: that is neither KEY = VALUE nor [SECTION]", name,
				     bad_line);
	if (bad_line < 0 || ferror(file))
		return pxs_error_set(err, -EIO, -1, "cannot read %s", name);
	return 0;
}

int
config_read(const char *path, config_set set, void *context, struct pxs_error *err)
{
	CLEANUP(fclose) FILE *file = fopen(path, "re");

	if (!file)
		return pxs_error_set(err, -errno, -1, "cannot read the configuration %s: %m", path);
	return config_read_stream(file, path, set, context, err);
}
