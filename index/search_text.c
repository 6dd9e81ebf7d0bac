/* Words, phrases and prefixes are terms of the text engine, which knows nothing of views: what it
 * finds is cut down to the candidates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "index/budget.h"
#include "index/fts.h"
#include "index/search.h"
#include "index/terms.h"
#include "index/view.h"

static int
say_yes(void *context, const char *word, size_t len)
{
	(void)context;
	(void)word;
	(void)len;
	return 1;
}

int
search_text_has_words(const char *text)
{
	return terms_words(text, strlen(text), say_yes, NULL);
}

/* One leaf, as its words come. */
struct leaf {
	struct search *search;
	const struct query_node *node;
	struct fts *fts;
	roaring_bitmap_t *hits;
	struct pxs_buf *terms; /* of a phrase */
	size_t n_terms, room;
};

static int
word_term(const struct query_node *node, const char *word, size_t len, struct pxs_buf *term)
{
	if (node->property)
		terms_tagged(term, node->property, word, len);
	else
		terms_plain(term, word, len);
	return term->error;
}

/* --- Any of the words --- */

static int
find_word(void *context, const char *word, size_t len)
{
	struct leaf *leaf = context;
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;
	int r;

	r = word_term(leaf->node, word, len, &term);
	if (r == 0)
		r = budget_check(leaf->search->budget);
	if (r < 0)
		return r;
	leaf->search->n_terms++;
	return fts_find_term(leaf->fts, term.data, term.len, leaf->search->budget, leaf->hits);
}

static int
find_words(struct leaf *leaf)
{
	return terms_words(leaf->node->text, strlen(leaf->node->text), find_word, leaf);
}

/* --- All of the words, one after the other --- */

static int
add_word(void *context, const char *word, size_t len)
{
	struct leaf *leaf = context;
	struct pxs_buf *terms;

	if (leaf->n_terms == leaf->room) {
		leaf->room = leaf->room ? leaf->room * 2 : 8;
		terms = realloc(leaf->terms, leaf->room * sizeof(*terms));
		if (!terms)
			return -ENOMEM;
		leaf->terms = terms;
	}
	leaf->terms[leaf->n_terms] = (struct pxs_buf)PXS_BUF_INIT;
	return word_term(leaf->node, word, len, &leaf->terms[leaf->n_terms++]);
}

static int
find_phrase(struct leaf *leaf)
{
	int r = terms_words(leaf->node->text, strlen(leaf->node->text), add_word, leaf);

	if (r == 0 && leaf->n_terms > 0)
		r = fts_find_phrase(leaf->fts, leaf->terms, leaf->n_terms, leaf->search->budget,
				    leaf->hits);
	for (size_t i = 0; i < leaf->n_terms; i++)
		pxs_buf_done(&leaf->terms[i]);
	free(leaf->terms);
	return r;
}

/* --- Words and whole values that begin so --- */

static int
find_whole_prefix(struct leaf *leaf, const struct query_property *property,
		  const struct pxs_buf *folded)
{
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;

	terms_whole(&term, property, folded->data, folded->len);
	if (term.error)
		return term.error;
	return fts_find_prefix(leaf->fts, term.data, term.len, leaf->search->budget, leaf->hits);
}

static int
find_word_prefix(struct leaf *leaf, const struct pxs_buf *folded)
{
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;
	int r;

	/* No word begins with a control character, but the marks of other terms are such. */
	if ((unsigned char)folded->data[0] < ' ')
		return 0;
	r = word_term(leaf->node, folded->data, folded->len, &term);
	if (r < 0)
		return r;
	return fts_find_prefix(leaf->fts, term.data, term.len, leaf->search->budget, leaf->hits);
}

static bool
has_whole_values(const struct query_node *node, const struct query_property *property)
{
	if (node->property)
		return property == node->property;
	return property->type == QUERY_TYPE_STRING && property->name[0] != '_';
}

static int
find_prefixes(struct leaf *leaf, const struct pxs_buf *folded)
{
	const struct query_schema *schema = &leaf->search->view->schema->schema;
	int r = find_word_prefix(leaf, folded);

	for (size_t i = 0; r == 0 && i < schema->n_properties; i++) {
		if (!has_whole_values(leaf->node, schema->properties[i]))
			continue;
		r = budget_check(leaf->search->budget);
		if (r == 0)
			r = find_whole_prefix(leaf, schema->properties[i], folded);
	}
	return r;
}

static int
find_prefix(struct leaf *leaf)
{
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;
	int r = terms_fold(leaf->node->text, strlen(leaf->node->text), &folded);

	if (r < 0 || folded.len == 0)
		return r;
	/* Terms are cut at this length; a longer prefix would match by its beginning alone. */
	if (folded.len > TERMS_WORD_MAX)
		return pxs_error_set(leaf->search->err, -EINVAL, -1,
				     "a beginning of a word (\"...*\") may have %d bytes, not %zu",
				     TERMS_WORD_MAX, folded.len);
	return find_prefixes(leaf, &folded);
}

int
search_text(struct search *search, const struct query_node *node, const roaring_bitmap_t *within,
	    roaring_bitmap_t **ret_hits)
{
	CLEANUP(bitmap) roaring_bitmap_t *hits = roaring_bitmap_create();
	struct leaf leaf = {
		.search = search,
		.node = node,
		.fts = index_fts(search->view->index),
		.hits = hits,
	};
	int r;

	if (!hits)
		return -ENOMEM;
	r = node->kind == QUERY_WORDS	 ? find_words(&leaf)
	    : node->kind == QUERY_PHRASE ? find_phrase(&leaf)
	    : node->kind == QUERY_PREFIX ? find_prefix(&leaf)
					 : -ENOTSUP;
	if (r < 0)
		return r;
	roaring_bitmap_and_inplace(hits, within);
	*ret_hits = STEAL(hits);
	return 0;
}
