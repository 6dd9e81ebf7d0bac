/* The first of many hits, found without a look at most of them, against all hits in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "index/docs.h"
#include "index/search.h"
#include "index/sort.h"
#include "index/test_random.h"
#include "index/view.h"

/* Three segments, the last not full. */
#define DOCS 150000u

/* Up to this one they stand by row. */
#define STANDING 100000u

#define ROUNDS 120
#define FIRST_MAX 300

enum { BYTES, WIDE, DATES, LISTS, FEW_TEXTS, MANY_TEXTS, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[BYTES] = { .name = "bytes", .type = QUERY_TYPE_LONG, .number = BYTES },
	[WIDE] = { .name = "wide", .type = QUERY_TYPE_LONG, .number = WIDE },
	[DATES] = { .name = "dates", .type = QUERY_TYPE_DATETIME, .number = DATES },
	[LISTS] = { .name = "lists", .type = QUERY_TYPE_LONG, .multi = true, .number = LISTS },
	[FEW_TEXTS] = { .name = "few", .type = QUERY_TYPE_STRING, .number = FEW_TEXTS },
	[MANY_TEXTS] = { .name = "many", .type = QUERY_TYPE_STRING, .number = MANY_TEXTS },
};

static struct column *columns[PROPERTIES];
static struct view_schema schema = { .columns = columns, .n_columns = PROPERTIES };
static struct tables tables;
static struct index_view view = { .max_doc = DOCS, .schema = &schema, .tables = &tables };

static void
set_random(int at, uint32_t doc)
{
	struct query_value value = { .type = DECLARED[at].type };
	char text[32];

	switch (at) {
	case BYTES:
		value.integer = random() % 50;
		break;
	case WIDE:
		value.integer = (random() % 2 ? -1 : 1) * (random() << random() % 32);
		break;
	case DATES:
		value.integer = random() * INT64_C(300000000);
		break;
	case LISTS:
		value.integer = random() % 1000;
		break;
	default:
		(void)snprintf(text, sizeof(text), "%ld",
			       random() % (at == FEW_TEXTS ? 60 : 90000));
		value.string = text;
	}
	assert_int_equal(column_set(columns[at], doc, &value, 1), 0);
}

/* Those after STANDING have rows between those of others. */
static uint64_t
row_of(uint32_t doc)
{
	return doc <= STANDING ? 2 * doc : 1 + doc * UINT64_C(7919) % DOCS * 2;
}

/* Of each property some documents have nothing, and a segment of one has none at all. */
static int
setup(void **state)
{
	(void)state;
	start_random();
	if (docs_new(&tables.docs) < 0)
		return -1;
	for (int at = 0; at < PROPERTIES; at++)
		if (column_new(&DECLARED[at], &columns[at]) < 0)
			return -1;
	for (uint32_t doc = 1; doc <= DOCS; doc++) {
		const struct docs_meta meta = { .id = (int64_t)(doc * UINT32_C(2654435761)) + 1,
						.row = row_of(doc),
						.seq = doc };

		assert_int_equal(docs_add(tables.docs, doc, &meta), 0);
		for (int at = 0; at < PROPERTIES; at++)
			if (random() % 20 && !(at == DATES && doc >> COLUMN_SEGMENT_SHIFT == 1))
				set_random(at, doc);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int at = 0; at < PROPERTIES; at++)
		column_free(STEAL(columns[at]));
	docs_free(STEAL(tables.docs));
	return 0;
}

static roaring_bitmap_t *
random_hits(void)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();
	long part = (long[]){ 1, 1, 2, 7 }[random() % 4];

	assert_non_null(hits);
	if (part == 1)
		roaring_bitmap_add_range_closed(hits, 1 + (uint32_t)random() % 3,
						DOCS - (uint32_t)random() % 100);
	for (uint32_t doc = 1; part > 1 && doc <= DOCS; doc++)
		if (random() % part == 0)
			roaring_bitmap_add(hits, doc);
	return hits;
}

/* By up to two keys. */
static void
random_sorter(struct sorter *sorter)
{
	*sorter = (struct sorter){ .view = &view, .n = (size_t)random() % 3 };
	for (size_t i = 0; i < sorter->n; i++)
		sorter->keys[i] = (struct sort_key){ .column = columns[random() % PROPERTIES],
						     .descending = random() % 2 };
	assert_int_equal(sorter_prepare(sorter, NULL), 0);
}

static void
check_first(const struct sorter *sorter, const roaring_bitmap_t *hits, const uint32_t *order,
	    size_t total)
{
	size_t after = random() % 2 ? (size_t)random() % total : SIZE_MAX, n;
	size_t wanted = 1 + (size_t)random() % FIRST_MAX, from = after + 1;
	uint32_t found[FIRST_MAX];
	struct sort_place place;

	if (after < total)
		sorter_place(sorter, order[after], &place);
	assert_int_equal(
		sorter_first(sorter, hits, after < total ? &place : NULL, wanted, NULL, found, &n),
		0);
	assert_int_equal(n, MIN(wanted, total - from));
	assert_memory_equal(found, order + from, n * sizeof(*found));
}

static void
the_first_are_those_of_all_in_order(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(bitmap) roaring_bitmap_t *hits = random_hits();
		CLEANUP(free) uint32_t *order = NULL;
		size_t total = roaring_bitmap_get_cardinality(hits);
		struct sorter sorter;

		random_sorter(&sorter);
		view.rows_ascend_to = 0;
		assert_int_equal(sorter_order(&sorter, hits, total, NULL, &order), 0);
		for (int i = 0; i < 4; i++) {
			view.rows_ascend_to = (uint32_t[]){ 0, STANDING, STANDING / 2, 70 }[i];
			check_first(&sorter, hits, order, total);
		}
		sorter_done(&sorter);
	}
}

static void
the_first_are_found_where_all_stand_in_order(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(bitmap) roaring_bitmap_t *hits = random_hits();
		CLEANUP(free) uint32_t *order = NULL;
		const struct sorter sorter = { .view = &view };
		size_t total;

		roaring_bitmap_remove_range(hits, STANDING + 1, DOCS + 1);
		total = roaring_bitmap_get_cardinality(hits);
		view.rows_ascend_to = 0;
		assert_int_equal(sorter_order(&sorter, hits, total, NULL, &order), 0);
		view.rows_ascend_to = ROWS_ASCEND;
		assert_true(sorter_is_natural(&sorter));
		check_first(&sorter, hits, order, total);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(the_first_are_those_of_all_in_order),
		cmocka_unit_test(the_first_are_found_where_all_stand_in_order),
	};

	return cmocka_run_group_tests_name("sorting many", TESTS, setup, teardown);
}
