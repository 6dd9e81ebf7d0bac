/* Words and phrases are terms of the text engine, one for each property that has them. It knows
 * nothing of views: what it finds is cut down to the candidates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "index/budget.h"
#include "index/column.h"
#include "index/document.h"
#include "index/fts.h"
#include "index/lexicon.h"
#include "index/postings.h"
#include "index/relevance.h"
#include "index/search.h"
#include "index/terms.h"
#include "index/view.h"

int
search_text_properties(const struct search *search, const struct query_node *node,
		       search_each *each, void *context)
{
	const struct query_schema *schema = &search->view->schema->schema;
	int r = 0;

	if (node->property)
		return property_has_words(node->property) ? each(context, node->property) : 0;
	for (size_t i = 0; r == 0 && i < schema->n_properties; i++)
		if (property_has_words(schema->properties[i]))
			r = each(context, schema->properties[i]);
	return r ? r : each(context, NULL);
}

/* Terms that are looked for together. */
struct lookup {
	const struct search *search;
	const char *word;
	size_t len;
	search_each_term *each;
	void *context;
	size_t n;
	const struct query_property *properties[LEXICON_WANTED_MAX];
	struct lexicon_wanted wanted[LEXICON_WANTED_MAX];
	size_t begins[LEXICON_WANTED_MAX]; /* of each term in */
	struct pxs_buf terms;
};

static void
lookup_cleanup(struct lookup *lookup)
{
	pxs_buf_done(&lookup->terms);
}

static int
look_up(struct lookup *lookup)
{
	int r = lookup->terms.error;

	for (size_t i = 0; i < lookup->n && r == 0; i++)
		lookup->wanted[i].term = lookup->terms.data + lookup->begins[i];
	if (r == 0)
		lexicon_find_many(fts_lexicon(lookup->search->view->tables->fts), lookup->wanted,
				  lookup->n);
	for (size_t i = 0; i < lookup->n && r == 0; i++)
		if (lookup->wanted[i].number)
			r = lookup->each(lookup->context, lookup->properties[i],
					 lookup->wanted[i].number);
	lookup->n = 0;
	pxs_buf_clear(&lookup->terms);
	return r;
}

static int
add_lookup(void *context, const struct query_property *property)
{
	struct lookup *lookup = context;
	size_t begin = lookup->terms.len;

	if (property)
		terms_tagged(&lookup->terms, property, lookup->word, lookup->len);
	else
		terms_number(&lookup->terms, lookup->word, lookup->len);
	lookup->properties[lookup->n] = property;
	lookup->begins[lookup->n] = begin;
	lookup->wanted[lookup->n].len = lookup->terms.len - begin;
	return ++lookup->n == LEXICON_WANTED_MAX ? look_up(lookup) : 0;
}

int
search_text_terms(const struct search *search, const struct query_node *node, const char *word,
		  size_t len, search_each_term *each, void *context)
{
	CLEANUP(lookup) struct lookup lookup;
	int r;

	/* Not all of it is cleared: most is never used. */
	lookup.search = search;
	lookup.word = word;
	lookup.len = len;
	lookup.each = each;
	lookup.context = context;
	lookup.n = 0;
	lookup.terms = (struct pxs_buf)PXS_BUF_INIT;
	r = search_text_properties(search, node, add_lookup, &lookup);
	return r ? r : look_up(&lookup);
}

const struct query_property *
search_property(const struct search *search, uint32_t number)
{
	const struct view_schema *schema = search->view->schema;

	return number < schema->n_columns && schema->columns[number]
		       ? column_property(schema->columns[number])
		       : NULL;
}

void
search_tell_term(struct search *search, const struct query_property *property, const char *word,
		 size_t len, const roaring_bitmap_t *docs)
{
	uint64_t documents;

	if (!search->trace)
		return;
	documents = roaring_bitmap_and_cardinality(docs, search->view->live);
	/* That a word is there tells of documents that the viewer may not see. */
	if (documents == 0)
		return;
	search->n_terms++;
	if (search->trace->term)
		search->trace->term(search->trace->context, property, word, len, documents);
}

/* --- Any of the words --- */

struct word {
	struct search *search;
	const struct query_node *node;
	const char *text;
	size_t len;
	struct pxs_buf numbers; /* uint32_t, of its terms */
	roaring_bitmap_t *hits;
};

static void
word_cleanup(struct word *word)
{
	pxs_buf_done(&word->numbers);
}

static int
find_numbers(const struct search *search, const uint32_t *numbers, size_t n, roaring_bitmap_t *hits)
{
	const struct tables *tables = search->view->tables;

	return postings_find(tables->relevance.postings, tables->fts, numbers, n, search->budget,
			     hits);
}

/* The trace is told of each property by itself. */
static int
find_in_property(struct word *word, const struct query_property *property, uint32_t number)
{
	CLEANUP(bitmap) roaring_bitmap_t *found = roaring_bitmap_create();
	int r;

	if (!found)
		return -ENOMEM;
	r = find_numbers(word->search, &number, 1, found);
	if (r < 0)
		return r;
	search_tell_term(word->search, property, word->text, word->len, found);
	roaring_bitmap_or_inplace(word->hits, found);
	return 0;
}

