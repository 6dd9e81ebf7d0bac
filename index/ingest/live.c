#include "index/ingest/live.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/ingest/job.h"
#include "index/ingest/located.h"
#include "index/ingest/pathname.h"
#include "index/ingest/scan.h"
#include "index/ingest/sources.h"
#include "index/ingest/touched.h"
#include "index/ingest/walk.h"
#include "index/ingest/watch.h"

/* What comes alone comes soon; what comes with others, or goes on, is looked at once for all. */
#define SOON_NS (100 * PXS_NS_PER_MS)
#define WRITING_NS (2 * PXS_NS_PER_S)

/* Scans of all, after a loss or a failure, are at least so far apart. */
#define SCANS_APART_NS (60 * PXS_NS_PER_S)

/* Documents that go within so long are judged together: are they a mass? */
#define REMOVALS_NS (60 * PXS_NS_PER_S)

struct live {
	struct live_options options;
	struct watch *watch;
	int64_t removals_ns; /* when the count began */
	uint64_t n_removed;

	pthread_mutex_t mutex; /* of all below */
	struct touched touched;
	int64_t scan_ns; /* when all is to be scanned; INT64_MAX: never */
	int64_t scanned_ns;
	char trouble[INGEST_TROUBLE_SIZE];
};

/* --- What is told --- */

/* With the mutex held. */
static int64_t
due_ns(const struct live *live)
{
	return MIN(live->touched.due_ns ? live->touched.due_ns : INT64_MAX, live->scan_ns);
}

/* With the mutex held: all must be scanned, but not at once again. */
static void
want_scan(struct live *live)
{
	int64_t soonest = MAX(pxs_clock_steady_ns(), live->scanned_ns + SCANS_APART_NS);

	live->scan_ns = MIN(live->scan_ns, soonest);
}

static void
on_changed(void *context, const char *path, bool deep, bool is_writing)
{
	struct live *live = context;
	int64_t now = pxs_clock_steady_ns();
	int64_t before;
	bool is_nearer;

	(void)pthread_mutex_lock(&live->mutex);
	before = due_ns(live);
	if (touched_add(&live->touched, path, deep, now + (is_writing ? WRITING_NS : SOON_NS)) <
	    0) {
		touched_clear(&live->touched);
		want_scan(live);
	}
	is_nearer = due_ns(live) < before;
	(void)pthread_mutex_unlock(&live->mutex);
	if (is_nearer)
		live->options.wake(live->options.context);
}

static void
on_lost(void *context)
{
	struct live *live = context;

	(void)pthread_mutex_lock(&live->mutex);
	want_scan(live);
	(void)pthread_mutex_unlock(&live->mutex);
	live->options.wake(live->options.context);
}

static const struct watch_ops WATCH_OPS = { .changed = on_changed, .lost = on_lost };

int64_t
live_due_ns(struct live *live)
{
	int64_t due;

	(void)pthread_mutex_lock(&live->mutex);
	due = due_ns(live);
	(void)pthread_mutex_unlock(&live->mutex);
	return due;
}

/* --- Troubles --- */

static void
set_trouble(struct live *live, const char *trouble)
{
	bool is_news;

	(void)pthread_mutex_lock(&live->mutex);
	is_news = *trouble && strcmp(live->trouble, trouble) != 0;
	(void)snprintf(live->trouble, sizeof(live->trouble), "%s", trouble);
	(void)pthread_mutex_unlock(&live->mutex);
	if (is_news)
		pxs_log(PXS_LOG_WARNING, "%s", trouble);
}

void
live_trouble(struct live *live, char trouble[INGEST_TROUBLE_SIZE])
{
	(void)pthread_mutex_lock(&live->mutex);
	memcpy(trouble, live->trouble, INGEST_TROUBLE_SIZE);
	(void)pthread_mutex_unlock(&live->mutex);
}

/* --- Sources --- */

static int
follow(struct live *live, const char *also, struct pxs_error *err)
{
	CLEANUP(sources) struct sources sources = { 0 };
	CLEANUP(free) const char **roots = NULL;
	size_t n = 0;
	int r = index_source_list(live->options.tools->index, &sources.items, &sources.n);

	if (r < 0)
		return r;
	roots = calloc(sources.n + 1, sizeof(*roots));
	if (!roots)
		return -ENOMEM;
	for (size_t i = 0; i < sources.n; i++)
		roots[n++] = sources.items[i].path;
	if (also)
		roots[n++] = also;
	return watch_follow(live->watch, roots, n, err);
}

void
live_follow(struct live *live, const char *also)
{
	struct pxs_error err = { 0 };
	int r = live->watch ? follow(live, also, &err) : 0;

	if (!live->watch)
		return;
	(void)pxs_error_set(r < 0 ? &err : NULL, r, -1, "cannot watch the sources: %s",
			    strerrordesc_np(-r));
	set_trouble(live, err.text);
}

/* --- Looking --- */

