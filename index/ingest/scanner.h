/* scanner.h - what the threads of a walk do with each entry: find its document, and where there is
 * news, make a new one and send it to the writer. */
#ifndef PXS_INDEX_INGEST_SCANNER_H
#define PXS_INDEX_INGEST_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "index/ingest/entry.h"
#include "index/ingest/walk.h"

struct docqueue;
struct identities;
struct scan_progress;
struct unread;

/* One thread: the path of the entry at hand, as bytes and as text. */
struct scanner {
	struct entry_maker maker;
	struct pxs_buf bytes;
	struct pxs_buf text;
	size_t bytes_folder; /* how much of each is the folder's, with a slash */
	size_t text_folder;
	bool exact_folder;
};

/* All that it has to do with is lent. Start each as { 0 }. */
struct scanners {
	struct index *index;
	const struct catalogue *catalogue;
	const struct mime *mime;
	int64_t source;
	struct index_view *view; /* as it was before the scan */
	struct identities *identities;
	struct unread *unread;
	struct docqueue *queue; /* ended when the walk ends */
	struct scan_progress *progress;
	struct scanner each[WALK_THREADS];
};

int scanners_init(struct scanners *scanners, struct pxs_error *err);
void scanners_done(struct scanners *scanners);

/* For walk_start(), with a struct scanners as context. */
extern const struct walk_ops SCANNER_OPS;

#endif
