/* write.h - what one transaction of changes knows. */
#ifndef PXS_INDEX_WRITE_H
#define PXS_INDEX_WRITE_H

#include "index/document.h"
#include "index/parts.h"

struct index_write {
	struct index *index;
	struct view_schema *schema;	/* the newest; lent by the index */
	struct store_counters counters; /* of this transaction */
	roaring_bitmap_t *live;
	struct index_document *merged; /* for documents made of two; NULL until needed */
	uint32_t rows_ascend_to;
	bool changed;
	int error; /* the first failure; what follows is refused */
};

/* The live version of ID as this transaction sees it; 0: none. */
uint32_t write_live_doc(const struct index_write *write, int64_t id);

/* Put the sealed DOCUMENT in the place of version BEFORE (0: nothing is there now). */
int write_replace(struct index_write *write, const struct index_document *document,
		  uint32_t before);

/* Put the sealed DOCUMENT in the place of version BEFORE (0: nothing is there now), with the row
 * and the birth of OLD (NULL: new ones). */
int write_put_over(struct index_write *write, const struct index_document *document,
		   uint32_t before, const struct docs_meta *old);

#endif
