/* The questions: classes of a table, each with a function that writes one query of it. */
#include "bench_corpus.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define QUERIES 200 /* of a class, where the corpus has as many */

struct log {
	struct maker *maker;
	struct chance chance;
	/* Words whose frequency suits the class, by rank. */
	uint64_t *words;
	size_t n_words;
};

struct query_class {
	const char *name, *action, *keys;
	void (*write)(struct log *log, const struct query_class *query_class, unsigned int number);
	double least, most; /* documents that have the words: below 1 a part of all, else as many */
	uint64_t a;
};

/* --- Choosing --- */

static double
documents(const struct log *log, double amount)
{
	return amount < 1 ? amount * (double)log->maker->n_documents : amount;
}

static void
choose_words(struct log *log, const struct query_class *query_class)
{
	double least = documents(log, query_class->least), most = documents(log, query_class->most);

	log->n_words = 0;
	for (uint64_t rank = 0; rank < log->maker->vocabulary; rank++)
		if (log->maker->frequencies[rank] >= least && log->maker->frequencies[rank] <= most)
			log->words[log->n_words++] = rank;
}

/* The NUMBER-th of a walk over the class's words that takes each once before any comes again. */
static void
spell(const struct log *log, uint64_t number, char word[VOCABULARY_WORD_MAX])
{
	vocabulary_spell(log->words[number * 7919 % log->n_words], word);
}

/* Two different numbers for each NUMBER. */
static void
spell_two(struct log *log, unsigned int number, char one[VOCABULARY_WORD_MAX],
	  char two[VOCABULARY_WORD_MAX])
{
	spell(log, number, one);
	do
		spell(log, chance_below(&log->chance, log->n_words), two);
	while (strcmp(one, two) == 0);
}

/* A value of PROPERTY, of some document that has one; of a list the first. */
static void
some_value(struct log *log, const char *property, char *value, size_t size)
{
	size_t column = maker_property(property) + 1, len;

	do {
		const char *at =
			log->maker->samples[chance_below(&log->chance, log->maker->n_samples)];

		for (size_t i = 0; i < column; i++)
			at = strchr(at, '\t') + 1;
		len = strcspn(at, "\t|\n");
		(void)snprintf(value, size, "%.*s", (int)len, at);
	} while (len == 0);
}

static int64_t
some_number(struct log *log, const char *property)
{
	char value[64];

	some_value(log, property, value, sizeof(value));
	return strtoll(value, NULL, 10);
}

/* --- Writing conditions --- */

static void
put(const struct log *log, const char *kind, const char *field, const char *text)
{
	(void)fprintf(log->maker->out, "\t%s:%s:%s", kind, field, text);
}

static void
put_is(struct log *log, const char *property)
{
	char value[256];

	some_value(log, property, value, sizeof(value));
	put(log, "is", property, value);
}

static void
put_range(const struct log *log, const char *property, int64_t low, int64_t high)
{
	(void)fprintf(log->maker->out, "\trange:%s:%" PRId64 "..%" PRId64, property, low, high);
}

/* Between the values of two documents. */
static void
put_some_range(struct log *log, const char *property)
{
	int64_t low = some_number(log, property), high = some_number(log, property);

	put_range(log, property, low < high ? low : high, (low < high ? high : low) + 1);
}

/* --- The classes --- */

static void
word(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char text[VOCABULARY_WORD_MAX];

	(void)query_class;
	spell(log, number, text);
	put(log, "word", "", text);
}

static void
word_of_title(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char text[VOCABULARY_WORD_MAX];

	(void)query_class;
	spell(log, number, text);
	put(log, "word", "text.title", text);
}

static void
two_words(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char one[VOCABULARY_WORD_MAX], two[VOCABULARY_WORD_MAX];

	(void)query_class;
	spell_two(log, number, one, two);
	put(log, "word", "", one);
	put(log, "word", "", two);
}

static void
either_word(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char one[VOCABULARY_WORD_MAX], two[VOCABULARY_WORD_MAX];

	(void)query_class;
	spell_two(log, number, one, two);
	(void)fprintf(log->maker->out, "\tany::%s %s", one, two);
}

