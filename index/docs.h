/* docs.h - what every version of a document has: who it is and when it came. */
#ifndef PXS_INDEX_DOCS_H
#define PXS_INDEX_DOCS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/column_slice.h"

struct epoch;
struct pxs_buf;

struct docs_meta {
	int64_t id;
	uint64_t row;
	uint64_t seq; /* of the change that made this version */
	int64_t created_ns;
	int64_t updated_ns;
	uint32_t previous; /* the version before, of the same id; 0: none */
};

/* As they are written down; permanent. */
enum docs_field {
	DOCS_ID,
	DOCS_ROW,
	DOCS_SEQ,
	DOCS_CREATED,
	DOCS_UPDATED, /* nanoseconds after DOCS_CREATED */
	DOCS_PREVIOUS,
	DOCS_FIELDS
};

/* By doc, and newest doc by id and by row. Append-only, one writer; readers need no lock of theirs.
 * Documents, too, are kept by segments of COLUMN_SEGMENT_DOCS, in the forms of column_slice.h. */
struct docs;

int docs_new(struct docs **ret_docs);
void docs_free(struct docs *docs);
DEFINE_CLEANUP(docs, struct docs *, docs_free)

/* DOC becomes the newest version of META's id and row; META's `previous` is found here. */
int docs_add(struct docs *docs, uint32_t doc, const struct docs_meta *meta);

/* All zero if DOC was never added. */
struct docs_meta docs_meta(const struct docs *docs, uint32_t doc);
int64_t docs_id(const struct docs *docs, uint32_t doc);
uint64_t docs_row(const struct docs *docs, uint32_t doc);

/* The newest version, live or not, in a view or not yet; 0: never heard of. Follow `previous` from
 * there to what a view shows. */
uint32_t docs_newest_of_id(const struct docs *docs, int64_t id);
uint32_t docs_newest_of_row(const struct docs *docs, uint64_t row);

uint64_t docs_bytes(const struct docs *docs); /* of memory, mapped files included */

/* --- Written down: bytes for the files of segments.h --- */

/* One field of SEGMENT as column_encode() has it. */
void docs_encode(const struct docs *docs, uint32_t segment, enum docs_field field,
		 struct pxs_buf *buf);

/* From now on read SEGMENT from FIELDS (ABSENT where nothing was encoded), whose BYTES outlive the
 * docs. What is no longer needed goes to EPOCH. With nobody adding. -ENOMEM. */
int docs_map(struct docs *docs, uint32_t segment, const struct column_slice fields[DOCS_FIELDS],
	     size_t bytes, struct epoch *epoch);

/* At start: make room for N documents, then say of each mapped one that it can be found. */
int docs_reserve(struct docs *docs, uint64_t n);
int docs_found(struct docs *docs, uint32_t doc);

#endif
