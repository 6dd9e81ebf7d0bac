/* daemon.h - pxs daemon: the engine with its doors, as a process. */
#ifndef PXS_DAEMON_H
#define PXS_DAEMON_H

struct cli_verb;

extern const struct cli_verb DAEMON_VERB;

/* A helper where it was installed, or (BUILT) where it was built, below this program's folder; the
 * caller's to free. */
int daemon_find_helper(const char *built, char **ret_path);

#endif
