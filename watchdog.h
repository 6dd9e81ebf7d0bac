/* watchdog.h - tells systemd that we still answer, if it wants to know (WatchdogSec=). */
#ifndef PXS_WATCHDOG_H
#define PXS_WATCHDOG_H

#include "base/cleanup.h"

struct watchdog;

/* A thread that asks the daemon at SOCKET whether it is ready, three times in the time that systemd
 * set ($WATCHDOG_USEC), and hands on the answer. NULL, and nothing else, where it set none.
 * -ENOMEM, -EAGAIN. */
int watchdog_start(const char *socket, struct watchdog **ret_watchdog);
void watchdog_stop(struct watchdog *watchdog);
DEFINE_CLEANUP(watchdog, struct watchdog *, watchdog_stop)

#endif
