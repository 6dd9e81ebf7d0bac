/* Orders that are sorted where someone looks, against plain sorting. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/macros.h"
#include "index/dict.h"
#include "index/counted_order.h"
#include "index/index.h"
#include "index/number_order.h"
#include "index/radix.h"
#include "index/ranks.h"
#include "index/test_random.h"
#include "index/text_order.h"

#define NUMBERS 3000
#define MANY_NUMBERS 5000 /* enough to be asked about */
#define TEXTS 1500
#define ROUNDS 60

static uint64_t
random_bits(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

static void
radix_sort_is_stable(void **state)
{
	static struct radix_item items[NUMBERS], scratch[NUMBERS];

	(void)state;
	start_random();
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = (size_t)random() % NUMBERS + 1;
		uint64_t mask = random_bits();

		for (size_t i = 0; i < n; i++)
			items[i] = (struct radix_item){ random_bits() & mask & random_bits(),
							(uint32_t)i, (uint32_t)i };
		assert_int_equal(radix_sort(items, scratch, n, NULL), 0);
		for (size_t i = 1; i < n; i++) {
			assert_true(items[i - 1].key <= items[i].key);
			if (items[i - 1].key == items[i].key)
				assert_true(items[i - 1].value < items[i].value);
			assert_int_equal(items[i].value, items[i].weight);
		}
	}
}

static bool
cancel_in_time(void *context)
{
	unsigned int *calls = context;

	return (*calls)-- == 0;
}

