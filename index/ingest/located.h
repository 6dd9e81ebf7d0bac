/* located.h - the documents of a source, by where their files are. */
#ifndef PXS_INDEX_INGEST_LOCATED_H
#define PXS_INDEX_INGEST_LOCATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct index_hits;
struct index_view;
struct pxs_buf;
struct pxs_error;
struct walk_start;

/* The documents of SOURCE in VIEW. */
int located_in_source(struct index_view *view, const struct catalogue *catalogue, int64_t source,
		      struct index_hits **ret_hits, struct pxs_error *err);

/* Parts of a source. */
struct located {
	const struct catalogue *catalogue;
	int64_t source;
	const char *root;		 /* of the source, absolute */
	const struct walk_start *starts; /* by path, bytewise; none lies within a deep other */
	size_t n_starts;
};

/* Take out of N starts (by path) those that lie within a deep other. *RET_N are left. -ENOMEM. */
int located_prune(struct walk_start *starts, size_t n, size_t *ret_n);

/* Whether PATH (absolute, bytes) is one of the starts or below one that is not shallow. */
bool located_covers(const struct located *parts, const char *path);

/* Calls EACH once for every document of VIEW that may be there, and some that are not (ask
 * located_covers()), until it returns a negative errno, which is returned. The cost of a few parts
 * is little beside that of the source. */
typedef int (*located_call)(void *context, const struct index_view *view, uint32_t doc);
int located_each(const struct located *parts, struct index_view *view, located_call each,
		 void *context, struct pxs_error *err);

#endif
