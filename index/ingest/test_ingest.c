/* What a document says, and what a scan notices. */
#include "index/ingest/test_world.h"

#include <time.h>

/* --- What a document says --- */

static void
nasty_names_are_kept_as_they_are(void **state)
{
	static const char *const NAMES[] = {
		"new\nline", "quo\"te",	    "50%",	    "50%25", "bad\xFF", "bad%FF",
		"bad%\xFF",  "caf\xC3\xA9", "cafe\xCC\x81", "CASE",  "case",	" ",
		".",	     "..",	    "...",	    "-rf",   "a,b",	"core.size=5",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (strcmp(NAMES[i], ".") != 0 && strcmp(NAMES[i], "..") != 0)
			tree_file(&tree, NAMES[i], "");
	tree_folder(&tree, "\xC3\x28");
	tree_file(&tree, "\xC3\x28/inside%", "");
	(void)scan();
	assert_index_is_the_tree();
	assert_string_equal(text_of("bad%\xFF", "core.filename"), "bad%25%FF");
	assert_string_equal(text_of("cafe\xCC\x81", "core.filename"), "caf\xC3\xA9");
	assert_string_equal(text_of("caf\xC3\xA9", "_index.path"), "");
	assert_int_equal(scan().unchanged, ARRAY_SIZE(NAMES));
}

static void
properties_are_told(void **state)
{
	char directory[PATH_MAX];

	(void)state;
	tree_folder(&tree, "folder.d");
	tree_file(&tree, "folder.d/Photo.PNG", "x");
	tree_file(&tree, "noextension.", "x");
	tree_file(&tree, ".hidden", "x");
	tree_file(&tree, "a.this is rather a sentence than an extension", "x");
	tree_symlink(&tree, "link.png", "folder.\xFF/%");
	assert_int_equal(fchmodat(tree.fd, "folder.d/Photo.PNG", 04640, 0), 0);
	(void)scan();
	assert_index_is_the_tree();

	(void)snprintf(directory, sizeof(directory), "%s/folder.d", tree.path);
	assert_string_equal(text_of("folder.d/Photo.PNG", "core.directory"), directory);
	assert_string_equal(text_of("folder.d/Photo.PNG", "core.filename"), "Photo.PNG");
	assert_string_equal(text_of("folder.d/Photo.PNG", "core.extension"), ".png");
	assert_string_equal(text_of("folder.d/Photo.PNG", "core.mimetype"), "image/png");
	assert_string_equal(text_of("folder.d/Photo.PNG", "core.permissions"), "4640");
	assert_string_equal(text_of("folder.d/Photo.PNG", "core.type"), "file");
	assert_string_equal(text_of("folder.d", "core.type"), "directory");
	assert_string_equal(text_of("folder.d", "core.extension"), "");
	assert_string_equal(text_of("folder.d", "core.mimetype"), "inode/directory");
	assert_string_equal(text_of("link.png", "core.type"), "symlink");
	assert_string_equal(text_of("link.png", "core.symlink_target"), "folder.%FF/%");
	assert_string_equal(text_of("noextension.", "core.extension"), "");
	assert_string_equal(text_of(".hidden", "core.extension"), "");
	assert_string_equal(
		text_of("a.this is rather a sentence than an extension", "core.extension"), "");
}

static void
a_deep_tree_is_indexed(void **state)
{
	char name[101];
	int fd = dup(tree.fd);

	(void)state;
	memset(name, 'd', 100);
	name[100] = '\0';
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		assert_int_equal(dup3(openat(fd, name, O_RDONLY | O_DIRECTORY), fd, 0), fd);
	}
	(void)close(fd);
	assert_int_equal(scan().added, 300);
	assert_int_equal(scan().unchanged, 300);
	tree_remove(&tree, name);
	assert_int_equal(run(tree.path, true, false).removed, 300);
}

/* --- What a scan notices --- */

