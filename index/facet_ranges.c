#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "index/calendar.h"
#include "index/column.h"
#include "index/facet.h"
#include "index/nice.h"
#include "index/number_order.h"

/* As ROUND_FAR_PERCENT, for a bound of two digits where three would be closer. */
#define ROUND_NEAR_PERCENT 10

#define DIGITS_SHORT 2
#define DIGITS_MAX 19

size_t
facet_cut(uint64_t total, facet_tie tie, void *context, uint64_t cuts[FACET_BUCKETS - 1])
{
	uint64_t low = 0, want, less, not_greater, cut;
	size_t n = 0;

	/* Aiming anew after each cut, a heavy value costs one bucket, not two. */
	for (uint64_t left = FACET_BUCKETS; left > 1 && low < total; left--) {
		want = low + (total - low) / left;
		tie(context, want, &less, &not_greater);
		cut = less > low && want - less <= not_greater - want ? less : not_greater;
		if (cut >= total)
			break;
		cuts[n++] = low = cut;
	}
	return n;
}

/* --- Bounds --- */

struct ranges {
	const struct query_property *property;
	struct number_order *order;
	uint64_t total;
	int64_t bounds[FACET_BUCKETS - 1]; /* between two buckets */
	uint64_t ranks[FACET_BUCKETS - 1]; /* values below the bound */
	size_t n;
	enum calendar_level level; /* dates: the coarsest used; LEVELS: none */
};

/* Whether a bucket lies between the last bound and BOUND, and something after it; and not further
 * than PERCENT of an ideal bucket from CUT. */
static bool
fits(struct ranges *ranges, int64_t bound, uint64_t cut, unsigned int percent)
{
	uint64_t rank = number_order_less(ranges->order, bound);
	uint64_t last = ranges->n ? ranges->ranks[ranges->n - 1] : 0;
	uint64_t distance = rank > cut ? rank - cut : cut - rank;

	return rank > last && rank < ranges->total &&
	       (unsigned __int128)distance * FACET_BUCKETS * 100 <=
		       (unsigned __int128)percent * ranges->total;
}

/* In the gap a round number changes no count. Where values lie so dense that no round number falls
 * between two of them, one nearby must do, with as few digits as keep it near. The value after the
 * gap itself always fits. */
static int64_t
number_bound(struct ranges *ranges, uint64_t cut)
{
	int64_t below = number_order_at(ranges->order, cut - 1);
	int64_t above = number_order_at(ranges->order, cut);
	int64_t bound;

	if (nice_between(ranges->property, below, above, &bound) && fits(ranges, bound, cut, 0))
		return bound;
	for (int digits = DIGITS_SHORT; digits <= DIGITS_MAX; digits++)
		if (nice_round(ranges->property, above, digits, &bound) &&
		    fits(ranges, bound, cut,
			 digits == DIGITS_SHORT ? ROUND_NEAR_PERCENT : ROUND_FAR_PERCENT))
			return bound;
	return above;
}

static int64_t
time_of(const struct ranges *ranges, int64_t number)
{
	struct query_value value;

	column_number_value(ranges->property, number, &value);
	return value.integer;
}

static int64_t
time_number(const struct ranges *ranges, int64_t time_ns)
{
	struct query_value value = { .type = ranges->property->type, .integer = time_ns };

	return column_number(&value);
}

static uint64_t
distance(struct ranges *ranges, int64_t bound, uint64_t cut)
{
	uint64_t rank = number_order_less(ranges->order, bound);

	return rank > cut ? rank - cut : cut - rank;
}

/* The start of a span of LEVEL that is nearest to the cut; the earlier of two. */
static bool
nearest_start(struct ranges *ranges, enum calendar_level level, uint64_t cut, int64_t *ret_bound)
{
	int64_t time_ns = time_of(ranges, number_order_at(ranges->order, cut));
	int64_t start, next;

	if (!calendar_floor(level, time_ns, &start))
		return false;
	*ret_bound = time_number(ranges, start);
	if (calendar_next(level, time_ns, &next) &&
	    distance(ranges, time_number(ranges, next), cut) < distance(ranges, *ret_bound, cut))
		*ret_bound = time_number(ranges, next);
	return true;
}

static int64_t
date_bound(struct ranges *ranges, uint64_t cut)
{
	int64_t bound;

	for (enum calendar_level level = 0; level < CALENDAR_LEVELS; level++)
		if (nearest_start(ranges, level, cut, &bound) &&
		    fits(ranges, bound, cut, ROUND_FAR_PERCENT)) {
			ranges->level = MIN(ranges->level, level);
			return bound;
		}
	return number_order_at(ranges->order, cut);
}

