/* Facets of random and well-known collections: advertised counts are what a search then finds. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"

enum { KIND, WORD, TAGS, SIZE, COUNT, RATIO, FLAG, TIME, SIZES, HIDDEN, UNOFFERED, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[KIND] = { .name = "t.kind", .type = QUERY_TYPE_STRING, .filter = true },
	[WORD] = { .name = "t.word", .type = QUERY_TYPE_STRING, .filter = true },
	[TAGS] = { .name = "t.tags", .type = QUERY_TYPE_STRING, .multi = true, .filter = true },
	[SIZE] = { .name = "t.size", .type = QUERY_TYPE_LONG, .filter = true },
	[COUNT] = { .name = "t.count", .type = QUERY_TYPE_INTEGER, .filter = true },
	[RATIO] = { .name = "t.ratio", .type = QUERY_TYPE_DOUBLE, .filter = true },
	[FLAG] = { .name = "t.flag", .type = QUERY_TYPE_BOOLEAN, .filter = true },
	[TIME] = { .name = "t.time", .type = QUERY_TYPE_DATETIME, .filter = true },
	[SIZES] = { .name = "t.sizes", .type = QUERY_TYPE_LONG, .multi = true, .filter = true },
	[HIDDEN] = { .name = "_t.hidden", .type = QUERY_TYPE_STRING, .filter = true },
	[UNOFFERED] = { .name = "t.unoffered", .type = QUERY_TYPE_LONG, .filter = false },
};

static char dir[64];
static struct index *catalogue;
static const struct query_property *property[PROPERTIES];
static struct pxs_error err;

static void
start_random(void)
{
	const char *given = getenv("PXS_SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10)
				  : (unsigned int)time(NULL);

	print_message("PXS_SEED=%u\n", seed);
	srandom(seed);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pxs-test-facet-XXXXXX");
	memset(&err, 0, sizeof(err));
	if (!mkdtemp(dir) || index_open(dir, INDEX_CREATE, &catalogue, &err) < 0)
		return -1;
	for (size_t i = 0; i < PROPERTIES; i++) {
		struct query_property declared = DECLARED[i];

		declared.prompt = declared.name;
		if (index_property_add(catalogue, &declared, &property[i], &err) < 0)
			return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	index_close(STEAL(catalogue));
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* --- Putting documents in --- */

static struct index_write *
begin(void)
{
	struct index_write *write;

	assert_int_equal(index_write_begin(catalogue, &write), 0);
	return write;
}

static void
end(struct index_write *write)
{
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

static void
add_text(struct index_document *document, int at, const char *text)
{
	assert_int_equal(index_document_add_string(document, property[at], text, strlen(text)), 0);
}

static void
add_number(struct index_document *document, int at, int64_t number)
{
	struct query_value value = { .type = DECLARED[at].type, .integer = number };

	if (DECLARED[at].type == QUERY_TYPE_DOUBLE)
		value.real = (double)number / 1000;
	assert_int_equal(index_document_add(document, property[at], &value), 0);
}

/* One document for each number, id 1, 2, ..., with one property. */
static void
put_numbers(int at, const int64_t *numbers, size_t n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (size_t i = 0; i < n; i++) {
		index_document_clear(document);
		index_document_set_id(document, (int64_t)i + 1);
		add_number(document, at, numbers[i]);
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
	}
	end(write);
}

static void
put_texts(int at, const char *const *texts, size_t n)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	for (size_t i = 0; i < n; i++) {
		index_document_clear(document);
		index_document_set_id(document, (int64_t)i + 1);
		if (texts[i])
			add_text(document, at, texts[i]);
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
	}
	end(write);
}

/* --- Asking --- */

static struct index_hits *
search(const struct query *query)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);
	struct index_hits *hits = NULL;

	if (index_search(view, query, NULL, &hits, &err) < 0)
		fail_msg("%s", err.text);
	return hits;
}

static struct index_hits *
search_all(void)
{
	CLEANUP(query) struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	return search(query);
}

static struct index_facet *
facet_of(struct index_hits *hits, int at, size_t max_values)
{
	struct index_facet *facet = NULL;

	assert_int_equal(index_hits_facet(hits, property[at], max_values, NULL, &facet, &err), 0);
	return facet;
}

/* "2000..10000 150, 10000.. 7, (none) 3": what a person sees. */
static char *
describe(const struct index_facet *facet)
{
	struct pxs_buf text = PXS_BUF_INIT;

	for (size_t i = 0; i < facet->n_buckets; i++) {
		const struct index_bucket *bucket = &facet->buckets[i];
		const struct query_node *condition = &bucket->condition;

		pxs_buf_add_str(&text, i ? ", " : "");
		if (bucket->kind == INDEX_BUCKET_VALUE)
			query_value_print(&condition->value, &text);
		if (bucket->kind == INDEX_BUCKET_NONE)
			pxs_buf_add_str(&text, "(none)");
		if (condition->low.set)
			query_value_print(&condition->low.value, &text);
		if (bucket->kind == INDEX_BUCKET_RANGE)
			pxs_buf_add_str(&text, "..");
		if (condition->high.set)
			query_value_print(&condition->high.value, &text);
		pxs_buf_addf(&text, " %" PRIu64, bucket->count);
	}
	return pxs_buf_steal(&text);
}

static void
assert_facet(int at, const char *expected)
{
	CLEANUP(index_hits) struct index_hits *hits = search_all();
	CLEANUP(index_facet) struct index_facet *facet = facet_of(hits, at, 5);
	CLEANUP(free) char *text = describe(facet);

	print_message("%s: %s (U %.3f)\n", DECLARED[at].name, text, facet->usefulness);
	assert_string_equal(text, expected);
}

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
		assert_int_equal(teardown(state), 0);
	}
}

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

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(counts_are_what_a_search_finds),
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
