#include "index/facet.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/derived.h"
#include "index/number_order.h"
#include "index/view.h"

/* From so many strings on, numbers are ordered faster than these. */
#define RANKED_MIN 64

/* From so many hits on two threads share the properties; to start one takes some 50 us. */
#define SHARED_MIN 512

/* Few hits lie far apart, so that to read them is to wait for memory: up to so many, what is there
 * of the property that comes so many later is asked for while one is counted. */
#define AHEAD_HITS_MAX 1024
#define AHEAD 2

/* What all facets of one hits object have in common. */
struct source {
	const struct index_view *view;
	const struct doclist *docs;
	struct facet_limits limits;
	struct facet_scratch *scratch;
	struct pxs_arena *arena;
	size_t max_values;
};

/* --- Usefulness --- */

/* After one click a hit that was looked for is left among E others, on average:
 *
 *     E = missing + (count / mass) x (sum of the squares of the buckets, `other` among them) / hits
 *
 * E / hits is the share that is left; usefulness is the share that went away. Hits and counts have
 * at most 32 bits, and few values each, so 128 bits hold every product here. */
static void
measure(struct index_facet *facet)
{
	uint64_t hits = facet->count + facet->missing;
	uint64_t mass = facet->other;
	unsigned __int128 squares, whole;

	/* Of hits with several values, `other` may count more values than there are hits. */
	squares = (unsigned __int128)facet->other * MIN(facet->other, facet->count);
	for (size_t i = 0; i < facet->n_buckets; i++) {
		mass += facet->buckets[i].count;
		squares += (unsigned __int128)facet->buckets[i].count * facet->buckets[i].count;
	}
	if (mass == facet->count) {
		facet->expected_num = (unsigned __int128)facet->missing * hits + squares;
		facet->expected_den = hits;
	} else {
		facet->expected_num = (unsigned __int128)facet->missing * hits * mass +
				      facet->count * squares;
		facet->expected_den = (unsigned __int128)hits * mass;
	}
	whole = facet->expected_den * hits;
	facet->usefulness = (double)(whole - facet->expected_num) / (double)whole;
}

static bool
is_useless(const struct index_facet *facet)
{
	uint64_t hits = facet->count + facet->missing;

	return facet->expected_num / facet->expected_den >= hits;
}

/* a/b against c/d without products, which could be too large: whole parts, then the reciprocals of
 * what is left. */
static int
compare_fractions(unsigned __int128 a, unsigned __int128 b, unsigned __int128 c,
		  unsigned __int128 d)
{
	for (int sign = 1;; sign = -sign) {
		unsigned __int128 left = a / b, right = c / d;
		unsigned __int128 left_rest = a % b, right_rest = c % d;

		if (left != right)
			return left < right ? -sign : sign;
		if (!left_rest || !right_rest)
			return sign * ((left_rest > 0) - (right_rest > 0));
		a = b;
		b = left_rest;
		c = d;
		d = right_rest;
	}
}

static int
compare_usefulness(const struct index_facet *a, const struct index_facet *b)
{
	return compare_fractions(a->expected_num, a->expected_den, b->expected_num,
				 b->expected_den);
}

/* --- One facet --- */

/* "(none)" comes last and counts for nothing: whoever looks for a hit without a value is not helped
 * by the others. */
static int
add_none(struct pxs_arena *arena, struct index_facet *facet)
{
	struct query_node *exists = pxs_arena_alloc(arena, sizeof(*exists));
	struct index_bucket *bucket;

	if (!facet->buckets)
		facet->buckets = pxs_arena_alloc(arena, sizeof(*facet->buckets));
	if (!exists || !facet->buckets)
		return -ENOMEM;

	exists->kind = QUERY_EXISTS;
	exists->occur = QUERY_MUST_NOT;
	exists->property = facet->property;
	bucket = &facet->buckets[facet->n_buckets++];
	bucket->kind = INDEX_BUCKET_NONE;
	bucket->count = facet->missing;
	bucket->condition.kind = QUERY_BOOL;
	bucket->condition.first_child = exists;
	return 0;
}

