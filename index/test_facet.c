/* Facets of well-known collections: which values and bounds are chosen, and their order. */
#include "index/test_facet.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* --- Well-known collections --- */

#define MANY 10000

/* The I-th of MANY evenly spaced quantiles of the normal distribution, in thousandths. */
static double
normal_quantile(int i)
{
	double p = (i + 0.5) / MANY, low = -8, high = 8;

	for (int step = 0; step < 60; step++) {
		double mid = (low + high) / 2;

		if (0.5 * erfc(-mid / M_SQRT2) < p)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static void
uniform_numbers(void **state)
{
	static int64_t numbers[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		numbers[i] = i * 100;
	put_numbers(SIZE, numbers, MANY);
	assert_facet(SIZE, "0..200000 2000, 200000..400000 2000, 400000..600000 2000, "
			   "600000..800000 2000, 800000..1000000 2000");
}

static void
lognormal_numbers(void **state)
{
	static int64_t numbers[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		numbers[i] = (int64_t)exp(10 + 2 * normal_quantile(i));
	put_numbers(SIZE, numbers, MANY);
	assert_facet(SIZE, "0..4100 2003, 4100..13000 1957, 13000..37000 2063, "
			   "37000..120000 1994, 120000..60000000 1983");
}

static void
a_heavy_value_stands_alone(void **state)
{
	static int64_t numbers[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		numbers[i] = i < 6000 ? 0 : i;
	put_numbers(SIZE, numbers, MANY);
	assert_facet(SIZE, "0..1 6000, 1..7000 1000, 7000..8000 1000, 8000..9000 1000, "
			   "9000..10000 1000");
}

static void
few_numbers_are_values(void **state)
{
	static const int64_t NUMBERS[] = { 5, 1, 1, -3, 5, 5, 700, 80 };

	(void)state;
	put_numbers(SIZE, NUMBERS, ARRAY_SIZE(NUMBERS));
	assert_facet(SIZE, "-3 1, 1 2, 5 3, 80 1, 700 1");
}

/* No number of three digits falls between any two of them. */
static void
close_numbers_still_divide(void **state)
{
	static int64_t numbers[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		numbers[i] = 20240007 + i;
	put_numbers(SIZE, numbers, MANY);
	assert_facet(SIZE, "20240000..20242000 1993, 20242000..20244000 2000, "
			   "20244000..20246000 2000, 20246000..20248000 2000, "
			   "20248000..20251000 2007");
}

/* 1234510 would be a near and short bound for the last few, but nothing is beyond it. */
static void
no_bound_is_past_everything(void **state)
{
	static int64_t numbers[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		numbers[i] = i < 6100 ? i : i < 9850 ? 1234500 : 1234506 + i % 4;
	put_numbers(SIZE, numbers, MANY);
	assert_facet(SIZE, "0..2000 2000, 2000..4000 2000, 4000..6000 2000, "
			   "6000..1234506 3850, 1234506..1300000 150");
}

/* The first cut is at 2000, where 1002400 is near; that is the second cut, at 2040, already. */
static void
two_cuts_may_share_a_bound(void **state)
{
	static int64_t numbers[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		numbers[i] = i < 2040 ? 1000351 + i : i < 7000 ? 1002400 : 2000000 + i * 10;
	put_numbers(SIZE, numbers, MANY);
	assert_facet(SIZE, "1000000..1002400 2040, 1002400..2000000 4960, "
			   "2000000..2085000 1500, 2085000..2100000 1500");
}

static void
years_of_dates(void **state)
{
	static int64_t times[MANY];
	int64_t start_ns, end_ns;

	(void)state;
	assert_int_equal(query_time_parse("2009", &start_ns, &end_ns, NULL), 0);
	for (int i = 0; i < MANY; i++)
		times[i] = start_ns + i * (16 * INT64_C(365) * 86400 * PXS_NS_PER_S / MANY);
	put_numbers(TIME, times, MANY);
	assert_facet(TIME, "2005-01-01T00:00:00..2012-01-01T00:00:00 1875, "
			   "2012-01-01T00:00:00..2015-01-01T00:00:00 1877, "
			   "2015-01-01T00:00:00..2019-01-01T00:00:00 2502, "
			   "2019-01-01T00:00:00..2022-01-01T00:00:00 1877, "
			   "2022-01-01T00:00:00..2025-01-01T00:00:00 1869");
}

/* Half of everything was made in ten minutes. */
static void
a_burst_of_dates(void **state)
{
	static int64_t times[MANY];
	int64_t start_ns, burst_ns, end_ns;

	(void)state;
	assert_int_equal(query_time_parse("2010", &start_ns, &end_ns, NULL), 0);
	assert_int_equal(query_time_parse("2024-05-01T23:50", &burst_ns, &end_ns, NULL), 0);
	for (int i = 0; i < MANY / 2; i++) {
		times[i] = start_ns + i * (14 * INT64_C(365) * 86400 * PXS_NS_PER_S / (MANY / 2));
		times[MANY / 2 + i] = burst_ns + i * (600 * PXS_NS_PER_S / (MANY / 2));
	}
	put_numbers(TIME, times, MANY);
	assert_facet(TIME, "2010-01-01T00:00:00..2015-01-01T00:00:00 1787, "
			   "2015-01-01T00:00:00..2021-01-01T00:00:00 2145, "
			   "2021-01-01T00:00:00..2024-05-01T23:52:00 2068, "
			   "2024-05-01T23:52:00..2024-05-01T23:56:00 2000, "
			   "2024-05-01T23:56:00..2025-01-01T00:00:00 2000");
}

static void
texts_are_cut_at_short_prefixes(void **state)
{
	static char names[26 * 26][32];
	static const char *texts[26 * 26];

	(void)state;
	for (int i = 0; i < 26 * 26; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "/usr/%c%cx", 'a' + i / 26,
			       'a' + i % 26);
		texts[i] = names[i];
	}
	put_texts(WORD, texts, ARRAY_SIZE(texts));
	assert_facet(WORD, "../usr/f 130, /usr/f../usr/k 130, /usr/k../usr/q 156, "
			   "/usr/q../usr/v 130, /usr/v.. 130");
}

/* A thousand texts of four groups, the third a single one. */
static void
put_groups(const char *first, int n_first, const char *second, int n_second, const char *heavy)
{
	static char names[1000][32];
	static const char *texts[1000];

	for (int i = 0; i < 1000; i++) {
		const char *group = i < n_first		     ? first
				    : i < n_first + n_second ? second
				    : i < 690		     ? heavy
							     : "c";

		(void)snprintf(names[i], sizeof(names[i]), "%s%03d", group, i);
		texts[i] = group == heavy ? heavy : names[i];
	}
	put_texts(WORD, texts, ARRAY_SIZE(texts));
}

/* The first cut, at 200, goes to 204, where the second one is. */
static void
two_texts_may_share_a_cut(void **state)
{
	(void)state;
	put_groups("a", 200, "a", 4, "b");
	assert_facet(WORD, "..b 204, b..c 486, c..c84 150, c84.. 160");
}

/* The first cut, at 200, goes to 190; the second, at 210, must not follow it. */
static void
a_cut_does_not_fall_behind(void **state)
{
	(void)state;
	put_groups("a", 190, "bx", 20, "by");
	assert_facet(WORD, "..b 190, b..by 20, by..c 480, c..c84 150, c84.. 160");
}

static void
a_prefix_is_not_cut_within_a_character(void **state)
{
	/* These differ in the last byte of a character alone. */
	static const char *const TEXTS[] = { "\xc3\xa0", "\xc3\xa1", "\xc3\xa2", "\xc3\xa3",
					     "\xc3\xa4", "\xc3\xa5", "\xc3\xa6", "\xc3\xa7",
					     "\xc3\xa8", "\xc3\xa9", "\xc3\xaa", "\xc3\xab",
					     "\xc3\xac", "\xc3\xad", "\xc3\xae" };

	(void)state;
	put_texts(WORD, TEXTS, ARRAY_SIZE(TEXTS));
	assert_facet(WORD, "..\xc3\xa3 3, \xc3\xa3..\xc3\xa6 3, \xc3\xa6..\xc3\xa9 3, "
			   "\xc3\xa9..\xc3\xac 3, \xc3\xac.. 3");
}

static void
common_texts_are_values(void **state)
{
	static const char *const TEXTS[] = {
		"b", "a", "c", "a", "b", "d", "e", "f", "g", "h", NULL
	};

	(void)state;
	put_texts(WORD, TEXTS, ARRAY_SIZE(TEXTS));
	/* By count, then by value; what is left is not shown. */
	assert_facet(WORD, "a 2, b 2, c 1, d 1, e 1, (none) 1");
}

static void
more_values_on_request(void **state)
{
	static const char *const TEXTS[] = {
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "j"
	};
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	(void)state;
	put_texts(WORD, TEXTS, ARRAY_SIZE(TEXTS));
	hits = search_all();
	{
		CLEANUP(index_facet) struct index_facet *all = facet_of(hits, WORD, 100);
		CLEANUP(index_facet) struct index_facet *none = facet_of(hits, KIND, 100);
		CLEANUP(free) char *text = describe(all);
		CLEANUP(free) char *none_text = describe(none);

		assert_string_equal(text, "j 2, a 1, b 1, c 1, d 1, e 1, f 1, g 1, h 1, i 1");
		assert_int_equal(all->other, 0);
		assert_string_equal(none_text, "(none) 11");
		/* Asked for again it is at hand; another number of values is another facet. */
		{
			CLEANUP(index_facet) struct index_facet *again = facet_of(hits, WORD, 100);
			CLEANUP(index_facet) struct index_facet *fewer = facet_of(hits, WORD, 3);

			assert_ptr_equal(again, all);
			assert_ptr_not_equal(fewer, all);
			for (size_t values = 10; values < 30; values++)
				index_facet_free(facet_of(hits, WORD, values));
		}
	}
}

static void
usefulness_is_exact(void **state)
{
	static const char *const TEXTS[] = { "a", "a", "a", "b", NULL, NULL, NULL, NULL };
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(index_facet) struct index_facet *facet = NULL;

	(void)state;
	put_texts(WORD, TEXTS, ARRAY_SIZE(TEXTS));
	hits = search_all();
	facet = facet_of(hits, WORD, 5);
	/* 4 are not helped, the others leave (9 + 1) / 8. */
	assert_true(facet->expected_num * 8 == facet->expected_den * (4 * 8 + 10));
	assert_true(facet->usefulness == 1 - (4 + 10.0 / 8) / 8);
}

static void
the_most_useful_comes_first(void **state)
{
	static const struct {
		const char *kind, *word;
		int64_t size, count, time, ratio;
	} ROWS[] = {
		{ "x", "p", 1, 7, 1, 1 }, { "x", "q", 1, 7, 1, 1 }, { "x", "p", 1, 7, 1, 1 },
		{ "y", "q", 2, 7, 1, 1 }, { "z", "p", 3, 7, 2, 2 }, { "z", "q", 3, 7, 2, 2 },
		{ "u", "p", 4, 7, 3, 2 }, { "u", "q", 4, 7, 3, 3 },
	};
	/* What is left of 8 after a choice: 18/8, 24/8, 26/8, 32/8; sizes only repeat the split of
	 * the kinds, counts do not split at all. */
	static const char *const EXPECTED[] = { "t.kind", "t.time", "t.ratio",
						"t.word", "t.size", "t.count" };
	CLEANUP(index_document) struct index_document *document = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct index_write *write = begin();
	const struct index_facets *facets, *again;

	(void)state;
	assert_int_equal(index_document_new(&document), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		index_document_clear(document);
		index_document_set_id(document, (int64_t)i + 1);
		add_text(document, KIND, ROWS[i].kind);
		add_text(document, WORD, ROWS[i].word);
		add_number(document, SIZE, ROWS[i].size);
		add_number(document, COUNT, ROWS[i].count);
		add_number(document, TIME, ROWS[i].time);
		add_number(document, RATIO, ROWS[i].ratio);
		add_text(document, HIDDEN, ROWS[i].kind);
		add_number(document, UNOFFERED, (int64_t)i);
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
	}
	end(write);

	hits = search_all();
	assert_int_equal(index_hits_facets(hits, NULL, &facets, &err), 0);
	assert_int_equal(index_hits_facets(hits, NULL, &again, &err), 0);
	assert_ptr_equal(facets, again);
	assert_int_equal(facets->n_facets, ARRAY_SIZE(EXPECTED));
	for (size_t i = 0; i < ARRAY_SIZE(EXPECTED); i++)
		assert_string_equal(facets->facets[i].property->name, EXPECTED[i]);
	assert_true(facets->facets[5].usefulness == 0);
}

static bool
always(void *context)
{
	(void)context;
	return true;
}

static void
a_budget_ends_it(void **state)
{
	static const char *const TEXTS[] = { "a", "b" };
	const struct index_budget late = { .deadline_ns = 1 };
	const struct index_budget cancelled = { .cancelled = always };
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	const struct index_facets *facets;
	struct index_facet *facet;

	(void)state;
	put_texts(WORD, TEXTS, ARRAY_SIZE(TEXTS));
	hits = search_all();
	assert_int_equal(index_hits_facets(hits, &late, &facets, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "took longer than 0 ms"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(index_hits_facet(hits, property[WORD], 5, &cancelled, &facet, &err),
			 -ECANCELED);
	memset(&err, 0, sizeof(err));
	assert_int_equal(index_hits_facets(hits, NULL, &facets, &err), 0);
}

static void
no_hits_no_facets(void **state)
{
	CLEANUP(index_hits) struct index_hits *hits = search_all();
	const struct index_facets *facets;

	(void)state;
	assert_int_equal(index_hits_facets(hits, NULL, &facets, &err), 0);
	assert_int_equal(facets->n_facets, 0);
	assert_int_equal(facets->hits, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, close_catalogue)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(uniform_numbers),
		TEST(lognormal_numbers),
		TEST(a_heavy_value_stands_alone),
		TEST(few_numbers_are_values),
		TEST(close_numbers_still_divide),
		TEST(no_bound_is_past_everything),
		TEST(two_cuts_may_share_a_bound),
		TEST(years_of_dates),
		TEST(a_burst_of_dates),
		TEST(texts_are_cut_at_short_prefixes),
		TEST(two_texts_may_share_a_cut),
		TEST(a_cut_does_not_fall_behind),
		TEST(a_prefix_is_not_cut_within_a_character),
		TEST(common_texts_are_values),
		TEST(more_values_on_request),
		TEST(usefulness_is_exact),
		TEST(the_most_useful_comes_first),
		TEST(a_budget_ends_it),
		TEST(no_hits_no_facets),
	};

	return cmocka_run_group_tests_name("index/facet", TESTS, NULL, NULL);
}
