/* GET /status: how the catalogue is, as JSON for programs and as text for people, one from the same
 * facts as the other. */
#include "rest/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/ingest/ingest.h"
#include "rest/handlers.h"
#include "rest/jobs.h"
#include "rest/listener.h"
#include "rest/mounts.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/rest.h"
#include "rest/server.h"
#include "rest/upstreams.h"

struct facts {
	struct rest *rest;
	struct index_stats stats;
	struct index_source *sources;
	size_t n_sources;
	uint64_t failures; /* of all sources */
	uint64_t rss_bytes;
	int64_t uptime_s;
	bool has_job;
	bool has_ended_job;
	bool is_watching;
	char trouble[INGEST_TROUBLE_SIZE];
	struct ingest_status job;	/* running or queued */
	struct ingest_status ended_job; /* the newest that is over */
};

static void
facts_done(struct facts *facts)
{
	index_source_free(facts->sources, facts->n_sources);
}

static inline void
facts_cleanup(struct facts *facts)
{
	facts_done(facts);
}

uint64_t
status_rss_bytes(void)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/statm", "re");
	char line[128];
	char *pages;

	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	pages = strchr(line, ' '); /* the second number, proc(5) */
	return pages ? strtoull(pages, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static int
facts_gather(struct rest *rest, struct facts *facts)
{
	int r;

	*facts = (struct facts){ .rest = rest };
	r = index_stats(rest->index, &facts->stats);
	if (r == 0)
		r = index_source_list(rest->index, &facts->sources, &facts->n_sources);
	if (r < 0)
		return r;
	for (size_t i = 0; i < facts->n_sources; i++)
		facts->failures += facts->sources[i].failures;
	facts->rss_bytes = status_rss_bytes();
	facts->uptime_s = (pxs_clock_steady_ns() - rest->started_ns) / PXS_NS_PER_S;
	facts->has_job = ingest_current(rest->ingest, &facts->job) == 0;
	facts->is_watching = ingest_is_watching(rest->ingest);
	ingest_trouble(rest->ingest, facts->trouble);
	facts->has_ended_job = jobs_last_ended(rest, &facts->ended_job) == 0;
	return 0;
}

/* --- As JSON --- */

static void
write_time(struct pxs_json *json, const char *key, int64_t time_ns)
{
	pxs_json_key(json, key);
	if (time_ns)
		query_time_write(time_ns - time_ns % PXS_NS_PER_S, json);
	else
		pxs_json_null(json);
}

static void
write_counts(struct pxs_json *json, const struct facts *facts)
{
	const struct {
		const char *key;
		uint64_t count;
	} rows[] = {
		{ "pid", (uint64_t)getpid() },
		{ "uptime_s", (uint64_t)facts->uptime_s },
		{ "documents", facts->stats.documents },
		{ "versions", facts->stats.versions },
		{ "properties", facts->stats.properties },
		{ "seq", facts->stats.seq },
		{ "docs_bytes", facts->stats.docs_bytes },
		{ "fts_bytes", facts->stats.fts_bytes },
		{ "column_bytes", facts->stats.column_bytes },
		{ "rss_bytes", facts->rss_bytes },
		{ "failures", facts->failures },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pxs_json_key(json, rows[i].key);
		pxs_json_int(json, (int64_t)rows[i].count);
	}
}

static void
write_sources(struct pxs_json *json, const struct facts *facts)
{
	pxs_json_key(json, "sources");
	pxs_json_begin_array(json);
	for (size_t i = 0; i < facts->n_sources; i++) {
		pxs_json_begin_object(json);
		reply_path(json, "path", facts->sources[i].path);
		write_time(json, "scanned", facts->sources[i].scanned_ns);
		pxs_json_key(json, "failures");
		pxs_json_int(json, (int64_t)facts->sources[i].failures);
		pxs_json_end_object(json);
	}
	pxs_json_end_array(json);
}

static void
write_job(struct pxs_json *json, const char *key, bool is_there, const struct ingest_status *job)
{
	pxs_json_key(json, key);
	if (is_there)
		jobs_write(json, job);
	else
		pxs_json_null(json);
}

static void
write_json(struct pxs_json *json, const struct facts *facts)
{
	pxs_json_begin_object(json);
	pxs_json_pair(json, "version", PXS_VERSION);
	reply_path(json, "index", index_dir(facts->rest->index));
	reply_path(json, "socket", listener_path(facts->rest->servers[0].listener));
	pxs_json_key(json, "public");
	pxs_json_bool(json, facts->rest->public_readers);
	write_counts(json, facts);
	write_time(json, "changed", facts->stats.changed_ns);
	write_sources(json, facts);
	pxs_json_key(json, "watching");
	pxs_json_bool(json, facts->is_watching && !*facts->trouble);
	pxs_json_key(json, "trouble");
	if (*facts->trouble)
		pxs_json_string(json, facts->trouble);
	else
		pxs_json_null(json);
	pxs_json_key(json, "upstreams");
	upstreams_write(json, facts->rest);
	pxs_json_key(json, "mounts");
	mounts_write(json, facts->rest);
	write_job(json, "job", facts->has_job, &facts->job);
	write_job(json, "last_job", facts->has_ended_job, &facts->ended_job);
	pxs_json_end_object(json);
}

/* --- As text --- */

/* A line is a line, whatever the bytes of PATH are. */
static void
print_path(const char *path, struct pxs_buf *buf)
{
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			pxs_buf_addf(buf, "\\x%02x", (unsigned char)*c);
		else
			pxs_buf_add_char(buf, *c);
}

static void
print_bytes(const char *head, uint64_t bytes, struct pxs_buf *buf)
{
	static const char *const UNITS[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double number = (double)bytes;
	size_t unit = 0;

	while (number >= 1024 && unit + 1 < ARRAY_SIZE(UNITS)) {
		number /= 1024;
		unit++;
	}
	pxs_buf_addf(buf, "%s %.*f %s", head, unit ? 1 : 0, number, UNITS[unit]);
}

static void
print_duration(int64_t seconds, struct pxs_buf *buf)
{
	if (seconds < 120)
		pxs_buf_addf(buf, "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		pxs_buf_addf(buf, "%" PRId64 " min", seconds / 60);
	else
		pxs_buf_addf(buf, "%" PRId64 " h %" PRId64 " min", seconds / 3600,
			     seconds % 3600 / 60);
}

static void
print_index(const struct facts *facts, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "pxs %s, process %ld, up ", PXS_VERSION, (long)getpid());
	print_duration(facts->uptime_s, buf);
	pxs_buf_add_str(buf, "\nindex     ");
	print_path(index_dir(facts->rest->index), buf);
	pxs_buf_add_str(buf, "\nsocket    ");
	print_path(listener_path(facts->rest->servers[0].listener), buf);
	pxs_buf_addf(buf, "\ndocuments %" PRIu64 ", with %" PRIu64 " properties declared",
		     facts->stats.documents, facts->stats.properties);
	print_bytes("\nsize      record", facts->stats.docs_bytes, buf);
	print_bytes(", words", facts->stats.fts_bytes, buf);
	print_bytes(" on disk; columns", facts->stats.column_bytes, buf);
	print_bytes(", process", facts->rss_bytes, buf);
	pxs_buf_add_str(buf, " in memory\n");
}

static void
print_sources(const struct facts *facts, struct pxs_buf *buf)
{
	for (size_t i = 0; i < facts->n_sources; i++) {
		const struct index_source *source = &facts->sources[i];

		pxs_buf_add_str(buf, "source    ");
		print_path(source->path, buf);
		if (source->scanned_ns) {
			pxs_buf_add_str(buf, ", scanned ");
			query_time_print(source->scanned_ns - source->scanned_ns % PXS_NS_PER_S,
					 buf);
			pxs_buf_add_str(buf, " UTC");
		} else {
			pxs_buf_add_str(buf, ", not yet scanned whole");
		}
		if (source->failures)
			pxs_buf_addf(buf, ", %" PRIu64 " could not be read (pxs status --failed)",
				     source->failures);
		pxs_buf_add_char(buf, '\n');
	}
}

static void
print_watch(const struct facts *facts, struct pxs_buf *buf)
{
	if (facts->n_sources == 0)
		return;
	pxs_buf_add_str(buf, "watch     ");
	if (!facts->is_watching)
		pxs_buf_add_str(buf, "off: pxs ingest brings sources up to date");
	else if (*facts->trouble)
		pxs_buf_add_str(buf, facts->trouble);
	else
		pxs_buf_add_str(buf, "changes in sources are followed as they happen");
	pxs_buf_add_char(buf, '\n');
}

static void
print_mounts(const struct facts *facts, struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf list = PXS_BUF_INIT;
	const struct rest_control *control = facts->rest->control;

	if (control)
		control->mounts(control->context, &list);
	for (size_t at = 0; at < list.len; at += strlen(list.data + at) + 1) {
		pxs_buf_add_str(buf, "mount     ");
		print_path(list.data + at, buf);
		pxs_buf_add_char(buf, '\n');
	}
}

static void
print_job(const struct ingest_status *job, struct pxs_buf *buf)
{
	pxs_buf_addf(buf,
		     "now       %s: ", job->state == INGEST_QUEUED ? "waiting to read" : "reading");
	print_path(job->path, buf);
	pxs_buf_addf(buf, ": %" PRIu64, job->seen);
	if (job->expected)
		pxs_buf_addf(buf, " of about %" PRIu64, job->expected);
	pxs_buf_addf(buf, " entries, %.0f a second", job->rate);
	if (job->eta_ns >= 0) {
		pxs_buf_add_str(buf, ", ");
		print_duration(job->eta_ns / PXS_NS_PER_S, buf);
		pxs_buf_add_str(buf, " left");
	}
	pxs_buf_add_char(buf, '\n');
}

static void
print_ended_job(const struct ingest_status *job, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "last      %s: ", jobs_state_name(job));
	print_path(job->path, buf);
	if (job->state == INGEST_FAILED)
		pxs_buf_addf(buf, ": %s", job->reason);
	pxs_buf_addf(buf,
		     ": %" PRIu64 " added, %" PRIu64 " changed, %" PRIu64 " removed, %" PRIu64
		     " unchanged, %" PRIu64 " failed, in %.1f s\n",
		     job->added, job->changed, job->removed, job->unchanged, job->failures,
		     (double)job->elapsed_ns / (double)PXS_NS_PER_S);
}

static void
print_text(const struct facts *facts, struct pxs_buf *buf)
{
	print_index(facts, buf);
	print_sources(facts, buf);
	print_watch(facts, buf);
	upstreams_print(facts->rest, buf);
	print_mounts(facts, buf);
	if (facts->has_job)
		print_job(&facts->job, buf);
	if (facts->has_ended_job)
		print_ended_job(&facts->ended_job, buf);
}

void
rest_status_text(struct rest *rest, struct pxs_buf *buf)
{
	CLEANUP(facts) struct facts facts;
	int r = facts_gather(rest, &facts);

	if (r < 0)
		pxs_buf_addf(buf, "pxs %s: the index cannot be asked: %s\n", PXS_VERSION,
			     strerror(-r));
	else
		print_text(&facts, buf);
}

int
handle_status(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(facts) struct facts facts;
	struct pxs_json json;
	int r = facts_gather(request->rest, &facts);

	(void)err;
	if (r == 0)
		r = request_count_documents(request, &facts.stats.documents);
	if (r < 0)
		return r;
	if (request_prefers(request, "text/plain")) {
		reply->type = REPLY_TEXT;
		print_text(&facts, &reply->body);
	} else {
		reply_begin(reply, request, REPLY_JSON, &json);
		write_json(&json, &facts);
	}
	return reply->body.error;
}
