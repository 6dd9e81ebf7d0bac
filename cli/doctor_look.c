/* Looking at what may hang: a dead server's file system, a mount whose daemon is stopped. A process
 * that waits in the kernel for these cannot be woken, so it is another one that goes there. */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

#define PATIENCE_MS 5000
#define FILE_MAX ((size_t)1024 * 1024)

/* In the process of its own. A result is shorter than PIPE_BUF, so it is never written in parts. */
static _Noreturn void
do_apart(void (*work)(const void *context, void *result), const void *context, void *result,
	 size_t size, int fd)
{
	work(context, result);
	_exit(write(fd, result, size) == (ssize_t)size ? 0 : 1);
}

static int
await_result(int fd, void *result, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int r = poll(&ready, 1, PATIENCE_MS);

	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	return read(fd, result, size) == (ssize_t)size ? 0 : -EIO;
}

int
doctor_apart(void (*work)(const void *context, void *result), const void *context, void *result,
	     size_t size)
{
	CLEANUP(close) int reads = -1;
	int ends[2];
	pid_t pid;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reads = ends[0];
	pid = fork();
	if (pid == 0)
		do_apart(work, context, result, size, ends[1]);
	(void)close(ends[1]);
	if (pid < 0)
		return -EAGAIN;
	r = await_result(reads, result, size);
	(void)kill(pid, SIGKILL);
	/* One that the kernel does not let go is left to init. */
	(void)waitpid(pid, NULL, r == -ETIMEDOUT ? WNOHANG : 0);
	return r;
}

static void
look(const void *context, void *result)
{
	const char *path = context;
	struct doctor_look *look = result;

	if (stat(path, &look->stat) < 0 || statfs(path, &look->fs) < 0)
		look->error = -errno;
	else
		look->is_readable = access(path,
					   S_ISDIR(look->stat.st_mode) ? R_OK | X_OK : R_OK) == 0;
}

void
doctor_look(const char *path, struct doctor_look *ret_look)
{
	int r;

	*ret_look = (struct doctor_look){ 0 };
	r = doctor_apart(look, path, ret_look, sizeof(*ret_look));
	if (r < 0)
		*ret_look = (struct doctor_look){ .error = r };
}

int
doctor_read(const char *path, struct pxs_buf *buf)
{
	CLEANUP(fclose) FILE *file = fopen(path, "re");
	char bytes[4096];
	size_t n;

	if (!file)
		return -errno;
	while (buf->len < FILE_MAX && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		pxs_buf_add(buf, bytes, n);
	return buf->error;
}

long long
doctor_number(const char *text, const char *key, long long fallback)
{
	size_t len = strlen(key);

	while (text && *text) {
		if (strncmp(text, key, len) == 0)
			return strtoll(text + len, NULL, 10);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return fallback;
}

bool
doctor_is_inside(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}