static uint64_t
removed_lately(struct live *live)
{
	int64_t now = pxs_clock_steady_ns();

	if (now - live->removals_ns > REMOVALS_NS) {
		live->removals_ns = now;
		live->n_removed = 0;
	}
	return live->n_removed;
}

static void
scan_places(struct live *live, const struct index_source *source, const struct walk_start *starts,
	    size_t n_starts)
{
	const struct job_tools *tools = live->options.tools;
	const struct scan_request request = {
		.index = tools->index,
		.catalogue = tools->catalogue,
		.mime = tools->mime,
		.source = source->id,
		.root = source->path,
		.starts = starts,
		.n_starts = n_starts,
		.removed_before = removed_lately(live),
		.stop = tools->stop,
	};
	struct scan_progress progress = { 0 };
	struct pxs_error err = { 0 };
	int r = scan_run(&request, &progress, &err);

	live->n_removed += atomic_load(&progress.removed);
	if (r == 0 || r == -ECANCELED)
		return;
	set_trouble(live, err.text);
	if (r == -EPERM)
		return; /* it is a mass, and somebody's word is asked for */
	(void)pthread_mutex_lock(&live->mutex);
	want_scan(live);
	(void)pthread_mutex_unlock(&live->mutex);
}

/* PATH relative to the folder of SOURCE; NULL: it is not below it. */
static const char *
below(const struct index_source *source, const char *path)
{
	size_t root_len = strcmp(source->path, "/") != 0 ? strlen(source->path) : 0;

	return pathname_within(path, source->path) && path[root_len] ? path + root_len + 1 : NULL;
}

/* Those of N places (by path) that are below SOURCE. */
static size_t
collect_starts(const struct index_source *source, struct touched_place *const *places, size_t n,
	       struct walk_start *starts)
{
	size_t n_starts = 0;

	for (size_t i = 0; i < n; i++) {
		const char *path = below(source, places[i]->path);

		if (path)
			starts[n_starts++] = (struct walk_start){ .path = path,
								  .shallow = !places[i]->deep };
	}
	return n_starts;
}

static int
look_at(struct live *live, struct touched_place *const *places, size_t n)
{
	CLEANUP(sources) struct sources sources = { 0 };
	CLEANUP(free) struct walk_start *starts = calloc(n, sizeof(*starts));
	int r = starts ? 0 : -ENOMEM;

	if (r == 0)
		r = index_source_list(live->options.tools->index, &sources.items, &sources.n);
	for (size_t i = 0; i < sources.n && r == 0; i++) {
		size_t n_starts = collect_starts(&sources.items[i], places, n, starts);

		r = located_prune(starts, n_starts, &n_starts);
		if (r == 0 && n_starts > 0)
			scan_places(live, &sources.items[i], starts, n_starts);
	}
	return r;
}

/* What is due: all, if *RET_SCAN_ALL; places else. */
static int
take(struct live *live, struct touched_place ***ret_places, size_t *ret_n, bool *ret_scan_all)
{
	int64_t now = pxs_clock_steady_ns();
	int r = 0;

	(void)pthread_mutex_lock(&live->mutex);
	*ret_scan_all = live->scan_ns <= now;
	if (*ret_scan_all) {
		touched_clear(&live->touched);
		live->scanned_ns = now;
		live->scan_ns = live->options.rescan_ns ? now + live->options.rescan_ns : INT64_MAX;
	} else {
		r = touched_take(&live->touched, now, ret_places, ret_n);
	}
	(void)pthread_mutex_unlock(&live->mutex);
	return r;
}

void
live_look(struct live *live, bool *ret_scan_all)
{
	struct touched_place **places = NULL;
	size_t n = 0;
	int r = take(live, &places, &n, ret_scan_all);

	if (r == 0 && n > 0)
		r = look_at(live, places, n);
	touched_free(places, n);
	if (r == 0)
		return;
	(void)pthread_mutex_lock(&live->mutex);
	want_scan(live);
	(void)pthread_mutex_unlock(&live->mutex);
}

/* --- The whole --- */

int
live_new(const struct live_options *options, struct live **ret_live)
{
	struct live *live = calloc(1, sizeof(*live));
	struct pxs_error err = { 0 };

	if (!live)
		return -ENOMEM;
	live->options = *options;
	live->scanned_ns = pxs_clock_steady_ns();
	live->scan_ns = options->rescan_ns ? live->scanned_ns + options->rescan_ns : INT64_MAX;
	(void)pthread_mutex_init(&live->mutex, NULL);
	if (watch_new(&WATCH_OPS, live, index_dir(options->tools->index), &live->watch, &err) < 0)
		set_trouble(live, *err.text ? err.text : "cannot watch for changes");
	*ret_live = live;
	return 0;
}

void
live_free(struct live *live)
{
	if (!live)
		return;
	watch_free(live->watch);
	touched_clear(&live->touched);
	(void)pthread_mutex_destroy(&live->mutex);
	free(live);
}