/* Whether single values tell enough: few, or half of everything has one of the five commonest. A
 * hit with several values would fall into several ranges, so lists are never cut into ranges. */
static bool
values_suffice(const struct source *source, const struct histogram *histogram,
	       const struct index_facet *facet)
{
	uint64_t top = 0;

	for (size_t i = 0; i < MIN(facet->n_buckets, (size_t)FACET_BUCKETS); i++)
		top += facet->buckets[i].count;
	return facet->property->multi || 2 * top >= histogram->mass ||
	       histogram->n <= MAX(source->max_values, (size_t)FACET_VALUES_FEW);
}

/* Into ranges of strings; by their ranks where these are at hand, which tell the same. */
static int
fill_by_text(const struct source *source, const struct column *column,
	     const struct histogram *histogram, struct index_facet *facet)
{
	CLEANUP(ranks) struct ranks *ranks = NULL;
	struct ranks_slot *slot = &column_derived(column)->ranks;
	int r;

	if (histogram->n < RANKED_MIN || !ranks_are_made(slot))
		return facet_by_text(source->arena, column, histogram, facet);
	r = ranks_get(slot, column_dict(column), source->limits.budget, &ranks);
	if (r == 0)
		r = facet_order_histogram(histogram, ranks, source->scratch);
	return r < 0 ? r
		     : facet_by_ranks(source->arena, column, ranks, source->scratch->order, facet);
}

/* Nearly all differ: ranges divide them better than values whatever these are. */
static int
fill_from_ranks(const struct source *source, const struct column *column, struct index_facet *facet)
{
	CLEANUP(ranks) struct ranks *ranks = NULL;
	int r = ranks_get(&column_derived(column)->ranks, column_dict(column),
			  source->limits.budget, &ranks);

	if (r == 0)
		r = facet_order_ranks(column, source->docs, ranks, source->scratch);
	if (r < 0)
		return r;
	facet->count = number_order_count(source->scratch->order);
	facet->missing = source->docs->n - facet->count;
	if (facet->count == 0)
		return 0;
	return facet_by_ranks(source->arena, column, ranks, source->scratch->order, facet);
}

static int
fill_from_strings(const struct source *source, const struct column *column,
		  struct index_facet *facet)
{
	CLEANUP(histogram) struct histogram histogram = { 0 };
	struct index_facet values;
	int r;

	if (source->max_values == FACET_BUCKETS && facet_codes_differ(column, source->docs))
		return fill_from_ranks(source, column, facet);
	r = facet_count_codes(column, source->docs, source->scratch, &histogram);
	if (r < 0)
		return r;
	facet->count = histogram.present;
	facet->missing = source->docs->n - facet->count;
	if (facet->count == 0)
		return 0;

	/* Whether values or ranges tell more is known before it is known which values: among many
	 * that occur once it is laborious to find the first. */
	values = *facet;
	r = facet_by_counts(source->arena, &histogram, source->max_values, &values);
	if (r < 0)
		return r;
	if (!values_suffice(source, &histogram, &values)) {
		r = fill_by_text(source, column, &histogram, facet);
		if (r < 0)
			return r;
		measure(&values);
		measure(facet);
		if (compare_usefulness(facet, &values) < 0)
			return 0;
	}
	return facet_by_values(source->arena, column, &histogram, source->max_values, facet);
}

static int
fill_from_order(const struct source *source, const struct column *column, struct index_facet *facet)
{
	CLEANUP(histogram) struct histogram histogram = { 0 };
	const struct query_property *property = facet->property;
	int r;

	facet->missing = source->docs->n - facet->count;
	if (facet->count == 0 || property->type == QUERY_TYPE_PROXY)
		return 0;
	if (!property->multi && property->type != QUERY_TYPE_BOOLEAN)
		return facet_by_numbers(source->arena, source->scratch->order, facet);

	r = facet_count_numbers(source->scratch->order, facet->count, &histogram);
	if (r < 0)
		return r;
	return facet_by_values(source->arena, column, &histogram, source->max_values, facet);
}

