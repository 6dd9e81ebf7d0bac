/* heirs.h - what people gave to files that were replaced goes to those that took their places: an
 * editor saves a new file under the old name, a restored backup has new inodes throughout. */
#ifndef PXS_INDEX_INGEST_HEIRS_H
#define PXS_INDEX_INGEST_HEIRS_H

#include <stddef.h>
#include <stdint.h>

struct batch;
struct index_view;
struct located;
struct pxs_error;

/* Documents of files that are no longer where they were, while another file is. */
struct replaced {
	char *path; /* bytes */
	int64_t id;
};

/* Start it as { 0 }. */
struct heirs {
	struct replaced *items;
	size_t n;
	size_t cap;
};

void heirs_done(struct heirs *heirs);

/* The document DOC of VIEW, at PATH, was replaced. Does nothing if people gave it nothing. -ENOMEM.
 */
int heirs_add(struct heirs *heirs, const struct index_view *view, uint32_t doc, const char *path);

/* Give it to the documents that are there in AFTER and that BEFORE, where the replaced are, does
 * not have; PARTS are those in which documents were replaced. */
int heirs_settle(struct heirs *heirs, const struct located *parts, const struct index_view *before,
		 struct index_view *after, struct batch *batch, struct pxs_error *err);

#endif