static void
a_budget_ends_radix_sort_and_nothing_is_lost(void **state)
{
	CLEANUP(free) struct radix_item *items = calloc(MANY_NUMBERS, sizeof(*items));
	CLEANUP(free) struct radix_item *scratch = calloc(MANY_NUMBERS, sizeof(*scratch));

	(void)state;
	assert_true(items && scratch);
	for (unsigned int checks = 0; checks < 8; checks++) {
		unsigned int calls = checks;
		const struct index_budget budget = { .cancelled = cancel_in_time,
						     .context = &calls };
		uint64_t sum = 0;

		for (uint32_t i = 0; i < MANY_NUMBERS; i++)
			items[i] = (struct radix_item){ random_bits(), i, i };
		assert_int_equal(radix_sort(items, scratch, MANY_NUMBERS, &budget), -ECANCELED);
		for (uint32_t i = 0; i < MANY_NUMBERS; i++)
			sum += items[i].value;
		assert_int_equal(sum, (uint64_t)MANY_NUMBERS * (MANY_NUMBERS - 1) / 2);
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Few values, many, of all magnitudes, close together far from 0. */
static int64_t
random_number(int kind)
{
	switch (kind % 5) {
	case 0:
		return random() % 7;
	case 1:
		return (int64_t)(random_bits() >> (random() % 64));
	case 2:
		return -(int64_t)(random_bits() >> (random() % 63 + 1));
	case 3:
		return INT64_MAX - random() % 1000;
	default:
		return random() % 100 == 0 ? INT64_MIN + 1 : 1700000000000000000 + random();
	}
}

/* In two steps, as a column's segments come. */
static void
fill(struct number_order *order, const int64_t *numbers, size_t n)
{
	int64_t *room = number_order_reserve(order, n / 2);

	if (n / 2)
		memcpy(room, numbers, n / 2 * sizeof(*numbers));
	room = number_order_reserve(order, n);
	assert_non_null(room);
	memcpy(room + n / 2, numbers + n / 2, (n - n / 2) * sizeof(*numbers));
	assert_int_equal(number_order_fill(order, n), 0);
	assert_int_equal(number_order_count(order), n);
}

static void
numbers_have_their_ranks(void **state)
{
	static int64_t numbers[NUMBERS];

	CLEANUP(number_order) struct number_order *order = NULL;

	(void)state;
	start_random();
	assert_int_equal(number_order_new(&order), 0);
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = ((size_t)random() % NUMBERS) | 1;

		for (size_t i = 0; i < n; i++)
			numbers[i] = random_number(round);
		fill(order, numbers, n);
		qsort(numbers, n, sizeof(*numbers), compare_numbers);
		for (size_t ask = 0; ask < 200; ask++) {
			size_t rank = (size_t)random() % n;
			int64_t number = ask % 2 ? numbers[rank] : random_number(round);
			size_t less = 0, not_greater = 0;

			while (less < n && numbers[less] < number)
				less++;
			while (not_greater < n && numbers[not_greater] <= number)
				not_greater++;
			assert_int_equal(number_order_at(order, rank), numbers[rank]);
			assert_int_equal(number_order_less(order, number), less);
			assert_int_equal(number_order_not_greater(order, number), not_greater);
		}
	}
}

/* Counted in bins that hold several numbers, one, or none. */
struct counted {
	int64_t lows[NUMBERS];
	uint32_t counts[NUMBERS];
	const int64_t *numbers; /* sorted */
};

static void
collect(void *context, size_t bin, int64_t *numbers)
{
	const struct counted *counted = context;
	size_t before = 0;

	for (size_t i = 0; i < bin; i++)
		before += counted->counts[i];
	/* The other way round, as any order may be. */
	for (uint32_t i = 0; i < counted->counts[bin]; i++)
		numbers[i] = counted->numbers[before + counted->counts[bin] - 1 - i];
}

static size_t
count_in_bins(struct counted *counted, const int64_t *numbers, size_t n)
{
	size_t n_bins = 1;

	counted->numbers = numbers;
	counted->lows[0] = INT64_MIN;
	counted->counts[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if (random() % 9 == 0 && numbers[i] > counted->lows[n_bins - 1] &&
		    (i == 0 || numbers[i] > numbers[i - 1]) && n_bins < NUMBERS) {
			counted->lows[n_bins] = numbers[i] -
						(random() % 2 && i &&
						 numbers[i] - 1 > numbers[i - 1] &&
						 numbers[i] - 1 > counted->lows[n_bins - 1]);
			counted->counts[n_bins++] = 0;
		}
		counted->counts[n_bins - 1]++;
	}
	return n_bins;
}

static void
counted_numbers_have_their_ranks(void **state)
{
	static int64_t numbers[NUMBERS];
	static struct counted counted;
	CLEANUP(number_order) struct number_order *order = NULL;

	(void)state;
	start_random();
	assert_int_equal(number_order_new(&order), 0);
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = ((size_t)random() % NUMBERS) | 1;
		struct counted_bins bins = {
			.lows = counted.lows,
			.counts = counted.counts,
			.collect = collect,
			.context = &counted,
		};

		for (size_t i = 0; i < n; i++)
			numbers[i] = random_number(round);
		qsort(numbers, n, sizeof(*numbers), compare_numbers);
		bins.n = count_in_bins(&counted, numbers, n);
		assert_int_equal(number_order_fill_bins(order, &bins), 0);
		assert_int_equal(number_order_count(order), n);
		for (size_t ask = 0; ask < 100; ask++) {
			size_t rank = (size_t)random() % n, less = 0;
			int64_t number = ask % 2 ? numbers[rank] : random_number(round);

			while (less < n && numbers[less] < number)
				less++;
			assert_int_equal(number_order_at(order, rank), numbers[rank]);
			assert_int_equal(number_order_less(order, number), less);
		}
		assert_int_equal(number_order_error(order), 0);
	}
}

/* Long shared beginnings, texts that are the beginning of others, bytes above 0x7f. */
static void
random_text(char text[128])
{
	static const char *const PARTS[] = { "/usr/share/",	 "doc", "a",
					     "\xc3\xa4",	 "/",	"b",
					     "\xf0\x9f\x90\x88", "zz",	"/usr/share/doc/" };
	size_t len = 0;

	for (long n = random() % 6 + 1; n-- > 0;)
		len += (size_t)snprintf(text + len, 128 - len, "%s",
					PARTS[(size_t)random() % ARRAY_SIZE(PARTS)]);
}

static const struct dict *compared;

static int
compare_codes(const void *a, const void *b)
{
	return strcmp(dict_text(compared, *(const uint32_t *)a),
		      dict_text(compared, *(const uint32_t *)b));
}

