/* Facets of random collections: what must hold of any, and that counts are what a search finds. */
#include "index/test_facet.h"

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* --- Invariants of any facet --- */

static void
check_follow_up(const struct query *query, const struct index_bucket *bucket)
{
	CLEANUP(query) struct query *narrower = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	assert_int_equal(query_copy(query, &narrower), 0);
	assert_int_equal(query_add_condition(narrower, &bucket->condition), 0);
	hits = search(narrower);
	assert_int_equal(index_hits_count(hits), bucket->count);
}

/* The same through the name that the mount shows. */
static void
check_name(const struct query *query, const struct index_bucket *bucket)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	CLEANUP(query) struct query *narrower = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(pxs_buf) struct pxs_buf segment = PXS_BUF_INIT;

	assert_int_equal(query_print_segment(&bucket->condition, &segment), 0);
	assert_int_equal(query_copy(query, &narrower), 0);
	if (query_add_segment(narrower, pxs_buf_text(&segment), index_view_schema(view), &err) < 0)
		fail_msg("%s: %s", pxs_buf_text(&segment), err.text);
	hits = search(narrower);
	if (index_hits_count(hits) != bucket->count)
		fail_msg("%s: %" PRIu64 " instead of %" PRIu64, pxs_buf_text(&segment),
			 index_hits_count(hits), bucket->count);
}

static void
check_ranges(const struct index_facet *facet, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		const struct query_node *condition = &facet->buckets[i].condition;

		assert_int_equal(facet->buckets[i].kind, INDEX_BUCKET_RANGE);
		sum += facet->buckets[i].count;
		if (condition->low.set && condition->high.set)
			assert_true(query_value_compare(&condition->low.value,
							&condition->high.value) < 0);
		if (i == 0)
			continue;
		assert_true(condition->low.set && condition->low.inclusive);
		assert_true(condition[0].low.set && facet->buckets[i - 1].condition.high.set);
		assert_int_equal(query_value_compare(&facet->buckets[i - 1].condition.high.value,
						     &condition->low.value),
				 0);
	}
	assert_int_equal(sum, facet->count);
}

static void
check_values(const struct index_facet *facet, size_t n)
{
	uint64_t mass = facet->other;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(facet->buckets[i].kind, INDEX_BUCKET_VALUE);
		mass += facet->buckets[i].count;
	}
	if (facet->property->multi)
		assert_true(mass >= facet->count);
	else
		assert_int_equal(mass, facet->count);
}

static void
check_facet(const struct query *query, const struct index_facet *facet, uint64_t hits)
{
	size_t n = facet->n_buckets - (facet->missing > 0);

	assert_int_equal(facet->count + facet->missing, hits);
	assert_in_range(n, 1, 5);
	assert_true(facet->usefulness >= 0 && facet->usefulness < 1);
	if (facet->buckets[0].kind == INDEX_BUCKET_RANGE)
		check_ranges(facet, n);
	else
		check_values(facet, n);
	if (facet->missing)
		assert_int_equal(facet->buckets[n].kind, INDEX_BUCKET_NONE);
	for (size_t i = 0; i < facet->n_buckets; i++) {
		assert_true(facet->buckets[i].count > 0);
		check_follow_up(query, &facet->buckets[i]);
		check_name(query, &facet->buckets[i]);
	}
}

/* --- Random collections --- */

static const char *const WORDS[] = { "a",
				     "ab",
				     "abc",
				     "/usr/share/doc",
				     "/usr/share/dir",
				     "\xc3\xa4h",
				     "\xc3\xb6h",
				     "z..z",
				     "!x",
				     "x,y",
				     "10-20",
				     "%41",
				     "..",
				     "a b",
				     "\xe2\x82\xac" };

static void
add_random_word(struct index_document *document, int at, int spread)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%.0ld", WORDS[random() % (long)ARRAY_SIZE(WORDS)],
		       random() % spread);
	add_text(document, at, text);
}

