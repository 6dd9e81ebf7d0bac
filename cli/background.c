#include "cli/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/message.h"

#define LOG_MODE 0640

struct background {
	int fd; /* the waiting process reads the other end; -1 once it was told */
};

/* What goes through the pipe: the exit code, and why. Shorter than PIPE_BUF, so never in parts. */
struct news {
	int code;
	char text[sizeof(((struct pxs_error *)NULL)->text)];
};

/* In the old process: never returns. */
static _Noreturn void
wait_for_news(const char *speaker, int fd)
{
	struct news news;
	ssize_t n;

	do
		n = read(fd, &news, sizeof(news));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(news)) {
		message(speaker, "the daemon ended before it was ready");
		_exit(CLI_NOTHING);
	}
	news.text[sizeof(news.text) - 1] = '\0';
	if (news.text[0])
		message(speaker, "%s", news.text);
	_exit(news.code);
}

int
background_start(const char *speaker, struct background **ret_background)
{
	CLEANUP(background) struct background *background = calloc(1, sizeof(*background));
	int ends[2];
	pid_t pid;

	if (!background || pipe2(ends, O_CLOEXEC) < 0)
		return -ENOMEM;
	background->fd = ends[1];
	pid = fork();
	if (pid < 0) {
		(void)close(ends[0]);
		return -EAGAIN;
	}
	if (pid > 0) {
		(void)close(ends[1]); /* else its end would never show */
		wait_for_news(speaker, ends[0]);
	}
	(void)close(ends[0]);
	if (setsid() < 0)
		return -errno;
	*ret_background = STEAL(background);
	return 0;
}

static void
tell(struct background *background, int code, const char *text)
{
	struct news news = { .code = code };

	(void)strncpy(news.text, text, sizeof(news.text) - 1);
	while (write(background->fd, &news, sizeof(news)) < 0 && errno == EINTR)
		;
	(void)close(background->fd);
	background->fd = -1;
}

int
background_ready(struct background *background)
{
	if (background)
		tell(background, CLI_OK, "");
	return CLI_OK;
}

int
background_failed(struct background *background, const char *speaker, int r,
		  const struct pxs_error *err)
{
	if (!background)
		return message_failure(speaker, r, err);
	tell(background, message_exit_code(r), pxs_error_text(err, r));
	return message_exit_code(r);
}

void
background_free(struct background *background)
{
	if (!background)
		return;
	if (background->fd > 0)
		(void)close(background->fd);
	free(background);
}

int
background_log_to(const char *path)
{
	CLEANUP(close)
	int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	CLEANUP(close) int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (log < 0 || nothing < 0)
		return -errno;
	if (dup2(nothing, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

void
background_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(close) int fd = -1;
	size_t len = path ? strlen(path) : 0;

	if (len == 0 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* the abstract name space */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			     (const struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}
