/* Names and trees of hit sets, on a real index of made-up files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "fs/names.h"
#include "fs/request.h"
#include "fs/tree.h"
#include "index/index.h"
#include "query/query.h"

#define FILES 2000

enum { PATHNAME, DIRECTORY, FILENAME, TYPE, N_PROPERTIES };

static const struct query_property DECLARED[N_PROPERTIES] = {
	[PATHNAME] = { .name = "core.pathname", .prompt = "", .type = QUERY_TYPE_STRING },
	[DIRECTORY] = { .name = "core.directory", .prompt = "", .type = QUERY_TYPE_STRING },
	[FILENAME] = { .name = "core.filename", .prompt = "", .type = QUERY_TYPE_STRING },
	[TYPE] = { .name = "core.type", .prompt = "", .type = QUERY_TYPE_STRING },
};

struct world {
	char folder[64];
	struct index *index;
	const struct query_property *properties[N_PROPERTIES];
	unsigned int seed;
	int64_t next_id;
};

/* --- Made-up files --- */

static void
add(struct world *world, struct index_write *write, const char *directory, const char *name,
    const char *type)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	const char *values[N_PROPERTIES] = { NULL, directory, name, type };
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	values[PATHNAME] = path;
	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, world->next_id++);
	for (int i = 0; i < N_PROPERTIES; i++)
		assert_int_equal(index_document_add_string(document, world->properties[i],
							   values[i], strlen(values[i])),
				 0);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
}

static const char *
one_of(struct world *world, const char *const *texts, size_t n)
{
	return texts[(size_t)rand_r(&world->seed) % n];
}

static void
add_files(struct world *world, int n)
{
	static const char *const FOLDERS[] = {
		"/a", "/a/b", "/a/b/c", "/a-b", "/a/b-c", "/d", "/d/e/f/g", "/\xc3\xa9",
	};
	static const char *const NAMES[] = {
		"same.txt",  "same.TXT", "README", "core.size=5",	  "core.type",
		".pxs",	     "a%b",	 "end.",   "x~aaaaaaaaaaaab.txt", "\xc3\xa9",
		"new\nline",
	};
	struct index_write *write = NULL;
	char name[64];

	assert_int_equal(index_write_begin(world->index, &write), 0);
	for (int i = 0; i < n; i++) {
		if (rand_r(&world->seed) % 3)
			(void)snprintf(name, sizeof(name), "%s",
				       one_of(world, NAMES, ARRAY_SIZE(NAMES)));
		else
			(void)snprintf(name, sizeof(name), "file-%d", rand_r(&world->seed) % 5000);
		add(world, write, one_of(world, FOLDERS, ARRAY_SIZE(FOLDERS)), name,
		    rand_r(&world->seed) % 20 ? "file" : "symlink");
	}
	assert_int_equal(index_write_commit(write, NULL), 0);
}

static int
open_world(void **state)
{
	const char *given = getenv("PXS_SEED");
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	world->seed = given ? (unsigned int)strtoul(given, NULL, 10) : (unsigned int)time(NULL);
	print_message("seed %u\n", world->seed);
	world->next_id = 1;
	(void)strcpy(world->folder, "/tmp/pxs-test-fs-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	assert_int_equal(index_open(world->folder, INDEX_CREATE, &world->index, NULL), 0);
	for (int i = 0; i < N_PROPERTIES; i++)
		assert_int_equal(
			index_property_add(world->index, &DECLARED[i], &world->properties[i], NULL),
			0);
	add_files(world, FILES);
	*state = world;
	return 0;
}

static int
close_world(void **state)
{
	struct world *world = *state;
	pid_t child;

	index_close(world->index);
	child = fork();
	if (child == 0)
		(void)execlp("rm", "rm", "-rf", world->folder, (char *)NULL);
	free(*state);
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

/* --- A hit set and its names --- */

struct found {
	struct index_hits *hits;
	struct fs_core core;
	struct fs_names *names;
	struct fs_request request; /* without limits */
};

static void
find(struct world *world, const char *segment, struct found *found)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(world->index);
	CLEANUP(query) struct query *query = NULL;

	*found = (struct found){ 0 };
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_segment(query, segment, index_view_schema(view), NULL), 0);
	assert_int_equal(index_search(view, query, NULL, &found->hits, NULL), 0);
	fs_core_find(&found->core, index_view_schema(view));
	assert_int_equal(fs_names_new(&found->request, found->hits, &found->names), 0);
}