static void
one_without_other(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char one[VOCABULARY_WORD_MAX], two[VOCABULARY_WORD_MAX];

	(void)query_class;
	spell_two(log, number, one, two);
	put(log, "word", "", one);
	put(log, "not", "", two);
}

/* The first two words of a description. */
static void
phrase(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char value[256];
	char *blank;

	(void)query_class;
	(void)number;
	some_value(log, "text.description", value, sizeof(value));
	blank = strchr(strchr(value, ' ') + 1, ' ');
	*blank = '\0';
	put(log, "phrase", "", value);
}

/* A letters of a word, from its start or within. */
static void
prefix(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char text[VOCABULARY_WORD_MAX];

	spell(log, number, text);
	text[query_class->a] = '\0';
	put(log, "prefix", "", text);
}

static void
infix(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char text[VOCABULARY_WORD_MAX];

	spell(log, number, text);
	if (strlen(text) > query_class->a)
		text[query_class->a + 1] = '\0';
	put(log, "infix", "", strlen(text) > query_class->a ? text + 1 : text);
}

/* A word with A of its letters mistyped. */
static void
fuzzy(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char text[VOCABULARY_WORD_MAX];

	spell(log, number, text);
	text[1] = text[1] == 'a' ? 'e' : 'a';
	if (query_class->a == 2)
		text[3] = text[3] == 's' ? 't' : 's';
	put(log, query_class->a == 2 ? "fuzzy2" : "fuzzy1", "", text);
}

static void
regex(struct log *log, const struct query_class *query_class, unsigned int number)
{
	char text[VOCABULARY_WORD_MAX];

	(void)query_class;
	spell(log, number, text);
	(void)fprintf(log->maker->out, "\tregex::[%cbdk]%.3s[a-z]{1,5}", text[0], text + 1);
}

static void
range_of_sizes(struct log *log, const struct query_class *query_class, unsigned int number)
{
	(void)query_class;
	(void)number;
	put_some_range(log, "file.size");
}

static void
range_of_dates(struct log *log, const struct query_class *query_class, unsigned int number)
{
	(void)query_class;
	(void)number;
	put_some_range(log, "file.modified");
}

static void
exact_path(struct log *log, const struct query_class *query_class, unsigned int number)
{
	(void)query_class;
	(void)number;
	put_is(log, "file.path");
}

static void
three_filters(struct log *log, const struct query_class *query_class, unsigned int number)
{
	(void)query_class;
	(void)number;
	put_is(log, "file.extension");
	put_is(log, "job.department");
	put_some_range(log, "file.size");
}

static void
word_and_filters(struct log *log, const struct query_class *query_class, unsigned int number)
{
	word(log, query_class, number);
	put_is(log, "job.status");
	put_some_range(log, "file.modified");
}

/* A documents (0: all), of no order; the number differs, so that none is asked twice. */
static void
so_many(struct log *log, const struct query_class *query_class, unsigned int number)
{
	int64_t all = (int64_t)log->maker->n_documents, n = (int64_t)query_class->a;
	int64_t low = n ? (int64_t)chance_below(&log->chance, (uint64_t)(all - n + 1))
			: -1 - (int64_t)number;

	put_range(log, "file.serial", low, n ? low + n : all + 1);
}

/* Words of every document. */
static void
everywhere(struct log *log, const struct query_class *query_class, unsigned int number)
{
	static const char *const WORDS[] = { "archive", "vault", "rights", "reserved" };

	(void)query_class;
	put(log, "word", "", WORDS[number % ARRAY_SIZE(WORDS)]);
}

#define RARE 3, 50
#define MEDIUM 0.0005, 0.005
#define BROAD 0.02, 0.9

