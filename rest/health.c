/* GET /failures, GET /check, POST /repair: what could not be read, and whether the index is sound.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "index/index.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

#define FAILURES_PER_PAGE 1000
#define FAILURE_PAGES_MAX UINT64_C(1000000)

static void
write_failure(struct pxs_json *json, const struct index_failure *failure)
{
	CLEANUP(pxs_buf) struct pxs_buf time = PXS_BUF_INIT;

	query_time_print(failure->time_ns - failure->time_ns % PXS_NS_PER_S, &time);
	pxs_json_begin_object(json);
	reply_path(json, "path", failure->path);
	pxs_json_pair(json, "reason", failure->reason);
	pxs_json_key(json, "time");
	pxs_json_stringn(json, pxs_buf_text(&time), time.len);
	pxs_json_end_object(json);
}

int
handle_failures(struct request *request, struct reply *reply, struct pxs_error *err)
{
	uint64_t page = request_param_count(request, "page", 1, FAILURE_PAGES_MAX);
	struct index_failure *failures = NULL;
	struct pxs_json json;
	size_t n = 0;
	/* One more than is shown: is there another page? */
	int r = index_failure_list(request->rest->index, (page - 1) * FAILURES_PER_PAGE,
				   FAILURES_PER_PAGE + 1, &failures, &n);

	(void)err;
	if (r < 0)
		return r;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "page");
	pxs_json_int(&json, (int64_t)page);
	pxs_json_key(&json, "next");
	if (n > FAILURES_PER_PAGE)
		pxs_json_int(&json, (int64_t)page + 1);
	else
		pxs_json_null(&json);
	pxs_json_key(&json, "failures");
	pxs_json_begin_array(&json);
	for (size_t i = 0; i < MIN(n, (size_t)FAILURES_PER_PAGE); i++)
		write_failure(&json, &failures[i]);
	pxs_json_end_array(&json);
	pxs_json_end_object(&json);
	index_failure_free(failures, n);
	return reply->body.error;
}

static int
answer_check(struct request *request, struct reply *reply)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	struct pxs_json json;
	int r = index_check(request->rest->index, &report);

	if (r < 0)
		return r;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "sound");
	pxs_json_bool(&json, r == 0);
	pxs_json_key(&json, "faults");
	pxs_json_begin_array(&json);
	for (const char *line = pxs_buf_text(&report); *line;) {
		size_t len = strcspn(line, "\n");

		if (len)
			pxs_json_stringn(&json, line, len);
		line += len + (line[len] == '\n');
	}
	pxs_json_end_array(&json);
	pxs_json_end_object(&json);
	return reply->body.error;
}

int
handle_check(struct request *request, struct reply *reply, struct pxs_error *err)
{
	(void)err;
	return answer_check(request, reply);
}

/* Whoever asked may have gone, but half a repair would be none. */
int
handle_repair(struct request *request, struct reply *reply, struct pxs_error *err)
{
	int r = index_compact(request->rest->index, NULL);

	/* What docs.db lacks or cannot give, the check tells. */
	if (r < 0 && r != -EBADMSG)
		return pxs_error_set(err, r, -1, "cannot make the index anew: %s", strerror(-r));
	return answer_check(request, reply);
}
