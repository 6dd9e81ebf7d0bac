/* Facets of many hits, which are counted in bins, against those of the same values gathered one by
 * one; and the counts of both against every value. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "index/column.h"
#include "index/derived.h"
#include "index/facet.h"
#include "index/number_order.h"
#include "index/test_random.h"
#include "index/view.h"

/* Three segments, the last not full. */
#define DOCS 150000u

#define NUMBERS 8
#define TEXTS 6
#define PROPERTIES (NUMBERS + TEXTS)

static struct query_property properties[PROPERTIES];
static const struct query_property *by_name[PROPERTIES];
static struct column *columns[PROPERTIES];
static struct view_schema schema = {
	.schema = { by_name, PROPERTIES },
	.columns = columns,
	.n_columns = PROPERTIES,
};
static struct index_view view = { .max_doc = DOCS, .schema = &schema };

static int64_t
random_number(size_t kind)
{
	switch (kind) {
	case 0: /* of every magnitude */
		return (random() % 2 ? -1 : 1) * (random() << random() % 30);
	case 1: /* half of them the same */
		return random() % 2 ? 4096 : random() % 100000;
	case 2: /* the ends of the type, and not much between */
		return random() % 3 ? random() % 50 : random() % 2 ? INT64_MAX : INT64_MIN + 1;
	case 3:
		return random() % 4;
	case 4: /* dates, all within a minute */
		return 1700000000 * PXS_NS_PER_S + random() % 60000000000;
	case 5: /* dates of twenty years */
		return random() * INT64_C(300000000) + random() % 1000;
	case 6:
		return random() % 2;
	default: /* too close for round numbers */
		return 20240007 + random() % 3000;
	}
}

static void
declare(size_t at)
{
	static char names[PROPERTIES][8];
	size_t kind = at < NUMBERS ? at : 0;

	(void)snprintf(names[at], sizeof(names[at]), "t.%zu", at);
	properties[at] = (struct query_property){
		.name = names[at],
		.type = at >= NUMBERS		 ? QUERY_TYPE_STRING
			: kind / 2 == 2		 ? QUERY_TYPE_DATETIME
			: kind == 6		 ? QUERY_TYPE_BOOLEAN
			: kind == 0 || kind == 7 ? QUERY_TYPE_DOUBLE
						 : QUERY_TYPE_LONG,
		.filter = true,
		.number = (uint32_t)at,
	};
	by_name[at] = &properties[at];
	assert_int_equal(column_new(&properties[at], &columns[at]), 0);
}

/* From four to nearly as many as there are documents. */
static void
random_text(size_t kind, char text[64])
{
	static const long DISTINCT[TEXTS] = { 4, 200, 3000, 40000, 1000000000, 1000000000 };
	long which = random() % DISTINCT[kind];

	if (kind == 5 && random() % 5 < 2)
		which = 7; /* and two fifths the same */
	(void)snprintf(text, 64, "/%c/usr/%ld", 'a' + (int)(which % 26), which);
}

static void
set_value(size_t at, uint32_t doc)
{
	struct query_value value = { .type = properties[at].type };
	char text[64];

	if (at >= NUMBERS) {
		random_text(at - NUMBERS, text);
		value.string = text;
	} else if (value.type == QUERY_TYPE_DOUBLE) {
		value.real = (double)random_number(at) / 8;
		if (random() % 50 == 0)
			value.real = -0.0;
	} else {
		value.integer = random_number(at);
	}
	assert_int_equal(column_set(columns[at], doc, &value, 1), 0);
}

static int
setup(void **state)
{
	(void)state;
	start_random();
	for (size_t at = 0; at < PROPERTIES; at++) {
		int present = at % 3 ? 100 : 70;

		declare(at);
		/* One segment has nothing of some properties. */
		for (uint32_t doc = 1; doc <= DOCS; doc++)
			if (random() % 100 < present &&
			    !(at % 5 == 4 && doc >> COLUMN_SEGMENT_SHIFT == 1))
				set_value(at, doc);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t at = 0; at < PROPERTIES; at++)
		column_free(STEAL(columns[at]));
	return 0;
}

/* All, most, a part of them; in runs or not; not too few to be counted. */
static roaring_bitmap_t *
random_hits(int kind)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();

	assert_non_null(hits);
	if (kind == 0)
		roaring_bitmap_add_range_closed(hits, 1, DOCS);
	else if (kind == 1)
		roaring_bitmap_add_range_closed(hits, (uint32_t)random() % 50000 + 1,
						DOCS - (uint32_t)random() % 50000);
	else
		for (uint32_t doc = 1; doc <= DOCS; doc++)
			if (random() % (kind == 2 ? 8 : 3) == 0)
				roaring_bitmap_add(hits, doc);
	return hits;
}

