#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macros.h"

#define NOBODY 65534
#define GROUP 54321 /* nobody's on any system we know */

static char folder[] = "/tmp/pxs-test-auth-XXXXXX";

static const struct auth_caller ROOT = { .uid = 0 };
static const struct auth_caller OTHER = { .uid = NOBODY, .gid = NOBODY };
static const struct auth_caller IN_GROUP = { .uid = NOBODY, .gid = GROUP };
static const struct auth_caller IN_MORE = {
	.uid = NOBODY,
	.gid = NOBODY,
	.groups = { 7, GROUP },
	.n_groups = 2,
};

struct row {
	const char *name; /* of the test, and of its file */
	const struct auth_caller *caller;
	uid_t owner;
	gid_t group;
	mode_t mode;
	int expected; /* 0: opens */
};

static const struct row ROWS[] = {
	{ "root reads everything", &ROOT, NOBODY, NOBODY, 0, 0 },
	{ "a private file of root is closed to others", &OTHER, 0, 0, 0600, -EACCES },
	{ "a public file of root is open to others", &OTHER, 0, 0, 0644, 0 },
	{ "the owner's bits count for the owner", &OTHER, NOBODY, 0, 0400, 0 },
	{ "the owner's bits count even against the owner", &OTHER, NOBODY, 0, 0044, -EACCES },
	{ "the caller's group counts", &IN_GROUP, 0, GROUP, 0640, 0 },
	{ "a supplementary group counts", &IN_MORE, 0, GROUP, 0640, 0 },
	{ "root's own groups do not count", &OTHER, 0, 0, 0640, -EACCES },
};

static bool
need_root(void)
{
	if (geteuid() == 0)
		return true;
	skip();
	return false;
}

static void
file_path(const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", folder, name);
}

static int
open_and_close(const struct auth_caller *caller, const char *path)
{
	CLEANUP(close) int fd = auth_open_as(caller, path, O_RDONLY);

	return fd < 0 ? fd : 0;
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	CLEANUP(close) int fd = -1;
	char path[128];

	if (!need_root())
		return;
	file_path(row->name, path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, row->owner, row->group), 0);
	assert_int_equal(fchmod(fd, row->mode), 0);

	assert_int_equal(open_and_close(row->caller, path), row->expected);
}

static void
a_closed_folder_above_closes_the_file(void **state)
{
	CLEANUP(close) int fd = -1;
	char path[128];

	(void)state;
	if (!need_root())
		return;
	file_path("closed", path);
	assert_int_equal(mkdir(path, 0700), 0);
	file_path("closed/file", path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);

	assert_int_equal(open_and_close(&OTHER, path), -EACCES);
}

static void
the_last_name_is_never_followed(void **state)
{
	char path[128];

	(void)state;
	file_path("link", path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(open_and_close(&ROOT, path), -ELOOP);
}

static void
a_relative_path_is_refused(void **state)
{

	(void)state;
	assert_int_equal(auth_open_as(&ROOT, "etc/passwd", O_RDONLY), -EINVAL);
}

static void
paths_longer_than_the_kernel_takes_open(void **state)
{
	enum { LEVELS = 60, LEN = 100 };
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	char name[LEN + 1];
	int dir;

	(void)state;
	if (!need_root())
		return;
	memset(name, 'd', LEN);
	name[LEN] = '\0';
	pxs_buf_add_str(&path, folder);

	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < LEVELS; i++) {
		int below;

		assert_int_equal(mkdirat(dir, name, 0755), 0);
		below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		(void)close(dir);
		dir = below;
		pxs_buf_addf(&path, "/%s", name);
	}
	assert_int_equal(close(openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)), 0);
	(void)close(dir);
	pxs_buf_add_str(&path, "/file");

	assert_true(path.len > 4096);
	assert_int_equal(open_and_close(&OTHER, path.data), 0);
}

/* One thread is somebody else again and again; this one must stay root all the time. */
static void *
be_nobody(void *context)
{
	static char complaint[] = "nobody could read a file of root";
	atomic_bool *stop = context;
	char path[128];

	file_path("of root", path);
	while (!atomic_load(stop))
		if (open_and_close(&OTHER, path) != -EACCES)
			return complaint;
	return NULL;
}

static void
other_threads_keep_their_identity(void **state)
{
	atomic_bool stop = false;
	pthread_t thread;
	void *complaint;
	char path[128];
	int fd;

	(void)state;
	if (!need_root())
		return;
	file_path("of root", path);
	fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0);
	assert_true(fd >= 0);
	(void)close(fd);

	assert_int_equal(pthread_create(&thread, NULL, be_nobody, &stop), 0);
	for (int i = 0; i < 20000; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		(void)close(fd);
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, &complaint), 0);
	assert_null(complaint);
}