static struct text_order *
new_text_order(const struct dict *dict, uint64_t *total)
{
	struct text_order *order;

	*total = 0;
	assert_int_equal(text_order_new(dict, dict_count(dict), &order), 0);
	for (uint32_t code = 1; code <= dict_count(dict); code++) {
		text_order_add(order, code, code % 5 + 1);
		*total += code % 5 + 1;
	}
	return order;
}

static void
texts_have_their_ranks(void **state)
{
	(void)state;
	start_random();
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(dict) struct dict *dict = NULL;
		CLEANUP(text_order) struct text_order *lazy = NULL;
		CLEANUP(text_order) struct text_order *full = NULL;
		uint32_t codes[TEXTS], n = (uint32_t)random() % TEXTS + 1;
		uint64_t total, before = 0;

		assert_int_equal(dict_new(&dict), 0);
		for (uint32_t i = 0; i < n; i++) {
			char text[128];
			uint32_t code;

			random_text(text);
			assert_int_equal(dict_add(dict, text, strlen(text), &code), 0);
		}
		n = dict_count(dict);
		for (uint32_t i = 0; i < n; i++)
			codes[i] = i + 1;
		compared = dict;
		qsort(codes, n, sizeof(*codes), compare_codes);

		lazy = new_text_order(dict, &total);
		full = new_text_order(dict, &total);
		assert_int_equal(text_order_sort(full, NULL), 0);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t weight = codes[i] % 5 + 1;
			uint64_t rank = before + (uint64_t)random() % weight;

			assert_int_equal(text_order_code(full, i), codes[i]);
			assert_int_equal(text_order_before(full, i), before);
			/* Only every tenth, so that most of it stays unsorted. */
			if (i % 10 == 3) {
				assert_int_equal(text_order_find(lazy, rank), i);
				assert_int_equal(text_order_code(lazy, i), codes[i]);
				assert_int_equal(text_order_before(lazy, i), before);
				assert_int_equal(text_order_before(lazy, i + 1), before + weight);
			}
			before += weight;
		}
		assert_int_equal(before, total);
	}
}

/* Made at once or merged, ranks are the order of the strings. */
static void
ranks_follow_a_growing_dictionary(void **state)
{
	CLEANUP(dict) struct dict *dict = NULL;
	struct ranks_slot slot;

	(void)state;
	start_random();
	assert_int_equal(dict_new(&dict), 0);
	ranks_slot_init(&slot);
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(ranks) struct ranks *ranks = NULL;

		/* Once so many that what came late has to be merged. */
		long n = round == ROUNDS - 10 ? 10000 : random() % (round % 3 ? 5 : 60);

		while (n-- > 0) {
			char text[128];
			uint32_t code;

			random_text(text);
			assert_int_equal(dict_add(dict, text, strlen(text), &code), 0);
		}
		assert_int_equal(ranks_get(&slot, dict, NULL, &ranks), 0);
		assert_int_equal(ranks->n, dict_count(dict));
		for (uint32_t code = 1; code <= ranks->n; code++) {
			uint32_t other = 1 + (uint32_t)random() % ranks->n;
			int64_t rank = ranks_of(ranks, code), less;
			const char *text = dict_text(dict, code);
			int order = strcmp(dict_text(dict, other), text);

			assert_int_equal(ranks_code(ranks, rank), code);
			assert_int_equal(ranks_limit(ranks, dict, text, true), rank);
			assert_true(rank <= ranks_max(ranks));
			assert_int_equal(ranks_of(ranks, other) < rank, order < 0);
			less = ranks_less(ranks, dict, text);
			assert_true(less < rank &&
				    (!less ||
				     strcmp(dict_text(dict, ranks_code(ranks, less)), text) < 0));
			assert_true(order >= 0 || ranks_of(ranks, other) <= less);
		}
	}
	ranks_slot_done(&slot);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(radix_sort_is_stable),
		cmocka_unit_test(a_budget_ends_radix_sort_and_nothing_is_lost),
		cmocka_unit_test(numbers_have_their_ranks),
		cmocka_unit_test(counted_numbers_have_their_ranks),
		cmocka_unit_test(ranks_follow_a_growing_dictionary),
		cmocka_unit_test(texts_have_their_ranks),
	};

	return cmocka_run_group_tests_name("index/order", TESTS, NULL, NULL);
}
