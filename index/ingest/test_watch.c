/* Documents that follow their files by themselves. Without the right to watch (the tests need not
 * be root) there is nothing to test. */
#include "index/ingest/test_world.h"

#include <pthread.h>
#include <stdatomic.h>

#include "index/ingest/catalogue.h"
#include "index/ingest/mime.h"
#include "index/ingest/scan.h"
#include "index/ingest/touched.h"
#include "index/ingest/walk.h"

/* However loaded the machine is. */
#define WAIT_S 60

static int
setup_watching(void **state)
{
	(void)setup(state);
	(void)scan();
	assert_int_equal(ingest_watch(ingest, 0), 0);
	return 0;
}

static bool
is_watching(void)
{
	char trouble[INGEST_TROUBLE_SIZE];

	ingest_trouble(ingest, trouble);
	if (*trouble)
		print_message("skipped: %s\n", trouble);
	return !*trouble;
}

static bool
is_line_of(const struct lines *a, const struct lines *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; i < a->n && same; i++)
		same = strcmp(a->items[i], b->items[i]) == 0;
	return same;
}

static bool
index_is_the_tree(void)
{
	CLEANUP(lines) struct lines expected = { 0 };
	CLEANUP(lines) struct lines found = { 0 };

	read_both(&expected, &found);
	return is_line_of(&expected, &found);
}

static void
wait_until_the_index_is_the_tree(void)
{
	int64_t end = pxs_clock_steady_ns() + WAIT_S * PXS_NS_PER_S;

	while (!index_is_the_tree()) {
		if (pxs_clock_steady_ns() > end)
			assert_index_is_the_tree();
		(void)usleep(20000);
	}
}

/* --- Places --- */

