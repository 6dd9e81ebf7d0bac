/* The tree becomes a flat list: scores are sums, so a condition deep in the tree adds to the score
 * of exactly the documents that match it and every group that it stands in.
 *
 *     +(a OR b) c      a: of hits    b: of hits    c: of hits
 *     (a AND b) OR c   a, b: of what the group finds, which is searched for again    c: of hits
 *
 * What adds the same to every hit is left out. */
#include "index/scorer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/bm25.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/expand.h"
#include "index/field_stats.h"
#include "index/fts.h"
#include "index/lexicon.h"
#include "index/measure.h"
#include "index/pattern.h"
#include "index/relevance.h"
#include "index/terms.h"
#include "index/view.h"

struct builder {
	struct scorer *scorer;
	struct search *search;
	const roaring_bitmap_t *hits;	/* of the whole query */
	const roaring_bitmap_t *within; /* of the group at hand */
	double boost;			/* of all groups around it */
};

/* --- Memory --- */

static void
field_done(struct scorer_field *field)
{
	postings_put(field->postings);
	if (field->docs)
		roaring_bitmap_free(field->docs);
}

void
scorer_done(struct scorer *scorer)
{
	for (size_t i = 0; i < scorer->n; i++) {
		struct scorer_clause *clause = &scorer->clauses[i];

		for (size_t k = 0; k < clause->n; k++)
			field_done(&clause->fields[k]);
		free(clause->fields);
		if (clause->docs)
			roaring_bitmap_free(clause->docs);
	}
	free(scorer->clauses);
	*scorer = (struct scorer){ 0 };
}

static int
account(struct builder *builder, size_t bytes)
{
	builder->scorer->bytes += bytes;
	if (builder->scorer->bytes <= RELEVANCE_BYTES_MAX)
		return 0;
	return relevance_refuse(builder->search->err);
}

static struct scorer_clause *
add_clause(struct builder *builder)
{
	struct scorer *scorer = builder->scorer;
	struct scorer_clause *clauses;

	clauses = realloc(scorer->clauses, (scorer->n + 1) * sizeof(*clauses));
	if (!clauses)
		return NULL;
	scorer->clauses = clauses;
	clauses[scorer->n] = (struct scorer_clause){ 0 };
	return &clauses[scorer->n++];
}

static struct scorer_field *
add_field(struct scorer_clause *clause)
{
	struct scorer_field *fields = realloc(clause->fields, (clause->n + 1) * sizeof(*fields));

	if (!fields)
		return NULL;
	clause->fields = fields;
	fields[clause->n] = (struct scorer_field){ .weight = 1 };
	return &fields[clause->n++];
}

/* --- Fields --- */

float
scorer_field_score(const struct scorer_field *field, float times, uint8_t length)
{
	if (!field->column)
		return field->weight;
	return field->weight *
	       (float)bm25_score(field->idf, (double)times, bm25_length(length), field->average);
}

static double
idf_of(const struct builder *builder, const struct postings *postings, uint64_t documents)
{
	const roaring_bitmap_t *live = builder->search->view->live;

	return bm25_idf(roaring_bitmap_and_cardinality(postings->docs, live), documents);
}

/* FIELD's parts that are not its words' own. */
static int
measure_field(struct builder *builder, struct scorer_field *field,
	      const struct query_property *property, struct field_stats *stats)
{
	const struct index_view *view = builder->search->view;
	const struct relevance *relevance = &view->tables->relevance;
	const struct index_budget *budget = builder->search->budget;
	const struct column *column = property ? view_column(view, property) : NULL;
	int r;

	if (!column)
		return 0;
	r = measures_of(relevance->measures, column, budget, &field->table);
	if (r == 0)
		r = field_stats_get(relevance->stats, view, column, field->table, budget, stats);
	if (r < 0)
		return r;
	field->column = column;
	field->average = (double)stats->words / (double)MAX(stats->documents, UINT64_C(1));
	return 0;
}

