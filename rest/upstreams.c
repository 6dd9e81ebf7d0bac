/* GET /sync: how the upstream is; POST /sync: ask it now. */
#include "rest/upstreams.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/sync/sync.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

static void
write_time(struct pxs_json *json, const char *key, int64_t time_ns)
{
	pxs_json_key(json, key);
	if (time_ns)
		query_time_write(time_ns - time_ns % PXS_NS_PER_S, json);
	else
		pxs_json_null(json);
}

static int64_t
age_s(const struct sync_status *status)
{
	return MAX(INT64_C(0), (pxs_clock_now_ns() - status->success_ns) / PXS_NS_PER_S);
}

static void
write_errors(struct pxs_json *json, const struct sync_status *status)
{
	pxs_json_key(json, "errors");
	pxs_json_begin_object(json);
	for (int i = 0; i < SYNC_FAULTS; i++) {
		pxs_json_key(json, sync_fault_name((enum sync_fault)i));
		pxs_json_int(json, (int64_t)status->faults[i]);
	}
	pxs_json_end_object(json);
}

static void
write_status(struct pxs_json *json, const struct sync_status *status)
{
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {
		{ "documents", status->documents }, { "expected", status->expected },
		{ "pages", status->pages },	    { "received", status->received },
		{ "written", status->written },	    { "removed", status->removed },
	};

	pxs_json_begin_object(json);
	pxs_json_pair(json, "url", status->url);
	pxs_json_pair(json, "state", sync_state_name(status->state));
	pxs_json_pair(json, "reason", status->reason);
	write_time(json, "success", status->success_ns);
	pxs_json_key(json, "age_s");
	if (status->success_ns)
		pxs_json_int(json, age_s(status));
	else
		pxs_json_null(json);
	write_time(json, "next_attempt", status->attempt_ns);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		pxs_json_key(json, counts[i].key);
		pxs_json_int(json, (int64_t)counts[i].count);
	}
	write_errors(json, status);
	pxs_json_end_object(json);
}

void
upstreams_write(struct pxs_json *json, struct rest *rest)
{
	struct sync_status status;

	pxs_json_begin_array(json);
	if (rest->sync) {
		sync_status(rest->sync, &status);
		write_status(json, &status);
	}
	pxs_json_end_array(json);
}

static void
print_errors(const struct sync_status *status, struct pxs_buf *buf)
{
	const char *between = "          errors: ";

	for (int i = 0; i < SYNC_FAULTS; i++) {
		if (!status->faults[i])
			continue;
		pxs_buf_addf(buf, "%s%" PRIu64 " %s", between, status->faults[i],
			     sync_fault_name((enum sync_fault)i));
		between = ", ";
	}
	if (between[0] == ',')
		pxs_buf_add_char(buf, '\n');
}

void
upstreams_print(struct rest *rest, struct pxs_buf *buf)
{
	struct sync_status status;

	if (!rest->sync)
		return;
	sync_status(rest->sync, &status);
	pxs_buf_addf(buf, "upstream  %s, %s, %" PRIu64, status.url, sync_state_name(status.state),
		     status.documents);
	if (status.expected)
		pxs_buf_addf(buf, " of %" PRIu64, status.expected);
	pxs_buf_addf(buf, " documents in %" PRIu64 " pages", status.pages);
	if (status.success_ns)
		pxs_buf_addf(buf, ", in step %" PRId64 " s ago", age_s(&status));
	pxs_buf_add_char(buf, '\n');
	if (status.reason[0])
		pxs_buf_addf(buf, "          %s\n", status.reason);
	if (status.attempt_ns) {
		pxs_buf_add_str(buf, "          next attempt ");
		query_time_print(status.attempt_ns - status.attempt_ns % PXS_NS_PER_S, buf);
		pxs_buf_add_str(buf, " UTC\n");
	}
	print_errors(&status, buf);
}

/* --- Asked for alone --- */

static int
reply_upstreams(struct request *request, struct reply *reply)
{
	struct pxs_json json;

	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "upstreams");
	upstreams_write(&json, request->rest);
	pxs_json_end_object(&json);
	return reply->body.error;
}

int
handle_sync(struct request *request, struct reply *reply, struct pxs_error *err)
{
	(void)err;
	return reply_upstreams(request, reply);
}

int
handle_sync_now(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	int r = request_json(request, &body, err);
	bool confirm = json_is_true(json_object_get(body, "confirm"));

	if (r < 0)
		return r;
	if (!request->rest->sync)
		return pxs_error_set(err, -ENOENT, -1,
				     "this daemon follows no upstream; pxs daemon --upstream URL "
				     "starts one that does");
	if (confirm)
		pxs_log(PXS_LOG_INFO, "upstream: removals confirmed by %s (request %s)",
			request->who.user, request->id);
	sync_now(request->rest->sync, confirm);
	reply->status = 202;
	return reply_upstreams(request, reply);
}
