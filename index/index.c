#include "index/index.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cond.h"
#include "base/error.h"
#include "index/history.h"
#include "index/journal.h"
#include "index/lock.h"
#include "index/parts.h"
#include "index/visible.h"

/* mkdir -p: the index holds everything's metadata, so nobody else may look in. */
static int
make_dirs(const char *dir)
{
	CLEANUP(free) char *path = strdup(dir);

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int
find_dir(const char *dir, unsigned int flags, char **ret_dir, struct pxs_error *err)
{
	struct stat st;
	char *real;
	int r;

	r = *dir ? 0 : -EINVAL;
	if (r == 0 && (flags & INDEX_CREATE))
		r = make_dirs(dir);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot make the index folder '%s': %s", dir,
				     strerror(-r));
	real = realpath(dir, NULL);
	if (!real)
		return pxs_error_set(err, -errno, -1, "no index at %s: %s", dir, strerror(errno));
	if (stat(real, &st) == 0 && !S_ISDIR(st.st_mode)) {
		free(real);
		return pxs_error_set(err, -ENOTDIR, -1, "%s is no folder", dir);
	}
	*ret_dir = real;
	return 0;
}

int
index_part_path(const struct index *index, const char *name, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s", index->dir, name);

	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int
check_exists(const struct index *index, struct pxs_error *err)
{
	char path[PATH_MAX];
	int r;

	r = index_part_path(index, "docs.db", path);
	if (r < 0)
		return r;
	return access(path, F_OK) < 0
		       ? pxs_error_set(err, -ENOENT, -1, "no index at %s", index->dir)
		       : 0;
}

static int
open_parts(struct index *index, struct pxs_error *err)
{
	char path[PATH_MAX];
	int r;

	r = index_part_path(index, "docs.db", path);
	if (r == 0)
		r = store_open(path, &index->store, &index->counters, err);
	if (r == 0)
		r = journal_open(store_db(index->store), &index->journal);
	if (r == 0)
		r = history_open(path, &index->history);
	if (r == 0)
		r = tables_new(index->dir, index->counters.text, &index->tables);
	if (r == 0)
		r = index_part_path(index, "state.db", path);
	if (r == 0)
		r = state_open(path, &index->state, err);
	if (r == 0)
		r = epoch_new(&index->epoch);
	if (r == 0)
		r = hits_cache_new(&index->hits_cache);
	if (r == 0)
		r = visible_new(&index->visible);
	index->salt = index->counters.salt;
	if (r == 0)
		tables_sweep(index->dir, index->counters.text);
	return r < 0 ? r : index_load(index, err);
}

static void
init_locks(struct index *index)
{
	turn_init(&index->write_turn);
	apply_queue_init(&index->applies);
	edit_hook_init(&index->edit_hook);
	(void)pthread_mutex_init(&index->keep_lock, NULL);
	(void)pthread_mutex_init(&index->view_lock, NULL);
	pxs_cond_init_steady(&index->published);
}

/* What open_parts() made, all of it or a part. */
static void
close_parts(struct index *index)
{
	hits_cache_free(STEAL(index->hits_cache));
	visible_free(STEAL(index->visible));
	if (index->view)
		view_schema_free_columns(index->view->schema);
	index_view_put(STEAL(index->view));
	epoch_unref(STEAL(index->epoch));
	tables_free(STEAL(index->tables));
	state_close(STEAL(index->state));
	history_close(STEAL(index->history));
	journal_close(STEAL(index->journal));
	store_close(STEAL(index->store));
	pxs_arena_done(&index->properties);
}

/* Segments that cannot be trusted are dropped on the way in, which then begins once more. */
static int
open_all(struct index *index, struct pxs_error *err)
{
	int r = open_parts(index, err);

	if (r == -ESTALE) {
		close_parts(index);
		index->rebuilt = true;
		r = open_parts(index, err);
	}
	if (r == 0)
		r = keeper_new(index, &index->keeper);
	if (r == 0)
		keeper_ask(index->keeper);
	return r;
}

int
index_open(const char *dir, unsigned int flags, struct index **ret_index, struct pxs_error *err)
{
	CLEANUP(index) struct index *index = calloc(1, sizeof(*index));
	int r;

	if (!index)
		return -ENOMEM;
	index->lock_fd = -1;
	init_locks(index);
	r = find_dir(dir, flags, &index->dir, err);
	if (r == 0 && !(flags & INDEX_CREATE))
		r = check_exists(index, err);
	if (r == 0)
		r = lock_take(index->dir, &index->lock_fd, err);
	if (r == 0)
		r = open_all(index, err);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot open the index in %s: %s", dir,
				     strerror(-r));
	*ret_index = STEAL(index);
	return 0;
}

