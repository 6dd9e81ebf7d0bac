/* Which folders are remembered as watched, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "fs/node.h"
#include "fs/watched.h"
#include "index/index.h"
#include "query/query.h"

struct world {
	char dir[64];
	struct index *index;
	struct index_view *view;
	struct query *query;
	struct fs_watched *watched;
};

static int
open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	(void)strcpy(world->dir, "/tmp/pxs-test-fs-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(index_open(world->dir, INDEX_CREATE, &world->index, NULL), 0);
	assert_int_equal(query_new(&world->query), 0);
	world->view = index_view_get(world->index);
	assert_int_equal(fs_watched_new(&world->watched), 0);
	*state = world;
	return 0;
}

static int
close_world(void **state)
{
	struct world *world = *state;
	char command[96];

	fs_watched_free(world->watched);
	index_view_put(world->view);
	query_free(world->query);
	index_close(world->index);
	(void)snprintf(command, sizeof(command), "rm -rf %s", world->dir);
	free(world);
	return system(command);
}

static struct index_hits *
search(const struct world *world)
{
	struct index_hits *hits = NULL;

	assert_int_equal(index_search(world->view, world->query, NULL, &hits, NULL), 0);
	return hits;
}

static void
open_folder(const struct world *world, uint64_t id)
{
	CLEANUP(fs_node) struct fs_node *node = fs_node_new(FS_KIND_QUERY, NULL);
	CLEANUP(index_hits) struct index_hits *hits = search(world);

	assert_non_null(node);
	node->id = id;
	fs_watched_open(world->watched, node, hits);
}

/* Their numbers, "2 1", the one opened last first. */
static const char *
list(const struct world *world)
{
	static char text[FS_WATCHED_MAX * 8];
	struct fs_watched_folder folders[FS_WATCHED_MAX];
	size_t n = fs_watched_list(world->watched, folders);
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? " " : "",
					(int)folders[i].node->id);
		fs_watched_folder_done(&folders[i]);
	}
	return text;
}

static void
folders_are_remembered_until_they_are_forgotten(void **state)
{
	const struct world *world = *state;

	for (uint64_t id = 1; id <= 3; id++)
		open_folder(world, id);
	assert_string_equal(list(world), "3 2 1");
	open_folder(world, 1);
	assert_string_equal(list(world), "1 3 2");
	fs_watched_forget(world->watched, 3);
	fs_watched_forget(world->watched, 7);
	assert_string_equal(list(world), "1 2");
}

static void
the_one_opened_longest_ago_makes_room(void **state)
{
	const struct world *world = *state;
	struct fs_watched_folder folders[FS_WATCHED_MAX];

	for (uint64_t id = 1; id <= FS_WATCHED_MAX; id++)
		open_folder(world, id);
	open_folder(world, 1);
	open_folder(world, 100);
	assert_int_equal(fs_watched_list(world->watched, folders), FS_WATCHED_MAX);
	assert_int_equal(folders[0].node->id, 100);
	assert_int_equal(folders[1].node->id, 1);
	assert_int_equal(folders[FS_WATCHED_MAX - 1].node->id, 3); /* 2 went */
	for (size_t i = 0; i < FS_WATCHED_MAX; i++)
		fs_watched_folder_done(&folders[i]);
}

/* Who opened it first knows no more than that. */
static void
opening_again_does_not_change_what_was_told(void **state)
{
	const struct world *world = *state;
	struct fs_watched_folder folders[FS_WATCHED_MAX];
	CLEANUP(index_hits) struct index_hits *told = NULL;
	CLEANUP(index_hits) struct index_hits *first = NULL;

	open_folder(world, 1);
	assert_int_equal(fs_watched_list(world->watched, folders), 1);
	first = index_hits_ref(folders[0].hits);
	fs_watched_folder_done(&folders[0]);

	world->query->n_sorts = 0;
	world->query->limit = 5; /* other hits */
	open_folder(world, 1);
	assert_int_equal(fs_watched_list(world->watched, folders), 1);
	assert_ptr_equal(folders[0].hits, first);

	told = search(world);
	fs_watched_told(world->watched, folders[0].node, told);
	fs_watched_folder_done(&folders[0]);
	assert_int_equal(fs_watched_list(world->watched, folders), 1);
	assert_ptr_equal(folders[0].hits, told);
	fs_watched_told(world->watched, folders[0].node, NULL);
	fs_watched_folder_done(&folders[0]);
	assert_string_equal(list(world), "");
}

static void
an_unlink_is_known_once(void **state)
{
	const struct world *world = *state;

	fs_watched_unlink(world->watched, 1, 10);
	assert_false(fs_watched_unlinked(world->watched, 2, 10));
	assert_false(fs_watched_unlinked(world->watched, 1, 11));
	assert_true(fs_watched_unlinked(world->watched, 1, 10));
	assert_false(fs_watched_unlinked(world->watched, 1, 10));
	fs_watched_unlink(world->watched, 1, 10);
	for (uint64_t row = 1; row <= FS_WATCHED_UNLINKS_MAX; row++)
		fs_watched_unlink(world->watched, 3, row);
	assert_false(fs_watched_unlinked(world->watched, 1, 10));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(folders_are_remembered_until_they_are_forgotten),
		TEST(the_one_opened_longest_ago_makes_room),
		TEST(opening_again_does_not_change_what_was_told),
		TEST(an_unlink_is_known_once),
	};

	return cmocka_run_group_tests_name("fs watched", TESTS, NULL, NULL);
}
