/* Makes documents and questions to measure with:
 *
 *     bench_corpus DOCUMENTS FOLDER
 *
 * schema.tsv     name, type, list of each of 50 properties (corpus.h says how they are read)
 * documents.tsv  one document a line: its id, then its values in the order of schema.tsv
 * live.tsv       20,000 documents more, to be written one by one beside readers
 * queries.tsv    what is asked, by class
 *
 * The same number of documents gives the same files on every machine. The catalogue is one of a
 * media archive: skewed categories, text of Zipf's distribution whose vocabulary grows with the
 * catalogue, lists, properties that only some documents have, and values of their own. */
#include "bench_corpus.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define SEED 20240229
#define LIVE_DOCUMENTS 20000
#define NS_PER_S INT64_C(1000000000)
#define DAY_NS (86400 * NS_PER_S)
#define YEAR_2005_NS (INT64_C(1104537600) * NS_PER_S)
#define YEARS_20_DAYS 7305
#define MIME_TYPES 20

static const struct {
	const char *extension, *type;
} FILES[MIME_TYPES] = {
	{ ".jpg", "image/jpeg" },   { ".mov", "video/quicktime" }, { ".wav", "audio/wav" },
	{ ".tif", "image/tiff" },   { ".mxf", "application/mxf" }, { ".xml", "text/xml" },
	{ ".pdf", "document/pdf" }, { ".dpx", "image/dpx" },	   { ".png", "image/png" },
	{ ".txt", "text/plain" },   { ".avi", "video/avi" },	   { ".doc", "document/msword" },
	{ ".flac", "audio/flac" },  { ".psd", "image/photoshop" }, { ".mkv", "video/matroska" },
	{ ".gif", "image/gif" },    { ".exr", "image/exr" },	   { ".aac", "audio/aac" },
	{ ".odt", "document/odt" }, { ".svg", "image/svg" },
};

/* A kind of document has all properties of a group, or none. */
enum group { ALL, MEDIA, TEXT, PLACE };

static const unsigned int GROUP_PERCENT[] = {
	[ALL] = 100, [MEDIA] = 45, [TEXT] = 35, [PLACE] = 25
};

struct property {
	const char *name;
	char type;
	bool multi;
	enum group group;
	unsigned int percent; /* of the group have it */
	void (*make)(struct maker *maker, const struct property *property);
	uint64_t a, b; /* of make */
};

/* --- Text --- */

static void
put_word(struct maker *maker, uint64_t rank)
{
	char word[VOCABULARY_WORD_MAX];

	if (rank < maker->vocabulary && maker->last[rank] != maker->number) {
		maker->last[rank] = (uint32_t)maker->number;
		maker->frequencies[rank]++;
	}
	vocabulary_spell(rank, word);
	(void)fputs(word, maker->out);
}

/* A to B words. */
static void
make_text(struct maker *maker, const struct property *property)
{
	uint64_t n = property->a + chance_below(&maker->chance, property->b - property->a + 1);

	for (uint64_t i = 0; i < n; i++) {
		if (i)
			(void)fputc(' ', maker->out);
		put_word(maker, chance_zipf(&maker->chance, maker->vocabulary));
	}
}

/* 1 to B different words of the A commonest. */
static void
make_keywords(struct maker *maker, const struct property *property)
{
	uint64_t step = property->a / property->b,
		 n = 1 + chance_below(&maker->chance, property->b);

	for (uint64_t i = 0; i < n; i++) {
		if (i)
			(void)fputc('|', maker->out);
		put_word(maker, i * step + chance_zipf(&maker->chance, step));
	}
}

static uint64_t
category(const struct property *property, uint64_t which)
{
	return VOCABULARY_NAMES + maker_property(property->name) * UINT64_C(1000000) + which;
}

/* One of A names. */
static void
make_category(struct maker *maker, const struct property *property)
{
	put_word(maker, category(property, chance_zipf(&maker->chance, property->a)));
}

/* 1 to B people of A, each of two names. */
static void
make_people(struct maker *maker, const struct property *property)
{
	uint64_t step = property->a / property->b,
		 n = 1 + chance_below(&maker->chance, property->b);

	for (uint64_t i = 0; i < n; i++) {
		uint64_t who = i * step + chance_zipf(&maker->chance, step);

		if (i)
			(void)fputc('|', maker->out);
		put_word(maker, category(property, who % 97));
		(void)fputc(' ', maker->out);
		put_word(maker, category(property, 100 + who));
	}
}

static void
make_directory(struct maker *maker, const struct property *property)
{
	(void)property;
	(void)fputs("/archive/vault/", maker->out);
	put_word(maker, VOCABULARY_NAMES + maker->project);
	(void)fputc('/', maker->out);
	put_word(maker, VOCABULARY_NAMES + 500000 + maker->directory);
}

