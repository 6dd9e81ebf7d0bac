#include "index/measure.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/bm25.h"
#include "index/budget.h"
#include "index/column.h"
#include "query/query.h"

/* Values between two looks at the budget. */
#define VALUES_AT_ONCE 4096

struct table {
	struct measure_table table;
	pthread_mutex_t lock;
	uint32_t count; /* values measured */
};

struct measures {
	pthread_mutex_t lock;
	struct table **tables; /* by property number */
	uint32_t n_tables;
};

int
measures_new(struct measures **ret_measures)
{
	struct measures *measures = calloc(1, sizeof(*measures));

	if (!measures)
		return -ENOMEM;
	(void)pthread_mutex_init(&measures->lock, NULL);
	*ret_measures = measures;
	return 0;
}

static void
table_free(struct table *table)
{
	if (!table)
		return;
	for (uint32_t i = 0; i < COLUMN_SEGMENTS; i++)
		free(table->table.known[i]);
	free(table->table.known);
	stable_done(&table->table.measures);
	(void)pthread_mutex_destroy(&table->lock);
	free(table);
}

void
measures_free(struct measures *measures)
{
	if (!measures)
		return;
	for (uint32_t i = 0; i < measures->n_tables; i++)
		table_free(measures->tables[i]);
	free(measures->tables);
	(void)pthread_mutex_destroy(&measures->lock);
	free(measures);
}

static struct table *
new_table(void)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->table.known = calloc(COLUMN_SEGMENTS, sizeof(*table->table.known));
	if (!table->table.known) {
		free(table);
		return NULL;
	}
	table->table.measures.size = sizeof(struct measure);
	(void)pthread_mutex_init(&table->lock, NULL);
	return table;
}

static struct table *
table_of(struct measures *measures, uint32_t number)
{
	struct table **tables;

	if (number >= measures->n_tables) {
		tables = realloc(measures->tables, (number + (size_t)1) * sizeof(struct table *));
		if (!tables)
			return NULL;
		measures->tables = tables;
		while (measures->n_tables <= number)
			tables[measures->n_tables++] = NULL;
	}
	if (!measures->tables[number])
		measures->tables[number] = new_table();
	return measures->tables[number];
}

/* --- One value --- */

struct counting {
	const char *text;
	size_t len;
	uint32_t words;
	bool whole; /* its only word so far is all of it */
};

static int
count_word(void *context, const char *word, size_t len)
{
	struct counting *counting = context;

	counting->whole = counting->words++ == 0 && word == counting->text && len == counting->len;
	return 0;
}

static bool
is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

static int
measure(const char *text, struct pxs_buf *folded, struct measure *ret)
{
	struct counting counting = { 0 };
	int r;

	pxs_buf_clear(folded);
	r = query_fold(text, strlen(text), folded);
	if (r < 0)
		return r;
	counting.text = pxs_buf_text(folded);
	counting.len = folded->len;
	r = query_words_folded(counting.text, counting.len, count_word, &counting);
	if (r < 0)
		return r;
	ret->words = bm25_length_code(counting.words);
	ret->bytes = MEASURE_ANY;
	if (counting.whole)
		ret->bytes = MEASURE_ONE_WORD;
	else if (folded->len < MEASURE_ANY && is_ascii(counting.text, counting.len))
		ret->bytes = (uint8_t)counting.len;
	return 0;
}

static int
measure_new(struct table *table, const struct dict *dict, const struct index_budget *budget)
{
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;
	uint32_t count = dict_count(dict);
	int r = 0;

	for (uint32_t code = table->count + 1; r == 0 && code <= count; code++) {
		struct measure *at;

		r = code % VALUES_AT_ONCE ? 0 : budget_check(budget);
		if (r == 0)
			r = stable_reserve(&table->table.measures, code - 1);
		if (r < 0)
			break;
		at = stable_at(&table->table.measures, code - 1);
		r = measure(dict_text(dict, code), &folded, at);
		if (r < 0)
			break;
		table->table.occurs[at->bytes] = 1;
		table->count = code;
	}
	return r;
}

int
measures_of(struct measures *measures, const struct column *column,
	    const struct index_budget *budget, const struct measure_table **ret_table)
{
	struct table *table;
	int r;

	(void)pthread_mutex_lock(&measures->lock);
	table = table_of(measures, column_property(column)->number);
	(void)pthread_mutex_unlock(&measures->lock);
	if (!table)
		return -ENOMEM;
	(void)pthread_mutex_lock(&table->lock);
	r = measure_new(table, column_dict(column), budget);
	(void)pthread_mutex_unlock(&table->lock);
	if (r == 0)
		*ret_table = &table->table;
	return r;
}
