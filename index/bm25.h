/* bm25.h - the relevance of one word for one document, as Lucene 8 has it. */
#ifndef PXS_INDEX_BM25_H
#define PXS_INDEX_BM25_H

#include <stdint.h>

#define BM25_K1 1.2
#define BM25_B 0.75

/* A length in words as one byte: exact below 40, then in steps of an eighth (Lucene's
 * SmallFloat.intToByte4()), and back. Order is kept. */
uint8_t bm25_length_code(uint32_t words);
uint32_t bm25_length(uint8_t code);

/* How rare a word is: DOCUMENTS of ALL have it. */
double bm25_idf(uint64_t documents, uint64_t all);

/* What a word with this IDF that occurs TIMES in a text of LENGTH words adds, where texts have
 * AVERAGE words. */
double bm25_score(double idf, double times, double length, double average);

#endif
