/* words.h - how terms.h cuts text into words: its parts for text that is folded already. */
#ifndef PXS_INDEX_WORDS_H
#define PXS_INDEX_WORDS_H

#include <stddef.h>

typedef int words_each(void *context, const char *word, size_t len);

/* terms_words() of folded text. */
int words_split(const char *folded, size_t len, words_each *each, void *context);

/* How many of LEN bytes fit one term: TERMS_WORD_MAX or less, no character cut in two. */
size_t words_cut(const char *text, size_t len);

#endif
