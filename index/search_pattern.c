/* Patterns are matched against each distinct word (the lexicon) and each distinct value (the
 * columns' dictionaries), then documents are looked up for what matched:
 *
 *     *ache*   words   cache -> postings, apache -> postings ...   united in one bitmap
 *     *.jpg    values  code 17, code 318 ...                       one scan of the column's codes
 *
 * Values that are one word are not looked at twice, and a pattern of letters and digits between
 * stars needs no look at values at all: what it finds in a value, it finds in one of its words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/expand.h"
#include "index/find_bytes.h"
#include "index/fts.h"
#include "index/lexicon.h"
#include "index/marks.h"
#include "index/measure.h"
#include "index/pattern.h"
#include "index/postings.h"
#include "index/relevance.h"
#include "index/search.h"
#include "index/terms.h"
#include "index/view.h"

/* Values between two looks at the budget; a regular expression may take ms for each. */
#define VALUES_AT_ONCE 16

/* The words of a beginning lie side by side in fts.db, where they are read in one go. Only whoever
 * wants to be told the words gets them looked up one by one, if they are not more. */
#define PREFIX_WORDS_MAX 32

struct leaf {
	struct search *search;
	const struct query_node *node;
	struct pattern *pattern;
	const roaring_bitmap_t *within;
	roaring_bitmap_t *hits;
	struct marks marks; /* the same, of a prefix */
	struct lexicon_filter filter;
	struct pxs_buf folded;
	unsigned int asked;
};

static void
leaf_cleanup(struct leaf *leaf)
{
	pattern_free(leaf->pattern);
	marks_done(&leaf->marks);
	pxs_buf_done(&leaf->folded);
}

/* --- Words --- */

/* *RET_FOUND: whether the view shows a document of it. */
static int
find_word(struct leaf *leaf, const struct expansion *word, bool *ret_found)
{
	struct fts *fts = leaf->search->view->tables->fts;
	const char *term = lexicon_term(fts_lexicon(fts), word->number);
	CLEANUP(bitmap) roaring_bitmap_t *found = roaring_bitmap_create();
	uint32_t property;
	int r;

	if (!found)
		return -ENOMEM;
	r = budget_check(leaf->search->budget);
	if (r == 0)
		r = postings_find_matched(leaf->search->view->tables->relevance.postings, fts,
					  word->number, leaf->search->budget, found);
	if (r < 0)
		return r;
	term = terms_word(term, &property);
	search_tell_term(leaf->search, search_property(leaf->search, property), term, strlen(term),
			 found);
	*ret_found = roaring_bitmap_intersect(found, leaf->search->view->live);
	roaring_bitmap_or_inplace(leaf->hits, found);
	return 0;
}

/* FUZZY: the nearest of each property. */
static int
find_words(struct leaf *leaf, const struct expansions *expansions)
{
	uint32_t of_property = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < expansions->n; i++) {
		const struct expansion *word = &expansions->words[i];
		bool found;

		if (i > 0 && word->property != word[-1].property)
			of_property = 0;
		if (leaf->node->kind == QUERY_FUZZY && of_property == EXPAND_FUZZY_MAX)
			continue;
		r = find_word(leaf, word, &found);
		of_property += r == 0 && found;
	}
	return r;
}

static int
find_prefix_in_property(void *context, const struct query_property *property)
{
	struct leaf *leaf = context;
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;
	const char *text;
	size_t len;

	text = pattern_literal(leaf->pattern, &len);
	if (property)
		terms_tagged(&term, property, text, len);
	else
		terms_number(&term, text, len);
	leaf->search->n_terms++;
	return term.error ? term.error
			  : fts_find_prefix(leaf->search->view->tables->fts, term.data, term.len,
					    leaf->search->budget, &leaf->marks);
}

static int
find_prefix(struct leaf *leaf)
{
	CLEANUP(bitmap) roaring_bitmap_t *found = NULL;
	uint32_t property;
	size_t len;
	const char *word = terms_word(pattern_literal(leaf->pattern, &len), &property);
	int r;

	/* No word begins with the marks of fts.db's own terms. */
	if (!word || property != TERMS_NO_PROPERTY)
		return 0;
	r = search_text_properties(leaf->search, leaf->node, find_prefix_in_property, leaf);
	if (r == 0)
		r = marks_bitmap(&leaf->marks, &found);
	if (r < 0)
		return r;
	roaring_bitmap_or_inplace(leaf->hits, found);
	return 0;
}

static int
refuse_words(const struct leaf *leaf, const struct pxs_error *why)
{
	if (why->code)
		return pxs_error_set(leaf->search->err, -EINVAL, -1, "%s", why->text);
	return pxs_error_set(leaf->search->err, -EINVAL, -1,
			     "more than %d words match '%.60s'; write more of the word",
			     EXPAND_WORDS_MAX, leaf->node->text);
}

