/* view.h - what a view is made of, for those who search it. */
#ifndef PXS_INDEX_VIEW_H
#define PXS_INDEX_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/macros.h"
#include "index/column.h"
#include "index/epoch.h"
#include "index/index.h"
#include "index/origin.h"
#include "index/tables.h"

struct hits_cache;

/* The schema and the columns of a view: an immutable, counted snapshot, shared by all views between
 * two declarations of a property. */
struct view_schema {
	atomic_uint references;
	struct query_schema schema; /* by name */
	const struct query_property **by_name;
	struct column **columns; /* by property number; owned by the index */
	uint32_t n_columns;
	const struct column *origin[ORIGIN_COUNT]; /* NULL until declared */
};

#define ROWS_ASCEND UINT32_MAX

struct index_view {
	struct index *index;
	atomic_uint references;
	uint64_t seq;
	int64_t changed_ns;
	uint32_t max_doc;	 /* documents are 1 .. max_doc */
	uint64_t count;		 /* of live */
	roaring_bitmap_t *live;	 /* never changed once the view is published */
	uint32_t rows_ascend_to; /* among live documents up to this one, or to whatever comes if it
				    is ROWS_ASCEND, a higher doc has a higher row */
	struct epoch *epoch;	 /* keeps what this view can find */
	struct tables *tables;	 /* lent by the epoch */
	struct view_schema *schema;
	uint64_t viewer;	 /* for whom it was restricted (visible.c); 0: it shows all */
	roaring_bitmap_t *shown; /* what he may see, live or not; NULL in a view that shows all */
};

/* Its live documents up to this one stand by row. */
static inline uint32_t
view_rows_ascend_to(const struct index_view *view)
{
	return MIN(view->rows_ascend_to, view->max_doc);
}

/* NULL if the view knows no such property yet. */
static inline const struct column *
view_column(const struct index_view *view, const struct query_property *property)
{
	return property->number < view->schema->n_columns ? view->schema->columns[property->number]
							  : NULL;
}

struct hits_cache *index_hits_cache(struct index *index);

/* hits.c: kept hits, for views of one index; thread-safe. Purging drops those of views older than
 * SEQ, so that nothing kept holds an old generation for long. */
int hits_cache_new(struct hits_cache **ret_cache);
void hits_cache_free(struct hits_cache *cache);
void hits_cache_purge(struct hits_cache *cache, uint64_t seq);

#endif