static const struct query_class CLASSES[] = {
	{ "rare term, first page", "first", "", word, RARE, 0 },
	{ "broad term, first page", "first", "", word, BROAD, 0 },
	{ "rare term", "count", "", word, RARE, 0 },
	{ "medium term", "count", "", word, MEDIUM, 0 },
	{ "broad term", "count", "", word, BROAD, 0 },
	{ "term in every document", "count", "", everywhere, 0, 0, 0 },
	{ "term of a property", "count", "", word_of_title, MEDIUM, 0 },
	{ "AND, medium and broad", "count", "", two_words, 0.002, 0.3, 0 },
	{ "AND, broad", "count", "", two_words, BROAD, 0 },
	{ "OR, medium", "count", "", either_word, MEDIUM, 0 },
	{ "OR, broad", "count", "", either_word, BROAD, 0 },
	{ "NOT", "count", "", one_without_other, 0.005, 0.5, 0 },
	{ "phrase", "count", "", phrase, 0, 0, 0 },
	{ "prefix, 3 letters", "count", "", prefix, 20, 0.5, 3 },
	{ "infix, 4 letters", "count", "", infix, 20, 0.01, 4 },
	{ "fuzzy, 1 edit", "count", "", fuzzy, 10, 0.005, 1 },
	{ "fuzzy, 2 edits", "count", "", fuzzy, 10, 0.005, 2 },
	{ "regular expression", "count", "", regex, 10, 0.01, 0 },
	{ "range of numbers", "count", "", range_of_sizes, 0, 0, 0 },
	{ "range of dates", "count", "", range_of_dates, 0, 0, 0 },
	{ "exact path", "count", "", exact_path, 0, 0, 0 },
	{ "three filters", "count", "", three_filters, 0, 0, 0 },
	{ "three filters, two sort keys", "sort", "-file.modified,file.name", three_filters, 0, 0,
	  0 },
	{ "word and two filters, by date", "sort", "-file.modified", word_and_filters, BROAD, 0 },
	{ "everything, two sort keys", "sort", "job.department,-file.size", so_many, 0, 0, 0 },
	{ "deep page, by date", "deep", "-file.modified", word, 10100, 0.9, 9980 },
	{ "cursor, 1,000 of all", "cursor", "", so_many, 0, 0, 0 },
	{ "relevance, 10,000 hits", "rank", "", word, 7000, 14000, 0 },
	{ "relevance, 100,000 hits", "rank", "", word, 70000, 140000, 0 },
	{ "relevance, all hits", "rank", "", everywhere, 0, 0, 0 },
	{ "relevance, two broad words", "rank", "", either_word, 0.02, 0.2, 0 },
	{ "facets, 100 hits", "facets", "", so_many, 0, 0, 100 },
	{ "facets, 1,000 hits", "facets", "", so_many, 0, 0, 1000 },
	{ "facets, 10,000 hits", "facets", "", so_many, 0, 0, 10000 },
	{ "facets, 100,000 hits", "facets", "", so_many, 0, 0, 100000 },
	{ "facets, all hits", "facets", "", so_many, 0, 0, 0 },
};

static uint64_t
page_offset(const struct query_class *query_class)
{
	return strcmp(query_class->action, "deep") == 0 ? query_class->a : 0;
}

/* Words of a class limit how many different queries it can have. */
static unsigned int
queries_of(const struct log *log, const struct query_class *query_class)
{
	if (query_class->write == everywhere)
		return 4;
	if (query_class->most == 0 && query_class->least == 0)
		return query_class->a < log->maker->n_documents ? QUERIES : 0;
	if (log->n_words == 0 || (log->n_words < 2 && query_class->write != word))
		return 0;
	return query_class->write == word && log->n_words < QUERIES ? (unsigned int)log->n_words
								    : QUERIES;
}

void
make_log(struct maker *maker)
{
	struct log log = { .maker = maker };

	log.words = calloc(maker->vocabulary, sizeof(*log.words));
	if (!log.words) {
		(void)fprintf(stderr, "bench_corpus: out of memory\n");
		exit(1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(CLASSES); i++) {
		const struct query_class *query_class = &CLASSES[i];
		unsigned int n;

		log.chance = chance_of(maker->seed, UINT64_MAX - i);
		choose_words(&log, query_class);
		n = queries_of(&log, query_class);
		for (unsigned int number = 0; number < n; number++) {
			(void)fprintf(maker->out, "%s\t%s\t%s\t%" PRIu64, query_class->name,
				      query_class->action, query_class->keys,
				      page_offset(query_class));
			query_class->write(&log, query_class, number);
			(void)fputc('\n', maker->out);
		}
	}
	free(log.words);
}
