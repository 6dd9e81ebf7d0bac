#include "index/counted_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* Collected numbers for which there is room at once. */
#define ROOM_FIRST 4096

struct counted_order {
	struct counted_bins bins;
	size_t *before; /* numbers before each bin; one more than bins */
	size_t *places; /* of a bin's collected numbers in `numbers`, plus 1; 0: not collected */
	size_t room;	/* of these two, in bins */
	int64_t *numbers;
	size_t n_numbers, numbers_room;
	int error;
};

int
counted_order_new(struct counted_order **ret_order)
{
	*ret_order = calloc(1, sizeof(**ret_order));
	return *ret_order ? 0 : -ENOMEM;
}

void
counted_order_free(struct counted_order *order)
{
	if (!order)
		return;
	free(order->before);
	free(order->places);
	free(order->numbers);
	free(order);
}

static int
reserve_bins(struct counted_order *order, size_t n)
{
	if (n <= order->room)
		return 0;
	free(order->before);
	free(order->places);
	order->before = malloc((n + 1) * sizeof(*order->before));
	order->places = malloc(n * sizeof(*order->places));
	order->room = order->before && order->places ? n : 0;
	return order->room ? 0 : -ENOMEM;
}

int
counted_order_fill(struct counted_order *order, const struct counted_bins *bins)
{
	int r = reserve_bins(order, bins->n);

	if (r < 0)
		return r;
	order->bins = *bins;
	order->n_numbers = 0;
	order->error = 0;
	if (!order->before)
		return 0;
	order->before[0] = 0;
	for (size_t i = 0; i < bins->n; i++)
		order->before[i + 1] = order->before[i] + bins->counts[i];
	if (!bins->single)
		memset(order->places, 0, bins->n * sizeof(*order->places));
	return 0;
}

size_t
counted_order_count(const struct counted_order *order)
{
	return order->bins.n ? order->before[order->bins.n] : 0;
}

static bool
is_single(const struct counted_order *order, size_t bin)
{
	const int64_t *lows = order->bins.lows;

	return order->bins.single || (bin + 1 < order->bins.n && lows[bin] + 1 == lows[bin + 1]);
}

static int
compare_numbers(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int
reserve_numbers(struct counted_order *order, size_t n)
{
	size_t room = MAX(order->numbers_room, (size_t)ROOM_FIRST);
	int64_t *numbers;

	if (n <= order->numbers_room)
		return 0;
	while (room < n)
		room *= 2;
	numbers = realloc(order->numbers, room * sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	order->numbers = numbers;
	order->numbers_room = room;
	return 0;
}

/* The numbers of BIN, sorted; NULL: no memory for them. */
static const int64_t *
numbers_of(struct counted_order *order, size_t bin)
{
	size_t n = order->bins.counts[bin];

	if (!order->places[bin]) {
		if (reserve_numbers(order, order->n_numbers + n) < 0) {
			order->error = -ENOMEM;
			return NULL;
		}
		order->bins.collect(order->bins.context, bin, order->numbers + order->n_numbers);
		qsort(order->numbers + order->n_numbers, n, sizeof(*order->numbers),
		      compare_numbers);
		order->places[bin] = order->n_numbers + 1;
		order->n_numbers += n;
	}
	return order->numbers + order->places[bin] - 1;
}

int64_t
counted_order_at(struct counted_order *order, size_t rank)
{
	size_t low = 0, high = order->bins.n;
	const int64_t *numbers;

	/* The last bin that begins at or before RANK, which is none of the empty ones before it. */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (order->before[mid] <= rank)
			low = mid;
		else
			high = mid;
	}
	if (is_single(order, low))
		return order->bins.lows[low];
	numbers = numbers_of(order, low);
	return numbers ? numbers[rank - order->before[low]] : order->bins.lows[low];
}

size_t
counted_order_less(struct counted_order *order, int64_t value)
{
	const int64_t *lows = order->bins.lows, *numbers;
	size_t low = 0, high = order->bins.n, bin;

	if (high == 0 || value <= lows[0])
		return 0;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (lows[mid] <= value)
			low = mid;
		else
			high = mid;
	}
	bin = low;
	if (lows[bin] == value || order->bins.counts[bin] == 0)
		return order->before[bin];
	if (is_single(order, bin))
		return order->before[bin + 1];
	numbers = numbers_of(order, bin);
	if (!numbers)
		return order->before[bin];
	low = 0;
	high = order->bins.counts[bin];
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (numbers[mid] < value)
			low = mid + 1;
		else
			high = mid;
	}
	return order->before[bin] + low;
}

bool
counted_order_exceeds(const struct counted_order *order, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < order->bins.n && used <= n; i++)
		used += order->bins.counts[i] > 0;
	return used > n;
}

int
counted_order_error(const struct counted_order *order)
{
	return order->error;
}
