/* vocabulary.h - made-up words by rank, and a source of random numbers that is the same everywhere.
 */
#ifndef PXS_BENCH_VOCABULARY_H
#define PXS_BENCH_VOCABULARY_H

#include <stdint.h>

#define VOCABULARY_WORD_MAX 12

/* Words of categories (departments, cities ...) have ranks from here on, so that no word of the
 * text is one of them. */
#define VOCABULARY_NAMES UINT64_C(100000000)

/* Writes the word of RANK, 4 to 9 letters. Different ranks below 343,000,000 are different words.
 */
void vocabulary_spell(uint64_t rank, char word[VOCABULARY_WORD_MAX]);

/* Words that N_DOCUMENTS use: 200,000 at a million, growing with its power of 0.6 as languages do.
 */
uint64_t vocabulary_size(uint64_t n_documents);

struct chance {
	uint64_t state;
};

/* A new source; different STREAMs of one SEED are independent. */
struct chance chance_of(uint64_t seed, uint64_t stream);
uint64_t chance_next(struct chance *chance);
/* From 0 to N - 1, all equally likely. */
uint64_t chance_below(struct chance *chance, uint64_t n);
/* From 0 to 1. */
double chance_real(struct chance *chance);
/* From 0 to N - 1, of which k comes up in proportion to 1 / (k + 1): Zipf's law. */
uint64_t chance_zipf(struct chance *chance, uint64_t n);
/* About normal, mean 0, deviation 1. */
double chance_normal(struct chance *chance);

#endif
