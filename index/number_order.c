/* The numbers are dealt into bins of ascending order: a bin for each of the 64 or 1024 parts of
 * every power of two above the minimum, which are the first bits of a floating point number. A bin
 * is sorted when someone asks for a rank or a value that falls into it; for a handful of quantiles
 * that is a handful of bins, whatever the distribution. Many numbers want the finer bins: dates lie
 * close together, far above the oldest of them. */
#include "index/number_order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "index/counted_order.h"
#include "index/radix.h"

/* Of a double its exponent and so many bits of its fraction are kept, counted from those of 1.0. A
 * bin's number fits 16 bits. */
#define FRACTION_COARSE 6
#define FRACTION_FINE 10
#define BINS(fraction) ((63u << (fraction)) + 2)
#define BINS_MAX BINS(FRACTION_FINE)

/* Numbers that are equally frequent everywhere have bins of equal width instead, so many bits. */
#define EVEN_BITS 12

/* So few numbers are sorted rather than dealt. */
#define SORTED_MAX 128

/* From so many numbers on the finer bins are worth their own cost. */
#define FINE_MIN 16384

struct number_order {
	int64_t *numbers; /* as they came */
	uint16_t *bins;	  /* of each of them */
	int64_t *values;  /* bin by bin */
	size_t n, room;
	uint64_t *keys; /* two halves, for sorting a bin and for scratch */
	size_t n_keys;	/* of a half */
	int64_t min, max;
	struct binning {
		int64_t min;
		unsigned int fraction;
		unsigned int shift; /* bins of equal width: 1 << shift */
		bool even;
	} binning;
	size_t n_bins;
	struct counted_order *counted;
	bool is_counted; /* then nothing but that counts */
	/* From here on set as far as there are bins, whenever it is filled. */
	uint32_t starts[BINS_MAX + 1];
	uint32_t places[BINS_MAX]; /* where the next number of a bin goes */
	bool sorted[BINS_MAX];
};

int
number_order_new(struct number_order **ret_order)
{
	struct number_order *order = malloc(sizeof(*order));

	if (!order)
		return -ENOMEM;
	memset(order, 0, offsetof(struct number_order, starts));
	*ret_order = order;
	return 0;
}

void
number_order_free(struct number_order *order)
{
	if (!order)
		return;
	free(order->numbers);
	free(order->bins);
	free(order->values);
	free(order->keys);
	counted_order_free(order->counted);
	free(order);
}

int64_t *
number_order_reserve(struct number_order *order, size_t n)
{
	int64_t *numbers;

	if (n <= order->room)
		return order->numbers;
	n = MAX(n, order->room * 2);
	numbers = realloc(order->numbers, n * sizeof(*numbers));
	if (!numbers)
		return NULL;
	order->numbers = numbers;

	/* Nothing of these is needed any more. */
	free(order->bins);
	free(order->values);
	order->bins = malloc(n * sizeof(*order->bins));
	order->values = malloc(n * sizeof(*order->values));
	order->room = order->bins && order->values ? n : 0;
	order->n = 0;
	return order->room ? numbers : NULL;
}

/* --- Dealing --- */

static void
find_limits(struct number_order *order)
{
	const int64_t *numbers = order->numbers;
	int64_t min = INT64_MAX, max = INT64_MIN;

	for (size_t i = 0; i < order->n; i++) {
		min = numbers[i] < min ? numbers[i] : min;
		max = numbers[i] > max ? numbers[i] : max;
	}
	order->min = min;
	order->max = max;
}

/* Half the distance fits a signed number, which converts faster; unsigned differences do not
 * overflow. The conversion rounds, but never changes an order. */
static inline unsigned int
bin_of(struct binning binning, int64_t value)
{
	uint64_t above = (uint64_t)value - (uint64_t)binning.min;
	unsigned int key_of_one = 1023u << binning.fraction, key;
	double half = (double)(int64_t)(above >> 1);
	uint64_t bits;

	if (binning.even)
		return (unsigned int)(above >> binning.shift);
	memcpy(&bits, &half, sizeof(bits));
	key = (unsigned int)(bits >> (52 - binning.fraction));
	return key < key_of_one ? 0 : key - key_of_one + 1;
}

/* The size of the largest bin. */
static size_t
count_bins(struct number_order *order)
{
	struct binning binning = order->binning;
	size_t n_bins = order->n_bins;
	uint32_t largest = 0;

	memset(order->starts, 0, (n_bins + 1) * sizeof(*order->starts));
	memset(order->sorted, 0, n_bins * sizeof(*order->sorted));
	for (size_t i = 0; i < order->n; i++) {
		unsigned int bin = bin_of(binning, order->numbers[i]);

		order->bins[i] = (uint16_t)bin;
		order->starts[bin + 1]++;
	}
	for (size_t bin = 0; bin < n_bins; bin++) {
		largest = MAX(largest, order->starts[bin + 1]);
		order->starts[bin + 1] += order->starts[bin];
	}
	return largest;
}