static void
forget(struct found *found)
{
	fs_names_put(found->names);
	index_hits_put(found->hits);
}

/* All hits, by row. */
static size_t
all_docs(const struct found *found, uint32_t **ret_docs)
{
	size_t n = index_hits_count(found->hits);
	size_t got;

	*ret_docs = calloc(n, sizeof(**ret_docs));
	assert_non_null(*ret_docs);
	assert_int_equal(index_hits_after(found->hits, 0, NULL, *ret_docs, n, &got), 0);
	assert_int_equal(got, n);
	return n;
}

static void
print_name(const struct found *found, uint32_t doc, char name[FS_NAME_SIZE])
{
	(void)fs_names_print(found->names, &found->core, index_hits_view(found->hits), doc,
			     FS_NAME_MAX, name);
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
names_differ_and_lead_back(void **state)
{
	static const char *const SEGMENTS[] = { "core.type=file", "_sort=-core.filename",
						"core.filename=same.txt,README" };
	char(*names)[FS_NAME_SIZE];
	struct fs_scope scope;
	struct found found;
	uint32_t *docs;
	uint32_t doc = 0;
	size_t n;

	for (size_t s = 0; s < ARRAY_SIZE(SEGMENTS); s++) {
		find(*state, SEGMENTS[s], &found);
		fs_scope_of_hits(&scope, found.hits, &found.core);
		n = all_docs(&found, &docs);
		assert_true(n > 100);
		names = calloc(n, sizeof(*names));
		assert_non_null(names);
		for (size_t i = 0; i < n; i++) {
			print_name(&found, docs[i], names[i]);
			assert_int_equal(fs_names_resolve(&scope, names[i], FS_NAME_MAX, &doc), 0);
			assert_int_equal(doc, docs[i]);
		}
		qsort(names, n, sizeof(*names), compare_texts);
		for (size_t i = 1; i < n; i++)
			assert_string_not_equal(names[i - 1], names[i]);
		free(names);
		free(docs);
		forget(&found);
	}
}

/* Also of those that are shown without it; and only among the hits. */
static void
every_suffixed_name_resolves(void **state)
{
	struct fs_scope files;
	struct fs_scope symlinks;
	struct found found;
	struct found others;
	char name[FS_NAME_SIZE];
	uint32_t *docs;
	uint32_t doc = 0;
	size_t n;

	find(*state, "core.type=file", &found);
	find(*state, "core.type=symlink", &others);
	fs_scope_of_hits(&files, found.hits, &found.core);
	fs_scope_of_hits(&symlinks, others.hits, &others.core);
	n = all_docs(&found, &docs);
	for (size_t i = 0; i < n; i++) {
		struct index_view *view = index_hits_view(found.hits);

		(void)fs_name_suffixed(fs_document_text(found.core.filename, view, docs[i]),
				       index_doc_id(view, docs[i]), index_view_schema(view),
				       FS_NAME_MAX, name);
		assert_int_equal(fs_names_resolve(&files, name, FS_NAME_MAX, &doc), 0);
		assert_int_equal(doc, docs[i]);
		assert_int_equal(fs_names_resolve(&symlinks, name, FS_NAME_MAX, &doc), -ENOENT);
	}
	free(docs);
	forget(&others);
	forget(&found);
}

static void
names_stay_when_documents_come(void **state)
{
	struct world *world = *state;
	struct found before;
	struct found after;
	char name[FS_NAME_SIZE];
	char later[FS_NAME_SIZE];
	uint32_t *docs;
	size_t n;

	find(world, "core.type=file", &before);
	add_files(world, FILES / 4);
	find(world, "core.type=file", &after);
	assert_true(index_hits_count(after.hits) > index_hits_count(before.hits));
	n = all_docs(&before, &docs);
	for (size_t i = 0; i < n; i++) {
		print_name(&before, docs[i], name);
		print_name(&after, docs[i], later);
		assert_string_equal(later, name);
	}
	free(docs);
	forget(&before);
	forget(&after);
}

/* --- Trees --- */

/* The documents below FOLDER, each where its directory says. */
static size_t
walk(const struct found *found, const struct fs_tree *tree, const char *folder, int depth)
{
	struct index_view *view = index_hits_view(found->hits);
	struct fs_tree_entry entry;
	size_t place = 0;
	size_t n = 0;
	char below[512];

	assert_true(depth < 10);
	assert_true(fs_tree_has(tree, folder));
	while (fs_tree_next(tree, folder, &place, &entry)) {
		if (entry.doc) {
			assert_string_equal(
				fs_document_text(found->core.directory, view, entry.doc) + 1,
				folder);
			n++;
			continue;
		}
		(void)snprintf(below, sizeof(below), "%s%s%.*s", folder, *folder ? "/" : "",
			       (int)entry.len, entry.name);
		n += walk(found, tree, below, depth + 1);
	}
	return n;
}

static size_t
count_entries(const struct fs_tree *tree, const char *folder)
{
	struct fs_tree_entry entry;
	size_t place = 0;
	size_t n = 0;

	while (fs_tree_next(tree, folder, &place, &entry))
		n += !entry.doc;
	return n;
}

static void
a_tree_holds_every_result_once(void **state)
{
	CLEANUP(fs_tree) struct fs_tree *tree = NULL;
	struct found found;

	find(*state, "core.type=file", &found);
	assert_int_equal(fs_tree_new(&found.request, found.hits, &tree), 0);
	assert_int_equal(walk(&found, tree, "", 0), index_hits_count(found.hits));
	assert_int_equal(count_entries(tree, ""), 4);  /* a, a-b, d, e with an accent */
	assert_int_equal(count_entries(tree, "a"), 2); /* b, b-c */
	assert_int_equal(count_entries(tree, "d"), 1);
	assert_false(fs_tree_has(tree, "a/"));
	assert_false(fs_tree_has(tree, "a/bc"));
	assert_false(fs_tree_has(tree, "d/e/f/g/h"));
	assert_true(fs_tree_has(tree, "d/e"));
	forget(&found);
}

static void
a_directory_among_the_results_is_a_folder(void **state)
{
	struct world *world = *state;
	CLEANUP(fs_tree) struct fs_tree *tree = NULL;
	struct index_write *write = NULL;
	struct found found;

	assert_int_equal(index_write_begin(world->index, &write), 0);
	add(world, write, "/z", "empty", "directory");
	add(world, write, "/z", "full", "directory");
	add(world, write, "/z/full", "it", "directory");
	assert_int_equal(index_write_commit(write, NULL), 0);

	find(world, "core.type=directory", &found);
	assert_int_equal(fs_tree_new(&found.request, found.hits, &tree), 0);
	assert_int_equal(walk(&found, tree, "", 0), 0);
	assert_int_equal(count_entries(tree, "z"), 2);
	assert_int_equal(count_entries(tree, "z/full"), 1);
	assert_int_equal(count_entries(tree, "z/empty"), 0);
	assert_true(fs_tree_has(tree, "z/empty"));
	forget(&found);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(names_differ_and_lead_back),
		cmocka_unit_test(every_suffixed_name_resolves),
		cmocka_unit_test(names_stay_when_documents_come),
		cmocka_unit_test(a_tree_holds_every_result_once),
		cmocka_unit_test(a_directory_among_the_results_is_a_folder),
	};

	return cmocka_run_group_tests_name("fs results", TESTS, open_world, close_world);
}
