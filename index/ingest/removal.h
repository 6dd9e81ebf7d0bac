/* removal.h - takes documents out of the index whose files went away. */
#ifndef PXS_INDEX_INGEST_REMOVAL_H
#define PXS_INDEX_INGEST_REMOVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct batch;
struct catalogue;
struct identities;
struct index_hits;
struct index_view;
struct pxs_error;
struct unread;

/* The documents of SOURCE in VIEW. */
int removal_documents_of(struct index_view *view, const struct catalogue *catalogue, int64_t source,
			 struct index_hits **ret_hits, struct pxs_error *err);

/* What a scan came to know. */
struct removal_scan {
	const struct catalogue *catalogue;
	struct index_hits *documents; /* of the source, before the scan */
	const struct identities *identities;
	struct unread *unread;
	const char *root;   /* of the source */
	int root_fd;	    /* -1: it is gone */
	const char *folder; /* the part of it that was scanned, absolute */
	const atomic_bool *stop;
};

struct removal_vanished {
	int64_t *ids; /* documents that were not seen again */
	size_t n;
	size_t cap;
	size_t n_gone; /* of them, those whose path is free; the others were replaced */
};

static inline void
removal_vanished_cleanup(struct removal_vanished *vanished)
{
	free(vanished->ids);
}

/* Start VANISHED as { 0 }. -ECANCELED: stopped. */
int removal_find(const struct removal_scan *scan, struct removal_vanished *vanished);

/* Whether so many may go without somebody's word: no more than max(1 %, 1000) of N_DOCUMENTS. */
bool removal_is_ordinary(size_t n_gone, uint64_t n_documents);

/* Remove them, but keep what people gave them (index_write_lose()); REMOVED counts up. */
int removal_lose(struct batch *batch, const struct removal_vanished *vanished,
		 const atomic_bool *stop, atomic_uint_fast64_t *removed, struct pxs_error *err);

/* Remove all DOCUMENTS for good. */
int removal_remove_all(struct batch *batch, struct index_hits *documents, const atomic_bool *stop,
		       atomic_uint_fast64_t *removed, struct pxs_error *err);

#endif
