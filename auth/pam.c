#include "auth/pam.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/pam_wire.h"
#include "base/clock.h"
#include "base/error.h"

struct worker {
	pid_t pid; /* 0: not running */
	int fd;	   /* our end of the socket pair */
	bool busy; /* somebody's, who alone uses the others */
};

struct pam {
	char *helper;
	char *service;
	int deadline_s;
	pthread_mutex_t lock; /* of busy */
	pthread_cond_t freed;
	struct worker workers[PAM_WORKERS];
};

int
pam_open(const char *helper, const char *service, int deadline_s, struct pam **ret_pam,
	 struct pxs_error *err)
{
	CLEANUP(pam) struct pam *pam = calloc(1, sizeof(*pam));

	if (!pam)
		return -ENOMEM;
	(void)pthread_mutex_init(&pam->lock, NULL);
	(void)pthread_cond_init(&pam->freed, NULL);
	if (access(helper, X_OK) < 0)
		return pxs_error_set(err, -errno, -1,
				     "cannot run %s, which asks PAM for passwords: %m", helper);
	pam->deadline_s = deadline_s;
	pam->helper = strdup(helper);
	pam->service = strdup(service);
	if (!pam->helper || !pam->service)
		return -ENOMEM;
	*ret_pam = STEAL(pam);
	return 0;
}

static void
stop_worker(struct worker *worker)
{
	if (!worker->pid)
		return;
	(void)close(worker->fd);
	(void)kill(worker->pid, SIGKILL);
	while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
		;
	worker->pid = 0;
}

void
pam_close(struct pam *pam)
{
	if (!pam)
		return;
	for (int i = 0; i < PAM_WORKERS; i++)
		stop_worker(&pam->workers[i]);
	(void)pthread_cond_destroy(&pam->freed);
	(void)pthread_mutex_destroy(&pam->lock);
	free(pam->helper);
	free(pam->service);
	free(pam);
}

/* The socket is its standard input; signals are as a program expects them. */
static int
spawn(const struct pam *pam, int socket, pid_t *ret_pid)
{
	char *const argv[] = { pam->helper, pam->service, NULL };
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
		r = posix_spawn(ret_pid, pam->helper, &actions, &attr, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return -r;
}

static int
start_worker(const struct pam *pam, struct worker *worker)
{
	int pair[2];
	int r;

	if (worker->pid)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = spawn(pam, pair[1], &worker->pid);
	(void)close(pair[1]);
	if (r < 0) {
		worker->pid = 0;
		(void)close(pair[0]);
		return r;
	}
	worker->fd = pair[0];
	return 0;
}

static struct worker *
take_worker(struct pam *pam)
{
	struct worker *worker = NULL;

	(void)pthread_mutex_lock(&pam->lock);
	while (!worker) {
		for (int i = 0; i < PAM_WORKERS && !worker; i++)
			if (!pam->workers[i].busy)
				worker = &pam->workers[i];
		if (!worker)
			(void)pthread_cond_wait(&pam->freed, &pam->lock);
	}
	worker->busy = true;
	(void)pthread_mutex_unlock(&pam->lock);
	return worker;
}

static void
give_back(struct pam *pam, struct worker *worker)
{
	(void)pthread_mutex_lock(&pam->lock);
	worker->busy = false;
	(void)pthread_cond_signal(&pam->freed);
	(void)pthread_mutex_unlock(&pam->lock);
}

/* Its answer, or why there is none. */
static int
await(const struct worker *worker, int deadline_s)
{
	int64_t deadline_ns = pxs_clock_steady_ns() + deadline_s * PXS_NS_PER_S;
	struct pollfd fd = { .fd = worker->fd, .events = POLLIN };
	char answer;
	int r;

	do {
		int64_t left_ns = deadline_ns - pxs_clock_steady_ns();

		r = poll(&fd, 1, left_ns > 0 ? (int)(left_ns / PXS_NS_PER_MS) + 1 : 0);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	if (recv(worker->fd, &answer, 1, MSG_DONTWAIT) != 1)
		return -EPIPE; /* it died */
	return answer == PAM_WIRE_YES ? 0 : -EACCES;
}

static int
put(char **at, const char *end, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size > (size_t)(end - *at))
		return -EMSGSIZE;
	memcpy(*at, text, size);
	*at += size;
	return 0;
}

static int
ask(const struct pam *pam, const struct worker *worker, const char *user, const char *password,
    const char *from)
{
	char question[PAM_WIRE_MAX];
	char *at = question;
	const char *end = question + sizeof(question);
	int r = put(&at, end, user);

	if (r == 0)
		r = put(&at, end, from);
	if (r == 0)
		r = put(&at, end, password);
	if (r == 0 && send(worker->fd, question, (size_t)(at - question), MSG_NOSIGNAL) < 0)
		r = -EPIPE;
	explicit_bzero(question, sizeof(question));
	return r < 0 ? r : await(worker, pam->deadline_s);
}

int
pam_check(struct pam *pam, const char *user, const char *password, const char *from)
{
	struct worker *worker = take_worker(pam);
	int r = start_worker(pam, worker);

	if (r == 0)
		r = ask(pam, worker, user, password, from);
	/* One that died before the question came gets a successor at once. */
	if (r == -EPIPE) {
		stop_worker(worker);
		r = start_worker(pam, worker);
		if (r == 0)
			r = ask(pam, worker, user, password, from);
	}
	if (r < 0 && r != -EACCES)
		stop_worker(worker);
	give_back(pam, worker);
	return r < 0 ? -EACCES : 0;
}
