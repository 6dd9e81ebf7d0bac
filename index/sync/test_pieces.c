/* Pieces of content that are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "index/sync/pieces.h"

static struct pieces *pieces;

static int
setup(void **state)
{
	(void)state;
	return pieces_new(&pieces);
}

static int
teardown(void **state)
{
	(void)state;
	pieces_free(STEAL(pieces));
	return 0;
}

static void
add(int64_t id, const char *version, uint64_t offset, size_t len)
{
	CLEANUP(piece) struct piece *piece = piece_new(calloc(1, len), len);

	assert_non_null(piece);
	piece->id = id;
	(void)stpcpy(piece->version, version);
	piece->offset = offset;
	pieces_add(pieces, piece);
}

static bool
has(int64_t id, const char *version, uint64_t offset)
{
	CLEANUP(piece) struct piece *piece = pieces_find(pieces, id, version, offset);

	assert_true(!piece || (piece->id == id && piece->offset <= offset &&
			       offset < piece->offset + piece->len));
	return piece;
}

static void
a_piece_is_found_by_what_it_holds(void **state)
{
	(void)state;
	add(1, "a", 100, 50);
	assert_true(has(1, "a", 100));
	assert_true(has(1, "a", 149));
	assert_true(has(1, NULL, 120));
	assert_false(has(1, "a", 99));
	assert_false(has(1, "a", 150));
	assert_false(has(2, "a", 100));
	assert_false(has(1, "b", 100));
}

static void
the_newest_of_any_version_is_found(void **state)
{
	struct piece *piece;

	(void)state;
	add(1, "old", 0, 10);
	add(1, "new", 0, 10);
	piece = pieces_find(pieces, 1, NULL, 0);
	assert_string_equal(piece->version, "new");
	piece_put(piece);
}

static void
what_was_unused_for_longest_goes(void **state)
{
	const size_t part = PIECES_MAX / 4;

	(void)state;
	for (int64_t id = 1; id <= 4; id++)
		add(id, "v", 0, part);
	assert_true(has(1, "v", 0)); /* and so it is used */
	add(5, "v", 0, part);
	assert_false(has(2, "v", 0));
	for (int64_t id = 1; id <= 5; id++)
		assert_int_equal(has(id, "v", 0), id != 2);
}

/* Whoever has one may go on with it, however many come after. */
static void
a_piece_outlives_its_place(void **state)
{
	struct piece *piece;

	(void)state;
	add(1, "v", 0, 1000);
	piece = pieces_find(pieces, 1, "v", 0);
	add(2, "v", 0, PIECES_MAX);
	assert_false(has(1, "v", 0));
	assert_int_equal(piece->data[999], 0);
	piece_put(piece);
	assert_true(has(2, "v", 5));
}

static void
small_ones_are_bounded_in_number(void **state)
{
	(void)state;
	for (int64_t id = 1; id <= 2000; id++)
		add(id, "v", 0, 1);
	assert_true(has(2000, "v", 0));
	assert_true(has(1000, "v", 0));
	assert_false(has(900, "v", 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(a_piece_is_found_by_what_it_holds), TEST(the_newest_of_any_version_is_found),
		TEST(what_was_unused_for_longest_goes),	 TEST(a_piece_outlives_its_place),
		TEST(small_ones_are_bounded_in_number),
	};

	return cmocka_run_group_tests_name("sync pieces", TESTS, NULL, NULL);
}