/* So that the next start need not follow all changes since the last segment. */
static void
note_living(struct index *index)
{
	bool more;

	keeper_free(index->keeper); /* its thread looks for it here until it ends */
	index->keeper = NULL;
	if (index->view && index->tables->segments->manifest.state.n_segments > 0 &&
	    index->tables->segments->manifest.state.seq != index->view->seq)
		(void)seal_segments(index, &more);
}

void
index_close(struct index *index)
{
	if (!index)
		return;
	note_living(index);
	close_parts(index);
	(void)pthread_cond_destroy(&index->published);
	(void)pthread_mutex_destroy(&index->view_lock);
	(void)pthread_mutex_destroy(&index->keep_lock);
	edit_hook_done(&index->edit_hook);
	apply_queue_done(&index->applies);
	turn_done(&index->write_turn);
	if (index->lock_fd >= 0)
		(void)close(index->lock_fd);
	path_rules_free(index);
	free(index->dir);
	free(index);
}

const char *
index_dir(const struct index *index)
{
	return index->dir;
}

struct hits_cache *
index_hits_cache(struct index *index)
{
	return index->hits_cache;
}

struct state *
index_state(struct index *index)
{
	return index->state;
}

int
index_stats(struct index *index, struct index_stats *ret_stats)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	struct index_stats stats = {
		.documents = view->count,
		.versions = view->max_doc,
		.docs_bytes = store_bytes(index->store),
		.fts_bytes = fts_bytes(view->tables->fts),
		.merge_is_due = fts_merge_is_due(view->tables->fts),
		.column_bytes = docs_bytes(view->tables->docs),
		.segment_bytes = atomic_load(&view->tables->segments->bytes),
		.segments = atomic_load(&view->tables->segments->n_mapped),
		.segments_rebuilt = index->rebuilt,
		.properties = view->schema->schema.n_properties,
		.seq = view->seq,
		.changed_ns = view->changed_ns,
	};

	for (uint32_t i = 0; i < view->schema->n_columns; i++)
		if (view->schema->columns[i])
			stats.column_bytes += column_bytes(view->schema->columns[i]);
	*ret_stats = stats;
	return 0;
}

/* --- Declaring properties --- */

static int
store_property(struct index *index, const struct query_property *property)
{
	int r;

	r = store_begin(index->store);
	if (r == 0)
		r = store_property_add(index->store, property);
	if (r == 0)
		r = store_commit(index->store, &index->counters);
	if (r < 0)
		store_rollback(index->store);
	return r;
}

static int
declare(struct index *index, const struct query_property *property,
	const struct query_property **ret_property)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	CLEANUP(view_schema) struct view_schema *schema = NULL;
	CLEANUP(column) struct column *column = NULL;
	struct query_property numbered = *property;
	const struct query_property *declared;
	roaring_bitmap_t *live;
	int r;

	numbered.number = view->schema->n_columns;
	r = index_new_column(index, &numbered, &column);
	if (r == 0)
		r = view_schema_with(view->schema, column, &schema);
	if (r == 0)
		r = store_property(index, &numbered);
	if (r < 0)
		return r;
	declared = column_property(column);
	live = roaring_bitmap_copy(view->live);
	r = live ? index_publish(index, schema, live, view->rows_ascend_to) : -ENOMEM;
	if (r < 0)
		return r;
	(void)STEAL(column); /* the schema has it now */
	*ret_property = declared;
	return 0;
}

int
index_property_add(struct index *index, const struct query_property *property,
		   const struct query_property **ret_property, struct pxs_error *err)
{
	const struct query_property *known;
	int r = 0;

	turn_take(&index->write_turn);
	known = query_schema_find(&index->view->schema->schema, property->name);
	if (known && (known->type != property->type || known->multi != property->multi))
		r = pxs_error_set(err, -EEXIST, -1, "property %s is declared as %s, not as %s",
				  property->name, query_type_name(known->type, known->multi),
				  query_type_name(property->type, property->multi));
	else if (known)
		*ret_property = known;
	else
		r = declare(index, property, ret_property);
	turn_end(&index->write_turn);
	return r < 0 ? pxs_error_set(err, r, -1, "cannot declare property %s: %s", property->name,
				     strerror(-r))
		     : 0;
}
