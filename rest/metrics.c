/* GET /metrics (Prometheus text format 0.0.4), /healthz and /readyz. */
#include "rest/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/route.h"
#include "rest/server.h"
#include "rest/status.h"

/* Upper bounds of the buckets. */
static const struct {
	int64_t ns;
	const char *seconds;
} BOUNDS[METRICS_BUCKETS] = {
	{ 250000, "0.00025" },		{ 1000000, "0.001" },
	{ 2500000, "0.0025" },		{ 10000000, "0.01" },
	{ 25000000, "0.025" },		{ 100000000, "0.1" },
	{ INT64_C(250000000), "0.25" }, { INT64_C(1000000000), "1" },
	{ INT64_C(2500000000), "2.5" }, { INT64_C(10000000000), "10" },
};

void
metrics_count(struct metrics *metrics, const struct route *route, unsigned int status,
	      int64_t elapsed_ns)
{
	size_t number = route ? (size_t)(route - route_at(0)) + 1 : 0;
	struct metrics_row *row = &metrics->rows[number < METRICS_ROUTES_MAX ? number : 0];
	size_t bucket = 0;

	while (bucket < METRICS_BUCKETS && elapsed_ns > BOUNDS[bucket].ns)
		bucket++;
	atomic_fetch_add_explicit(&row->statuses[(status / 100 - 1) % 5], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&row->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&row->total_ns, (uint64_t)elapsed_ns, memory_order_relaxed);
}

static uint64_t
load(const atomic_uint_fast64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static void
head(struct pxs_buf *buf, const char *name, const char *type, const char *help)
{
	pxs_buf_addf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Calls EACH for every row that has counted something. */
static void
for_rows(struct pxs_buf *buf, struct metrics *metrics,
	 void (*each)(struct pxs_buf *buf, const struct metrics_row *row, const char *labels))
{
	for (size_t i = 0; i < METRICS_ROUTES_MAX; i++) {
		const struct route *route = i ? route_at(i - 1) : NULL;
		CLEANUP(pxs_buf) struct pxs_buf labels = PXS_BUF_INIT;

		if (i && !route)
			return;
		pxs_buf_addf(&labels, "method=\"%s\",route=\"%s\"", route ? route->method : "",
			     route ? route->path : "none");
		each(buf, &metrics->rows[i], pxs_buf_text(&labels));
	}
}

static void
print_requests(struct pxs_buf *buf, const struct metrics_row *row, const char *labels)
{
	for (int i = 0; i < 5; i++)
		if (load(&row->statuses[i]))
			pxs_buf_addf(buf,
				     "pxs_http_requests_total{%s,status=\"%dxx\"} %" PRIu64 "\n",
				     labels, i + 1, load(&row->statuses[i]));
}

static void
print_durations(struct pxs_buf *buf, const struct metrics_row *row, const char *labels)
{
	uint64_t total_ns = load(&row->total_ns);
	uint64_t count = 0;

	if (!total_ns)
		return;
	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		count += load(&row->buckets[i]);
		pxs_buf_addf(buf,
			     "pxs_http_request_duration_seconds_bucket{%s,le=\"%s\"} %" PRIu64 "\n",
			     labels, i < METRICS_BUCKETS ? BOUNDS[i].seconds : "+Inf", count);
	}
	pxs_buf_addf(buf, "pxs_http_request_duration_seconds_sum{%s} %.9f\n", labels,
		     (double)total_ns / (double)PXS_NS_PER_S);
	pxs_buf_addf(buf, "pxs_http_request_duration_seconds_count{%s} %" PRIu64 "\n", labels,
		     count);
}

static void
gauge(struct pxs_buf *buf, const char *name, const char *help, uint64_t value)
{
	head(buf, name, "gauge", help);
	pxs_buf_addf(buf, "%s %" PRIu64 "\n", name, value);
}

static void
print_index(struct pxs_buf *buf, const struct rest *rest, const struct index_stats *stats)
{
	int64_t up_ns = pxs_clock_steady_ns() - rest->started_ns;

	gauge(buf, "pxs_documents", "Documents in the catalogue.", stats->documents);
	gauge(buf, "pxs_properties", "Properties declared.", stats->properties);
	gauge(buf, "pxs_change_seq", "Number of the newest change.", stats->seq);
	gauge(buf, "pxs_changed_timestamp_seconds", "Time of the newest change.",
	      (uint64_t)(stats->changed_ns / PXS_NS_PER_S));
	head(buf, "pxs_index_bytes", "gauge", "Size of a part of the index.");
	pxs_buf_addf(buf,
		     "pxs_index_bytes{part=\"record\"} %" PRIu64 "\n"
		     "pxs_index_bytes{part=\"words\"} %" PRIu64 "\n"
		     "pxs_index_bytes{part=\"columns\"} %" PRIu64 "\n",
		     stats->docs_bytes, stats->fts_bytes, stats->column_bytes);
	gauge(buf, "process_resident_memory_bytes", "Resident memory.", status_rss_bytes());
	gauge(buf, "process_start_time_seconds", "When this process began to serve.",
	      (uint64_t)((pxs_clock_now_ns() - up_ns) / PXS_NS_PER_S));
	head(buf, "pxs_build_info", "gauge", "Version.");
	pxs_buf_addf(buf, "pxs_build_info{version=\"%s\"} 1\n", PXS_VERSION);
}

int
handle_metrics(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct rest *rest = request->rest;
	struct pxs_buf *buf = &reply->body;
	struct index_stats stats;
	int r = index_stats(rest->index, &stats);

	(void)err;
	if (r == 0)
		r = request_count_documents(request, &stats.documents);
	if (r < 0)
		return r;
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
	print_index(buf, rest, &stats);
	head(buf, "pxs_http_requests_total", "counter", "Requests answered.");
	for_rows(buf, &rest->metrics, print_requests);
	head(buf, "pxs_http_request_duration_seconds", "histogram", "Time to an answer.");
	for_rows(buf, &rest->metrics, print_durations);
	return buf->error;
}

/* --- For those who watch --- */

int
handle_health(struct request *request, struct reply *reply, struct pxs_error *err)
{
	(void)request;
	(void)err;
	reply->type = REPLY_TEXT;
	pxs_buf_add_str(&reply->body, "ok\n");
	return reply->body.error;
}

/* Ready is who can answer and will do so for a while. */
int
handle_ready(struct request *request, struct reply *reply, struct pxs_error *err)
{
	if (atomic_load(&request->rest->closing))
		return reply_refuse(reply, MHD_HTTP_SERVICE_UNAVAILABLE, -EAGAIN, err,
				    "the daemon is about to end; try again later");
	reply->type = REPLY_TEXT;
	pxs_buf_add_str(&reply->body, "ready\n");
	return reply->body.error;
}
