/* sync.h - waiting for the upstream. */
#ifndef PXS_CLI_SYNC_H
#define PXS_CLI_SYNC_H

struct client;
struct pxs_error;

/* Until the daemon has all that its upstream has; at once without one. *RET_FAILED is 1 if it
 * cannot be followed now, which is said in SPEAKER's name. -EINTR. */
int sync_wait(const char *speaker, struct client *client, int *ret_failed, struct pxs_error *err);

#endif
