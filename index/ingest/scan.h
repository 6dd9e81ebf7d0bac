/* scan.h - makes the documents of a tree, or of parts of it, what the tree is.
 *
 *     walk (2 threads): entry -> identity -> as the index has it? -> document -> docqueue
 *     scan (1 thread):  docqueue -> batch -> index, then what was not seen is removed */
#ifndef PXS_INDEX_INGEST_SCAN_H
#define PXS_INDEX_INGEST_SCAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct index;
struct mime;
struct pxs_error;
struct walk_start;

struct scan_request {
	struct index *index;
	const struct catalogue *catalogue;
	const struct mime *mime;
	int64_t source;
	const char *root; /* of the source: absolute, bytes */
	/* The parts of it to scan, by path, bytewise; none lies within a deep other. */
	const struct walk_start *starts;
	size_t n_starts;
	bool allow_mass_removal;
	uint64_t removed_before; /* counts as well when it is judged whether that is a mass */
	const atomic_bool *stop;
};

/* Counts that anybody may read meanwhile. */
struct scan_progress {
	atomic_uint_fast64_t seen, expected, added, changed, renamed, removed, unchanged, failures;
};

/* 0; -ECANCELED: stopped; else -errno and ERR has the sentence: -EPERM when too much would have
 * been removed. Whatever happens, what was committed is true. */
int scan_run(const struct scan_request *request, struct scan_progress *progress,
	     struct pxs_error *err);

#endif