static int
fill_from_numbers(const struct source *source, const struct column *column,
		  struct index_facet *facet)
{
	int r = facet_order_numbers(column, source->docs, &source->limits, source->scratch,
				    &facet->count);

	if (r == 0)
		r = fill_from_order(source, column, facet);
	facet_numbers_done(source->scratch);
	return r;
}

static int
make_facet(const struct source *source, const struct query_property *property,
	   struct index_facet *facet)
{
	const struct column *column = view_column(source->view, property);
	int r;

	*facet = (struct index_facet){ .property = property, .missing = source->docs->n };
	r = budget_check(source->limits.budget);
	if (r == 0 && column)
		r = property->type == QUERY_TYPE_STRING ? fill_from_strings(source, column, facet)
							: fill_from_numbers(source, column, facet);
	if (r < 0 || source->docs->n == 0)
		return r;
	measure(facet);
	return facet->missing ? add_none(source->arena, facet) : 0;
}

/* A facet of its own, shared by those who asked for it. */
struct lone_facet {
	struct pxs_arena arena;
	atomic_uint references;
	size_t max_values; /* that it was asked for */
	struct index_facet facet;
};

static struct lone_facet *
lone_of(const struct index_facet *facet)
{
	return container_of((struct index_facet *)facet, struct lone_facet, facet);
}

void
index_facet_free(struct index_facet *facet)
{
	if (!facet || atomic_fetch_sub(&lone_of(facet)->references, 1) != 1)
		return;
	pxs_arena_done(&lone_of(facet)->arena);
	free(lone_of(facet));
}

struct index_facet *
facet_ref(struct index_facet *facet)
{
	atomic_fetch_add(&lone_of(facet)->references, 1);
	return facet;
}

bool
facet_answers(const struct index_facet *facet, const struct query_property *property,
	      size_t max_values)
{
	return facet->property == property && lone_of(facet)->max_values == max_values;
}

size_t
facet_bytes(const struct index_facet *facet)
{
	return sizeof(struct lone_facet) + lone_of(facet)->arena.total;
}

static int
list_docs(const roaring_bitmap_t *hits, struct doclist *docs)
{
	int r = doclist_init(docs, hits);

	return r == 0 && docs->n >= FACET_MANY ? doclist_set_bits(docs) : r;
}

int
facet_new(const struct index_view *view, const roaring_bitmap_t *hits,
	  const struct query_property *property, size_t max_values,
	  const struct index_budget *budget, struct index_facet **ret_facet)
{
	CLEANUP(doclist) struct doclist docs = { 0 };
	CLEANUP(facet_scratch) struct facet_scratch scratch = { 0 };
	CLEANUP(index_facet) struct index_facet *facet = NULL;
	struct lone_facet *lone = calloc(1, sizeof(*lone));
	struct source source = {
		.view = view,
		.docs = &docs,
		.limits = { view->max_doc, budget },
		.scratch = &scratch,
		.max_values = max_values,
	};
	int r;

	if (!lone)
		return -ENOMEM;
	atomic_init(&lone->references, 1);
	lone->max_values = max_values;
	facet = &lone->facet;
	source.arena = &lone->arena;
	r = list_docs(hits, &docs);
	if (r == 0)
		r = make_facet(&source, property, facet);
	if (r < 0)
		return r;
	*ret_facet = STEAL(facet);
	return 0;
}

/* --- All facets --- */

static size_t
value_buckets(const struct index_facet *facet)
{
	return facet->n_buckets - (facet->missing > 0);
}

