#include "rest/answer.h"

#include <errno.h>
#include <string.h>

#include <microhttpd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "rest/door.h"
#include "rest/peer.h"
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

/* Why the time of a request ended, which the index does not know. */
static void
explain_end(const struct request *request, int r, struct pxs_error *err)
{
	*err = (struct pxs_error){ 0 };
	if (r == -ETIMEDOUT)
		(void)pxs_error_set(err, r, -1,
				    "the search took more than %d s; narrow it, or try again",
				    REQUEST_TIME_MAX_S);
	else if (atomic_load(&request->rest->closing))
		(void)pxs_error_set(err, r, -1, "the daemon is ending; try again later");
	else
		(void)pxs_error_set(err, r, -1,
				    "the connection ended before the search did; keep its sending "
				    "half open until the answer is there");
}

static void
run_route(struct request *request)
{
	struct pxs_error err = { 0 };
	int r = request->route->handle(request, &request->reply, &err);

	if ((r == -ECANCELED || r == -ETIMEDOUT) && !request->reply.refusal)
		explain_end(request, r, &err);
	if (r < 0)
		fail(request, request->reply.refusal, r, &err);
}

bool
answer_early(struct request *request)
{
	struct pxs_error err = { 0 };
	int r;

	request_identify(request);
	r = request_check_header(request, &err);
	if (r < 0) {
		fail(request, 0, r, &err);
		request->reply.last = true;
	}
	return r < 0;
}

bool
answer(struct request *request)
{
	struct pxs_error err = { 0 };
	int r = route_find(request->method, request->url, &request->route, &request->tail,
			   &request->allowed);
	if (r == 0 && request->server->only_logins && !route_is_for_logins(request->route))
		r = -ENOENT;

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
deliver(struct work_item *item)
{
	struct request *request = container_of(item, struct request, work);

	MHD_resume_connection(request->connection); /* the request is not ours any more */
}

/* At once, or when it may be: no thread waits for that. */
static void
deliver_in_time(struct request *request)
{
	request->work = (struct work_item){ .due_ns = request->hold_until_ns, .run = deliver };
	if (!request->hold_until_ns || work_submit(request->rest->logins, &request->work) < 0)
		deliver(&request->work);
}

static void
work_on(struct work_item *item)
{
	struct request *request = container_of(item, struct request, work);

	run_route(request);
	deliver_in_time(request);
}

/* Operators have no limit, and of those who are not known yet, as they log in, each address has a
 * share. */
uint64_t
answer_share(const struct request *request)
{
	char from[PEER_SIZE];
	const char *name = request->who.user;

	if (request->who.rights & AUTH_OPERATE)
		return 0;
	if (!*name) {
		peer_address(request, from);
		name = from;
	}
	return XXH3_64bits(name, strlen(name)) | 1;
}

static struct work *
work_for(const struct request *request)
{
	switch (request->route->pace) {
	case ROUTE_READS:
		return request->rest->readers;
	case ROUTE_WAITS:
		return request->rest->waits;
	case ROUTE_LOGS_IN:
		return request->rest->logins;
	default:
		return request->rest->searches;
	}
}

void
answer_later(struct request *request)
{
	struct pxs_error err = { 0 };
	int r;

	request->work = (struct work_item){ .user = answer_share(request), .run = work_on };
	r = work_submit(work_for(request), &request->work);
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
