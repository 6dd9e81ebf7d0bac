/* tables.h - what views are read from: made of docs.db, and as a whole made anew by compaction.
 *
 * Every view says which tables are its own; those that were replaced end with the last view of
 * theirs (epoch.h). */
#ifndef PXS_INDEX_TABLES_H
#define PXS_INDEX_TABLES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/epoch.h"
#include "index/relevance.h"

struct docs;
struct docs_meta;
struct fts;
struct index_document;
struct pxs_error;
struct segments;
struct view_schema;

struct tables {
	struct retired retired;
	uint64_t number; /* of the text file */
	struct docs *docs;
	struct fts *fts;
	struct segments *segments;
	struct relevance relevance;
	struct tables_opening *opening; /* of fts, which is NULL until then */
	struct view_schema *schema; /* once they are replaced: the newest, whose columns they end */
	atomic_uint *held;
};

/* Empty ones for the index in DIR, but for its text file NUMBER, which is opened meanwhile: that
 * takes as long as mapping columns does. */
int tables_new(const char *dir, uint64_t number, struct tables **ret_tables);
/* Once, before anything asks for the text file: waits for it. *RET_SEQ is of the last change that
 * it holds. */
int tables_open_text(struct tables *tables, uint64_t *ret_seq, struct pxs_error *err);
void tables_free(struct tables *tables);
DEFINE_CLEANUP(tables, struct tables *, tables_free)

/* With the turn to write, or with nobody else who has TABLES, and a transaction of the text file
 * begun: put DOCUMENT, sealed, in as version DOC, in the columns of SCHEMA. No view shows it yet.
 */
int tables_put(struct tables *tables, const struct view_schema *schema, uint32_t doc,
	       const struct docs_meta *meta, const struct index_document *document);

/* TABLES are replaced, and SCHEMA (taken) was their newest: free them and remove their text file
 * when the last view of EPOCH ended. Until then they count in HELD. */
void tables_retire(struct tables *tables, struct view_schema *schema, struct epoch *epoch,
		   atomic_uint *held);

/* Remove text files in DIR, of an earlier run, that are not NUMBER. */
void tables_sweep(const char *dir, uint64_t number);

#endif
