#include "index/ingest/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "index/index.h"
#include "index/ingest/batch.h"
#include "index/ingest/located.h"
#include "index/ingest/place.h"
#include "index/ingest/removal.h"
#include "index/ingest/walk.h"

struct job *
job_new(char *path, const struct ingest_request *request)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		free(path);
		return NULL;
	}
	job->path = path;
	job->allow_mass_removal = request->allow_mass_removal;
	job->forget = request->forget;
	job->state = INGEST_QUEUED;
	return job;
}

void
job_free(struct job *job)
{
	if (!job)
		return;
	free(job->path);
	free(job);
}

static int
scan(struct job *job, const struct job_tools *tools, const struct place *place,
     struct pxs_error *err)
{
	const struct walk_start start = { .path = place->start };
	struct scan_request request = {
		.index = tools->index,
		.catalogue = tools->catalogue,
		.mime = tools->mime,
		.source = place->source,
		.root = place->root,
		.starts = &start,
		.n_starts = 1,
		.allow_mass_removal = job->allow_mass_removal,
		.stop = tools->stop,
	};
	int r = 0;

	if (!request.source)
		r = index_source_add(tools->index, place->root, &request.source);
	return r < 0 ? r : scan_run(&request, &job->progress, err);
}

static int
forget(struct job *job, const struct job_tools *tools, const struct place *place,
       struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(tools->index);
	CLEANUP(index_hits) struct index_hits *documents = NULL;
	CLEANUP(batch) struct batch batch = { .index = tools->index };
	int r;

	r = located_in_source(view, tools->catalogue, place->source, &documents, err);
	if (r < 0)
		return r;
	atomic_store(&job->progress.expected, index_hits_count(documents));
	r = removal_remove_all(&batch, documents, tools->stop, &job->progress.removed, err);
	return r < 0 ? r : index_source_remove(tools->index, place->source);
}

int
job_run(struct job *job, const struct job_tools *tools, struct pxs_error *err)
{
	CLEANUP(place) struct place place = { 0 };
	int r;

	/* Again, as sources may have come and gone while it was queued. */
	r = place_find(tools->index, job->path, job->forget, &place, err);
	if (r >= 0)
		r = (job->forget ? forget : scan)(job, tools, &place, err);
	if (r < 0 && r != -ECANCELED)
		(void)pxs_error_set(err, r, -1, "cannot %s %s: %s",
				    job->forget ? "forget" : "ingest", job->path,
				    strerrordesc_np(-r));
	return r;
}

static void
copy_progress(const struct scan_progress *progress, struct ingest_status *status)
{
	status->seen = atomic_load(&progress->seen);
	status->expected = atomic_load(&progress->expected);
	status->added = atomic_load(&progress->added);
	status->changed = atomic_load(&progress->changed);
	status->renamed = atomic_load(&progress->renamed);
	status->removed = atomic_load(&progress->removed);
	status->unchanged = atomic_load(&progress->unchanged);
	status->failures = atomic_load(&progress->failures);
}

void
job_status(const struct job *job, struct ingest_status *ret_status)
{
	struct ingest_status status = {
		.job = job->number,
		.state = job->state,
		.eta_ns = -1,
		.error = job->err.code,
	};
	uint64_t done;

	copy_progress(&job->progress, &status);
	(void)snprintf(status.path, sizeof(status.path), "%s", job->path);
	(void)snprintf(status.reason, sizeof(status.reason), "%s", job->err.text);
	if (job->started_ns)
		status.elapsed_ns = (job->ended_ns ? job->ended_ns : pxs_clock_steady_ns()) -
				    job->started_ns;
	done = job->forget ? status.removed : status.seen;
	if (status.elapsed_ns > 0)
		status.rate = (double)done * PXS_NS_PER_S / (double)status.elapsed_ns;
	if (job->state == INGEST_RUNNING && status.expected > done && done > 0)
		status.eta_ns = (int64_t)((double)(status.expected - done) / status.rate *
					  PXS_NS_PER_S);
	*ret_status = status;
}
