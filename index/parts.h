/* parts.h - what an index is made of. */
#ifndef PXS_INDEX_PARTS_H
#define PXS_INDEX_PARTS_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/arena.h"
#include "index/edit/upstream.h"
#include "index/docs.h"
#include "index/fts.h"
#include "index/compact.h"
#include "index/seal.h"
#include "index/segments.h"
#include "index/state.h"
#include "index/store.h"
#include "index/tables.h"
#include "index/turn.h"
#include "index/view.h"

struct apply_entry;

/* apply.c - changes that wait for the next commit. */
struct apply_queue {
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	struct apply_entry *first, **last;
	bool led; /* somebody is writing them */
};

void apply_queue_init(struct apply_queue *queue);
void apply_queue_done(struct apply_queue *queue);

struct history;
struct journal;
struct visible;

struct index {
	char *dir; /* absolute */
	int lock_fd;
	struct store *store;
	struct tables *tables;	   /* the newest: for who has the turn to write */
	atomic_uint held_tables;   /* older ones that somebody still reads */
	pthread_mutex_t keep_lock; /* taken through a whole sealing or compaction */
	struct keeper *keeper;	   /* NULL while it is opened or closed */
	struct epoch *epoch;	   /* the newest */
	struct state *state;
	struct hits_cache *hits_cache;
	struct visible *visible;
	struct journal *journal; /* with the store: for who has the turn to write */
	struct history *history;
	struct index_path_rule *path_rules; /* ours, with their texts */
	size_t n_path_rules;
	struct apply_queue applies;
	struct edit_hook edit_hook;
	bool rebuilt;  /* at start: the segments could not be trusted */
	uint64_t salt; /* of etags; a copy that readers may read */

	/* Taken through a whole index_write: store, tables (writing and adding), counters. */
	struct turn write_turn;
	struct store_counters counters;
	bool fts_behind;  /* fts.db missed a commit (disk full); it is caught up before the next */
	uint64_t fts_seq; /* of the last change in fts.db */
	struct pxs_arena properties; /* the property structs and their text */

	pthread_mutex_t view_lock; /* the pointer, not the view */
	pthread_cond_t published;  /* there is a newer one */
	struct index_view *view;   /* the newest generation */
};

/* index.c - the path of the file NAME in the folder of INDEX. -ENAMETOOLONG. */
int index_part_path(const struct index *index, const char *name, char path[PATH_MAX]);

/* file.c */
void path_rules_free(struct index *index);
/* Adds PATH, as it was indexed, to HERE as the rules have it. */
void path_map(const struct index *index, const char *path, struct pxs_buf *here);

/* view.c - with the write lock held. */

/* A new snapshot of BEFORE's (NULL: none) properties and columns with one more; takes COLUMN. */
int view_schema_with(const struct view_schema *before, struct column *column,
		     struct view_schema **ret_schema);
/* The same in the place of *SCHEMA. COLUMN ends if it fails. */
int view_schema_add(struct view_schema **schema, struct column *column);
struct view_schema *view_schema_ref(struct view_schema *schema);
void view_schema_unref(struct view_schema *schema);
DEFINE_CLEANUP(view_schema, struct view_schema *, view_schema_unref)
/* The columns belong to the index, which ends them with itself. */
void view_schema_free_columns(const struct view_schema *schema);

/* Publish the next generation. Takes LIVE and a reference of its own to SCHEMA. */
int index_publish(struct index *index, struct view_schema *schema, roaring_bitmap_t *live,
		  uint32_t rows_ascend_to);
/* From now on things are retired to a later epoch, in which the next view is. */
int index_begin_epoch(struct index *index);
/* The same documents and change once more, with SCHEMA, in a later epoch. */
int index_publish_again(struct index *index, struct view_schema *schema);

struct column;
/* load.c - a column for a copy of PROPERTY that lives as long as the index. */
int index_new_column(struct index *index, const struct query_property *property,
		     struct column **ret_column);

/* view.c - the etag of the version of ID that change SEQ made. */
void index_etag(const struct index *index, int64_t id, uint64_t seq, char etag[INDEX_ETAG_SIZE]);

/* load.c - fills columns and docs from files and the record, and fts.db with what it lacks.
 * -ESTALE: the files could not be trusted and are gone; close what there is and begin once more. */
int index_load(struct index *index, struct pxs_error *err);
/* With the write lock held: put into fts.db what the record has and it has not. */
int index_catch_up_fts(struct index *index, const struct view_schema *schema);

/* Give DOCUMENT's values to the columns as those of DOC. */
struct index_document;
int index_fill_columns(const struct view_schema *schema, uint32_t doc,
		       const struct index_document *document);

/* Properties by number, for reading records. Lent as long as SCHEMA; the caller frees the array. */
const struct query_property **view_schema_by_number(const struct view_schema *schema);

#endif
