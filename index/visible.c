/* A restricted view is a view with fewer live documents, so whatever works on views (searches,
 * counts, facets, cursors, changes) leaks nothing by itself.
 *
 *     stat of /a/b/c needs search permission on /, /a and /a/b: it is the same for all of /a/b
 *
 * so one question for each distinct core.directory, about where it lies here, decides over all
 * documents in it. Verdicts are asked again after a while, as permissions change without telling
 * us; for a new generation they are only applied again. */
#include "index/visible.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "base/percent.h"
#include "index/parts.h"

/* So many viewers' verdicts are kept, a byte for each directory, and used for so long. */
#define VIEWERS_MAX 64
#define VERDICTS_NS (10 * PXS_NS_PER_S)

/* Directories that are asked about at once. */
#define ASK_MAX 1024

struct viewer {
	uint64_t key;
	unsigned int references; /* under the lock of all, as are the three after it */
	uint64_t used;
	struct index_view *view; /* the newest made; NULL: none */
	int64_t view_asked_ns;	 /* of the verdicts that made it */

	pthread_mutex_t lock; /* the verdicts */
	uint8_t *verdicts;    /* enum index_entry by code of core.directory */
	uint64_t tables;      /* the number of those that have the codes */
	uint32_t n_verdicts;
	int64_t asked_ns; /* 0: never */
};

struct visible {
	pthread_mutex_t lock;
	uint64_t clock; /* counts uses */
	struct viewer *viewers[VIEWERS_MAX];
};

int
visible_new(struct visible **ret_visible)
{
	struct visible *visible = calloc(1, sizeof(*visible));

	if (!visible)
		return -ENOMEM;
	(void)pthread_mutex_init(&visible->lock, NULL);
	*ret_visible = visible;
	return 0;
}

static void
viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return;
	index_view_put(viewer->view);
	free(viewer->verdicts);
	(void)pthread_mutex_destroy(&viewer->lock);
	free(viewer);
}

void
visible_free(struct visible *visible)
{
	if (!visible)
		return;
	for (size_t i = 0; i < VIEWERS_MAX; i++)
		viewer_free(visible->viewers[i]);
	(void)pthread_mutex_destroy(&visible->lock);
	free(visible);
}

void
visible_purge(struct visible *visible, uint64_t seq)
{
	(void)pthread_mutex_lock(&visible->lock);
	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		struct viewer *viewer = visible->viewers[i];

		if (viewer && viewer->view && viewer->view->seq < seq)
			index_view_put(STEAL(viewer->view));
	}
	(void)pthread_mutex_unlock(&visible->lock);
}

/* --- Viewers --- */

static struct viewer *
viewer_new(uint64_t key)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));

	if (!viewer)
		return NULL;
	viewer->key = key;
	(void)pthread_mutex_init(&viewer->lock, NULL);
	return viewer;
}

/* With the lock held: where KEY's viewer stands, or could: in a free place, or in that of the one
 * unused for longest; NULL where all are in use just now. */
static struct viewer **
place_of(struct visible *visible, uint64_t key)
{
	struct viewer **oldest = NULL;

	for (size_t i = 0; i < VIEWERS_MAX; i++) {
		struct viewer **place = &visible->viewers[i];

		if (*place && (*place)->key == key)
			return place;
		if (*place && (*place)->references)
			continue;
		if (!oldest || (*oldest && (!*place || (*place)->used < (*oldest)->used)))
			oldest = place;
	}
	return oldest;
}

static int
viewer_get(struct visible *visible, uint64_t key, struct viewer **ret_viewer)
{
	struct viewer **place;
	int r = 0;

	(void)pthread_mutex_lock(&visible->lock);
	place = place_of(visible, key);
	if (!place) {
		r = -EAGAIN;
	} else if (!*place || (*place)->key != key) {
		viewer_free(*place);
		*place = viewer_new(key);
		r = *place ? 0 : -ENOMEM;
	}
	if (r == 0) {
		(*place)->references++;
		(*place)->used = ++visible->clock;
		*ret_viewer = *place;
	}
	(void)pthread_mutex_unlock(&visible->lock);
	return r;
}

static void
viewer_put(struct visible *visible, struct viewer *viewer)
{
	(void)pthread_mutex_lock(&visible->lock);
	viewer->references--;
	(void)pthread_mutex_unlock(&visible->lock);
}

/* --- Verdicts --- */

static const struct column *
column_called(const struct index_view *view, const char *name)
{
	const struct query_property *property = query_schema_find(&view->schema->schema, name);

	return property && property->type == QUERY_TYPE_STRING && !property->multi
		       ? view_column(view, property)
		       : NULL;
}

