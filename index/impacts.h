/* impacts.h - the documents of a term, those in front for which it counts most.
 *
 * What a term adds to a score (bm25.h) depends on how rare it is and how long texts are on average,
 * which every commit changes, and on two numbers that no commit changes: how often the document has
 * it, and how long its text is. Documents that are alike in both get the same, whatever it is; so
 * they are one group, and a few groups have all of them. */
#ifndef PXS_INDEX_IMPACTS_H
#define PXS_INDEX_IMPACTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct column;
struct docs;
struct measure_table;
struct postings;

/* Counted references; thread-safe. */
struct impacts;

struct impact_group {
	float times;
	uint8_t length; /* in length code (bm25.h) */
	uint32_t n;	/* documents */
};

/* Of POSTINGS in texts of COLUMN (NULL: of numbers, which have no length). -ENOMEM. */
int impacts_new(const struct postings *postings, const struct column *column,
		const struct measure_table *table, struct impacts **ret_impacts);
struct impacts *impacts_ref(struct impacts *impacts);
void impacts_put(struct impacts *impacts);
DEFINE_CLEANUP(impacts, struct impacts *, impacts_put)

/* Documents up to this one, of those that the postings had. */
uint32_t impacts_covered(const struct impacts *impacts);
size_t impacts_bytes(const struct impacts *impacts);

/* In no order. */
size_t impacts_count(const struct impacts *impacts);
void impacts_group(const struct impacts *impacts, size_t at, struct impact_group *ret_group);

/* The documents of a group by ascending id, *RET_N of them, which are more than FROM (all, if there
 * are not more); lent as long as IMPACTS. They are sorted when first asked for. -ENOMEM. */
int impacts_documents(struct impacts *impacts, size_t at, uint32_t from, const struct docs *docs,
		      const uint32_t **ret_documents, uint32_t *ret_n);

#endif