static void
a_rescan_of_nothing_new_does_nothing(void **state)
{
	struct ingest_status status;
	CLEANUP(close) int fd = -1;
	char byte;

	(void)state;
	tree_folder(&tree, "a");
	tree_file(&tree, "a/1", "one");
	status = scan();
	assert_counts(&status, 2, 0, 0, 0, 0);
	/* An access time alone is no news. */
	fd = openat(tree.fd, "a/1", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(
		futimens(fd, (struct timespec[]){ { .tv_sec = 1 }, { .tv_nsec = UTIME_OMIT } }), 0);
	status = scan();
	/* Setting it changes ctime, so this counts. */
	assert_counts(&status, 0, 1, 0, 0, 1);
	status = scan();
	assert_counts(&status, 0, 0, 0, 0, 2);
	assert_int_equal(status.seen, 2);
	assert_int_equal(status.expected, 2);
}

static void
changes_are_noticed(void **state)
{
	struct ingest_status status;

	(void)state;
	tree_file(&tree, "size", "1");
	tree_file(&tree, "mode", "1");
	tree_file(&tree, "same", "1");
	(void)scan();
	tree_file(&tree, "size", "12");
	assert_int_equal(fchmodat(tree.fd, "mode", 0600, 0), 0);
	tree_file(&tree, "new", "");
	status = scan();
	assert_counts(&status, 1, 2, 0, 0, 1);
	assert_index_is_the_tree();
}

static void
a_renamed_file_keeps_its_document(void **state)
{
	struct ingest_status status;
	int64_t id;

	(void)state;
	tree_folder(&tree, "a");
	tree_file(&tree, "a/old.txt", "text");
	(void)scan();
	id = id_of("a/old.txt");
	tree_rename(&tree, "a/old.txt", "new.txt");
	status = scan();
	assert_counts(&status, 0, 2, 1, 0, 0);
	assert_int_equal(id_of("new.txt"), id);
	assert_index_is_the_tree();
}

static void
a_renamed_folder_takes_its_documents_along(void **state)
{
	struct ingest_status status;
	int64_t file;

	(void)state;
	tree_folder(&tree, "a");
	tree_folder(&tree, "a/b");
	tree_file(&tree, "a/b/c", "text");
	(void)scan();
	file = id_of("a/b/c");
	tree_rename(&tree, "a", "z");
	status = scan();
	assert_counts(&status, 0, 3, 3, 0, 0);
	assert_int_equal(id_of("z/b/c"), file);
	assert_index_is_the_tree();
}

static void
two_files_that_swap_names_keep_their_documents(void **state)
{
	int64_t a;
	int64_t b;

	(void)state;
	tree_file(&tree, "a", "1");
	tree_file(&tree, "b", "22");
	(void)scan();
	a = id_of("a");
	b = id_of("b");
	tree_rename(&tree, "a", "c");
	tree_rename(&tree, "b", "a");
	tree_rename(&tree, "c", "b");
	(void)scan();
	assert_int_equal(id_of("a"), b);
	assert_int_equal(id_of("b"), a);
	assert_index_is_the_tree();
}

static void
a_name_that_differs_in_normal_form_alone_is_a_rename(void **state)
{
	struct ingest_status status;

	(void)state;
	tree_file(&tree, "caf\xC3\xA9", "");
	(void)scan();
	tree_rename(&tree, "caf\xC3\xA9", "cafe\xCC\x81");
	status = scan();
	assert_counts(&status, 0, 1, 1, 0, 0);
	assert_index_is_the_tree();
}

static void
hard_links_are_documents_of_their_own(void **state)
{
	int64_t first;
	int64_t second;

	(void)state;
	tree_file(&tree, "first", "1");
	(void)scan();
	first = id_of("first");

	tree_link(&tree, "first", "second");
	assert_int_equal(scan().added, 1);
	assert_int_equal(id_of("first"), first);
	second = id_of("second");
	assert_int_not_equal(first, second);
	assert_int_equal(scan().unchanged, 2);
	assert_index_is_the_tree();

	/* What is left with one name keeps the document of that name. */
	tree_remove(&tree, "first");
	assert_int_equal(scan().removed, 1);
	assert_int_equal(id_of("second"), second);
	assert_index_is_the_tree();
}

static void
hard_links_from_the_start(void **state)
{
	int64_t a;
	int64_t b;

	(void)state;
	tree_folder(&tree, "x");
	tree_file(&tree, "a", "1");
	tree_link(&tree, "a", "x/b");
	assert_int_equal(scan().added, 3);
	a = id_of("a");
	b = id_of("x/b");
	assert_int_not_equal(a, b);
	assert_int_equal(scan().unchanged, 3);
	assert_int_equal(id_of("a"), a);
	assert_int_equal(id_of("x/b"), b);
	assert_index_is_the_tree();
}

static void
assert_comment(const char *path)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index_);
	struct query_value values[3];
	uint32_t doc;

	assert_string_equal(text_of(path, "user.comment"), "mine");
	assert_int_equal(index_doc_find(view, id_of(path), &doc), 0);
	assert_int_equal(index_doc_values(view, doc, property(view, "user.tags"), values, 3), 2);
}

static void
what_others_told_stays(void **state)
{
	(void)state;
	tree_file(&tree, "a", "1");
	(void)scan();
	write_comment("a");
	tree_file(&tree, "a", "longer");
	(void)scan();
	assert_index_is_the_tree();
	assert_comment("a");
}

/* It was on its way to another name when both were looked at, or on a disk that was away. */
static void
a_file_that_comes_back_has_what_others_told(void **state)
{
	int64_t id;

	(void)state;
	tree_file(&tree, "a", "1");
	(void)scan();
	write_comment("a");
	id = id_of("a");
	assert_int_equal(renameat(tree.fd, "a", index_tree.fd, "a"), 0);
	assert_int_equal(run(tree.path, true, false).removed, 1);
	assert_int_equal(count_documents(), 0);

	assert_int_equal(renameat(index_tree.fd, "a", tree.fd, "b"), 0);
	assert_int_equal(scan().added, 1);
	assert_index_is_the_tree();
	assert_int_equal(id_of("b"), id);
	assert_comment("b");
}

