/* How long the facets of one set of hits take, without any cache.
 *
 *     bench_facets [DOCUMENTS]        22 properties of made-up documents, 160,000 unless told
 *     bench_facets DIR                all documents of the index in folder DIR
 *
 * Prints a line for each size of hits: the median of a few rounds, in milliseconds of one core (so
 * that a busy machine tells the same as an idle one). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <roaring/roaring.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/column.h"
#include "index/facet.h"
#include "index/view.h"

#define ROUNDS 9
#define NUMBERS 10

/* Strings by how many distinct ones there are; `present` in percent. */
static const struct {
	const char *name;
	uint32_t distinct;
	int present;
} STRINGS[] = {
	{ "s.type", 4, 100 },	       { "s.user", 12, 100 },	   { "s.group", 15, 100 },
	{ "s.permissions", 20, 100 },  { "s.extension", 800, 80 }, { "s.mimetype", 300, 100 },
	{ "s.directory", 20000, 100 }, { "s.language", 40, 30 },   { "s.creator", 5000, 30 },
	{ "s.title", 160000, 20 },     { "s.codec", 8, 5 },	   { "s.status", 3, 10 },
};

#define PROPERTIES (ARRAY_SIZE(STRINGS) + NUMBERS)

static struct query_property properties[PROPERTIES];
static const struct query_property *by_name[PROPERTIES];
static struct column *columns[PROPERTIES];
static char names[NUMBERS][16];

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_facets: %s\n", what);
	exit(1);
}

/* Few values are common, most are rare, as of extensions and owners. */
static uint32_t
skewed(uint32_t distinct)
{
	return (uint32_t)exp(log((double)distinct + 1) * ((double)random() / RAND_MAX)) - 1;
}

static void
set_string(size_t at, uint32_t doc)
{
	char text[128];
	struct query_value value = { .type = QUERY_TYPE_STRING, .string = text };
	uint32_t which;

	if (random() % 100 >= STRINGS[at].present)
		return;
	which = STRINGS[at].distinct > 1000 ? (uint32_t)random() % STRINGS[at].distinct
					    : skewed(STRINGS[at].distinct);
	(void)snprintf(text, sizeof(text), "/usr/share/%s/%u/lib%u", properties[at].name,
		       which % 997 * 7919 % 1000, which);
	if (column_set(columns[at], doc, &value, 1) < 0)
		die("out of memory");
}

static int64_t
make_number(size_t kind)
{
	double normal = 0;

	switch (kind % 5) {
	case 0: /* sizes: lognormal, some zeros */
		for (int i = 0; i < 12; i++)
			normal += (double)random() / RAND_MAX;
		return random() % 10 ? (int64_t)exp(9 + 2.5 * (normal - 6)) : 0;
	case 1: /* dates: releases of packages, with nanoseconds */
		return 1700000000 * PXS_NS_PER_S - (random() % 300) * 5000000 * PXS_NS_PER_S / 10 +
		       random() % 100000;
	case 2: /* dates: all made within a minute */
		return 1700000000 * PXS_NS_PER_S + random() % 60000000000;
	case 3: /* a few dozen values */
		return random() % 40;
	default:
		return random();
	}
}

static void
set_number(size_t at, uint32_t doc)
{
	struct query_value value = { .type = properties[at].type };

	value.integer = make_number(at - ARRAY_SIZE(STRINGS));
	if (column_set(columns[at], doc, &value, 1) < 0)
		die("out of memory");
}

static void
declare(void)
{
	for (size_t i = 0; i < PROPERTIES; i++) {
		bool text = i < ARRAY_SIZE(STRINGS);
		size_t number = text ? 0 : i - ARRAY_SIZE(STRINGS);

		(void)snprintf(names[number], sizeof(names[number]), "n.%zu", number);
		properties[i] = (struct query_property){
			.name = text ? STRINGS[i].name : names[number],
			.type = text				     ? QUERY_TYPE_STRING
				: number % 5 == 1 || number % 5 == 2 ? QUERY_TYPE_DATETIME
								     : QUERY_TYPE_LONG,
			.filter = true,
			.number = (uint32_t)i,
		};
		by_name[i] = &properties[i];
		if (column_new(&properties[i], &columns[i]) < 0)
			die("out of memory");
	}
}

static void
fill(uint32_t documents)
{
	for (uint32_t doc = 1; doc <= documents; doc++)
		for (size_t i = 0; i < PROPERTIES; i++)
			if (i < ARRAY_SIZE(STRINGS))
				set_string(i, doc);
			else
				set_number(i, doc);
}

static int
compare_times(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int64_t
cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * PXS_NS_PER_S + now.tv_nsec;
}

static double
median_ms(const struct index_view *view, const roaring_bitmap_t *hits)
{
	int64_t times[ROUNDS], median;

	for (size_t round = 0; round < ROUNDS; round++) {
		struct facet_set *set;
		int64_t start_ns = cpu_ns();

		if (facet_set_new(view, hits, NULL, &set) < 0)
			die("out of memory");
		times[round] = cpu_ns() - start_ns;
		if (set->facets.n_facets == 0)
			die("no facets");
		facet_set_free(set);
	}
	qsort(times, ROUNDS, sizeof(*times), compare_times);
	median = times[ROUNDS / 2];
	return (double)median / (double)PXS_NS_PER_MS;
}

static roaring_bitmap_t *
random_hits(uint32_t documents, uint32_t n)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();

	if (!hits)
		die("out of memory");
	for (uint32_t doc = 1; doc <= documents; doc++)
		if ((uint64_t)random() % documents < n)
			roaring_bitmap_add(hits, doc);
	return hits;
}

static void
print_each(struct view_schema *schema, const struct index_view *view, const roaring_bitmap_t *hits)
{
	for (size_t i = 0; i < PROPERTIES; i++) {
		schema->schema.properties = &by_name[i];
		schema->schema.n_properties = 1;
		(void)printf("    %-16s %8.2f ms\n", by_name[i]->name, median_ms(view, hits));
	}
	schema->schema.properties = by_name;
	schema->schema.n_properties = PROPERTIES;
}

static int
measure_index(const char *dir)
{
	CLEANUP(index) struct index *index = NULL;
	CLEANUP(index_view) struct index_view *view = NULL;
	struct pxs_error err = { 0 };

	if (index_open(dir, 0, &index, &err) < 0)
		die(err.text);
	view = index_view_get(index);
	(void)printf("%10u hits %8.2f ms\n", (unsigned int)view->count,
		     median_ms(view, view->live));
	return 0;
}

static int
measure_made_up(uint32_t documents)
{
	const uint32_t sizes[] = { documents, documents / 2, documents / 10, documents / 100, 100 };
	struct view_schema schema = {
		.schema = { by_name, PROPERTIES },
		.columns = columns,
		.n_columns = PROPERTIES,
	};
	struct index_view view = { .max_doc = documents, .schema = &schema };

	srandom(1);
	declare();
	fill(documents);
	(void)printf("facets of %zu properties, %u documents\n", PROPERTIES, documents);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		roaring_bitmap_t *hits = random_hits(documents, sizes[i]);

		(void)printf("%10u hits %8.2f ms\n",
			     (unsigned int)roaring_bitmap_get_cardinality(hits),
			     median_ms(&view, hits));
		if (i == 0)
			print_each(&schema, &view, hits);
		roaring_bitmap_free(hits);
	}
	for (size_t i = 0; i < PROPERTIES; i++)
		column_free(columns[i]);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strchr(argv[1], '/'))
		return measure_index(argv[1]);
	return measure_made_up(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 160000);
}
