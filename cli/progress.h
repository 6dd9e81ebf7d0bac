/* progress.h - how far a scan is: a line that changes on a terminal, sometimes one elsewhere. */
#ifndef PXS_CLI_PROGRESS_H
#define PXS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct pxs_buf;

/* Start it by progress_init(). Everything goes to standard error. */
struct progress {
	const char *speaker;
	bool terminal;
	bool shown; /* a line that must be wiped stands on the terminal */
	int64_t next_ns;
};

void progress_init(struct progress *progress, const char *speaker);
/* JOB as the daemon tells it; shows it if the time has come. */
void progress_show(struct progress *progress, const json_t *job);
/* Wipe the line, before something else is written. */
void progress_clear(struct progress *progress);

/* Adds "12,345 of about 160,000 entries, 13,012 a second, 11 s left". */
void progress_print(const json_t *job, struct pxs_buf *buf);

/* Adds "160,000 added, ..., in 12.3 s (13,012 a second)". */
void progress_print_summary(const json_t *job, struct pxs_buf *buf);

#endif