static void
deal(struct number_order *order)
{
	uint32_t *places = order->places;

	memcpy(places, order->starts, order->n_bins * sizeof(*places));
	for (size_t i = 0; i < order->n; i++)
		order->values[places[order->bins[i]]++] = order->numbers[i];
}

static int
reserve_keys(struct number_order *order, size_t n)
{
	if (n <= order->n_keys)
		return 0;
	free(order->keys);
	order->keys = malloc(2 * n * sizeof(*order->keys));
	order->n_keys = order->keys ? n : 0;
	return order->keys ? 0 : -ENOMEM;
}

static int
fill(struct number_order *order, size_t n)
{
	int r;

	if (n > UINT32_MAX)
		return -E2BIG;
	order->is_counted = false;
	order->n = n;
	if (n <= SORTED_MAX) {
		/* What is in order when it is asked for needs no more than two halves. */
		order->binning.even = true;
		order->binning.shift = 63;
		order->n_bins = 2;
	}
	r = reserve_keys(order, count_bins(order));
	if (r < 0)
		return r;
	deal(order);
	return 0;
}

int
number_order_fill(struct number_order *order, size_t n)
{
	unsigned int fraction = n < FINE_MIN ? FRACTION_COARSE : FRACTION_FINE;

	order->n = n;
	find_limits(order);
	order->binning = (struct binning){ .min = order->min, .fraction = fraction };
	order->n_bins = BINS(fraction);
	return fill(order, n);
}

int
number_order_fill_even(struct number_order *order, size_t n, int64_t max)
{
	unsigned int bits = max > 0 ? 64 - (unsigned int)__builtin_clzll((uint64_t)max) : 0;

	order->min = 0;
	order->max = max;
	order->binning = (struct binning){
		.shift = bits > EVEN_BITS ? bits - EVEN_BITS : 0,
		.even = true,
	};
	order->n_bins = (size_t)1 << EVEN_BITS;
	return fill(order, n);
}

int
number_order_fill_bins(struct number_order *order, const struct counted_bins *bins)
{
	int r = 0;

	if (!order->counted)
		r = counted_order_new(&order->counted);
	if (r == 0)
		r = counted_order_fill(order->counted, bins);
	if (r < 0)
		return r;
	order->is_counted = true;
	order->n = counted_order_count(order->counted);
	return 0;
}

int
number_order_error(const struct number_order *order)
{
	return order->is_counted ? counted_order_error(order->counted) : 0;
}

size_t
number_order_count(const struct number_order *order)
{
	return order->n;
}

/* --- Asking --- */

bool
number_order_exceeds(const struct number_order *order, size_t n)
{
	return order->is_counted && counted_order_exceeds(order->counted, n);
}

static void
sort_bin(struct number_order *order, unsigned int bin)
{
	int64_t *values = order->values + order->starts[bin];
	size_t n = order->starts[bin + 1] - order->starts[bin];
	bool differ = false;

	if (order->sorted[bin])
		return;
	for (size_t i = 0; i < n; i++) {
		order->keys[i] = (uint64_t)values[i] - (uint64_t)order->min;
		differ |= values[i] != values[0];
	}
	if (differ) {
		radix_sort_keys(order->keys, order->keys + n, n);
		for (size_t i = 0; i < n; i++)
			values[i] = (int64_t)(order->keys[i] + (uint64_t)order->min);
	}
	order->sorted[bin] = true;
}

int64_t
number_order_at(struct number_order *order, size_t rank)
{
	unsigned int low = 0, high = (unsigned int)order->n_bins;

	if (order->is_counted)
		return counted_order_at(order->counted, rank);
	while (high - low > 1) {
		unsigned int mid = low + (high - low) / 2;

		if (order->starts[mid] <= rank)
			low = mid;
		else
			high = mid;
	}
	sort_bin(order, low);
	return order->values[rank];
}

size_t
number_order_less(struct number_order *order, int64_t value)
{
	size_t low, high;
	unsigned int bin;

	if (order->is_counted)
		return counted_order_less(order->counted, value);
	if (value <= order->min)
		return 0;
	if (value > order->max)
		return order->n;

	bin = bin_of(order->binning, value);
	sort_bin(order, bin);
	low = order->starts[bin];
	high = order->starts[bin + 1];
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (order->values[mid] < value)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
number_order_not_greater(struct number_order *order, int64_t value)
{
	return value == INT64_MAX ? order->n : number_order_less(order, value + 1);
}