static void
tie_of_numbers(void *context, uint64_t rank, uint64_t *ret_less, uint64_t *ret_not_greater)
{
	struct number_order *order = context;
	int64_t number = number_order_at(order, rank);

	*ret_less = number_order_less(order, number);
	*ret_not_greater = number_order_not_greater(order, number);
}

static void
find_bounds(struct ranges *ranges)
{
	uint64_t cuts[FACET_BUCKETS - 1];
	size_t n = facet_cut(ranges->total, tie_of_numbers, ranges->order, cuts);

	for (size_t i = 0; i < n; i++) {
		/* A round bound may have gone past this cut. */
		if (ranges->n && cuts[i] <= ranges->ranks[ranges->n - 1])
			continue;
		ranges->bounds[ranges->n] = ranges->property->type == QUERY_TYPE_DATETIME
						    ? date_bound(ranges, cuts[i])
						    : number_bound(ranges, cuts[i]);
		ranges->ranks[ranges->n] = number_order_less(ranges->order,
							     ranges->bounds[ranges->n]);
		ranges->n++;
	}
}

/* --- Buckets --- */

static void
set_bound(const struct ranges *ranges, struct query_bound *bound, int64_t number, bool inclusive)
{
	bound->set = true;
	bound->inclusive = inclusive;
	column_number_value(ranges->property, number, &bound->value);
}

/* Round limits around everything; a limit beyond what the type can hold stays open. */
static void
set_limits(const struct ranges *ranges, struct query_bound *low, struct query_bound *high)
{
	int64_t min = number_order_at(ranges->order, 0);
	int64_t max = number_order_at(ranges->order, ranges->total - 1);
	int64_t limit;

	if (ranges->property->type != QUERY_TYPE_DATETIME) {
		if (nice_low(ranges->property, min, max, &limit))
			set_bound(ranges, low, limit, true);
		if (nice_high(ranges->property, min, max, &limit))
			set_bound(ranges, high, limit, false);
		return;
	}
	if (calendar_floor(ranges->level, time_of(ranges, min), &limit))
		set_bound(ranges, low, time_number(ranges, limit), true);
	if (calendar_next(ranges->level, time_of(ranges, max), &limit))
		set_bound(ranges, high, time_number(ranges, limit), false);
}

static void
fill_buckets(const struct ranges *ranges, struct index_facet *facet)
{
	struct index_bucket *buckets = facet->buckets;
	uint64_t begin = 0, end;

	facet->n_buckets = ranges->n + 1;
	for (size_t i = 0; i <= ranges->n; i++) {
		struct query_node *condition = &buckets[i].condition;

		end = i < ranges->n ? ranges->ranks[i] : ranges->total;
		buckets[i].kind = INDEX_BUCKET_RANGE;
		buckets[i].count = end - begin;
		condition->kind = QUERY_RANGE;
		condition->property = facet->property;
		if (i > 0)
			set_bound(ranges, &condition->low, ranges->bounds[i - 1], true);
		if (i < ranges->n)
			set_bound(ranges, &condition->high, ranges->bounds[i], false);
		begin = end;
	}
	set_limits(ranges, &buckets[0].condition.low, &buckets[ranges->n].condition.high);
}

/* A bucket for each value; false if there are too many. */
static bool
fill_values(struct number_order *order, struct index_facet *facet)
{
	size_t total = number_order_count(order), n = 0, end;

	for (size_t rank = 0; rank < total; rank = end) {
		int64_t number = number_order_at(order, rank);
		struct index_bucket *bucket = &facet->buckets[n];

		if (n++ == FACET_BUCKETS)
			return false;
		end = number_order_not_greater(order, number);
		bucket->kind = INDEX_BUCKET_VALUE;
		bucket->count = end - rank;
		bucket->condition.kind = QUERY_EQUALS;
		bucket->condition.property = facet->property;
		column_number_value(facet->property, number, &bucket->condition.value);
	}
	facet->n_buckets = n;
	return true;
}

int
facet_by_numbers(struct pxs_arena *arena, struct number_order *order, struct index_facet *facet)
{
	struct ranges ranges = {
		.property = facet->property,
		.order = order,
		.total = number_order_count(order),
		.level = CALENDAR_LEVELS,
	};

	/* One more, for "(none)". */
	facet->buckets = pxs_arena_alloc(arena, (FACET_BUCKETS + 1) * sizeof(*facet->buckets));
	if (!facet->buckets)
		return -ENOMEM;
	facet->other = 0;
	if (!number_order_exceeds(order, FACET_BUCKETS) && fill_values(order, facet))
		return number_order_error(order);

	memset(facet->buckets, 0, (FACET_BUCKETS + 1) * sizeof(*facet->buckets));
	find_bounds(&ranges);
	if (ranges.level == CALENDAR_LEVELS)
		ranges.level = CALENDAR_DAY;
	fill_buckets(&ranges, facet);
	return number_order_error(order);
}