/* Most useful first; then fewer buckets, fewer left out, and the name. */
static int
compare_facets(const void *a, const void *b)
{
	const struct index_facet *left = a, *right = b;
	int order = compare_usefulness(left, right);

	if (order != 0)
		return order;
	if (value_buckets(left) != value_buckets(right))
		return value_buckets(left) < value_buckets(right) ? -1 : 1;
	if (left->missing != right->missing)
		return left->missing < right->missing ? -1 : 1;
	return strcmp(left->property->name, right->property->name);
}

/* How many buckets hold COUNT hits. */
static size_t
buckets_of(const struct index_facet *facet, uint64_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < facet->n_buckets; i++)
		n += facet->buckets[i].count == count;
	return n;
}

/* In whatever order: values stand by count, ranges do not. */
static bool
same_split(const struct index_facet *a, const struct index_facet *b)
{
	if (a->n_buckets != b->n_buckets || a->missing != b->missing || a->other != b->other)
		return false;
	for (size_t i = 0; i < a->n_buckets; i++)
		if (buckets_of(a, a->buckets[i].count) != buckets_of(b, a->buckets[i].count))
			return false;
	return true;
}

/* Whether an earlier facet splits the hits into the same numbers. Equal splits are equally useful,
 * so they stand near each other. */
static bool
repeats_earlier(const struct index_facets *facets, size_t at)
{
	for (size_t i = at; i-- > 0;) {
		if (compare_usefulness(&facets->facets[i], &facets->facets[at]) != 0)
			return false;
		if (same_split(&facets->facets[i], &facets->facets[at]))
			return true;
	}
	return false;
}

/* Useful ones, then those that only repeat the split of a better one, then the useless. */
static int
rank(struct index_facets *facets, struct pxs_arena *arena)
{
	enum { USEFUL, REPEATED, USELESS, KINDS };
	struct index_facet *ranked;
	size_t n = 0;

	ranked = pxs_arena_alloc(arena, (facets->n_facets + 1) * sizeof(*ranked));
	if (!ranked)
		return -ENOMEM;
	if (facets->n_facets)
		qsort(facets->facets, facets->n_facets, sizeof(*ranked), compare_facets);
	for (int wanted = USEFUL; wanted < KINDS; wanted++)
		for (size_t i = 0; i < facets->n_facets; i++) {
			int kind = is_useless(&facets->facets[i]) ? USELESS
				   : repeats_earlier(facets, i)	  ? REPEATED
								  : USEFUL;

			if (kind == wanted)
				ranked[n++] = facets->facets[i];
		}
	facets->facets = ranked;
	return 0;
}

/* Offered without being asked for: declared so, not hidden, with something to choose from. */
static bool
is_offered(const struct query_property *property)
{
	return property->filter && property->name[0] != '_' && property->type != QUERY_TYPE_PROXY;
}

/* Facets in the making, by two threads if there is much to do and a core to spare. */
struct making {
	const struct index_view *view;
	const struct doclist *docs;
	const struct index_budget *budget;
	const struct query_property *const *properties; /* those offered */
	size_t n;
	struct index_facet *facets; /* one for each */
	atomic_size_t next;	    /* to be made */
	atomic_int result;
};

/* Asks for the memory of the property AT, and does not wait for it. */
static void
expect(const struct making *making, size_t at)
{
	const struct column *column;

	if (making->docs->n > AHEAD_HITS_MAX || at >= making->n)
		return;
	column = view_column(making->view, making->properties[at]);
	for (size_t i = 0; column && i < making->docs->n_slices; i++) {
		struct column_slice slice;

		column_slice(column, making->docs->slices[i].segment, &slice);
		column_slice_prefetch(&slice, &making->docs->slices[i]);
	}
}

