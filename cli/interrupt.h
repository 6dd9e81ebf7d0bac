/* interrupt.h - Ctrl-C ends a verb in order: whoever waits or loops asks whether it came. */
#ifndef PXS_CLI_INTERRUPT_H
#define PXS_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP only set a mark. */
void interrupt_install(void);
bool interrupt_came(void);

/* Between these, threads may be started: they will never be the ones that a signal interrupts. */
void interrupt_hold(void);
void interrupt_release(void);

/* Sleep, but not longer than until an interrupt. */
void interrupt_sleep_ms(int ms);

#endif
