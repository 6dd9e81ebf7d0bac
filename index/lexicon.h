/* lexicon.h - the distinct terms of fts.db in memory, and how many documents have each.
 *
 * Words are looked for here by pattern, and terms that nothing holds cost no look at the disk.
 * Append-only: a term keeps its number, and its bytes stay where they are, until lexicon_free().
 * One thread adds and counts; any number read meanwhile. A reader may see a term a little before a
 * view shows a document of it, never later. */
#ifndef PXS_INDEX_LEXICON_H
#define PXS_INDEX_LEXICON_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct index_budget;
struct lexicon;

int lexicon_new(struct lexicon **ret_lexicon);
void lexicon_free(struct lexicon *lexicon);
DEFINE_CLEANUP(lexicon, struct lexicon *, lexicon_free)

/* --- Adding, by one thread --- */

/* The number of TERM (without NUL), which is added if it is new. Numbers count from 1. -ENOMEM;
 * -E2BIG: longer than LEXICON_TERM_MAX, or all terms together longer than 4 GiB. */
#define LEXICON_TERM_MAX 1023
int lexicon_add(struct lexicon *lexicon, const char *term, size_t len, uint32_t *ret_number);
/* While nobody reads: N terms at once that are known not to be there, which is far quicker. They
 * lie one behind the other in LEN bytes of TEXT, each with its NUL. -EBADMSG: they do not; else as
 * above. */
int lexicon_add_all(struct lexicon *lexicon, const char *text, size_t len, uint32_t n);
/* Room to find N terms, so that adding them need not make it bit by bit. -ENOMEM. */
int lexicon_reserve(struct lexicon *lexicon, uint32_t n);

/* DOC has the term; documents come in ascending order, one that has just been counted is not
 * counted again. */
void lexicon_count(struct lexicon *lexicon, uint32_t number, uint32_t doc);
/* So many documents have it; DOC the only one, or 0. */
void lexicon_set(struct lexicon *lexicon, uint32_t number, uint32_t documents, uint32_t doc);
/* No document has any term; they keep their numbers. */
void lexicon_forget(struct lexicon *lexicon);

/* --- Reading --- */

/* 0: no such term. */
uint32_t lexicon_find(const struct lexicon *lexicon, const char *term, size_t len);
/* The same for many, which takes less than one after the other: memory is waited for once. */
struct lexicon_wanted {
	const char *term;
	size_t len;
	uint32_t number; /* is set */
};
#define LEXICON_WANTED_MAX 32
void lexicon_find_many(const struct lexicon *lexicon, struct lexicon_wanted *wanted, size_t n);
/* NUL-terminated; lent as long as the lexicon. */
const char *lexicon_term(const struct lexicon *lexicon, uint32_t number);
/* Documents that have the term, those of versions that are gone included, as long as fts.db has
 * them. *RET_DOC (may be NULL): the document, if it is one and known; else 0. */
uint32_t lexicon_documents(const struct lexicon *lexicon, uint32_t number, uint32_t *ret_doc);
/* No document after this one has been counted for the term since the lexicon was loaded. */
uint32_t lexicon_last(const struct lexicon *lexicon, uint32_t number);
/* Numbers are 1 to this. */
uint32_t lexicon_size(const struct lexicon *lexicon);

/* Which terms are worth a look, so that not each has to be looked at. */
struct lexicon_filter {
	const char *literal; /* of LEN bytes: the term holds it; of none: no matter */
	size_t len;
	uint32_t letters;	  /* lexicon_letters() of a word, from which the term's may */
	unsigned int differ;	  /* differ in so many; 32: no matter */
	size_t shortest, longest; /* bytes of the word, if it is ASCII */
};

/* Everything passes. */
#define LEXICON_FILTER_ALL                                                                         \
	{                                                                                          \
		.differ = 32, .longest = SIZE_MAX                                                  \
	}

/* The characters that an ASCII word has, a bit for each kind; an edit changes two at most. */
uint32_t lexicon_letters(const char *word, size_t len);

/* Calls EACH for every term that some document has and that FILTER lets pass, by number, until it
 * returns non-zero, which is returned; else 0 or budget_check()'s. */
typedef int lexicon_each(void *context, uint32_t number, const char *term, size_t len);
int lexicon_scan(const struct lexicon *lexicon, const struct lexicon_filter *filter,
		 const struct index_budget *budget, lexicon_each *each, void *context);

/* --- lexicon_file.c: beside fts.db, so that a start need not read all of that --- */

/* Fill the empty LEXICON from the file PATH. -ENOENT: none, or not of SEQ; -EBADMSG: damaged; the
 * lexicon is empty then, too. */
int lexicon_load(struct lexicon *lexicon, const char *path, uint64_t seq);
/* Replace the file PATH. */
int lexicon_save(const struct lexicon *lexicon, const char *path, uint64_t seq);

#endif
