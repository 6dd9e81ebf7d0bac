/* daemon.h - pxs daemon: the engine with its doors, as a process. */
#ifndef PXS_DAEMON_H
#define PXS_DAEMON_H

struct cli_verb;

extern const struct cli_verb DAEMON_VERB;

#endif