static void
places_wait_until_they_are_due(void **state)
{
	struct touched touched = { 0 };
	struct touched_place **places;
	size_t n;

	(void)state;
	assert_int_equal(touched_add(&touched, "/b", false, 300), 0);
	assert_int_equal(touched_add(&touched, "/a", false, 100), 0);
	assert_int_equal(touched_add(&touched, "/c", false, 50), 0);
	assert_int_equal(touched_add(&touched, "/b", true, 90), 0);
	assert_int_equal(touched_add(&touched, "/b", false, 400), 0);
	assert_int_equal(touched.n, 3);
	assert_int_equal(touched.due_ns, 50);
	assert_int_equal(touched_take(&touched, 95, &places, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(places[0]->path, "/b");
	assert_true(places[0]->deep);
	assert_string_equal(places[1]->path, "/c");
	assert_false(places[1]->deep);
	touched_free(places, n);
	assert_int_equal(touched.n, 1);
	assert_int_equal(touched.due_ns, 100);
	touched_clear(&touched);
	assert_int_equal(touched.due_ns, 0);
}

/* --- Parts --- */

static void
scan_part(const char *path, bool shallow)
{
	const struct walk_start start = { .path = path, .shallow = shallow };
	struct catalogue catalogue;
	CLEANUP(mime) struct mime *mime = NULL;
	struct scan_progress progress = { 0 };
	struct pxs_error err = { 0 };
	atomic_bool stop = false;
	struct scan_request request = {
		.index = index_,
		.catalogue = &catalogue,
		.root = tree.path,
		.starts = &start,
		.n_starts = 1,
		.stop = &stop,
	};

	assert_int_equal(catalogue_declare(index_, &catalogue, &err), 0);
	assert_int_equal(mime_open(MIME_DIR, &mime, &err), 0);
	assert_int_equal(index_source_add(index_, tree.path, &request.source), 0);
	request.mime = mime;
	assert_int_equal(scan_run(&request, &progress, &err), 0);
}

/* As it happens where a folder goes before it was heard what went in it. */
static void
a_folder_goes_with_what_is_below_even_if_nothing_is_in_it(void **state)
{
	(void)state;
	tree_folder(&tree, "x");
	tree_folder(&tree, "x/y");
	tree_file(&tree, "x/y/a", "1");
	tree_file(&tree, "x-ray", "1");
	(void)scan();
	tree_remove(&tree, "x");
	scan_part("x/y", true);
	assert_int_equal(count_documents(), 3);
	scan_part("x", false);
	assert_int_equal(count_documents(), 1);
	assert_index_is_the_tree();
}

/* --- Files --- */

static void
what_changes_is_followed(void **state)
{
	(void)state;
	if (!is_watching())
		return;
	tree_file(&tree, "a", "1");
	wait_until_the_index_is_the_tree();
	tree_file(&tree, "a", "longer");
	wait_until_the_index_is_the_tree();
	assert_int_equal(fchmodat(tree.fd, "a", 0600, 0), 0);
	wait_until_the_index_is_the_tree();
	tree_folder(&tree, "x");
	tree_folder(&tree, "x/y");
	tree_file(&tree, "x/y/b", "2");
	tree_symlink(&tree, "x/link", "../a");
	wait_until_the_index_is_the_tree();
	tree_rename(&tree, "x", "z");
	wait_until_the_index_is_the_tree();
	tree_remove(&tree, "z");
	wait_until_the_index_is_the_tree();
	assert_int_equal(count_documents(), 1);
}

static void
what_comes_from_elsewhere_is_read_whole(void **state)
{
	int64_t id;

	(void)state;
	if (!is_watching())
		return;
	assert_int_equal(mkdirat(index_tree.fd, "away", 0755), 0);
	assert_int_equal(mkdirat(index_tree.fd, "away/in", 0755), 0);
	tree_file(&index_tree, "away/in/a", "1");
	assert_int_equal(renameat(index_tree.fd, "away", tree.fd, "here"), 0);
	wait_until_the_index_is_the_tree();
	id = id_of("here/in/a");
	tree_rename(&tree, "here/in/a", "b");
	wait_until_the_index_is_the_tree();
	assert_int_equal(id_of("b"), id);
	assert_int_equal(renameat(tree.fd, "here", index_tree.fd, "away"), 0);
	wait_until_the_index_is_the_tree();
	assert_int_equal(count_documents(), 1);
}

static void
a_new_source_is_watched_from_its_first_scan_on(void **state)
{
	(void)state;
	if (!is_watching())
		return;
	(void)run(tree.path, false, true);
	tree_file(&tree, "before", "1");
	(void)run(tree.path, false, false);
	tree_file(&tree, "new", "1");
	wait_until_the_index_is_the_tree();
	assert_int_equal(count_documents(), 2);
}

static void
a_mass_removal_waits_for_a_word(void **state)
{
	char trouble[INGEST_TROUBLE_SIZE] = "";
	int64_t end = pxs_clock_steady_ns() + WAIT_S * PXS_NS_PER_S;
	char name[16];

	(void)state;
	if (!is_watching())
		return;
	tree_folder(&tree, "x");
	for (int i = 0; i < 1500; i++) {
		(void)snprintf(name, sizeof(name), "x/%d", i);
		tree_file(&tree, name, "");
	}
	wait_until_the_index_is_the_tree();
	assert_int_equal(renameat(tree.fd, "x", index_tree.fd, "x"), 0);
	while (!*trouble && pxs_clock_steady_ns() < end) {
		(void)usleep(20000);
		ingest_trouble(ingest, trouble);
	}
	assert_non_null(strstr(trouble, "--allow-mass-removal"));
	/* Of some the kernel told one by one, before it told that the folder went. */
	assert_in_range(count_documents(), 501, 1501);
	(void)run(tree.path, true, false);
	wait_until_the_index_is_the_tree();
	ingest_trouble(ingest, trouble);
	assert_string_equal(trouble, "");
}

/* --- Anything --- */

#define STEPS 600

static void
step(int i)
{
	char a[32], b[32];

	(void)snprintf(a, sizeof(a), "d%ld/f%ld", random() % 5, random() % 20);
	(void)snprintf(b, sizeof(b), "d%ld/f%ld", random() % 5, random() % 20);
	switch (random() % 7) {
	case 0:
	case 1:
		(void)mkdirat(tree.fd, strtok(strdupa(a), "/"), 0755);
		break;
	case 2:
		if (faccessat(tree.fd, a, F_OK, 0) == 0)
			tree_file(&tree, a, i % 2 ? "content" : "x");
		break;
	case 3:
		(void)renameat(tree.fd, a, tree.fd, b);
		break;
	case 4:
		(void)unlinkat(tree.fd, a, 0);
		break;
	case 5:
		(void)renameat(tree.fd, strtok(strdupa(a), "/"), tree.fd, strtok(strdupa(b), "/"));
		break;
	default:
		break;
	}
}

static void
make_file(void)
{
	char name[32];
	int fd;

	(void)snprintf(name, sizeof(name), "d%ld/f%ld", random() % 5, random() % 20);
	fd = openat(tree.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		(void)close(fd);
}

static void
anything_is_followed(void **state)
{
	unsigned int seed = (unsigned int)pxs_clock_now_ns();

	(void)state;
	if (!is_watching())
		return;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < STEPS; i++) {
		step(i);
		make_file();
		if (random() % 20 == 0)
			(void)usleep((useconds_t)(random() % 150000));
	}
	wait_until_the_index_is_the_tree();
}

/* A file goes to and fro between two names while both are looked at: what people gave it stays. */
static atomic_bool is_over;

static void *
rename_on_and_on(void *argument)
{
	(void)argument;
	while (!atomic_load(&is_over)) {
		(void)renameat(tree.fd, "x/a", tree.fd, "y/b");
		(void)renameat(tree.fd, "y/b", tree.fd, "x/a");
	}
	return NULL;
}

static void
what_people_gave_survives_renames(void **state)
{
	pthread_t thread;

	(void)state;
	if (!is_watching())
		return;
	tree_folder(&tree, "x");
	tree_folder(&tree, "y");
	tree_file(&tree, "x/a", "1");
	wait_until_the_index_is_the_tree();
	write_comment("x/a");
	atomic_store(&is_over, false);
	assert_int_equal(pthread_create(&thread, NULL, rename_on_and_on, NULL), 0);
	for (int i = 0; i < 10; i++)
		(void)run(tree.path, true, false);
	(void)usleep(1000000);
	atomic_store(&is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	tree_file(&tree, "last", "1");
	wait_until_the_index_is_the_tree();
	assert_string_equal(text_of("x/a", "user.comment"), "mine");
}

#define WATCHING(name) cmocka_unit_test_setup_teardown(name, setup_watching, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_wait_until_they_are_due),
		TEST(a_folder_goes_with_what_is_below_even_if_nothing_is_in_it),
		WATCHING(what_changes_is_followed),
		WATCHING(what_comes_from_elsewhere_is_read_whole),
		WATCHING(a_new_source_is_watched_from_its_first_scan_on),
		WATCHING(a_mass_removal_waits_for_a_word),
		WATCHING(anything_is_followed),
		WATCHING(what_people_gave_survives_renames),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
