#include "index/ingest/walk.h"

#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "index/ingest/beneath.h"
#include "base/macros.h"
#include "index/ingest/test_tree.h"
#include "index/ingest/unread.h"

/* The paths that a walk told, sorted. */
struct paths {
	pthread_mutex_t mutex;
	char **items;
	size_t n;
	size_t n_unread;
	size_t n_failed;
	size_t n_without_stat;
	bool ended;
	unsigned int slow_us; /* every entry takes so long */
	uint64_t volumes;     /* XOR of all, one for each entry */
};

static void
add(struct paths *paths, char *path)
{
	(void)pthread_mutex_lock(&paths->mutex);
	paths->items = reallocarray(paths->items, paths->n + 1, sizeof(*paths->items));
	assert_non_null(paths->items);
	paths->items[paths->n++] = path;
	(void)pthread_mutex_unlock(&paths->mutex);
}

static int
on_entry(void *context, unsigned int thread, const struct walk_entry *entry)
{
	struct paths *paths = context;
	char *path;

	assert_true(thread < WALK_THREADS);
	assert_int_equal(strlen(entry->name), entry->name_len);
	if (asprintf(&path, "%s/%s", entry->folder->path, entry->name) < 0)
		return -ENOMEM;
	add(paths, path);
	(void)pthread_mutex_lock(&paths->mutex);
	paths->n_without_stat += entry->stat == NULL;
	paths->volumes ^= entry->folder->volume;
	(void)pthread_mutex_unlock(&paths->mutex);
	if (paths->slow_us)
		(void)usleep(paths->slow_us);
	return 0;
}

static int
on_unread(void *context, unsigned int thread, const char *path, const char *what, int error)
{
	struct paths *paths = context;

	(void)thread;
	(void)path;
	(void)what;
	(void)pthread_mutex_lock(&paths->mutex);
	paths->n_unread++;
	paths->n_failed += error != 0;
	(void)pthread_mutex_unlock(&paths->mutex);
	return 0;
}

static void
on_end(void *context)
{
	struct paths *paths = context;

	assert_false(paths->ended);
	paths->ended = true;
}

static const struct walk_ops OPS = { .entry = on_entry, .unread = on_unread, .end = on_end };

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
paths_done(struct paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct paths){ .mutex = PTHREAD_MUTEX_INITIALIZER };
}

static void
sort(struct paths *paths)
{
	if (paths->n > 0)
		qsort(paths->items, paths->n, sizeof(*paths->items), compare);
}

static const struct walk_start WHOLE = { .path = "" };

static atomic_bool stop;

static int
walk_with(const struct walk_options *options, struct paths *paths)
{
	struct walk *walk;
	int r;

	atomic_store(&stop, false);
	r = walk_start(options, &OPS, paths, &walk);
	if (r >= 0)
		r = walk_join(walk);
	sort(paths);
	return r;
}

static int
walk_tree(const struct tree *tree, const char *start, struct paths *paths)
{
	const struct walk_options options = {
		.root = tree->path,
		.root_fd = tree->fd,
		.starts = &(struct walk_start){ .path = start },
		.n_starts = 1,
		.stop = &stop,
	};

	return walk_with(&options, paths);
}

/* --- The same by other means --- */

static struct paths *nftw_paths;

static int
on_nftw(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	if (ftw->level > 0)
		add(nftw_paths, strdup(path));
	return 0;
}

static void
assert_same_as_nftw(const char *folder, const struct paths *paths)
{
	struct paths expected = { .mutex = PTHREAD_MUTEX_INITIALIZER };

	nftw_paths = &expected;
	assert_int_equal(nftw(folder, on_nftw, 64, FTW_PHYS), 0);
	nftw_paths = NULL;
	sort(&expected);
	assert_int_equal(paths->n, expected.n);
	for (size_t i = 0; i < expected.n; i++)
		assert_string_equal(paths->items[i], expected.items[i]);
	paths_done(&expected);
}

