/* docs.h - what every version of a document has: who it is and when it came. */
#ifndef PXS_INDEX_DOCS_H
#define PXS_INDEX_DOCS_H

#include <stdint.h>

#include "base/cleanup.h"

struct docs_meta {
	int64_t id;
	uint64_t row;
	uint64_t seq; /* of the change that made this version */
	int64_t created_ns;
	int64_t updated_ns;
	uint32_t previous; /* the version before, of the same id; 0: none */
};

/* By doc, and newest doc by id and by row. Append-only, one writer; readers need no lock of theirs.
 */
struct docs;

int docs_new(struct docs **ret_docs);
void docs_free(struct docs *docs);
DEFINE_CLEANUP(docs, struct docs *, docs_free)

/* DOC becomes the newest version of META's id and row; META's `previous` is found here. */
int docs_add(struct docs *docs, uint32_t doc, const struct docs_meta *meta);

/* Lent as long as DOCS. DOC must have been added. */
const struct docs_meta *docs_meta(const struct docs *docs, uint32_t doc);

/* The newest version, live or not, in a view or not yet; 0: never heard of. Follow `previous` from
 * there to what a view shows. */
uint32_t docs_newest_of_id(const struct docs *docs, int64_t id);
uint32_t docs_newest_of_row(const struct docs *docs, uint64_t row);

uint64_t docs_bytes(const struct docs *docs); /* of memory */

#endif