static int
add_number(void *context, const struct query_property *property, uint32_t number)
{
	struct word *word = context;

	if (word->search->trace)
		return find_in_property(word, property, number);
	pxs_buf_add(&word->numbers, &number, sizeof(number));
	return word->numbers.error;
}

static int
find_word(void *context, const char *text, size_t len)
{
	struct word *word = context;
	int r = budget_check(word->search->budget);

	pxs_buf_clear(&word->numbers);
	word->text = text;
	word->len = len;
	if (r == 0)
		r = search_text_terms(word->search, word->node, text, len, add_number, word);
	if (r < 0 || word->numbers.len == 0)
		return r;
	return find_numbers(word->search, (const uint32_t *)(const void *)word->numbers.data,
			    word->numbers.len / sizeof(uint32_t), word->hits);
}

static int
find_words(struct search *search, const struct query_node *node, roaring_bitmap_t *hits)
{
	CLEANUP(word) struct word word = { .search = search, .node = node, .hits = hits };

	return query_words(node->text, strlen(node->text), find_word, &word);
}

/* --- All of the words, one after the other --- */

void
search_phrase_done(struct search_phrase *phrase)
{
	for (size_t i = 0; phrase->terms && i < phrase->n; i++)
		pxs_buf_done(&phrase->terms[i]);
	free(phrase->terms);
	pxs_buf_done(&phrase->words);
	*phrase = (struct search_phrase){ 0 };
}

static int
add_word(void *context, const char *word, size_t len)
{
	struct search_phrase *phrase = context;

	pxs_buf_add(&phrase->words, word, len);
	pxs_buf_add_char(&phrase->words, '\0');
	phrase->n++;
	return phrase->words.error;
}

int
search_phrase_init(struct search_phrase *phrase, const char *text)
{
	int r;

	*phrase = (struct search_phrase){ 0 };
	r = query_words(text, strlen(text), add_word, phrase);
	if (r < 0 || phrase->n == 0)
		return r;
	phrase->terms = calloc(phrase->n, sizeof(*phrase->terms));
	return phrase->terms ? 0 : -ENOMEM;
}

int
search_phrase_terms(const struct search *search, struct search_phrase *phrase,
		    const struct query_property *property)
{
	const struct lexicon *lexicon = fts_lexicon(search->view->tables->fts);
	const char *word = phrase->words.data;

	for (size_t i = 0; i < phrase->n; i++, word += strlen(word) + 1) {
		struct pxs_buf *term = &phrase->terms[i];

		pxs_buf_clear(term);
		if (property)
			terms_tagged(term, property, word, strlen(word));
		else
			terms_number(term, word, strlen(word));
		if (term->error)
			return term->error;
		if (!lexicon_find(lexicon, term->data, term->len))
			return 0;
	}
	return 1;
}

int
search_phrase_postings(const struct search *search, const struct query_node *node,
		       const struct search_phrase *phrase, const struct query_property *property,
		       struct postings **ret_postings)
{
	struct tables *tables = search->view->tables;

	if (node->slop > 0 && phrase->n > 1)
		return postings_of_sloppy(tables->fts, phrase->terms, phrase->n, node->slop,
					  property && property->multi, search->budget,
					  ret_postings);
	return postings_of_phrase(tables->relevance.postings, tables->fts, phrase->terms, phrase->n,
				  search->budget, ret_postings);
}

struct phrase {
	struct search *search;
	const struct query_node *node;
	struct search_phrase words;
	roaring_bitmap_t *hits;
};

static int
find_phrase_in_property(void *context, const struct query_property *property)
{
	struct phrase *phrase = context;
	CLEANUP(postings) struct postings *postings = NULL;
	int r = search_phrase_terms(phrase->search, &phrase->words, property);

	if (r <= 0)
		return r;
	r = search_phrase_postings(phrase->search, phrase->node, &phrase->words, property,
				   &postings);
	if (r == 0)
		roaring_bitmap_or_inplace(phrase->hits, postings->docs);
	return r;
}

static int
find_phrase(struct search *search, const struct query_node *node, roaring_bitmap_t *hits)
{
	struct phrase phrase = { .search = search, .node = node, .hits = hits };
	int r = search_phrase_init(&phrase.words, node->text);

	search->n_terms += phrase.words.n; /* whether or not some document has them */
	if (r == 0 && phrase.words.n > 0)
		r = search_text_properties(search, node, find_phrase_in_property, &phrase);
	search_phrase_done(&phrase.words);
	return r;
}

int
search_text(struct search *search, const struct query_node *node, const roaring_bitmap_t *within,
	    roaring_bitmap_t **ret_hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *hits = roaring_bitmap_create();
	int r;

	if (!hits)
		return -ENOMEM;
	r = node->kind == QUERY_WORDS ? find_words(search, node, hits)
				      : find_phrase(search, node, hits);
	if (r < 0)
		return r;
	roaring_bitmap_and_inplace(hits, within);
	*ret_hits = STEAL(hits);
	return 0;
}