/* Its own number from 0 to DOCUMENTS - 1, scattered: any span holds as many documents as numbers.
 */
static uint64_t
serial(const struct maker *maker)
{
	return (uint64_t)((unsigned __int128)maker->number * 2654435761U % maker->n_documents);
}

static void
make_name(struct maker *maker, const struct property *property)
{
	(void)property;
	put_word(maker, maker->name);
	(void)fprintf(maker->out, "-%" PRIu64 "%s", serial(maker),
		      FILES[maker->extension].extension);
}

static void
make_path(struct maker *maker, const struct property *property)
{
	make_directory(maker, property);
	(void)fputc('/', maker->out);
	make_name(maker, property);
}

static void
make_uuid(struct maker *maker, const struct property *property)
{
	(void)property;
	(void)fprintf(maker->out, "%016" PRIx64, chance_next(&maker->chance));
}

static void
make_extension(struct maker *maker, const struct property *property)
{
	(void)property;
	(void)fputs(FILES[maker->extension].extension, maker->out);
}

static void
make_mimetype(struct maker *maker, const struct property *property)
{
	(void)property;
	(void)fputs(FILES[maker->extension].type, maker->out);
}

static void
make_type(struct maker *maker, const struct property *property)
{
	const char *type = FILES[maker->extension].type;

	(void)property;
	(void)fprintf(maker->out, "%.*s", (int)strcspn(type, "/"), type);
}

static void
make_project(struct maker *maker, const struct property *property)
{
	(void)property;
	put_word(maker, VOCABULARY_NAMES + maker->project);
}

static void
make_license(struct maker *maker, const struct property *property)
{
	(void)fputs("rights reserved ", maker->out);
	make_category(maker, property);
}

/* --- Numbers and dates --- */

/* exp(A + B / 10 * normal): sizes, durations. */
static int64_t
lognormal(struct maker *maker, const struct property *property)
{
	double power = (double)property->a +
		       (double)property->b / 10 * chance_normal(&maker->chance);

	return (int64_t)exp(power);
}

static void
make_size(struct maker *maker, const struct property *property)
{
	(void)fprintf(maker->out, "%" PRId64, lognormal(maker, property));
}

static void
make_serial(struct maker *maker, const struct property *property)
{
	(void)property;
	(void)fprintf(maker->out, "%" PRIu64, serial(maker));
}

/* Numbers that a double cannot hold, shared by A documents. */
static void
make_reel(struct maker *maker, const struct property *property)
{
	(void)fprintf(maker->out, "%" PRIu64,
		      (UINT64_C(1) << 60) + maker->number / property->a * 977 + 1);
}

/* B times one of 1 to A, the first the commonest. */
static void
make_step(struct maker *maker, const struct property *property)
{
	uint64_t step = 1 + chance_zipf(&maker->chance, property->a);

	(void)fprintf(maker->out, "%" PRIu64, step * property->b);
}

/* Lists of up to B of the numbers 1 to A. */
static void
make_ratings(struct maker *maker, const struct property *property)
{
	uint64_t rating = 1 + chance_below(&maker->chance, property->a);

	(void)fprintf(maker->out, "%" PRIu64, rating);
	if (rating > 1 && chance_below(&maker->chance, 2))
		(void)fprintf(maker->out, "|%" PRIu64,
			      1 + chance_below(&maker->chance, rating - 1));
}

static void
put_hundredths(struct maker *maker, int64_t hundredths)
{
	int64_t size = hundredths < 0 ? -hundredths : hundredths;

	(void)fprintf(maker->out, "%s%" PRId64 ".%02" PRId64, hundredths < 0 ? "-" : "", size / 100,
		      size % 100);
}

static void
make_decimal(struct maker *maker, const struct property *property)
{
	put_hundredths(maker, lognormal(maker, property));
}

/* From -A to A. */
static void
make_degrees(struct maker *maker, const struct property *property)
{
	double degrees = (chance_real(&maker->chance) * 2 - 1) * (double)property->a * 100;

	put_hundredths(maker, (int64_t)degrees);
}

static void
make_rate(struct maker *maker, const struct property *property)
{
	static const char *const RATES[] = { "25.00", "23.98", "29.97", "24.00", "50.00", "59.94" };

	(void)property;
	(void)fputs(RATES[chance_zipf(&maker->chance, ARRAY_SIZE(RATES))], maker->out);
}

/* True of A percent. */
static void
make_boolean(struct maker *maker, const struct property *property)
{
	(void)fputs(chance_below(&maker->chance, 100) < property->a ? "1" : "0", maker->out);
}

/* Up to A days after it was made, to the nanosecond. */
static void
make_date(struct maker *maker, const struct property *property)
{
	int64_t after = (int64_t)(chance_real(&maker->chance) * (double)property->a * DAY_NS);

	(void)fprintf(maker->out, "%" PRId64, maker->created_ns + after);
}

