#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const struct {
	const char *name;
	int priority; /* as in sd-daemon(3) */
} LEVELS[] = {
	[PXS_LOG_ERROR] = { "error", 3 },
	[PXS_LOG_WARNING] = { "warning", 4 },
	[PXS_LOG_INFO] = { "info", 6 },
	[PXS_LOG_DEBUG] = { "debug", 7 },
};

static atomic_int max_level = PXS_LOG_INFO;

void
pxs_log_set_level(enum pxs_log_level level)
{
	atomic_store(&max_level, (int)level);
}

static int
print_head(char *line, size_t size, enum pxs_log_level level)
{
	struct timespec now;
	struct tm tm;
	char stamp[32] = "";

	if (getenv("JOURNAL_STREAM"))
		return snprintf(line, size, "<%d>", LEVELS[level].priority);

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", &tm);
	return snprintf(line, size, "%spxs: %s: ", stamp, LEVELS[level].name);
}

void
pxs_log(enum pxs_log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	size_t len;

	if ((int)level > atomic_load(&max_level))
		return;

	len = (size_t)print_head(line, sizeof(line), level);
	va_start(args, fmt);
	(void)vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	va_end(args);

	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	len = strlen(line);
	line[len++] = '\n';
	/* One write, so that lines of several threads never mix. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
