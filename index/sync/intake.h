/* intake.h - what one answer of an upstream leads to: documents to keep and ids to remove, at once.
 */
#ifndef PXS_INDEX_SYNC_INTAKE_H
#define PXS_INDEX_SYNC_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct index;
struct index_document;
struct pxs_error;
struct reader;

/* Documents of one answer. */
#define INTAKE_MAX 1000

struct intake {
	struct index_document *documents[INTAKE_MAX]; /* made once, used again */
	size_t n_documents;
	int64_t removed[INTAKE_MAX];
	size_t n_removed;
};

void intake_clear(struct intake *intake);
void intake_done(struct intake *intake);

/* Both are for INTAKE_MAX calls together. */
int intake_put(struct intake *intake, struct reader *reader, const json_t *item,
	       struct pxs_error *err);
void intake_remove(struct intake *intake, int64_t id);

/* In one transaction. What is not there to be removed is removed already. */
int intake_commit(const struct intake *intake, struct index *index, struct pxs_error *err);
/* N of them in one. */
int intake_commit_all(const struct intake *const *intakes, size_t n, struct index *index,
		      struct pxs_error *err);

#endif
