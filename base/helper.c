#include "base/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static int
spawn(const char *path, const char *argument, int socket, pid_t *ret_pid)
{
	char *const argv[] = { (char *)path, (char *)argument, NULL };
	char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int r;

	(void)sigemptyset(&none);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawn_file_actions_init(&actions);
	r = posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn(ret_pid, path, &actions, &attr, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return -r;
}

int
pxs_helper_start(struct pxs_helper *helper, const char *path, const char *argument)
{
	int pair[2];
	int r;

	if (helper->pid)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = spawn(path, argument, pair[1], &helper->pid);
	(void)close(pair[1]);
	if (r < 0) {
		helper->pid = 0;
		(void)close(pair[0]);
		return r;
	}
	helper->fd = pair[0];
	return 0;
}

void
pxs_helper_stop(struct pxs_helper *helper)
{
	if (!helper->pid)
		return;
	(void)close(helper->fd);
	(void)kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	helper->pid = 0;
}

int
pxs_helper_ask(const struct pxs_helper *helper, const void *question, size_t question_size,
	       void *answer, size_t size, int deadline_s)
{
	int64_t deadline_ns = pxs_clock_steady_ns() + deadline_s * PXS_NS_PER_S;
	struct pollfd fd = { .fd = helper->fd, .events = POLLIN };
	int r;

	if (send(helper->fd, question, question_size, MSG_NOSIGNAL) < 0)
		return -EPIPE;
	do {
		int64_t left_ns = deadline_ns - pxs_clock_steady_ns();

		r = poll(&fd, 1, left_ns > 0 ? (int)(left_ns / PXS_NS_PER_MS) + 1 : 0);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return recv(helper->fd, answer, size, MSG_DONTWAIT) == (ssize_t)size ? 0 : -EPIPE;
}
