#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "cli/message.h"

#define TERMINAL_MS 200
#define ELSEWHERE_S 30
#define COLUMNS_DEFAULT 80

void
progress_init(struct progress *progress, const char *speaker)
{
	*progress = (struct progress){ .speaker = speaker, .terminal = isatty(STDERR_FILENO) == 1 };
	/* On a terminal at once, elsewhere only what takes long. */
	progress->next_ns = pxs_clock_steady_ns() +
			    (progress->terminal ? 0 : ELSEWHERE_S * PXS_NS_PER_S);
}

static uint64_t
count_of(const json_t *job, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(job, key));
}

/* With a comma after each three digits. */
static void
print_count(uint64_t count, struct pxs_buf *buf)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			pxs_buf_add_char(buf, ',');
		pxs_buf_add_char(buf, digits[i]);
	}
}

static void
print_duration(double seconds, struct pxs_buf *buf)
{
	int64_t whole = (int64_t)(seconds + 0.5);

	if (whole < 120)
		pxs_buf_addf(buf, "%" PRId64 " s", whole);
	else
		pxs_buf_addf(buf, "%" PRId64 " min %" PRId64 " s", whole / 60, whole % 60);
}

void
progress_print(const json_t *job, struct pxs_buf *buf)
{
	const json_t *eta = json_object_get(job, "eta_s");

	print_count(count_of(job, "seen"), buf);
	if (count_of(job, "expected")) {
		pxs_buf_add_str(buf, " of about ");
		print_count(count_of(job, "expected"), buf);
	}
	pxs_buf_add_str(buf, " entries, ");
	print_count((uint64_t)json_number_value(json_object_get(job, "rate")), buf);
	pxs_buf_add_str(buf, " a second");
	if (json_is_number(eta)) {
		pxs_buf_add_str(buf, ", ");
		print_duration(json_number_value(eta), buf);
		pxs_buf_add_str(buf, " left");
	}
}

void
progress_print_summary(const json_t *job, struct pxs_buf *buf)
{
	static const char *const KEYS[] = { "added",   "changed",   "renamed",
					    "removed", "unchanged", "failed" };

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
		bool failed = strcmp(KEYS[i], "failed") == 0;

		print_count(count_of(job, failed ? "failures" : KEYS[i]), buf);
		pxs_buf_addf(buf, " %s, ", KEYS[i]);
	}
	pxs_buf_addf(buf, "in %.1f s (", json_number_value(json_object_get(job, "elapsed_s")));
	print_count((uint64_t)json_number_value(json_object_get(job, "rate")), buf);
	pxs_buf_add_str(buf, " files a second)");
}

static size_t
columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col;
	return COLUMNS_DEFAULT;
}

void
progress_show(struct progress *progress, const json_t *job)
{
	CLEANUP(pxs_buf) struct pxs_buf line = PXS_BUF_INIT;
	int64_t now = pxs_clock_steady_ns();

	if (now < progress->next_ns)
		return;
	progress_print(job, &line);
	if (!progress->terminal) {
		message(progress->speaker, "%s", pxs_buf_text(&line));
		progress->next_ns = now + ELSEWHERE_S * PXS_NS_PER_S;
		return;
	}
	/* Never into the last column: a terminal would break the line there. */
	(void)fprintf(stderr, "\r\033[K%.*s", (int)columns() - 1, pxs_buf_text(&line));
	progress->shown = true;
	progress->next_ns = now + TERMINAL_MS * PXS_NS_PER_MS;
}

void
progress_clear(struct progress *progress)
{
	if (progress->shown)
		(void)fputs("\r\033[K", stderr);
	progress->shown = false;
}
