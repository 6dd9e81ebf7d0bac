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

static bool
has_words(const struct query_property *property)
{
	return property->type == QUERY_TYPE_STRING && !property_is_hidden(property);
}

int
search_text_properties(const struct search *search, const struct query_node *node,
		       search_each *each, void *context)
{
	const struct query_schema *schema = &search->view->schema->schema;
	int r = 0;

	if (node->property)
		return has_words(node->property) ? each(context, node->property) : 0;
	for (size_t i = 0; r == 0 && i < schema->n_properties; i++)
		if (has_words(schema->properties[i]))
			r = each(context, schema->properties[i]);
	return r ? r : each(context, NULL);
}

int
search_text_term(const struct search *search, const struct query_property *property,
		 const char *word, size_t len, uint32_t *ret_number)
{
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;

	if (property)
		terms_tagged(&term, property, word, len);
	else
		terms_number(&term, word, len);
	if (term.error)
		return term.error;
	*ret_number = lexicon_find(fts_lexicon(search->view->tables->fts), term.data, term.len);
	return 0;
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
	roaring_bitmap_t *hits;
};

static int
find_number(const struct search *search, uint32_t number, roaring_bitmap_t *hits)
{
	const struct tables *tables = search->view->tables;

	return postings_find(tables->relevance.postings, tables->fts, number, search->budget, hits);
}

static int
find_in_property(void *context, const struct query_property *property)
{
	struct word *word = context;
	CLEANUP(bitmap) roaring_bitmap_t *found = NULL;
	uint32_t number = 0;
	int r;

	r = search_text_term(word->search, property, word->text, word->len, &number);
	if (r < 0 || number == 0)
		return r;
	if (!word->search->trace)
		return find_number(word->search, number, word->hits);
	found = roaring_bitmap_create();
	if (!found)
		return -ENOMEM;
	r = find_number(word->search, number, found);
	if (r < 0)
		return r;
	search_tell_term(word->search, property, word->text, word->len, found);
	roaring_bitmap_or_inplace(word->hits, found);
	return 0;
}

static int
find_word(void *context, const char *text, size_t len)
{
	struct word *word = context;
	int r = budget_check(word->search->budget);

	word->text = text;
	word->len = len;
	return r < 0 ? r : search_text_properties(word->search, word->node, find_in_property, word);
}

static int
find_words(struct search *search, const struct query_node *node, roaring_bitmap_t *hits)
{
	struct word word = { .search = search, .node = node, .hits = hits };

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