/* Ask about the directories with codes FIRST .. LAST, where they lie here. */
static int
ask(const struct index_viewer *asks, const struct index *index, const struct dict *dict,
    uint32_t first, uint32_t last, uint8_t *verdicts)
{
	CLEANUP(pxs_buf) struct pxs_buf paths = PXS_BUF_INIT;
	const char *names[ASK_MAX];
	size_t at[ASK_MAX];
	int r = 0;

	for (uint32_t code = first; code <= last && r == 0;) {
		uint32_t n = MIN(last - code + 1, (uint32_t)ASK_MAX);

		pxs_buf_clear(&paths);
		for (uint32_t i = 0; i < n; i++) {
			at[i] = paths.len;
			path_map(index, dict_text(dict, code + i), &paths);
			pxs_buf_add(&paths, "", 1); /* its NUL */
		}
		if (paths.error)
			return paths.error;
		for (uint32_t i = 0; i < n; i++)
			names[i] = paths.data + at[i];
		r = asks->enters(asks->context, names, n, &verdicts[code]);
		code += n;
	}
	return r;
}

/* All of them if they are old, else those of directories that are new. */
static int
update_verdicts(struct viewer *viewer, const struct index_viewer *asks,
		const struct index_view *view, const struct dict *dict)
{
	int64_t now_ns = pxs_clock_steady_ns();
	bool others = viewer->tables != view->tables->number;
	bool old = !viewer->asked_ns || others || now_ns - viewer->asked_ns > VERDICTS_NS;
	uint32_t n = dict_count(dict) + 1; /* code 0 is that of no directory */
	uint32_t first = old ? 1 : MAX(viewer->n_verdicts, 1u);
	uint8_t *verdicts = realloc(viewer->verdicts, MAX(n, viewer->n_verdicts));
	int r;

	if (!verdicts)
		return -ENOMEM;
	viewer->verdicts = verdicts;
	if (others)
		viewer->n_verdicts = 0;
	verdicts[0] = INDEX_ENTRY_REFUSED;
	r = n > first ? ask(asks, view->index, dict, first, n - 1, verdicts) : 0;
	if (r < 0)
		return r;
	viewer->n_verdicts = MAX(n, viewer->n_verdicts);
	viewer->tables = view->tables->number;
	if (old)
		viewer->asked_ns = now_ns;
	return 0;
}

/* --- Documents --- */

/* Whether the verdict on its directory shows DOC. Of what is removed, a directory that is gone with
 * it tells nothing any more, and who knew it must learn that it is gone. */
static bool
shows(const struct index_view *view, uint32_t doc, uint8_t verdict)
{
	return verdict == INDEX_ENTRY_GRANTED ||
	       (verdict == INDEX_ENTRY_GONE && !roaring_bitmap_contains(view->live, doc));
}

static void
add_segment(const struct index_view *view, const struct viewer *viewer, const struct column *column,
	    uint32_t segment, roaring_bitmap_t *shown)
{
	uint32_t doc = MAX(segment << COLUMN_SEGMENT_SHIFT, 1u);
	uint32_t end = MIN((uint64_t)(segment + 1) << COLUMN_SEGMENT_SHIFT,
			   (uint64_t)view->max_doc + 1);
	uint32_t first = doc; /* of the run of documents that are shown */
	struct column_slice slice;
	uint32_t code;

	column_slice(column, segment, &slice);
	for (; doc < end; doc++) {
		code = column_slice_code(&slice, doc & COLUMN_PLACE_MASK);
		if (code < viewer->n_verdicts && shows(view, doc, viewer->verdicts[code]))
			continue;
		roaring_bitmap_add_range(shown, first, doc);
		first = doc + 1;
	}
	roaring_bitmap_add_range(shown, first, doc);
}

/* Paths that are no text stand in a property of their own, exact; core.directory is only alike. */
static int
judge_exact(const struct index_view *view, const struct index_viewer *asks, uint32_t doc,
	    const char *escaped, roaring_bitmap_t *shown)
{
	CLEANUP(pxs_buf) struct pxs_buf there = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	const char *name;
	uint8_t verdict;
	char *slash;
	int r;

	pxs_percent_decode(&there, escaped, strlen(escaped));
	path_map(view->index, pxs_buf_text(&there), &path);
	if (there.error || path.error)
		return there.error ? there.error : path.error;
	roaring_bitmap_remove(shown, doc);
	slash = path.data ? strrchr(path.data, '/') : NULL;
	if (!slash)
		return 0;
	slash[slash == path.data] = '\0';
	name = path.data;
	r = asks->enters(asks->context, &name, 1, &verdict);
	if (r == 0 && shows(view, doc, verdict))
		roaring_bitmap_add(shown, doc);
	return r;
}

