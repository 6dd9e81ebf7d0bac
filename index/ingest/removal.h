/* removal.h - takes documents out of the index whose files went away. */
#ifndef PXS_INDEX_INGEST_REMOVAL_H
#define PXS_INDEX_INGEST_REMOVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/ingest/heirs.h"

struct batch;
struct identities;
struct index_hits;
struct index_view;
struct located;
struct pxs_error;
struct unread;

/* What a scan came to know. */
struct removal_scan {
	const struct located *parts; /* that were scanned */
	struct index_view *view;     /* as it was before */
	const struct identities *identities;
	struct unread *unread;
	int root_fd; /* of the source; -1: it is gone */
	const atomic_bool *stop;
};

struct removal_vanished {
	int64_t *ids; /* documents that were not seen again */
	size_t n;
	size_t cap;
	size_t n_gone;	    /* of them, those whose path is free; the others were replaced */
	struct heirs heirs; /* what people gave the others */
};

static inline void
removal_vanished_cleanup(struct removal_vanished *vanished)
{
	free(vanished->ids);
	heirs_done(&vanished->heirs);
}

/* Start VANISHED as { 0 }. -ECANCELED: stopped. */
int removal_find(const struct removal_scan *scan, struct removal_vanished *vanished,
		 struct pxs_error *err);

/* Whether so many may go without somebody's word: no more than max(1 %, 1000) of N_DOCUMENTS. */
bool removal_is_ordinary(size_t n_gone, uint64_t n_documents);

/* Remove them, but keep what people gave them (index_write_lose()); REMOVED counts up. */
int removal_lose(struct batch *batch, const struct removal_vanished *vanished,
		 const atomic_bool *stop, atomic_uint_fast64_t *removed, struct pxs_error *err);

/* Remove all DOCUMENTS for good. */
int removal_remove_all(struct batch *batch, struct index_hits *documents, const atomic_bool *stop,
		       atomic_uint_fast64_t *removed, struct pxs_error *err);

#endif
