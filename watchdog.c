/* What hangs (a lock, all threads that read requests) does not answer at our own socket, and then
 * systemd hears nothing and starts us anew. */
#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/macros.h"
#include "cli/background.h"

/* Asked so often in the time after which systemd loses patience. */
#define TIMES 3

static const char REQUEST[] = "GET /readyz HTTP/1.0\r\n\r\n";

struct watchdog {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t stopped;
	bool stopping;
	int64_t period_ns;
	struct sockaddr_un address;
};

/* --- Asking --- */

static int
send_request(const struct watchdog *watchdog, int fd)
{
	const struct timeval patience = { .tv_sec = watchdog->period_ns / PXS_NS_PER_S,
					  .tv_usec = watchdog->period_ns % PXS_NS_PER_S / 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&watchdog->address, sizeof(watchdog->address)) < 0)
		return -errno;
	return send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool
is_ready(const struct watchdog *watchdog)
{
	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[16] = "";

	if (fd < 0 || send_request(watchdog, fd) < 0)
		return false;
	if (recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) < 0)
		return false;
	return strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0;
}

/* --- The thread --- */

/* False: it is to end. */
static bool
wait_a_period(struct watchdog *watchdog)
{
	int64_t until_ns = pxs_clock_steady_ns() + watchdog->period_ns;
	bool stopping;

	(void)pthread_mutex_lock(&watchdog->lock);
	while (!watchdog->stopping &&
	       pxs_cond_wait_until(&watchdog->stopped, &watchdog->lock, until_ns) != ETIMEDOUT)
		continue;
	stopping = watchdog->stopping;
	(void)pthread_mutex_unlock(&watchdog->lock);
	return !stopping;
}

static void *
watch(void *context)
{
	struct watchdog *watchdog = context;

	do {
		if (is_ready(watchdog))
			background_notify("WATCHDOG=1");
	} while (wait_a_period(watchdog));
	return NULL;
}

/* 0: systemd does not want to know, or not of this process. */
static int64_t
patience_ns(void)
{
	const char *time = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long us = time ? strtoll(time, NULL, 10) : 0;

	if (us <= 0 || us > INT64_MAX / 1000 || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return us * 1000;
}

int
watchdog_start(const char *socket, struct watchdog **ret_watchdog)
{
	struct watchdog *watchdog;
	int64_t ns = patience_ns();

	*ret_watchdog = NULL;
	if (!ns)
		return 0;
	watchdog = calloc(1, sizeof(*watchdog));
	if (!watchdog)
		return -ENOMEM;
	watchdog->period_ns = MAX(ns / TIMES, PXS_NS_PER_MS);
	watchdog->address.sun_family = AF_UNIX;
	(void)strncpy(watchdog->address.sun_path, socket, sizeof(watchdog->address.sun_path) - 1);
	(void)pthread_mutex_init(&watchdog->lock, NULL);
	pxs_cond_init_steady(&watchdog->stopped);
	if (pthread_create(&watchdog->thread, NULL, watch, watchdog) != 0) {
		free(watchdog);
		return -EAGAIN;
	}
	*ret_watchdog = watchdog;
	return 0;
}

void
watchdog_stop(struct watchdog *watchdog)
{
	if (!watchdog)
		return;
	(void)pthread_mutex_lock(&watchdog->lock);
	watchdog->stopping = true;
	(void)pthread_cond_broadcast(&watchdog->stopped);
	(void)pthread_mutex_unlock(&watchdog->lock);
	(void)pthread_join(watchdog->thread, NULL);
	(void)pthread_cond_destroy(&watchdog->stopped);
	(void)pthread_mutex_destroy(&watchdog->lock);
	free(watchdog);
}
