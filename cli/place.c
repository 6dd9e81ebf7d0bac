#include "cli/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define ROOT_INDEX "/var/lib/pxs"
#define ROOT_SOCKET "/run/pxs/pxs.sock"

/* An empty variable counts as unset, as the XDG specification has it. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int
joined(const char *folder, const char *name, char **ret_path)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	pxs_buf_addf(&path, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
	*ret_path = pxs_buf_steal(&path);
	return *ret_path ? 0 : -ENOMEM;
}

static int
user_index(char **ret_path)
{
	const char *data = variable("XDG_DATA_HOME");
	const char *home = variable("HOME");

	if (data)
		return joined(data, "pxs", ret_path);
	return home ? joined(home, ".local/share/pxs", ret_path) : -ENOENT;
}

int
place_index(const char *option, char **ret_path, bool *ret_named)
{
	const char *named = option ? option : variable("PXS_INDEX");

	*ret_named = named != NULL;
	if (named)
		return place_absolute(named, ret_path);
	if (geteuid() == 0)
		return place_absolute(ROOT_INDEX, ret_path);
	return user_index(ret_path);
}

static int
add_socket(struct place_sockets *sockets, char *path)
{
	if (!path)
		return -ENOMEM;
	sockets->paths[sockets->n++] = path;
	return 0;
}

int
place_sockets(const char *option, struct place_sockets *ret_sockets)
{
	CLEANUP(place_sockets) struct place_sockets sockets = { 0 };
	const char *named = option ? option : variable("PXS_SOCKET");
	const char *runtime = variable("XDG_RUNTIME_DIR");
	char *path = NULL;
	int r = 0;

	sockets.named = named != NULL;
	if (named) {
		r = add_socket(&sockets, strdup(named));
	} else {
		if (runtime)
			r = joined(runtime, "pxs.sock", &path);
		if (path)
			r = add_socket(&sockets, path);
		if (r == 0)
			r = add_socket(&sockets, strdup(ROOT_SOCKET));
	}
	if (r < 0)
		return r;
	*ret_sockets = sockets;
	sockets = (struct place_sockets){ 0 };
	return 0;
}

void
place_sockets_done(struct place_sockets *sockets)
{
	for (int i = 0; i < sockets->n; i++)
		free(sockets->paths[i]);
}

int
place_daemon_socket(const char *option, char **ret_path)
{
	const char *named = option ? option : variable("PXS_SOCKET");
	const char *runtime = variable("XDG_RUNTIME_DIR");

	if (named)
		return place_absolute(named, ret_path);
	if (geteuid() == 0)
		return place_absolute(ROOT_SOCKET, ret_path);
	return runtime ? joined(runtime, "pxs.sock", ret_path) : -ENOENT;
}

/* PATH on its own terms, for where its folders are not there to be resolved. */
static int
from_here(const char *path, char **ret_path)
{
	CLEANUP(free) char *here = NULL;

	if (path[0] == '/') {
		*ret_path = strdup(path);
		return *ret_path ? 0 : -ENOMEM;
	}
	here = getcwd(NULL, 0);
	return here ? joined(here, path, ret_path) : -errno;
}

static bool
names_itself(const char *name)
{
	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int
place_absolute(const char *path, char **ret_path)
{
	CLEANUP(free) char *copy = strdup(path);
	CLEANUP(free) char *folder = NULL;
	char *name;
	size_t len = strlen(path);

	if (!copy)
		return -ENOMEM;
	if (!*copy)
		return -EINVAL;
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	name = strrchr(copy, '/');
	name = name ? name + 1 : copy;
	if (names_itself(name)) {
		*ret_path = realpath(copy, NULL);
		return *ret_path ? 0 : -errno;
	}

	if (name == copy) {
		folder = realpath(".", NULL);
	} else {
		name[-1] = '\0';
		folder = realpath(*copy ? copy : "/", NULL);
		name[-1] = '/';
	}
	return folder ? joined(folder, name, ret_path) : from_here(copy, ret_path);
}

int
place_make_parents(const char *path)
{
	CLEANUP(free) char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}