/* --- Gathered --- */

static int64_t *
gather(size_t at, const roaring_bitmap_t *hits, size_t *ret_n)
{
	int64_t *numbers = calloc(DOCS, sizeof(*numbers));
	size_t n = 0;

	assert_non_null(numbers);
	for (uint32_t doc = 1; doc <= DOCS; doc++) {
		struct query_value value;

		if (!roaring_bitmap_contains(hits, doc) ||
		    column_values(columns[at], doc, &value, 1) == 0)
			continue;
		numbers[n++] = at < NUMBERS ? column_number(&value)
					    : dict_find(column_dict(columns[at]), value.string,
							strlen(value.string));
	}
	*ret_n = n;
	return numbers;
}

static void
print_buckets(const struct index_facet *facet, struct pxs_buf *text)
{
	for (size_t i = 0; i < facet->n_buckets; i++) {
		const struct index_bucket *bucket = &facet->buckets[i];
		const struct query_node *condition = &bucket->condition;

		if (bucket->kind == INDEX_BUCKET_NONE)
			break;
		if (bucket->kind == INDEX_BUCKET_VALUE)
			query_value_print(&condition->value, text);
		if (condition->low.set)
			query_value_print(&condition->low.value, text);
		pxs_buf_add_str(text, "..");
		if (condition->high.set)
			query_value_print(&condition->high.value, text);
		pxs_buf_addf(text, " %" PRIu64 "\n", bucket->count);
	}
}

static void
assert_same_buckets(const struct index_facet *facet, const struct index_facet *expected)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT, expected_text = PXS_BUF_INIT;

	print_buckets(facet, &text);
	print_buckets(expected, &expected_text);
	assert_string_equal(pxs_buf_text(&text), pxs_buf_text(&expected_text));
}

static void
check_numbers(size_t at, const int64_t *numbers, size_t n, const struct index_facet *facet)
{
	CLEANUP(number_order) struct number_order *order = NULL;
	struct index_facet expected = { .property = &properties[at] };
	struct pxs_arena arena = { 0 };
	int64_t *room;

	if (properties[at].type == QUERY_TYPE_BOOLEAN)
		return;
	assert_int_equal(number_order_new(&order), 0);
	room = number_order_reserve(order, n);
	assert_non_null(room);
	memcpy(room, numbers, n * sizeof(*room));
	assert_int_equal(number_order_fill(order, n), 0);
	assert_int_equal(facet_by_numbers(&arena, order, &expected), 0);
	assert_same_buckets(facet, &expected);
	pxs_arena_done(&arena);
}

static bool
in_bucket(const struct index_bucket *bucket, const struct query_value *value)
{
	const struct query_node *condition = &bucket->condition;

	if (bucket->kind == INDEX_BUCKET_VALUE)
		return query_value_compare(value, &condition->value) == 0;
	return bucket->kind == INDEX_BUCKET_RANGE &&
	       (!condition->low.set || query_value_compare(value, &condition->low.value) >= 0) &&
	       (!condition->high.set || query_value_compare(value, &condition->high.value) < 0);
}

static void
check_counts(size_t at, const int64_t *numbers, size_t n, const struct index_facet *facet)
{
	uint64_t counts[8] = { 0 }, others = 0;

	for (size_t i = 0; i < n; i++) {
		struct query_value value = { .type = QUERY_TYPE_STRING };
		bool found = false;

		if (at < NUMBERS)
			column_number_value(&properties[at], numbers[i], &value);
		else
			value.string = dict_text(column_dict(columns[at]), (uint32_t)numbers[i]);
		for (size_t j = 0; j < facet->n_buckets; j++)
			if (in_bucket(&facet->buckets[j], &value)) {
				assert_false(found);
				found = true;
				counts[j]++;
			}
		others += !found;
	}
	assert_int_equal(facet->count, n);
	assert_int_equal(facet->other, others);
	/* Few strings are values, and so is what most have; where nearly all differ they are cut.
	 */
	if (at == NUMBERS || at == NUMBERS + 4)
		assert_int_equal(facet->buckets[0].kind,
				 at == NUMBERS ? INDEX_BUCKET_VALUE : INDEX_BUCKET_RANGE);
	for (size_t j = 0; j < facet->n_buckets; j++)
		if (facet->buckets[j].kind != INDEX_BUCKET_NONE)
			assert_int_equal(facet->buckets[j].count, counts[j]);
}

