#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"
#include "base/macros.h"

static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t came;

static void
note(int signal)
{
	(void)signal;
	came = 1;
}

/* Without SA_RESTART: whatever waits shall wake. */
void
interrupt_install(void)
{
	struct sigaction action = { .sa_handler = note };

	for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++)
		(void)sigaction(SIGNALS[i], &action, NULL);
}

bool
interrupt_came(void)
{
	return came != 0;
}

static void
mask(int how)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++)
		(void)sigaddset(&set, SIGNALS[i]);
	(void)pthread_sigmask(how, &set, NULL);
}

void
interrupt_hold(void)
{
	mask(SIG_BLOCK);
}

void
interrupt_release(void)
{
	mask(SIG_UNBLOCK);
}

void
interrupt_sleep_ms(int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * PXS_NS_PER_MS };

	if (!interrupt_came())
		(void)nanosleep(&time, NULL);
}