static int
judge_exact_paths(const struct index_view *view, const struct index_viewer *asks,
		  roaring_bitmap_t *shown)
{
	const struct column *column = column_called(view, "_index.path");
	uint32_t n_segments = (view->max_doc >> COLUMN_SEGMENT_SHIFT) + 1;
	struct column_slice slice;
	int r = 0;

	for (uint32_t segment = 0; column && segment < n_segments && r == 0; segment++) {
		uint32_t doc = segment << COLUMN_SEGMENT_SHIFT;
		uint32_t end = MIN((uint64_t)doc + COLUMN_SEGMENT_DOCS,
				   (uint64_t)view->max_doc + 1);

		column_slice(column, segment, &slice);
		for (; slice.form != COLUMN_ABSENT && doc < end && r == 0; doc++) {
			uint32_t code = column_slice_code(&slice, doc & COLUMN_PLACE_MASK);

			if (code)
				r = judge_exact(view, asks, doc,
						dict_text(column_dict(column), code), shown);
		}
	}
	return r;
}

/* VIEW with no more than SHOWN (taken). */
static int
restrict_view(struct index_view *view, roaring_bitmap_t *shown, uint64_t key,
	      struct index_view **ret_view)
{
	struct index_view *restricted = calloc(1, sizeof(*restricted));
	roaring_bitmap_t *live = restricted ? roaring_bitmap_and(view->live, shown) : NULL;

	if (!live) {
		roaring_bitmap_free(shown);
		free(restricted);
		return -ENOMEM;
	}
	/* Field by field: others take and drop references to VIEW meanwhile. */
	*restricted = (struct index_view){ .index = view->index,
					   .seq = view->seq,
					   .changed_ns = view->changed_ns,
					   .max_doc = view->max_doc,
					   .rows_ascend_to = view->rows_ascend_to,
					   .epoch = view->epoch,
					   .tables = view->tables,
					   .schema = view->schema };
	(void)roaring_bitmap_run_optimize(live);
	(void)roaring_bitmap_run_optimize(shown);
	atomic_init(&restricted->references, 1);
	restricted->live = live;
	restricted->shown = shown;
	restricted->count = roaring_bitmap_get_cardinality(live);
	restricted->viewer = key;
	atomic_fetch_add(&restricted->schema->references, 1);
	(void)epoch_ref(restricted->epoch);
	*ret_view = restricted;
	return 0;
}

/* With the viewer's lock held. */
static int
make_view(struct viewer *viewer, const struct index_viewer *asks, struct index_view *view,
	  struct index_view **ret_view)
{
	const struct column *column = column_called(view, "core.directory");
	uint32_t n_segments = (view->max_doc >> COLUMN_SEGMENT_SHIFT) + 1;
	roaring_bitmap_t *shown;
	int r = column ? update_verdicts(viewer, asks, view, column_dict(column)) : 0;

	if (r < 0)
		return r;
	shown = roaring_bitmap_create();
	if (!shown)
		return -ENOMEM;
	for (uint32_t segment = 0; column && segment < n_segments; segment++)
		add_segment(view, viewer, column, segment, shown);
	r = judge_exact_paths(view, asks, shown);
	if (r < 0) {
		roaring_bitmap_free(shown);
		return r;
	}
	return restrict_view(view, shown, viewer->key, ret_view);
}

/* --- Both together --- */

/* The view that was made for VIEW's generation, if its verdicts are still young. */
static struct index_view *
kept_view(struct visible *visible, const struct viewer *viewer, const struct index_view *view)
{
	struct index_view *kept = NULL;

	(void)pthread_mutex_lock(&visible->lock);
	if (viewer->view && viewer->view->seq == view->seq &&
	    viewer->view->schema == view->schema &&
	    pxs_clock_steady_ns() - viewer->view_asked_ns <= VERDICTS_NS)
		kept = index_view_ref(viewer->view);
	(void)pthread_mutex_unlock(&visible->lock);
	return kept;
}

static void
keep_view(struct visible *visible, struct viewer *viewer, struct index_view *view)
{
	struct index_view *before;

	(void)pthread_mutex_lock(&visible->lock);
	before = viewer->view;
	viewer->view = index_view_ref(view);
	viewer->view_asked_ns = viewer->asked_ns;
	(void)pthread_mutex_unlock(&visible->lock);
	index_view_put(before);
}

int
index_view_for(struct index *index, const struct index_viewer *asks, struct index_view **ret_view)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	struct visible *visible = index->visible;
	struct viewer *viewer;
	int r = viewer_get(visible, asks->key, &viewer);

	if (r < 0)
		return r;
	*ret_view = kept_view(visible, viewer, view);
	if (!*ret_view) {
		(void)pthread_mutex_lock(&viewer->lock);
		*ret_view = kept_view(visible, viewer, view); /* made while we waited */
		if (!*ret_view) {
			r = make_view(viewer, asks, view, ret_view);
			if (r == 0)
				keep_view(visible, viewer, *ret_view);
		}
		(void)pthread_mutex_unlock(&viewer->lock);
	}
	viewer_put(visible, viewer);
	return r;
}

struct index_view *
index_view_kept(struct index *index, uint64_t key)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	struct index_view *kept = NULL;
	struct viewer *viewer;

	if (viewer_get(index->visible, key, &viewer) < 0)
		return NULL;
	kept = kept_view(index->visible, viewer, view);
	viewer_put(index->visible, viewer);
	return kept;
}