static void
someone_else_s_daemon(const char *path)
{
	const struct auth_caller stranger = { .uid = GROUP, .gid = GROUP };

	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		_exit(10);
	if (open_and_close(&OTHER, path) != 0)
		_exit(11);
	if (open_and_close(&ROOT, path) != 0)
		_exit(12);
	if (open_and_close(&stranger, path) != -EACCES)
		_exit(13);
	_exit(0);
}

static void
without_root_only_its_own_user_is_served(void **state)
{
	char path[128];
	int status;
	pid_t child;

	(void)state;
	if (!need_root())
		return;
	file_path("public", path);
	(void)close(open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0644));

	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		someone_else_s_daemon(path);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
a_socket_tells_its_peer(void **state)
{
	struct auth_caller caller;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(auth_caller_from_peer(pair[0], &caller), 0);
	assert_int_equal(caller.uid, geteuid());
	assert_int_equal(caller.gid, getegid());
	assert_int_equal(caller.n_groups, getgroups(0, NULL));
	assert_true(auth_caller_is_operator(&caller));
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_true(auth_caller_from_peer(pair[0], &caller) < 0);
}

static void
wait_for_end(int fd)
{
	char c;

	if (setgroups(2, (const gid_t[]){ 7, GROUP }) || setgid(NOBODY) || setuid(NOBODY))
		_exit(1);
	(void)!write(fd, "r", 1);
	(void)!read(fd, &c, 1);
	_exit(0);
}

static void
a_process_tells_its_groups(void **state)
{
	struct auth_caller caller;
	int pair[2];
	pid_t child;
	char c;

	(void)state;
	if (!need_root())
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	if (child == 0) {
		(void)close(pair[0]); /* then it ends when we do, whatever happens */
		wait_for_end(pair[1]);
	}
	(void)close(pair[1]);
	assert_int_equal(read(pair[0], &c, 1), 1);

	auth_caller_from_process(NOBODY, NOBODY, child, &caller);
	assert_int_equal(caller.n_groups, 2);
	assert_int_equal(caller.groups[0], 7);
	assert_int_equal(caller.groups[1], GROUP);
	assert_false(auth_caller_is_operator(&caller));

	/* The number may belong to another user's process by now. */
	auth_caller_from_process(GROUP, GROUP, child, &caller);
	assert_int_equal(caller.n_groups, 0);

	assert_int_equal(write(pair[0], "e", 1), 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	auth_caller_from_process(NOBODY, NOBODY, child, &caller);
	assert_int_equal(caller.n_groups, 0);
	(void)close(pair[0]);
}

static void
rights_follow_the_user(void **state)
{
	struct auth_principal principal;

	(void)state;
	auth_principal_from_caller(&ROOT, AUTH_READ, &principal);
	assert_int_equal(principal.rights, AUTH_EVERYTHING);
	assert_string_equal(principal.user, "root");
	assert_int_equal(principal.means, AUTH_BY_SOCKET);

	auth_principal_from_caller(&OTHER, AUTH_READ, &principal);
	assert_int_equal(principal.rights, AUTH_READ);
	assert_string_equal(principal.user, "nobody");
	assert_int_equal(principal.caller.uid, NOBODY);

	auth_principal_from_caller(&(struct auth_caller){ .uid = GROUP }, 0, &principal);
	assert_int_equal(principal.rights, 0);
	assert_string_equal(principal.user, "54321");
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chmod(folder, 0755) == 0 ? 0 : -1;
}

static int
remove_folder(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0)
		(void)execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(a_closed_folder_above_closes_the_file),
		cmocka_unit_test(the_last_name_is_never_followed),
		cmocka_unit_test(a_relative_path_is_refused),
		cmocka_unit_test(paths_longer_than_the_kernel_takes_open),
		cmocka_unit_test(other_threads_keep_their_identity),
		cmocka_unit_test(without_root_only_its_own_user_is_served),
		cmocka_unit_test(a_socket_tells_its_peer),
		cmocka_unit_test(a_process_tells_its_groups),
		cmocka_unit_test(rights_follow_the_user),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + ARRAY_SIZE(OTHERS)];

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	memcpy(tests + ARRAY_SIZE(ROWS), OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("auth", tests, make_folder, remove_folder);
}