static void
make_day(struct maker *maker, const struct property *property)
{
	int64_t day = maker->created_ns / DAY_NS +
		      (int64_t)chance_below(&maker->chance, property->a);

	(void)fprintf(maker->out, "%" PRId64, day * DAY_NS);
}

static const struct property PROPERTIES[] = {
	{ "text.title", 's', false, ALL, 100, make_text, 2, 4 },
	{ "text.description", 's', false, ALL, 100, make_text, 6, 16 },
	{ "text.keywords", 's', true, ALL, 60, make_keywords, 3000, 4 },
	{ "text.creator", 's', true, ALL, 50, make_people, 6000, 3 },
	{ "text.mood", 's', false, ALL, 5, make_category, 10, 0 },
	{ "text.rating", 'i', true, ALL, 20, make_ratings, 5, 2 },
	{ "file.path", 's', false, ALL, 100, make_path, 0, 0 },
	{ "file.directory", 's', false, ALL, 100, make_directory, 0, 0 },
	{ "file.name", 's', false, ALL, 100, make_name, 0, 0 },
	{ "file.uuid", 's', false, ALL, 100, make_uuid, 0, 0 },
	{ "file.type", 's', false, ALL, 100, make_type, 0, 0 },
	{ "file.extension", 's', false, ALL, 100, make_extension, 0, 0 },
	{ "file.mimetype", 's', false, ALL, 100, make_mimetype, 0, 0 },
	{ "file.user", 's', false, ALL, 100, make_category, 40, 0 },
	{ "file.group", 's', false, ALL, 100, make_category, 15, 0 },
	{ "file.size", 'l', false, ALL, 100, make_size, 13, 25 },
	{ "file.serial", 'l', false, ALL, 100, make_serial, 0, 0 },
	{ "file.reel", 'l', false, ALL, 100, make_reel, 50, 0 },
	{ "file.created", 't', false, ALL, 100, make_date, 1, 0 },
	{ "file.modified", 't', false, ALL, 100, make_date, 400, 0 },
	{ "media.codec", 's', false, MEDIA, 95, make_category, 12, 0 },
	{ "media.colorspace", 's', false, MEDIA, 80, make_category, 5, 0 },
	{ "media.camera", 's', false, MEDIA, 60, make_category, 200, 0 },
	{ "media.format", 's', false, MEDIA, 90, make_category, 20, 0 },
	{ "media.orientation", 's', false, MEDIA, 50, make_category, 4, 0 },
	{ "media.width", 'i', false, MEDIA, 100, make_step, 40, 160 },
	{ "media.height", 'i', false, MEDIA, 100, make_step, 40, 90 },
	{ "media.bitrate", 'l', false, MEDIA, 80, make_size, 16, 10 },
	{ "media.channels", 'i', false, MEDIA, 50, make_step, 8, 1 },
	{ "media.duration", 'd', false, MEDIA, 70, make_decimal, 9, 15 },
	{ "media.framerate", 'd', false, MEDIA, 60, make_rate, 0, 0 },
	{ "media.hdr", 'b', false, MEDIA, 100, make_boolean, 10, 0 },
	{ "doc.language", 's', false, TEXT, 90, make_category, 40, 0 },
	{ "doc.publisher", 's', false, TEXT, 60, make_category, 3000, 0 },
	{ "doc.license", 's', false, ALL, 100, make_license, 10, 0 },
	{ "doc.pages", 'i', false, TEXT, 80, make_step, 900, 1 },
	{ "doc.public", 'b', false, TEXT, 100, make_boolean, 60, 0 },
	{ "doc.score", 'd', false, TEXT, 50, make_degrees, 10, 0 },
	{ "job.status", 's', false, ALL, 100, make_category, 5, 0 },
	{ "job.project", 's', false, ALL, 100, make_project, 0, 0 },
	{ "job.department", 's', false, ALL, 100, make_category, 30, 0 },
	{ "job.ticket", 's', false, ALL, 3, make_uuid, 0, 0 },
	{ "job.priority", 'i', false, ALL, 100, make_step, 9, 1 },
	{ "job.cost", 'd', false, ALL, 40, make_decimal, 8, 20 },
	{ "job.approved", 'b', false, ALL, 100, make_boolean, 70, 0 },
	{ "job.due", 't', false, ALL, 30, make_day, 365, 0 },
	{ "geo.country", 's', false, PLACE, 100, make_category, 180, 0 },
	{ "geo.city", 's', false, PLACE, 80, make_category, 5000, 0 },
	{ "geo.latitude", 'd', false, PLACE, 90, make_degrees, 90, 0 },
	{ "geo.longitude", 'd', false, PLACE, 90, make_degrees, 180, 0 },
};

