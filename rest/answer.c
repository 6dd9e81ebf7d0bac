#include "rest/answer.h"

#include <errno.h>
#include <string.h>

#include <microhttpd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "rest/door.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/route.h"
#include "rest/server.h"
#include "rest/work.h"

/* A failure of ours or of the system is logged, here and nowhere else; a client's fault is not. */
static void
log_failure(const struct request *request, int r, const struct pxs_error *err)
{
	unsigned int status = request->reply.status;
	enum pxs_log_level level = status == 500 || status == 507 ? PXS_LOG_ERROR : PXS_LOG_DEBUG;

	pxs_log(level, "%s %s: %s (request %s)", request->method, request->url,
		pxs_error_text(err, r), request->id);
}

static void
fail(struct request *request, unsigned int status, int r, const struct pxs_error *err)
{
	reply_fail(&request->reply, request, request->url, status, r, err);
	log_failure(request, r, err);
}

static void
answer_no_route(struct request *request, int r)
{
	struct reply *reply = &request->reply;
	struct pxs_error err = { 0 };

	if (r == -EOPNOTSUPP)
		reply->allow = pxs_buf_text(&request->allowed);
	if (r == -EOPNOTSUPP && strcmp(request->method, "OPTIONS") == 0) {
		reply->status = MHD_HTTP_NO_CONTENT;
		return;
	}
	if (r == -EOPNOTSUPP)
		(void)pxs_error_set(&err, r, -1, "%s is not possible here, only %s",
				    request->method, reply->allow);
	else
		(void)pxs_error_set(&err, r, -1, "there is nothing at this path");
	reply_fail(reply, request, request->url,
		   r == -EOPNOTSUPP ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND, r, &err);
}

static void
run_route(struct request *request)
{
	struct pxs_error err = { 0 };
	int r = request->route->handle(request, &request->reply, &err);

	if (r == -ETIMEDOUT || r == -ECANCELED)
		(void)pxs_error_set(&err, r, -1,
				    "the search took more than %d s; narrow it, or try again",
				    REQUEST_TIME_MAX_S);
	if (r < 0)
		fail(request, request->reply.refusal, r, &err);
}

bool
answer(struct request *request)
{
	struct pxs_error err = { 0 };
	int r;

	request_identify(request);
	r = request_check_framing(request, &err);
	if (r < 0) {
		request->reply.ends_connection = true;
		fail(request, 0, r, &err);
		return true;
	}
	r = route_find(request->method, request->url, &request->route, &request->tail,
		       &request->allowed);
	if (r < 0) {
		answer_no_route(request, r);
		return true;
	}
	r = door_admit(request, request->route->rights, &request->reply, &err);
	if (r == 0)
		r = request_check(request, &err);
	if (r < 0) {
		fail(request, request->reply.refusal, r, &err);
		return true;
	}
	if (request->route->pace != ROUTE_QUICK ||
	    (request->route->rights && !request_sees_at_once(request)))
		return false;
	run_route(request);
	return true;
}

/* --- In another thread --- */

static void
work_on(struct work_item *item)
{
	struct request *request = container_of(item, struct request, work);

	run_route(request);
	MHD_resume_connection(request->connection); /* the request is not ours any more */
}

/* Whose share of the threads it takes: operators have no limit. */
static uint64_t
share_of(const struct auth_principal *who)
{
	if (who->rights & AUTH_OPERATE)
		return 0;
	return XXH3_64bits(who->user, strlen(who->user)) | 1;
}

void
answer_later(struct request *request)
{
	struct rest *rest = request->rest;
	struct work *work = request->route->pace == ROUTE_WAITS ? rest->waits : rest->searches;
	struct pxs_error err = { 0 };
	int r;

	request->work = (struct work_item){ .user = share_of(&request->who), .run = work_on };
	r = work_submit(work, &request->work);
	if (r == 0)
		return;
	(void)pxs_error_set(&err, r, -1,
			    r == -EBUSY ? "too many of your requests wait for an answer; try again "
					  "when they have one"
					: "too many requests wait for an answer; try again later");
	fail(request, r == -EBUSY ? MHD_HTTP_TOO_MANY_REQUESTS : MHD_HTTP_SERVICE_UNAVAILABLE, r,
	     &err);
	MHD_resume_connection(request->connection);
}
