/* bench_pxs.h - the parts of bench_pxs. On any failure they say why and exit. */
#ifndef PXS_BENCH_PXS_H
#define PXS_BENCH_PXS_H

#include "corpus.h"
#include "index/index.h"

struct index *bench_open(const char *dir, unsigned int flags);
/* Declares the corpus's properties, or finds them: the same places in PROPERTIES as in CORPUS. */
void bench_declare(struct index *index, const struct corpus *corpus,
		   const struct query_property **properties);
/* FROM as a sealed DOCUMENT; its lists are taken apart. */
void bench_make(const struct corpus *corpus, struct corpus_document *from,
		const struct query_property *const *properties, struct index_document *document);

/* The verbs; MORE are the arguments that follow, up to NULL. */
void bench_load(const char *corpus, const char *index, char **more);
void bench_query(const char *corpus, const char *index, char **more);
void bench_restart(const char *corpus, const char *index, char **more);
void bench_live(const char *corpus, const char *index, char **more);

/* The tree of QUERY: 0, or what the language answers to what it cannot say yet. */
int bench_parse(const struct corpus_query *query, const struct query_schema *schema,
		struct query **ret_query, struct pxs_error *err);

#endif