/* Postings and idf are there. */
static int
finish_field(struct builder *builder, struct scorer_field *field, double factor)
{
	size_t bytes = roaring_bitmap_portable_size_in_bytes(field->postings->docs);

	if (builder->within != builder->hits) {
		field->docs = roaring_bitmap_and(field->postings->docs, builder->within);
		if (!field->docs)
			return -ENOMEM;
	}
	field->weight = (float)(builder->boost * factor);
	for (unsigned int length = 0; length < ARRAY_SIZE(field->once); length++)
		field->once[length] = scorer_field_score(field, 1, (uint8_t)length);
	/* What is looked at of them is a copy. */
	return account(builder, sizeof(*field) + 2 * bytes +
					field->postings->n_more * sizeof(struct posting));
}

static int
add_term(struct builder *builder, struct scorer_clause *clause,
	 const struct query_property *property, uint32_t number, double factor)
{
	struct tables *tables = builder->search->view->tables;
	struct scorer_field *field = add_field(clause);
	struct field_stats stats = { 0 };
	int r;

	if (!field)
		return -ENOMEM;
	r = postings_get(tables->relevance.postings, tables->fts, number, builder->search->budget,
			 &field->postings);
	if (r == 0)
		r = measure_field(builder, field, property, &stats);
	if (r < 0)
		return r;
	field->idf = idf_of(builder, field->postings, stats.documents);
	return finish_field(builder, field, factor);
}

/* --- Words --- */

struct word {
	struct builder *builder;
	const struct query_node *node;
	size_t clause; /* its place: the array moves */
};

static int
add_word_in_property(void *context, const struct query_property *property, uint32_t number)
{
	const struct word *word = context;

	return add_term(word->builder, &word->builder->scorer->clauses[word->clause], property,
			number, 1);
}

static int
add_word(void *context, const char *text, size_t len)
{
	struct word *word = context;

	if (!add_clause(word->builder))
		return -ENOMEM;
	word->clause = word->builder->scorer->n - 1;
	return search_text_terms(word->builder->search, word->node, text, len, add_word_in_property,
				 word);
}

static int
add_words(struct builder *builder, const struct query_node *node)
{
	struct word word = { .builder = builder, .node = node };

	return query_words(node->text, strlen(node->text), add_word, &word);
}

/* --- Phrases --- */

struct phrase {
	struct builder *builder;
	const struct query_node *node;
	struct search_phrase words;
	struct scorer_clause *clause;
};

/* A phrase is as rare as its words are together. */
static int
add_idf(struct phrase *phrase, struct scorer_field *field, uint64_t documents)
{
	const struct tables *tables = phrase->builder->search->view->tables;
	int r = 0;

	for (size_t i = 0; r == 0 && i < phrase->words.n; i++) {
		CLEANUP(bitmap) roaring_bitmap_t *docs = roaring_bitmap_create();
		const struct pxs_buf *term = &phrase->words.terms[i];
		uint32_t number = lexicon_find(fts_lexicon(tables->fts), term->data, term->len);

		if (!docs)
			return -ENOMEM;
		if (number)
			r = postings_find(tables->relevance.postings, tables->fts, &number, 1,
					  phrase->builder->search->budget, docs);
		field->idf += bm25_idf(
			roaring_bitmap_and_cardinality(docs, phrase->builder->search->view->live),
			documents);
	}
	return r;
}

static int
add_phrase_in_property(void *context, const struct query_property *property)
{
	struct phrase *phrase = context;
	struct builder *builder = phrase->builder;
	struct field_stats stats = { 0 };
	struct scorer_field *field;
	int r = search_phrase_terms(builder->search, &phrase->words, property);

	if (r <= 0)
		return r;
	field = add_field(phrase->clause);
	if (!field)
		return -ENOMEM;
	r = search_phrase_postings(builder->search, phrase->node, &phrase->words, property,
				   &field->postings);
	if (r == 0)
		r = measure_field(builder, field, property, &stats);
	if (r == 0)
		r = add_idf(phrase, field, stats.documents);
	return r < 0 ? r : finish_field(builder, field, 1);
}

static int
add_phrase(struct builder *builder, const struct query_node *node)
{
	CLEANUP(search_phrase) struct search_phrase words = { 0 };
	struct phrase phrase = { .builder = builder, .node = node };
	int r = search_phrase_init(&words, node->text);

	phrase.clause = add_clause(builder);
	if (!phrase.clause)
		return -ENOMEM;
	phrase.words = words; /* lent */
	return r < 0 || words.n == 0 ? r
				     : search_text_properties(builder->search, node,
							      add_phrase_in_property, &phrase);
}

