/* impacts.h - the documents for which a term counts most.
 *
 * What a term adds to a score (bm25.h) depends on how rare it is and how long texts are on average,
 * which every commit changes, and on two numbers that no commit changes: how often the document has
 * it, and how long its text is. Documents that are alike in both get the same, whatever it is; so
 * they are one group, and a few groups have all of them. Of those that add most the documents are
 * kept here, at most IMPACTS_GROUP_DOCS each, until they are IMPACTS_DOCS. */
#ifndef PXS_INDEX_IMPACTS_H
#define PXS_INDEX_IMPACTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct docs;
struct scorer_field;

#define IMPACTS_DOCS 8192
#define IMPACTS_GROUP_DOCS 4096

/* Counted references; immutable. */
struct impacts;

struct impact_group {
	float times;
	uint8_t length; /* in length code (bm25.h) */
	uint32_t n;	/* documents */
};

/* Of the postings of FIELD. -ENOMEM. */
int impacts_new(const struct scorer_field *field, const struct docs *docs,
		struct impacts **ret_impacts);
struct impacts *impacts_ref(struct impacts *impacts);
void impacts_put(struct impacts *impacts);
DEFINE_CLEANUP(impacts, struct impacts *, impacts_put)

/* Documents up to this one, of those that the postings had. */
uint32_t impacts_covered(const struct impacts *impacts);
size_t impacts_bytes(const struct impacts *impacts);

/* In no order. */
size_t impacts_count(const struct impacts *impacts);
void impacts_group(const struct impacts *impacts, size_t at, struct impact_group *ret_group);

/* The first *RET_N documents of a group by ascending id, which may be fewer than it has, or none;
 * lent as long as IMPACTS. */
const uint32_t *impacts_documents(const struct impacts *impacts, size_t at, uint32_t *ret_n);

#endif