static struct tree tree;
static struct paths paths = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static int
setup(void **state)
{
	(void)state;
	tree_make(&tree);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	paths_done(&paths);
	tree_done(&tree);
	return 0;
}

static void
a_real_tree_as_nftw_reads_it(void **state)
{
	const struct tree real = {
		.path = "/usr/share/doc",
		.fd = open("/usr/share/doc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};

	(void)state;
	assert_int_equal(walk_tree(&real, "", &paths), 0);
	assert_true(paths.ended);
	assert_int_equal(paths.n_without_stat, 0);
	assert_same_as_nftw(real.path, &paths);
	(void)close(real.fd);
}

static void
an_empty_tree(void **state)
{
	(void)state;
	assert_int_equal(walk_tree(&tree, "", &paths), 0);
	assert_int_equal(paths.n, 0);
	assert_true(paths.ended);
}

static void
names_only_are_as_many(void **state)
{
	const struct walk_options options = {
		.root = tree.path,
		.root_fd = tree.fd,
		.starts = &WHOLE,
		.n_starts = 1,
		.names_only = true,
		.stop = &stop,
	};

	(void)state;
	tree_folder(&tree, "a");
	tree_file(&tree, "a/1", "");
	tree_symlink(&tree, "a/2", "..");
	assert_int_equal(walk_with(&options, &paths), 0);
	assert_int_equal(paths.n, 3);
	assert_int_equal(paths.n_without_stat, 3);
}

static void
parts_of_a_tree(void **state)
{
	static const struct walk_start STARTS[] = {
		{ .path = "a" },	{ .path = "b", .shallow = true },
		{ .path = "b/gone" },	{ .path = "b/in/3", .shallow = true },
		{ .path = "gone/too" },
	};
	const struct walk_options options = {
		.root = tree.path,
		.root_fd = tree.fd,
		.starts = STARTS,
		.n_starts = ARRAY_SIZE(STARTS),
		.stop = &stop,
	};

	(void)state;
	tree_folder(&tree, "a");
	tree_file(&tree, "a/1", "");
	tree_folder(&tree, "b");
	tree_folder(&tree, "b/in");
	tree_file(&tree, "b/in/2", "");
	tree_file(&tree, "b/in/3", "");
	assert_int_equal(walk_with(&options, &paths), 0);
	assert_int_equal(paths.n, 4); /* a, a/1, b, b/in/3 */
	assert_int_equal(paths.n_unread, 0);
	assert_true(paths.ended);
}

static void
symlink_loops_are_not_followed(void **state)
{
	(void)state;
	tree_folder(&tree, "a");
	tree_symlink(&tree, "a/up", "..");
	tree_symlink(&tree, "self", "self");
	tree_symlink(&tree, "root", "/");
	assert_int_equal(walk_tree(&tree, "", &paths), 0);
	assert_int_equal(paths.n, 4);
	assert_same_as_nftw(tree.path, &paths);
}

static void
nothing_opens_through_a_symlink(void **state)
{
	int fd;

	(void)state;
	tree_folder(&tree, "a");
	tree_file(&tree, "a/1", "");
	tree_symlink(&tree, "link", "a");
	tree_symlink(&tree, "a/out", "/etc");
	assert_int_equal(beneath_open(tree.fd, "link/1", O_RDONLY, &fd), -ELOOP);
	assert_int_equal(beneath_open(tree.fd, "link", O_RDONLY, &fd), -ELOOP);
	assert_int_equal(beneath_open(tree.fd, "a/out/passwd", O_RDONLY, &fd), -ELOOP);
	assert_int_equal(beneath_open(tree.fd, "a/../..", O_RDONLY, &fd), -EXDEV);
	assert_int_equal(beneath_open(tree.fd, "a/1", O_RDONLY, &fd), 0);
	(void)close(fd);
}

static void
a_part_is_told_with_its_folder(void **state)
{
	(void)state;
	tree_folder(&tree, "a");
	tree_folder(&tree, "a/b");
	tree_file(&tree, "a/b/1", "");
	tree_file(&tree, "a/2", "");
	assert_int_equal(walk_tree(&tree, "a/b", &paths), 0);
	assert_int_equal(paths.n, 2);
	assert_non_null(strstr(paths.items[0], "/a/b"));
	assert_non_null(strstr(paths.items[1], "/a/b/1"));
}

static void
the_root_directory_is_a_root_too(void **state)
{
	const struct walk_options options = {
		.root = "/",
		.root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.starts = &(struct walk_start){ .path = "usr/share/mime/application" },
		.n_starts = 1,
		.stop = &stop,
	};

	(void)state;
	assert_int_equal(walk_with(&options, &paths), 0);
	assert_true(paths.n > 1);
	assert_string_equal(paths.items[0], "/usr/share/mime/application");
	assert_memory_equal(paths.items[1], "/usr/share/mime/application/", 28);
	(void)close(options.root_fd);
}

static void
a_missing_start_is_nothing(void **state)
{
	(void)state;
	tree_file(&tree, "file", "");
	assert_int_equal(walk_tree(&tree, "no/such", &paths), 0);
	paths.ended = false;
	assert_int_equal(walk_tree(&tree, "nosuch", &paths), 0);
	paths.ended = false;
	assert_int_equal(walk_tree(&tree, "file/in/it", &paths), 0);
	assert_int_equal(paths.n, 0);
	assert_int_equal(paths.n_unread, 0);
	assert_true(paths.ended);
}

/* 300 folders of 100 bytes: 30,000 bytes of path, seven times what the kernel takes at once. */
#define DEEP 300

static void
make_deep(char name[101])
{
	int fd = dup(tree.fd);

	memset(name, 'd', 100);
	name[100] = '\0';
	for (int i = 0; i < DEEP; i++) {
		int below;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		(void)close(fd);
		fd = below;
	}
	assert_int_equal(mknodat(fd, "bottom", S_IFREG | 0644, 0), 0);
	(void)close(fd);
}

static void
a_tree_deeper_than_a_path_can_be(void **state)
{
	char name[101];

	(void)state;
	make_deep(name);
	assert_int_equal(walk_tree(&tree, "", &paths), 0);
	assert_int_equal(paths.n, DEEP + 1);
	assert_int_equal(paths.n_unread, 0);
	assert_int_equal(strlen(paths.items[DEEP]),
			 strlen(tree.path) + DEEP * 101 + strlen("/bottom"));
}

static void
a_stop_ends_it_at_once(void **state)
{
	const struct walk_options options = {
		.root = "/usr",
		.root_fd = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.starts = &WHOLE,
		.n_starts = 1,
		.stop = &stop,
	};
	struct walk *walk;

	(void)state;
	paths.slow_us = 1000;
	atomic_store(&stop, false);
	assert_int_equal(walk_start(&options, &OPS, &paths, &walk), 0);
	(void)usleep(50000);
	atomic_store(&stop, true);
	assert_int_equal(walk_join(walk), -ECANCELED);
	assert_true(paths.n < 10000); /* of many more, which would take it a minute */
	assert_true(paths.ended);
	(void)close(options.root_fd);
}

static void
the_folder_to_skip_is_left_out(void **state)
{
	struct walk_options options = {
		.root = tree.path,
		.root_fd = tree.fd,
		.starts = &WHOLE,
		.n_starts = 1,
		.stop = &stop,
	};
	struct stat stat;

	(void)state;
	tree_folder(&tree, "index");
	tree_file(&tree, "index/docs.db", "");
	tree_file(&tree, "other", "");
	assert_int_equal(fstatat(tree.fd, "index", &stat, 0), 0);
	options.skip_device = stat.st_dev;
	options.skip_inode = stat.st_ino;
	assert_int_equal(walk_with(&options, &paths), 0);
	assert_int_equal(paths.n, 1);
}

/* In a child with mounts of its own: 0 good, 77 not permitted here. */
static int
walk_over_mounts(void)
{
	char path[PATH_MAX];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	(void)snprintf(path, sizeof(path), "%s/proc", tree.path);
	if (mount("proc", path, "proc", 0, NULL) < 0)
		return 77;
	(void)snprintf(path, sizeof(path), "%s/tmpfs", tree.path);
	if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0)
		return 77;
	/* What was open before is another tree of mounts. */
	(void)close(tree.fd);
	tree.fd = open(tree.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_file(&tree, "tmpfs/inside", "");

	if (walk_tree(&tree, "", &paths) < 0)
		return 1;
	/* tmpfs and what is in it, with a volume of its own; proc is left out, and no failure. */
	if (paths.n != 2 || paths.n_unread != 1 || paths.n_failed != 0)
		return 2;
	if (paths.volumes == 0)
		return 3;
	(void)umount2(path, MNT_DETACH);
	return 0;
}

static void
mounts_are_entered_but_for_the_kernels_own(void **state)
{
	int status;
	pid_t child;

	(void)state;
	tree_folder(&tree, "proc");
	tree_folder(&tree, "tmpfs");
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(walk_over_mounts());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* --- unread.h, which keeps what a walk could not tell --- */

static void
unread_places_cover_what_is_below(void **state)
{
	CLEANUP(unread) struct unread *unread = NULL;
	const struct index_failure *failures;

	(void)state;
	assert_int_equal(unread_new(&unread), 0);
	assert_false(unread_covers(unread, "/a"));
	assert_int_equal(unread_add(unread, "/z/file", "reason"), 0);
	assert_int_equal(unread_add(unread, "/a/b", "reason"), 0);
	assert_int_equal(unread_add(unread, "/c", NULL), 0);
	assert_true(unread_covers(unread, "/a/b"));
	assert_true(unread_covers(unread, "/a/b/c/d"));
	assert_true(unread_covers(unread, "/c/d"));
	assert_true(unread_covers(unread, "/z/file"));
	assert_false(unread_covers(unread, "/a"));
	assert_false(unread_covers(unread, "/a/bc"));
	assert_false(unread_covers(unread, "/d"));
	assert_int_equal(unread_failures(unread, &failures), 2);
}

static void
an_unread_root_covers_all(void **state)
{
	CLEANUP(unread) struct unread *unread = NULL;

	(void)state;
	assert_int_equal(unread_new(&unread), 0);
	assert_int_equal(unread_add(unread, "/", NULL), 0);
	assert_true(unread_covers(unread, "/a"));
}

static void
too_many_unread_places_cover_all(void **state)
{
	CLEANUP(unread) struct unread *unread = NULL;

	(void)state;
	assert_int_equal(unread_new(&unread), 0);
	for (int i = 0; i <= UNREAD_MAX; i++)
		assert_int_equal(unread_add(unread, "/a", "reason"), 0);
	assert_true(unread_covers(unread, "/elsewhere"));
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_setup_teardown(a_real_tree_as_nftw_reads_it, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(names_only_are_as_many, setup, teardown),
		cmocka_unit_test_setup_teardown(parts_of_a_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(symlink_loops_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_opens_through_a_symlink, setup, teardown),
		cmocka_unit_test_setup_teardown(a_part_is_told_with_its_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(the_root_directory_is_a_root_too, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_start_is_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tree_deeper_than_a_path_can_be, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop_ends_it_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(the_folder_to_skip_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(mounts_are_entered_but_for_the_kernels_own, setup,
						teardown),
		cmocka_unit_test(unread_places_cover_what_is_below),
		cmocka_unit_test(an_unread_root_covers_all),
		cmocka_unit_test(too_many_unread_places_cover_all),
	};

	return cmocka_run_group_tests_name("walk", TESTS, NULL, NULL);
}
