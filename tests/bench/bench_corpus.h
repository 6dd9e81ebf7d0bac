/* bench_corpus.h - what the makers of documents and of queries share. */
#ifndef PXS_BENCH_CORPUS_MAKER_H
#define PXS_BENCH_CORPUS_MAKER_H

#include <stdint.h>
#include <stdio.h>

#include "vocabulary.h"

/* Documents kept to choose queries from. */
#define SAMPLES 4096

struct maker {
	uint64_t seed;
	uint64_t n_documents;
	FILE *out;

	/* The document in the making, and choices that several of its values agree on. */
	uint64_t number;
	struct chance chance;
	uint64_t project, directory, name, extension;
	int64_t created_ns;

	/* What is known of the documents made so far. */
	uint64_t vocabulary;
	uint32_t *frequencies; /* of words by rank: documents that have it */
	uint32_t *last;	       /* the last such document */
	char **samples;	       /* lines of documents.tsv */
	size_t n_samples;
};

/* Place of a property among the columns of documents.tsv (the id is none). */
size_t maker_property(const char *name);

/* Writes queries.tsv to MAKER's out: all classes, each with up to 200 different queries. */
void make_log(struct maker *maker);

#endif