static int64_t
random_number(int kind)
{
	static const int64_t ENDS[] = { INT64_MAX, INT64_MIN + 1, 0, -1, 1 };

	switch (kind % 6) {
	case 0:
		return random() % 6;
	case 1:
		return random() % 40 == 0 ? ENDS[random() % 5] : random() % 100000;
	case 2:
		return INT64_C(1) << random() % 62;
	case 3:
		return -(random() % 5000);
	case 4:
		return random() % 3 ? 20240101 : 20240101 + random() % 300;
	default:
		return (random() % 2 ? -1 : 1) * (random() << random() % 20);
	}
}

/* Between 1678 and 2261, with all precisions. */
static int64_t
random_time(int kind)
{
	static const int64_t UNITS[] = {
		1, 1000, PXS_NS_PER_MS, PXS_NS_PER_S, 3600 * PXS_NS_PER_S, 86400 * PXS_NS_PER_S
	};
	int64_t unit = UNITS[kind % 6];

	return 1700000000 * PXS_NS_PER_S + random() % (kind % 3 ? 1000 : 20000) * unit;
}

static bool
chance(int percent)
{
	return random() % 100 < percent;
}

static void
make_random(struct index_document *document, int round)
{
	if (chance(80))
		add_text(document, KIND, WORDS[random() % 6]);
	if (chance(90))
		add_random_word(document, WORD, round % 2 ? 3 : 500);
	for (long n = random() % 4; n-- > 0;)
		add_random_word(document, TAGS, 2);
	if (chance(70))
		add_number(document, SIZE, random_number(round));
	if (chance(95))
		add_number(document, COUNT, random_number(round + 1) % INT32_MAX);
	if (chance(70))
		add_number(document, RATIO, random_number(round + 2));
	if (chance(round % 4 ? 50 : 100))
		add_number(document, FLAG, chance(round * 10));
	if (chance(90))
		add_number(document, TIME, random_time(round));
	for (long n = random() % 3; n-- > 0;)
		add_number(document, SIZES, random_number(round + 3));
	add_text(document, HIDDEN, "hidden");
	add_number(document, UNOFFERED, random() % 100);
}

/* Ids repeat, so documents are replaced, and some are removed again. */
static void
put_random(int round, int n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (int i = 0; i < n; i++) {
		index_document_clear(document);
		index_document_set_id(document, random() % n + 1);
		make_random(document, round);
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
		if (chance(10))
			(void)index_write_remove(write, random() % n + 1);
	}
	end(write);
}

static void
check_order(const struct index_facets *facets)
{
	bool useless = false;

	for (size_t i = 0; i < facets->n_facets; i++) {
		const struct index_facet *facet = &facets->facets[i];

		assert_true(facet->property->filter && facet->property->name[0] != '_');
		if (facet->usefulness <= 0)
			useless = true;
		else
			assert_false(useless);
	}
}

/* Narrow down by random buckets, as a person would, checking everything on the way. */
static void
drill_down(void)
{
	CLEANUP(query) struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	for (int depth = 0; depth < 6; depth++) {
		CLEANUP(index_hits) struct index_hits *hits = search(query);
		const struct index_facets *facets;
		const struct index_facet *facet;

		assert_int_equal(index_hits_facets(hits, NULL, &facets, &err), 0);
		assert_int_equal(facets->hits, index_hits_count(hits));
		check_order(facets);
		for (size_t i = 0; i < facets->n_facets; i++)
			check_facet(query, &facets->facets[i], facets->hits);
		if (facets->n_facets == 0)
			return;
		facet = &facets->facets[(size_t)random() % facets->n_facets];
		assert_int_equal(
			query_add_condition(
				query,
				&facet->buckets[(size_t)random() % facet->n_buckets].condition),
			0);
	}
}

static void
counts_are_what_a_search_finds(void **state)
{
	start_random();
	for (int round = 0; round < 6; round++) {
		assert_int_equal(setup(state), 0);
		put_random(round, round == 0 ? 7 : 300 << (round % 3));
		for (int i = 0; i < 5; i++)
			drill_down();
		assert_int_equal(close_catalogue(state), 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(counts_are_what_a_search_finds),
	};

	return cmocka_run_group_tests_name("facet_random", TESTS, NULL, NULL);
}
