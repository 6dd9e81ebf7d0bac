/* Robots: users for scripts, whose passwords stand in a file that the scripts read as well
 * (seeds/000_cookbook.txt, "Using a non system-user"). Who may read the file may be the robot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/auth.h"
#include "auth/store.h"
#include "base/error.h"

#define ROBOTS_MAX 256
#define LINE_MAX_BYTES 1024

struct reading {
	struct robot *robots;
	size_t n;
};

void
robots_free(struct robot *robots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(robots[i].name);
		if (robots[i].password)
			explicit_bzero(robots[i].password, strlen(robots[i].password));
		free(robots[i].password);
	}
	free(robots);
}

static inline void
reading_cleanup(struct reading *reading)
{
	robots_free(reading->robots, reading->n);
}

/* A password that everybody may read is none. */
static int
open_file(const char *path, FILE **ret_file, struct pxs_error *err)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return pxs_error_set(err, -errno, -1, "cannot read the robots' file %s: %m", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 007))
		return pxs_error_set(err, -EINVAL, -1,
				     "the robots' file %s must be a file that only its owner and "
				     "its group can read: chmod 0640",
				     path);
	*ret_file = fdopen(fd, "r");
	if (!*ret_file)
		return -errno;
	(void)STEAL_FD(fd);
	return 0;
}

/* "name:password", a comment or an empty line. */
static int
add_line(struct reading *reading, char *line, int number, const char *path, struct pxs_error *err)
{
	char *password;
	struct robot *robot;

	line[strcspn(line, "\n")] = '\0';
	if (!*line || *line == '#')
		return 0;
	password = strchr(line, ':');
	if (!password || password == line || !password[1] || password - line > AUTH_USER_MAX ||
	    strlen(password + 1) > AUTH_PASSWORD_MAX)
		return pxs_error_set(err, -EINVAL, -1, "%s, line %d: a line is NAME:PASSWORD", path,
				     number);
	if (reading->n == ROBOTS_MAX)
		return pxs_error_set(err, -EINVAL, -1, "%s has more than %d robots", path,
				     ROBOTS_MAX);
	*password++ = '\0';
	robot = &reading->robots[reading->n++];
	robot->name = strdup(line);
	robot->password = strdup(password);
	return robot->name && robot->password ? 0 : -ENOMEM;
}

static int
read_lines(struct reading *reading, const char *path, struct pxs_error *err)
{
	CLEANUP(fclose) FILE *file = NULL;
	char line[LINE_MAX_BYTES];
	int number = 0;
	int r = open_file(path, &file, err);

	while (r == 0 && fgets(line, sizeof(line), file))
		r = add_line(reading, line, ++number, path, err);
	explicit_bzero(line, sizeof(line));
	return r;
}

int
robots_load(struct auth *auth, const char *path, struct pxs_error *err)
{
	CLEANUP(reading) struct reading reading = { 0 };
	struct reading before;
	int r;

	reading.robots = calloc(ROBOTS_MAX, sizeof(*reading.robots));
	if (!reading.robots)
		return -ENOMEM;
	r = path ? read_lines(&reading, path, err) : 0;
	if (r < 0)
		return r;
	(void)pthread_rwlock_wrlock(&auth->lock);
	before = (struct reading){ auth->robots, auth->n_robots };
	auth->robots = reading.robots;
	auth->n_robots = reading.n;
	(void)pthread_rwlock_unlock(&auth->lock);
	reading = before;
	return 0;
}

int
robots_find(const struct auth *auth, const char *name)
{
	for (size_t i = 0; i < auth->n_robots; i++)
		if (strcmp(auth->robots[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}