size_t
maker_property(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(PROPERTIES); i++)
		if (strcmp(PROPERTIES[i].name, name) == 0)
			return i;
	(void)fprintf(stderr, "bench_corpus: no property %s\n", name);
	exit(1);
}

/* --- Documents --- */

/* More of them were made lately. */
static int64_t
created(struct maker *maker)
{
	double age = pow(chance_real(&maker->chance), 1.5);

	return YEAR_2005_NS + (int64_t)((1 - age) * YEARS_20_DAYS * DAY_NS);
}

static void
make_document(struct maker *maker, uint64_t number)
{
	unsigned int groups[ARRAY_SIZE(GROUP_PERCENT)];

	maker->number = number;
	maker->chance = chance_of(maker->seed, number);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i] = chance_below(&maker->chance, 100) < GROUP_PERCENT[i];
	maker->project = chance_zipf(&maker->chance, 400);
	maker->directory = maker->project * 1000 + chance_zipf(&maker->chance, 200);
	maker->name = chance_zipf(&maker->chance, maker->vocabulary);
	maker->extension = chance_zipf(&maker->chance, MIME_TYPES);
	maker->created_ns = created(maker);

	(void)fprintf(maker->out, "%" PRIu64, chance_next(&maker->chance) >> 2 | 1);
	for (size_t i = 0; i < ARRAY_SIZE(PROPERTIES); i++) {
		const struct property *property = &PROPERTIES[i];

		(void)fputc('\t', maker->out);
		if (groups[property->group] &&
		    chance_below(&maker->chance, 100) < property->percent)
			property->make(maker, property);
	}
	(void)fputc('\n', maker->out);
}

/* --- Files --- */

static void
die(const char *path)
{
	(void)fprintf(stderr, "bench_corpus: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void
open_file(struct maker *maker, const char *dir, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	maker->out = fopen(path, "we");
	if (!maker->out)
		die(path);
}

static void
close_file(struct maker *maker)
{
	if (ferror(maker->out) || fclose(maker->out) != 0)
		die("writing");
}

static void
write_schema(struct maker *maker, const char *dir)
{
	open_file(maker, dir, "schema.tsv");
	for (size_t i = 0; i < ARRAY_SIZE(PROPERTIES); i++)
		(void)fprintf(maker->out, "%s\t%c\t%d\n", PROPERTIES[i].name, PROPERTIES[i].type,
			      PROPERTIES[i].multi);
	close_file(maker);
}

/* Makes the document once more, in memory. */
static void
keep_sample(struct maker *maker, uint64_t number)
{
	FILE *file = maker->out;
	size_t size;

	maker->out = open_memstream(&maker->samples[maker->n_samples++], &size);
	if (!maker->out)
		die("memory");
	make_document(maker, number);
	(void)fclose(maker->out);
	maker->out = file;
}

static void
write_documents(struct maker *maker, const char *dir)
{
	uint64_t every = maker->n_documents / SAMPLES + 1;

	open_file(maker, dir, "documents.tsv");
	for (uint64_t number = 1; number <= maker->n_documents; number++) {
		make_document(maker, number);
		if (number % every == 0)
			keep_sample(maker, number);
	}
	close_file(maker);
}

static void
write_live(struct maker *maker, const char *dir)
{
	open_file(maker, dir, "live.tsv");
	for (uint64_t i = 1; i <= LIVE_DOCUMENTS; i++)
		make_document(maker, maker->n_documents + i);
	close_file(maker);
}

int
main(int argc, char **argv)
{
	struct maker maker = { .seed = SEED };

	if (argc == 3)
		maker.n_documents = strtoull(argv[1], NULL, 10);
	if (maker.n_documents < 10000 || maker.n_documents > INT32_MAX) {
		(void)fprintf(stderr, "usage: bench_corpus DOCUMENTS FOLDER   (10,000 or more)\n");
		return 2;
	}
	maker.vocabulary = vocabulary_size(maker.n_documents);
	maker.frequencies = calloc(maker.vocabulary, sizeof(*maker.frequencies));
	maker.last = calloc(maker.vocabulary, sizeof(*maker.last));
	maker.samples = calloc(SAMPLES, sizeof(*maker.samples));
	if (!maker.frequencies || !maker.last || !maker.samples)
		die("memory");
	write_schema(&maker, argv[2]);
	write_documents(&maker, argv[2]);
	open_file(&maker, argv[2], "queries.tsv");
	make_log(&maker);
	close_file(&maker);
	write_live(&maker, argv[2]);
	for (size_t i = 0; i < maker.n_samples; i++)
		free(maker.samples[i]);
	free(maker.samples);
	free(maker.last);
	free(maker.frequencies);
	return 0;
}
