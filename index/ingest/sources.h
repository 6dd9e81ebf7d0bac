/* sources.h - the list of sources, for scopes that own it (base/cleanup.h). */
#ifndef PXS_INDEX_INGEST_SOURCES_H
#define PXS_INDEX_INGEST_SOURCES_H

#include "index/index.h"

/* Start it as { 0 }; index_source_list() fills it. */
struct sources {
	struct index_source *items;
	size_t n;
};

static inline void
sources_cleanup(struct sources *sources)
{
	index_source_free(sources->items, sources->n);
}

#endif
