#include "index/exact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "index/document.h"
#include "index/fts.h"
#include "index/lexicon.h"
#include "index/postings.h"
#include "index/search.h"
#include "index/terms.h"
#include "index/view.h"

/* So many documents are looked at sooner than words are. */
#define WITHIN_MIN 256

/* A word counts as rare if so many documents have it, or this part of those that are looked among:
 * to read one out of many takes some 20 ns, and a column is read from one end to the other. */
#define RARE_MIN 8
#define RARE_PART 256

/* The first words of the text, as a document that has it was put with them. */
static size_t
split(struct pxs_buf *stream, const struct query_property *property, const char *text,
      struct lexicon_wanted *wanted)
{
	size_t at = 0, n = 0;
	uint32_t number;
	bool same;

	if (terms_stream_add_string(stream, property, text, strlen(text)) < 0)
		return 0;
	while (n < LEXICON_WANTED_MAX && terms_stream_next(stream->data, stream->len, &at,
							   &wanted[n].term, &wanted[n].len, &same))
		n += terms_word(wanted[n].term, &number) != NULL;
	return n;
}

/* Which of N terms the fewest documents have: its number, 0 if it is one that none has. */
static uint32_t
rarest(const struct lexicon *lexicon, const struct lexicon_wanted *wanted, size_t n,
       uint32_t *ret_documents, uint32_t *ret_doc)
{
	uint32_t found = 0;

	*ret_documents = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		uint32_t number = wanted[i].number, doc = 0;
		uint32_t documents = number ? lexicon_documents(lexicon, number, &doc) : 0;

		if (documents < *ret_documents) {
			*ret_documents = documents;
			*ret_doc = doc;
			found = number;
		}
	}
	return found;
}

/* Adds the documents of the rarest word to CANDIDATES; false: it is not known, or not rare. */
static bool
add_rarest(const struct index_view *view, const struct query_property *property, const char *text,
	   uint64_t rare, const struct index_budget *budget, roaring_bitmap_t *candidates)
{
	const struct tables *tables = view->tables;
	const struct lexicon *lexicon = fts_lexicon(tables->fts);
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	struct lexicon_wanted wanted[LEXICON_WANTED_MAX];
	size_t n = split(&stream, property, text, wanted);
	uint32_t number, documents, doc = 0;

	if (n == 0)
		return false;
	lexicon_find_many(lexicon, wanted, n);
	number = rarest(lexicon, wanted, n, &documents, &doc);
	if (documents > rare)
		return false;
	if (documents == 0)
		return true;
	if (doc) {
		roaring_bitmap_add(candidates, doc);
		return true;
	}
	return postings_find_matched(tables->relevance.postings, tables->fts, number, budget,
				     candidates) == 0;
}

/* A text file that is being filled, or filled anew, knows less than the view shows. */
static bool
knows_all(const struct index_view *view)
{
	return fts_last_doc(view->tables->fts) >= view->max_doc;
}

roaring_bitmap_t *
exact_candidates(const struct index_view *view, const struct query_property *property,
		 const char *text, const roaring_bitmap_t *within,
		 const struct index_budget *budget)
{
	uint64_t n = roaring_bitmap_get_cardinality(within);
	CLEANUP(bitmap) roaring_bitmap_t *candidates = NULL;

	if (n < WITHIN_MIN || !property_has_words(property) || !knows_all(view))
		return NULL;
	candidates = roaring_bitmap_create();
	if (!candidates ||
	    !add_rarest(view, property, text, RARE_MIN + n / RARE_PART, budget, candidates) ||
	    !knows_all(view)) /* or was it emptied meanwhile? */
		return NULL;
	roaring_bitmap_and_inplace(candidates, within);
	return STEAL(candidates);
}
