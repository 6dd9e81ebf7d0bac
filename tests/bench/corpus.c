#include "corpus.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000

void
corpus_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

static FILE *
open_in(const char *dir, const char *name)
{
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (!file)
		corpus_die("cannot open %s: %s", path, strerror(errno));
	return file;
}

/* The text up to a tab or the end of line, NUL-terminated; NULL at the end. */
static char *
field(char **rest)
{
	char *text = *rest;

	if (!text)
		return NULL;
	*rest = strchr(text, '\t');
	if (*rest)
		*(*rest)++ = '\0';
	else
		text[strcspn(text, "\n")] = '\0';
	return text;
}

/* --- Documents --- */

static void
read_schema(struct corpus *corpus, const char *dir)
{
	FILE *file = open_in(dir, "schema.tsv");
	char line[128];

	while (fgets(line, sizeof(line), file)) {
		struct corpus_property *property = &corpus->properties[corpus->n_properties++];
		char *rest = line;
		const char *name = field(&rest);

		if (corpus->n_properties > CORPUS_PROPERTIES_MAX)
			corpus_die("more than %d properties", CORPUS_PROPERTIES_MAX);
		if (strlen(name) >= sizeof(property->name))
			corpus_die("a long name: %s", name);
		memcpy(property->name, name, strlen(name) + 1);
		property->type = *field(&rest);
		property->multi = *field(&rest) == '1';
	}
	(void)fclose(file);
}

void
corpus_open(struct corpus *corpus, const char *dir, const char *file)
{
	*corpus = (struct corpus){ 0 };
	read_schema(corpus, dir);
	corpus->file = open_in(dir, file);
}

bool
corpus_next(struct corpus *corpus, struct corpus_document *document)
{
	char *rest, *text;

	if (getline(&corpus->line, &corpus->line_size, corpus->file) < 0)
		return false;
	rest = corpus->line;
	document->number = ++corpus->n_read;
	document->id = strtoll(field(&rest), NULL, 10);
	for (size_t i = 0; i < corpus->n_properties; i++) {
		text = field(&rest);
		if (!text)
			corpus_die("document %llu is cut short",
				   (unsigned long long)document->number);
		document->values[i] = *text ? text : NULL;
	}
	return true;
}

void
corpus_close(struct corpus *corpus)
{
	(void)fclose(corpus->file);
	free(corpus->line);
}

size_t
corpus_find(const struct corpus *corpus, const char *name)
{
	for (size_t i = 0; i < corpus->n_properties; i++)
		if (strcmp(corpus->properties[i].name, name) == 0)
			return i;
	corpus_die("the corpus has no property %s", name);
}

size_t
corpus_words(const char *text, char *words, size_t size)
{
	size_t n = 0, len = 0;
	bool inside = false;

	if (strlen(text) + 2 > size)
		corpus_die("a value of %zu bytes", strlen(text));
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text)) {
			inside = false;
			continue;
		}
		if (!inside && len)
			words[len++] = ' ';
		n += !inside;
		inside = true;
		words[len++] = *text;
	}
	words[len] = '\0';
	return n;
}

char *
corpus_element(char **rest)
{
	char *text = *rest;

	if (!text)
		return NULL;
	*rest = strchr(text, '|');
	if (*rest)
		*(*rest)++ = '\0';
	return text;
}

/* --- Queries --- */

static char *
read_all(const char *dir, const char *name)
{
	FILE *file = open_in(dir, name);
	char *text = NULL;
	size_t size = 0;

	if (getdelim(&text, &size, '\0', file) < 0)
		corpus_die("%s/%s is empty", dir, name);
	(void)fclose(file);
	return text;
}

/* kind:field:text */
static void
parse_condition(struct corpus_query *query, char *text)
{
	struct corpus_condition *condition = &query->conditions[query->n_conditions++];

	if (query->n_conditions > CORPUS_CONDITIONS_MAX)
		corpus_die("a query of more than %d conditions", CORPUS_CONDITIONS_MAX);
	condition->kind = text;
	condition->field = strchr(text, ':');
	condition->text = condition->field ? strchr(condition->field + 1, ':') : NULL;
	if (!condition->text)
		corpus_die("a condition without its two colons: %s", text);
	*condition->field++ = '\0';
	*condition->text++ = '\0';
}

static void
parse_query(struct corpus_query *query, char *line)
{
	char *rest = line, *text;

	query->query_class = field(&rest);
	query->action = field(&rest);
	query->keys = field(&rest);
	text = field(&rest);
	if (!text)
		corpus_die("a query is cut short: %s", line);
	query->offset = strtoull(text, NULL, 10);
	while ((text = field(&rest)))
		parse_condition(query, text);
}

void
corpus_log_read(struct corpus_log *log, const char *dir)
{
	size_t lines = 0;

	*log = (struct corpus_log){ .text = read_all(dir, "queries.tsv") };
	for (const char *at = log->text; (at = strchr(at, '\n')); at++)
		lines++;
	log->queries = calloc(lines + 1, sizeof(*log->queries));
	if (!log->queries)
		corpus_die("out of memory");
	for (char *line = log->text, *next; log->n_queries < lines; line = next) {
		struct corpus_query *query = &log->queries[log->n_queries++];

		next = strchr(line, '\n') + 1;
		next[-1] = '\0';
		parse_query(query, line);
		if (query > log->queries && strcmp(query->query_class, query[-1].query_class) == 0)
			query->number = query[-1].number + 1;
	}
}

void
corpus_log_keep(struct corpus_log *log, const char *start)
{
	size_t n = 0;

	for (size_t i = 0; i < log->n_queries; i++)
		if (strncmp(log->queries[i].query_class, start, strlen(start)) == 0)
			log->queries[n++] = log->queries[i];
	log->n_queries = n;
}

void
corpus_log_free(struct corpus_log *log)
{
	free(log->queries);
	free(log->text);
}

/* --- Asking and telling --- */

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

int64_t
corpus_clock_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t
corpus_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int64_t started_ns, stopped_ns;

void
corpus_start(void)
{
	started_ns = corpus_clock_ns();
	stopped_ns = 0;
}

void
corpus_stop(void)
{
	stopped_ns = corpus_clock_ns();
}

void
corpus_ask(const struct corpus_log *log, unsigned int passes, double budget_s,
	   void (*before)(void *context, unsigned int pass), corpus_answer *answer, void *context)
{
	int64_t budget_ns = (int64_t)(budget_s * NS_PER_S), class_ns = 0;

	for (unsigned int pass = 0; pass < passes; pass++) {
		for (size_t i = 0; i < log->n_queries; i++) {
			const struct corpus_query *query = &log->queries[i];
			int64_t hits, took_ns;

			if (query->number == 0) {
				if (before)
					before(context, pass);
				class_ns = corpus_clock_ns();
			}
			if (query->number >= 5 && corpus_clock_ns() - class_ns > budget_ns)
				continue;
			corpus_start();
			hits = answer(context, query);
			took_ns = (stopped_ns ? stopped_ns : corpus_clock_ns()) - started_ns;
			(void)printf("%u\t%s\t%u\t%lld\t%lld\n", pass, query->query_class,
				     query->number, (long long)hits, (long long)took_ns);
		}
	}
}

void
corpus_print(const char *name, int64_t value)
{
	(void)printf("%s\t%lld\n", name, (long long)value);
}

void
corpus_print_memory(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kib;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			corpus_print("rss_bytes", kib * 1024);
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			corpus_print("rss_anonymous_bytes", kib * 1024);
	}
	if (file)
		(void)fclose(file);
}
