#include "rest/jobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/macros.h"
#include "index/ingest/ingest.h"
#include "rest/handlers.h"
#include "rest/item.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

/* ingest/ remembers as many. */
#define JOBS_REMEMBERED 64

static const char *const STATES[] = {
	[INGEST_QUEUED] = "queued", [INGEST_RUNNING] = "running", [INGEST_DONE] = "done",
	[INGEST_FAILED] = "failed", [INGEST_STOPPED] = "stopped",
};

const char *
jobs_state_name(const struct ingest_status *status)
{
	return STATES[status->state];
}

static void
note_job(struct rest *rest, uint64_t job)
{
	uint64_t known = atomic_load(&rest->newest_job);

	while (job > known && !atomic_compare_exchange_weak(&rest->newest_job, &known, job))
		;
}

/* Numbers count up, so the newest is where asking for the next one finds nothing. */
uint64_t
jobs_newest(struct rest *rest)
{
	struct ingest_status status;
	uint64_t job;

	if (ingest_current(rest->ingest, &status) == 0)
		note_job(rest, status.job);
	job = atomic_load(&rest->newest_job);
	while (ingest_status(rest->ingest, job + 1, &status) == 0)
		job++;
	note_job(rest, job);
	return job;
}

static bool
has_ended(const struct ingest_status *status)
{
	return status->state != INGEST_QUEUED && status->state != INGEST_RUNNING;
}

int
jobs_last_ended(struct rest *rest, struct ingest_status *ret_status)
{
	uint64_t job = jobs_newest(rest);

	for (int i = 0; job > 0 && i < JOBS_REMEMBERED; i++, job--) {
		int r = ingest_status(rest->ingest, job, ret_status);

		if (r < 0)
			return r;
		if (has_ended(ret_status))
			return 0;
	}
	return -ENOENT;
}

void
jobs_write(struct pxs_json *json, const struct ingest_status *status)
{
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {
		{ "seen", status->seen },	    { "expected", status->expected },
		{ "added", status->added },	    { "changed", status->changed },
		{ "renamed", status->renamed },	    { "removed", status->removed },
		{ "unchanged", status->unchanged }, { "failures", status->failures },
	};

	pxs_json_begin_object(json);
	pxs_json_key(json, "job");
	pxs_json_int(json, (int64_t)status->job);
	pxs_json_pair(json, "state", jobs_state_name(status));
	reply_path(json, "path", status->path);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		pxs_json_key(json, counts[i].key);
		pxs_json_int(json, (int64_t)counts[i].count);
	}
	pxs_json_key(json, "rate");
	pxs_json_double(json, status->rate);
	pxs_json_key(json, "elapsed_s");
	pxs_json_double(json, (double)status->elapsed_ns / (double)PXS_NS_PER_S);
	pxs_json_key(json, "eta_s");
	if (status->eta_ns < 0)
		pxs_json_null(json);
	else
		pxs_json_double(json, (double)status->eta_ns / (double)PXS_NS_PER_S);
	if (status->state == INGEST_FAILED) {
		pxs_json_pair(json, "reason",
			      status->reason[0] ? status->reason : strerror(status->error));
	}
	pxs_json_end_object(json);
}

int
handle_jobs(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct rest *rest = request->rest;
	uint64_t job = jobs_newest(rest);
	struct ingest_status status;
	struct pxs_json json;

	(void)err;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "current");
	if (ingest_current(rest->ingest, &status) == 0)
		jobs_write(&json, &status);
	else
		pxs_json_null(&json);
	pxs_json_key(&json, "jobs"); /* newest first */
	pxs_json_begin_array(&json);
	for (int i = 0; job > 0 && i < JOBS_REMEMBERED; i++, job--)
		if (ingest_status(rest->ingest, job, &status) == 0)
			jobs_write(&json, &status);
	pxs_json_end_array(&json);
	pxs_json_end_object(&json);
	return reply->body.error;
}

static int
reply_job(const struct request *request, struct reply *reply, uint64_t job, struct pxs_error *err)
{
	struct ingest_status status;
	struct pxs_json json;
	int r = ingest_status(request->rest->ingest, job, &status);

	if (r < 0)
		return pxs_error_set(err, r, -1,
				     "there is no job %" PRIu64 "; the last %d are remembered", job,
				     JOBS_REMEMBERED);
	reply_begin(reply, request, REPLY_JSON, &json);
	jobs_write(&json, &status);
	return reply->body.error;
}

int
handle_job(struct request *request, struct reply *reply, struct pxs_error *err)
{
	int64_t job;
	int r = item_id_parse(pxs_buf_text(&request->tail), &job);

	if (r < 0)
		return pxs_error_set(err, r, -1, "there is no job %s",
				     pxs_buf_text(&request->tail));
	return reply_job(request, reply, (uint64_t)job, err);
}

int
handle_job_submit(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct ingest_request job_request = { 0 };
	uint64_t job;
	int r = request_json(request, &body, err);

	if (r == 0 && request->rest->sync)
		return pxs_error_set(
			err, -EPERM, -1,
			"this catalogue is an upstream's: it takes no files of its own");
	if (r == 0)
		r = request_json_path(body, "path", &path, err);
	if (r < 0)
		return r;
	job_request.path = pxs_buf_text(&path);
	job_request.allow_mass_removal = json_is_true(json_object_get(body, "allow_mass_removal"));
	job_request.forget = json_is_true(json_object_get(body, "forget"));
	r = ingest_submit(request->rest->ingest, &job_request, &job, err);
	if (r < 0)
		return r;

	note_job(request->rest, job);
	pxs_log(PXS_LOG_INFO, "job %" PRIu64 ": %s %s (request %s)", job,
		job_request.forget ? "forget" : "ingest", job_request.path, request->id);
	reply->status = 202;
	(void)snprintf(reply->location, sizeof(reply->location), "/ingest/%" PRIu64, job);
	return reply_job(request, reply, job, err);
}