static void
check_facet(const roaring_bitmap_t *hits, size_t at)
{
	CLEANUP(index_facet) struct index_facet *facet = NULL;
	CLEANUP(free) int64_t *numbers = NULL;
	size_t n;

	assert_int_equal(facet_new(&view, hits, &properties[at], FACET_BUCKETS, NULL, &facet), 0);
	numbers = gather(at, hits, &n);
	check_counts(at, numbers, n, facet);
	if (at < NUMBERS)
		check_numbers(at, numbers, n, facet);
}

static void
counted_as_gathered(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		roaring_bitmap_t *hits = random_hits(kind);

		for (size_t at = 0; at < PROPERTIES; at++)
			check_facet(hits, at);
		roaring_bitmap_free(hits);
	}
}

/* All facets, by two threads, are the facets of each property by one. */
static void
two_threads_make_the_same(void **state)
{
	roaring_bitmap_t *hits = random_hits(3);
	CLEANUP(facet_set) struct facet_set *set = NULL;

	(void)state;
	assert_int_equal(facet_set_new(&view, hits, NULL, &set), 0);
	assert_int_equal(set->facets.n_facets, PROPERTIES);
	for (size_t i = 0; i < set->facets.n_facets; i++) {
		CLEANUP(index_facet) struct index_facet *facet = NULL;

		assert_int_equal(facet_new(&view, hits, set->facets.facets[i].property,
					   FACET_BUCKETS, NULL, &facet),
				 0);
		assert_same_buckets(&set->facets.facets[i], facet);
	}
	roaring_bitmap_free(hits);
}

/* Few hits of many strings are ordered by these, or by their ranks where somebody has made them;
 * and of very few, codes are sorted rather than counted. */
static void
ranks_at_hand_change_nothing(void **state)
{
	static const uint32_t SIZES[] = { 50, 100, 511, 513, 2000, 9000 };
	const size_t first = NUMBERS + 2; /* of those with many strings */
	struct index_facet *before[ARRAY_SIZE(SIZES)][PROPERTIES];
	roaring_bitmap_t *hits[ARRAY_SIZE(SIZES)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(SIZES); i++) {
		hits[i] = roaring_bitmap_create();
		while (roaring_bitmap_get_cardinality(hits[i]) < SIZES[i])
			roaring_bitmap_add(hits[i], (uint32_t)random() % DOCS + 1);
		for (size_t at = first; at < PROPERTIES; at++) {
			assert_false(ranks_are_made(&column_derived(columns[at])->ranks));
			check_facet(hits[i], at);
			assert_int_equal(facet_new(&view, hits[i], &properties[at], FACET_BUCKETS,
						   NULL, &before[i][at]),
					 0);
		}
	}
	for (size_t at = first; at < PROPERTIES; at++) {
		CLEANUP(ranks) struct ranks *ranks = NULL;

		assert_int_equal(ranks_get(&column_derived(columns[at])->ranks,
					   column_dict(columns[at]), NULL, &ranks),
				 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(SIZES); i++) {
		for (size_t at = first; at < PROPERTIES; at++) {
			CLEANUP(index_facet) struct index_facet *facet = NULL;

			assert_int_equal(facet_new(&view, hits[i], &properties[at], FACET_BUCKETS,
						   NULL, &facet),
					 0);
			assert_same_buckets(facet, before[i][at]);
			index_facet_free(before[i][at]);
		}
		roaring_bitmap_free(hits[i]);
	}
}

/* Documents that come when bins were made are in them when they are asked for. */
static void
bins_follow_a_growing_column(void **state)
{
	(void)state;
	for (uint32_t max_doc = 20000; max_doc < 60000; max_doc += 7000) {
		roaring_bitmap_t *hits = roaring_bitmap_create();

		assert_non_null(hits);
		view.max_doc = max_doc;
		roaring_bitmap_add_range_closed(hits, 1, max_doc);
		check_facet(hits, 0);
		check_facet(hits, 4);
		roaring_bitmap_free(hits);
	}
	view.max_doc = DOCS;
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(bins_follow_a_growing_column),
		cmocka_unit_test(ranks_at_hand_change_nothing), /* first: others make them */
		cmocka_unit_test(counted_as_gathered),
		cmocka_unit_test(two_threads_make_the_same),
	};

	return cmocka_run_group_tests_name("index/facet_many", TESTS, setup, teardown);
}
