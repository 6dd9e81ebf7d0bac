/* fuzzy.h - how many edits lie between two words: inserted, lost, changed characters, and
 * neighbours that changed places (spec/pixstor.md 2.2: Damerau-Levenshtein, as Lucene has it: what
 * was edited is not edited again). */
#ifndef PXS_INDEX_FUZZY_H
#define PXS_INDEX_FUZZY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word may have this many characters; terms are shorter (terms.h). */
#define FUZZY_CHARS_MAX 255
#define FUZZY_EDITS_MAX 2

struct fuzzy {
	uint32_t chars[FUZZY_CHARS_MAX];
	size_t n;
	unsigned int edits;  /* the most that are forgiven */
	bool ascii;	     /* so that the bits below are of use */
	uint64_t where[128]; /* of each ASCII character, the first 64 places */
};

/* WORD is UTF-8. -E2BIG: longer than FUZZY_CHARS_MAX. */
int fuzzy_init(struct fuzzy *fuzzy, const char *word, size_t len, unsigned int edits);

/* The edits between the word and TEXT (UTF-8), or -1 if they are more than are forgiven. */
int fuzzy_distance(const struct fuzzy *fuzzy, const char *text, size_t len);

#endif