/* Until nothing is left, or something failed. */
static void
make_some(struct making *making, struct pxs_arena *arena)
{
	CLEANUP(facet_scratch) struct facet_scratch scratch = { 0 };
	struct source source = {
		.view = making->view,
		.docs = making->docs,
		.limits = { making->view->max_doc, making->budget },
		.scratch = &scratch,
		.arena = arena,
		.max_values = FACET_BUCKETS,
	};
	size_t at;

	while (atomic_load(&making->result) == 0 &&
	       (at = atomic_fetch_add(&making->next, 1)) < making->n) {
		int r;

		expect(making, at + AHEAD);
		r = make_facet(&source, making->properties[at], &making->facets[at]);
		if (r < 0)
			atomic_store(&making->result, r);
	}
}

struct helper {
	pthread_t thread;
	struct making *making;
	struct pxs_arena *arena;
};

static void *
help(void *context)
{
	struct helper *helper = context;

	make_some(helper->making, helper->arena);
	return NULL;
}

/* Helpers there are in the whole process: no more than cores beside one, so that many who ask at
 * once do not get in each other's way. */
static atomic_long helpers;

static bool
start_helper(struct helper *helper)
{
	if (helper->making->docs->n < SHARED_MIN)
		return false;
	if (atomic_fetch_add(&helpers, 1) + 1 < sysconf(_SC_NPROCESSORS_ONLN) &&
	    pthread_create(&helper->thread, NULL, help, helper) == 0)
		return true;
	atomic_fetch_sub(&helpers, 1);
	return false;
}

static void
make_all(struct making *making, struct pxs_arena arenas[2])
{
	struct helper helper = { .making = making, .arena = &arenas[1] };
	bool helped = start_helper(&helper);

	make_some(making, &arenas[0]);
	if (!helped)
		return;
	(void)pthread_join(helper.thread, NULL);
	atomic_fetch_sub(&helpers, 1);
}

static int
make_facets(struct facet_set *set, struct making *making)
{
	const struct query_schema *schema = &making->view->schema->schema;
	struct pxs_arena *arena = &set->arenas[0];
	const struct query_property **offered;
	struct index_facets *facets = &set->facets;

	offered = pxs_arena_alloc(arena,
				  (schema->n_properties + 1) * sizeof(struct query_property *));
	facets->facets = pxs_arena_alloc(arena,
					 (schema->n_properties + 1) * sizeof(*facets->facets));
	if (!offered || !facets->facets)
		return -ENOMEM;
	for (size_t i = 0; i < schema->n_properties; i++)
		if (is_offered(schema->properties[i]))
			offered[making->n++] = schema->properties[i];
	making->properties = offered;
	making->facets = facets->facets;
	make_all(making, set->arenas);
	if (atomic_load(&making->result) < 0)
		return atomic_load(&making->result);

	facets->hits = making->docs->n;
	for (size_t i = 0; i < making->n; i++)
		if (facets->facets[i].count > 0)
			facets->facets[facets->n_facets++] = facets->facets[i];
	return rank(facets, arena);
}

void
facet_set_free(struct facet_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(set->arenas); i++)
		pxs_arena_done(&set->arenas[i]);
	free(set);
}

size_t
facet_set_bytes(const struct facet_set *set)
{
	size_t bytes = sizeof(*set);

	for (size_t i = 0; i < ARRAY_SIZE(set->arenas); i++)
		bytes += set->arenas[i].total;
	return bytes;
}

int
facet_set_new(const struct index_view *view, const roaring_bitmap_t *hits,
	      const struct index_budget *budget, struct facet_set **ret_set)
{
	CLEANUP(doclist) struct doclist docs = { 0 };
	CLEANUP(facet_set) struct facet_set *set = calloc(1, sizeof(*set));
	struct making making = { .view = view, .docs = &docs, .budget = budget };
	int r;

	if (!set)
		return -ENOMEM;
	r = list_docs(hits, &docs);
	if (r == 0)
		r = make_facets(set, &making);
	if (r < 0)
		return r;
	*ret_set = STEAL(set);
	return 0;
}