/* An editor saves what it made under another name; a backup is restored. */
static void
a_new_file_in_an_old_place_has_what_others_told(void **state)
{
	int64_t id;

	(void)state;
	tree_folder(&tree, "x");
	tree_file(&tree, "x/a", "1");
	tree_file(&tree, "x/b", "1");
	tree_file(&tree, "x/c", "1");
	(void)scan();
	write_comment("x/a");
	write_comment("x/b");
	id = id_of("x/a");
	tree_file(&index_tree, "saved", "2");
	assert_int_equal(renameat(index_tree.fd, "saved", tree.fd, "x/a"), 0);
	tree_rename(&tree, "x/c", "x/b"); /* that is another document, and stays what it was */
	(void)scan();
	assert_index_is_the_tree();
	assert_int_not_equal(id_of("x/a"), id);
	assert_comment("x/a");
	assert_string_equal(text_of("x/b", "user.comment"), "");
}

/* --- Anything --- */

#define CHURN_ROUNDS 12
#define CHURN_STEPS 200

struct known {
	int64_t inode, born, id;
};

struct knowns {
	struct known items[4096];
	size_t n;
};

/* Files named f...: none of them ever has a second name. */
static void
add_known(void *context, const struct index_view *view, uint32_t doc)
{
	struct knowns *knowns = context;
	struct query_value value;

	assert_true(index_doc_value(view, doc, property(view, "core.filename"), &value));
	if (value.string[0] != 'f')
		return;
	assert_true(knowns->n < ARRAY_SIZE(knowns->items));
	knowns->items[knowns->n++] = (struct known){
		.inode = number_of(view, doc, "core.inode"),
		.born = number_of(view, doc, "core.creationtime"),
		.id = index_doc_id(view, doc),
	};
}

static void
assert_same_documents(const struct knowns *before, const struct knowns *after)
{
	for (size_t i = 0; i < before->n; i++)
		for (size_t j = 0; j < after->n; j++)
			if (before->items[i].inode == after->items[j].inode &&
			    before->items[i].born == after->items[j].born)
				assert_int_equal(before->items[i].id, after->items[j].id);
}

static void
random_path(unsigned int *seed, char kind, char path[32])
{
	(void)snprintf(path, 32, "d%d/%c%d", rand_r(seed) % 6, kind, rand_r(seed) % 30);
}

static void
append_to(const char *path)
{
	CLEANUP(close) int fd = openat(tree.fd, path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd >= 0)
		assert_int_equal(write(fd, "more", 4), 4);
}

/* One change; many have no effect, as their files are not there. */
static void
change_something(unsigned int *seed)
{
	char kind = rand_r(seed) % 4 ? 'f' : 'h';
	char from[32];
	char to[32];
	int fd;

	random_path(seed, kind, from);
	random_path(seed, kind, to);
	switch (rand_r(seed) % 10) {
	case 0:
		(void)unlinkat(tree.fd, from, 0);
		break;
	case 1:
		(void)renameat(tree.fd, from, tree.fd, to);
		break;
	case 2:
		append_to(from);
		break;
	case 3:
		(void)fchmodat(tree.fd, from, rand_r(seed) & 0777, 0);
		break;
	case 4:
		(void)linkat(tree.fd, from, tree.fd, kind == 'h' ? to : from, 0);
		break;
	case 5:
		from[2] = to[2] = '\0'; /* the folders, which are then together */
		(void)renameat2(tree.fd, from, tree.fd, to, RENAME_EXCHANGE);
		break;
	default:
		fd = openat(tree.fd, from, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		(void)close(fd);
	}
}

static void
whatever_changes_the_index_follows(void **state)
{
	static struct knowns before;
	static struct knowns after;
	unsigned int seed = (unsigned int)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (int i = 0; i < 6; i++)
		tree_folder(&tree, (char[]){ 'd', (char)('0' + i), '\0' });
	after.n = 0;
	for (int round = 0; round < CHURN_ROUNDS; round++) {
		for (int step = 0; step < CHURN_STEPS; step++)
			change_something(&seed);
		(void)scan();
		assert_index_is_the_tree();
		before = after;
		after.n = 0;
		each_document(add_known, &after);
		assert_same_documents(&before, &after);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(nasty_names_are_kept_as_they_are),
		TEST(properties_are_told),
		TEST(a_deep_tree_is_indexed),
		TEST(a_rescan_of_nothing_new_does_nothing),
		TEST(changes_are_noticed),
		TEST(a_renamed_file_keeps_its_document),
		TEST(a_renamed_folder_takes_its_documents_along),
		TEST(two_files_that_swap_names_keep_their_documents),
		TEST(a_name_that_differs_in_normal_form_alone_is_a_rename),
		TEST(hard_links_are_documents_of_their_own),
		TEST(hard_links_from_the_start),
		TEST(what_others_told_stays),
		TEST(a_file_that_comes_back_has_what_others_told),
		TEST(a_new_file_in_an_old_place_has_what_others_told),
		TEST(whatever_changes_the_index_follows),
	};

	return cmocka_run_group_tests_name("ingest", TESTS, NULL, NULL);
}
