/* background.h - a process that its caller waits for only until it is ready. */
#ifndef PXS_CLI_BACKGROUND_H
#define PXS_CLI_BACKGROUND_H

#include "base/cleanup.h"

struct background; /* NULL: stays in the foreground */
struct pxs_error;

/* Split off a process, before there is any thread. Returns in the new process; the old one waits
 * until that is ready or failed, says why it failed as SPEAKER, and ends with its exit code. */
int background_start(const char *speaker, struct background **ret_background);

/* Tell the waiting process that all is well; or, with R (negative errno) and ERR, that nothing
 * comes of it. Without BACKGROUND a failure is said on standard error. Returns the exit code. */
int background_ready(struct background *background);
int background_failed(struct background *background, const char *speaker, int r,
		      const struct pxs_error *err);
void background_free(struct background *background);
DEFINE_CLEANUP(background, struct background *, background_free)

/* Standard output and error append to the file at PATH from now on, standard input is empty. Call
 * it again to open a new file of that name. */
int background_log_to(const char *path);

/* Tell the service manager, if it asked by $NOTIFY_SOCKET (sd_notify(3)). */
void background_notify(const char *state);

#endif
