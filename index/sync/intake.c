#include "index/sync/intake.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/sync/reader.h"

void
intake_clear(struct intake *intake)
{
	intake->n_documents = 0;
	intake->n_removed = 0;
}

void
intake_done(struct intake *intake)
{
	for (size_t i = 0; i < INTAKE_MAX; i++)
		index_document_free(intake->documents[i]);
}

int
intake_put(struct intake *intake, struct reader *reader, const json_t *item, struct pxs_error *err)
{
	struct index_document **document = &intake->documents[intake->n_documents];
	int r = *document ? 0 : index_document_new(document);

	if (r == 0) {
		index_document_clear(*document);
		r = reader_document(reader, item, *document, err);
	}
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot take a document of the upstream: %s",
				     strerror(-r));
	intake->n_documents++;
	return 0;
}

void
intake_remove(struct intake *intake, int64_t id)
{
	intake->removed[intake->n_removed++] = id;
}

static int
write_intake(const struct intake *intake, struct index_write *write)
{
	int r = 0;

	for (size_t i = 0; i < intake->n_documents && r == 0; i++)
		r = index_write_put(write, intake->documents[i]);
	for (size_t i = 0; i < intake->n_removed && r == 0; i++) {
		r = index_write_remove(write, intake->removed[i]);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

int
intake_commit_all(const struct intake *const *intakes, size_t n, struct index *index,
		  struct pxs_error *err)
{
	CLEANUP(index_write) struct index_write *write = NULL;
	int r = index_write_begin(index, &write);

	for (size_t i = 0; i < n && r == 0; i++)
		r = write_intake(intakes[i], write);
	if (r == 0)
		r = index_write_commit(STEAL(write), err);
	return r < 0 ? pxs_error_set(err, r, -1, "cannot write to the index: %s", strerror(-r)) : 0;
}

int
intake_commit(const struct intake *intake, struct index *index, struct pxs_error *err)
{
	if (intake->n_documents == 0 && intake->n_removed == 0)
		return 0;
	return intake_commit_all(&intake, 1, index, err);
}