static int
find_in_words(struct leaf *leaf)
{
	CLEANUP(expansions) struct expansions expansions = { 0 };
	bool is_prefix = leaf->node->kind == QUERY_PREFIX;
	struct pxs_error err = { 0 };
	struct search search = *leaf->search;
	int r;

	if (is_prefix && !search.trace)
		return find_prefix(leaf);
	search.err = &err;
	r = expand_words(&search, leaf->node, leaf->pattern, &expansions);
	if (is_prefix && (r == -EINVAL || (r == 0 && expansions.n > PREFIX_WORDS_MAX)))
		return find_prefix(leaf);
	if (r == 0)
		return find_words(leaf, &expansions);
	return r == -EINVAL ? refuse_words(leaf, &err) : r;
}

/* --- Values --- */

/* Of the values of a dictionary. */
static bool
may_any_match(const struct leaf *leaf, const struct measure_table *table)
{
	return pattern_words_suffice(leaf->pattern)
		       ? measures_reach(table, 1, 0)
		       : measures_reach(table, leaf->filter.shortest, leaf->filter.longest);
}

static bool
may_match(const struct leaf *leaf, const struct measure *measure, bool words_suffice)
{
	if (measure->bytes == MEASURE_ANY)
		return true;
	return measure->bytes != MEASURE_ONE_WORD && !words_suffice &&
	       measure->bytes >= leaf->filter.shortest && measure->bytes <= leaf->filter.longest;
}

/* 1: the value matches; 0. */
static int
value_matches(struct leaf *leaf, const char *text)
{
	int r;

	pxs_buf_clear(&leaf->folded);
	r = ++leaf->asked % VALUES_AT_ONCE ? 0 : budget_check(leaf->search->budget);
	if (r == 0)
		r = query_fold(text, strlen(text), &leaf->folded);
	if (r < 0)
		return r;
	if (leaf->filter.len > 0 && !find_bytes(leaf->folded.data, leaf->folded.len,
						leaf->filter.literal, leaf->filter.len))
		return 0;
	r = pattern_match(leaf->pattern, pxs_buf_text(&leaf->folded), leaf->folded.len);
	if (r == -E2BIG)
		return pattern_refuse(leaf->pattern, leaf->search->err);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* Put the codes whose values match into SET; how many. */
static int
match_values(struct leaf *leaf, const struct dict *dict, const struct measure_table *table,
	     uint32_t count, uint64_t *set)
{
	bool words_suffice = pattern_words_suffice(leaf->pattern);
	int n = 0;

	for (uint32_t code = 1; code <= count; code++) {
		int r;

		if (!may_match(leaf, measure_at(table, code), words_suffice))
			continue;
		r = value_matches(leaf, dict_text(dict, code));
		if (r < 0)
			return r;
		if (r > 0) {
			set[code / 64] |= UINT64_C(1) << (code % 64);
			n = 1;
		}
	}
	return n;
}

static int
find_in_values(void *context, const struct query_property *property)
{
	struct leaf *leaf = context;
	const struct column *column = property ? view_column(leaf->search->view, property) : NULL;
	CLEANUP(free) uint64_t *set = NULL;
	const struct measure_table *table;
	uint32_t count;
	int r;

	if (!column)
		return 0;
	/* Values that are measured are at least these. */
	count = dict_count(column_dict(column));
	r = measures_of(leaf->search->view->tables->relevance.measures, column,
			leaf->search->budget, &table);
	if (r < 0)
		return r;
	if (!may_any_match(leaf, table))
		return 0;
	set = calloc((size_t)count / 64 + 1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	r = match_values(leaf, column_dict(column), table, count, set);
	if (r <= 0)
		return r;
	return search_code_set(leaf->search, column, STEAL(set), leaf->within, leaf->hits);
}

int
search_pattern(struct search *search, const struct query_node *node, const roaring_bitmap_t *within,
	       roaring_bitmap_t **ret_hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *hits = roaring_bitmap_create();
	CLEANUP(leaf)
	struct leaf leaf = {
		.search = search,
		.node = node,
		.within = within,
		.hits = hits,
	};
	int r;

	if (!hits)
		return -ENOMEM;
	r = pattern_new(node, &leaf.pattern, search->err);
	if (r == 0)
		pattern_filter(leaf.pattern, &leaf.filter);
	/* A beginning that says nothing is not one that everything has. */
	if (r == 0 && *node->text)
		r = find_in_words(&leaf);
	if (r == 0 && *node->text)
		r = search_text_properties(search, node, find_in_values, &leaf);
	if (r < 0)
		return r;
	roaring_bitmap_and_inplace(hits, within);
	*ret_hits = STEAL(hits);
	return 0;
}

int
search_pattern_check(struct search *search, const struct query_node *node)
{
	CLEANUP(expansions) struct expansions expansions = { 0 };
	CLEANUP(leaf) struct leaf leaf = { .search = search, .node = node };
	struct pxs_error err = { 0 };
	struct search quiet = *search;
	int r;

	if (node->kind == QUERY_PREFIX || !*node->text)
		return 0;
	quiet.err = &err;
	r = pattern_new(node, &leaf.pattern, search->err);
	if (r == 0)
		r = expand_words(&quiet, node, leaf.pattern, &expansions);
	return r == -EINVAL ? refuse_words(&leaf, &err) : r;
}
