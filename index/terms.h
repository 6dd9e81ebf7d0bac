/* terms.h - from text to the terms that fts.db holds.
 *
 * The words are those of query_words(), for documents and queries alike. Of a document there are
 *
 *     position 0      its numbers and booleans, plain        NUMBER
 *     position n      each word of its strings, tagged       TAGGED property word
 *     n + 1           after each value of a list             GAP
 *
 * so a word of a property, a phrase and a prefix are all terms of one FTS5 column; a word of any
 * property is looked for in each that has it (lexicon.h tells which). A tag keeps phrases from
 * crossing to another property, a gap from crossing to the next element of a list. core.filename
 * has beside each word that holds dots its parts, too (filename sub-tokens). */
#ifndef PXS_INDEX_TERMS_H
#define PXS_INDEX_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pxs_buf;
struct query_property;

/* Raise when the analysis changes: fts.db is then rebuilt. */
#define TERMS_VERSION 2

/* The term by which a number, or a word of PROPERTY, is found. Added to BUF. */
void terms_number(struct pxs_buf *buf, const char *text, size_t len);
void terms_tagged(struct pxs_buf *buf, const struct query_property *property, const char *word,
		  size_t len);
/* The term between the elements of a list; static. */
const char *terms_gap(void);

/* The word or number of TERM, which points into it, and in *RET_NUMBER the property's number;
 * TERMS_NO_PROPERTY for a number. NULL: not such a term. */
#define TERMS_NO_PROPERTY UINT32_MAX
const char *terms_word(const char *term, uint32_t *ret_number);

/* A document's terms as one stream, for fts_put(). Numbers and booleans (as text) first: they all
 * share the first position. */
int terms_stream_add_number(struct pxs_buf *stream, const char *text, size_t len);
int terms_stream_add_string(struct pxs_buf *stream, const struct query_property *property,
			    const char *text, size_t len);

/* Reads the stream back: the next term at *AT, which moves on; false at the end or where the stream
 * is damaged. SAME: it shares the position of the one before. */
bool terms_stream_next(const char *stream, size_t len, size_t *at, const char **ret_term,
		       size_t *ret_len, bool *ret_same);

#endif