/* --- Words with edits --- */

static size_t
count_chars(const char *text)
{
	return u8_mbsnlen((const uint8_t *)text, strlen(text));
}

static int
add_expansions(struct builder *builder, const struct query_node *node,
	       const struct expansions *expansions)
{
	const struct lexicon *lexicon = fts_lexicon(builder->search->view->tables->fts);
	struct scorer_clause *clause = add_clause(builder);
	size_t chars = count_chars(node->text);
	uint32_t of_property = 0;
	int r = clause ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < expansions->n; i++) {
		const struct expansion *word = &expansions->words[i];
		uint32_t number;
		const char *text = terms_word(lexicon_term(lexicon, word->number), &number);
		size_t shorter = MIN(chars, count_chars(text));

		of_property = i > 0 && word->property == word[-1].property ? of_property + 1 : 0;
		if (of_property >= EXPAND_FUZZY_MAX || word->distance >= MAX(shorter, (size_t)1))
			continue;
		r = add_term(builder, clause, search_property(builder->search, number),
			     word->number,
			     1 - (double)word->distance / (double)MAX(shorter, (size_t)1));
	}
	return r;
}

static int
add_fuzzy(struct builder *builder, const struct query_node *node)
{
	CLEANUP(expansions) struct expansions expansions = { 0 };
	CLEANUP(pattern) struct pattern *pattern = NULL;
	int r = pattern_new(node, &pattern, builder->search->err);

	if (r == 0)
		r = expand_words(builder->search, node, pattern, &expansions);
	return r < 0 ? r : add_expansions(builder, node, &expansions);
}

/* --- The tree --- */

static int add_node(struct builder *builder, const struct query_node *node);

/* What adds the same wherever it matches. */
static int
add_constant(struct builder *builder, const struct query_node *node)
{
	CLEANUP(bitmap) roaring_bitmap_t *docs = NULL;
	struct scorer_clause *clause;
	int r;

	if (builder->boost == 0)
		return 0;
	r = search_evaluate(builder->search, node, builder->within, &docs);
	if (r < 0)
		return r;
	if (roaring_bitmap_get_cardinality(docs) == roaring_bitmap_get_cardinality(builder->hits))
		return 0;
	clause = add_clause(builder);
	if (!clause)
		return -ENOMEM;
	clause->docs = STEAL(docs);
	clause->weight = (float)builder->boost;
	return account(builder, roaring_bitmap_portable_size_in_bytes(clause->docs));
}

static int
add_group(struct builder *builder, const struct query_node *group)
{
	CLEANUP(bitmap) roaring_bitmap_t *docs = NULL;
	struct builder inner = *builder;
	int r = 0;

	/* Whatever the query must hold, all hits hold. */
	if (group->occur == QUERY_SHOULD) {
		r = search_evaluate(builder->search, group, builder->within, &docs);
		inner.within = docs;
	}
	for (const struct query_node *child = group->first_child; r == 0 && child;
	     child = child->next)
		if (child->occur != QUERY_MUST_NOT)
			r = add_node(&inner, child);
	return r;
}

static int
add_node(struct builder *builder, const struct query_node *node)
{
	struct builder inner = *builder;
	int r = budget_check(builder->search->budget);

	if (r < 0)
		return r;
	inner.boost *= node->boosted ? node->boost : 1;
	switch (node->kind) {
	case QUERY_NONE:
		return 0;
	case QUERY_BOOL:
		return add_group(&inner, node);
	case QUERY_WORDS:
		return add_words(&inner, node);
	case QUERY_PHRASE:
		return add_phrase(&inner, node);
	case QUERY_FUZZY:
		return add_fuzzy(&inner, node);
	default:
		return add_constant(&inner, node);
	}
}

int
scorer_init(struct scorer *scorer, struct search *search, const struct query_node *root,
	    const roaring_bitmap_t *hits)
{
	struct builder builder = {
		.scorer = scorer,
		.search = search,
		.hits = hits,
		.within = hits,
		.boost = 1,
	};
	struct query_node all = *root;
	int r;

	*scorer = (struct scorer){ 0 };
	all.occur = QUERY_MUST;
	r = add_node(&builder, &all);
	if (r < 0)
		scorer_done(scorer);
	return r;
}
