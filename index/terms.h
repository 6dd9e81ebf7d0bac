/* terms.h - from text to the terms that fts.db holds.
 *
 * One analyser serves documents and queries (spec/pixstor.md 2.3): Unicode words (UAX #29), lower
 * case, NFC. A string value of a document becomes, in this order,
 *
 *     position n      its whole value, folded            WHOLE  number value
 *     position n+1    each word, plain, and at the same  word
 *     ...             position tagged with its property  TAGGED number word
 *
 * so `word`, `prop:word`, phrases and prefixes are all terms of one FTS5 column, and the whole
 * value, which stands between two values, keeps phrases from crossing. core.filename has beside
 * each word that holds dots its parts, too (filename sub-tokens). */
#ifndef PXS_INDEX_TERMS_H
#define PXS_INDEX_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pxs_buf;
struct query_property;

/* Longer words are split, longer whole values cut, at a character (bytes). */
#define TERMS_WORD_MAX 255

/* Raise when the analysis changes: fts.db is then rebuilt. */
#define TERMS_VERSION 1

/* Calls EACH for every word of TEXT (UTF-8), in order, until it returns non-zero, which is
 * returned; else 0, -EILSEQ (not UTF-8) or -ENOMEM. */
int terms_words(const char *text, size_t len,
		int (*each)(void *context, const char *word, size_t len), void *context);

/* Adds TEXT in lower case and NFC to BUF; whole, not cut. -EILSEQ, -ENOMEM. */
int terms_fold(const char *text, size_t len, struct pxs_buf *buf);

/* The term by which a word of any property, a word of PROPERTY, or a whole value of PROPERTY
 * (already folded; cut here) is found. Added to BUF. */
void terms_plain(struct pxs_buf *buf, const char *word, size_t len);
void terms_tagged(struct pxs_buf *buf, const struct query_property *property, const char *word,
		  size_t len);
void terms_whole(struct pxs_buf *buf, const struct query_property *property, const char *folded,
		 size_t len);

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
