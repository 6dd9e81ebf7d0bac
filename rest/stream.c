/* libmicrohttpd asks for bytes in the thread that serves all connections of a door, where nothing
 * may wait for the upstream. So the connection sleeps until a thread for readers has fetched the
 * next ones. */
#include "rest/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "index/sync/sync.h"
#include "rest/answer.h"
#include "rest/content.h"
#include "rest/request.h"
#include "rest/server.h"
#include "rest/work.h"

/* Fetched at a time, of which each connection holds one. */
#define PART_BYTES ((size_t)128 << 10)
/* What libmicrohttpd takes at a time, at most. */
#define BLOCK_BYTES ((size_t)32 << 10)

struct stream {
	struct request *request; /* lent, until the answer ends, which may be before we are freed */
	struct sync_content *content;
	struct work_item work;
	uint64_t start, len; /* of all, in the content */
	uint64_t at;	     /* where PART begins in that */
	size_t n;	     /* bytes in PART */
	int r;		     /* 0, or why there are no more */
	char part[PART_BYTES];
};

static void
fetch(struct work_item *item)
{
	struct stream *stream = container_of(item, struct stream, work);
	const struct request *request = stream->request;
	struct index_budget budget;
	struct pxs_error err = { 0 };

	content_budget(request, &budget);
	stream->r = sync_content_read(stream->content, stream->start + stream->at, stream->part,
				      MIN(PART_BYTES, stream->len - stream->at), &budget,
				      &stream->n, &err);
	if (stream->r == 0 && stream->n == 0)
		stream->r = -EREMOTEIO;
	if (stream->r < 0)
		pxs_log(PXS_LOG_DEBUG, "%s %s: the answer ends early: %s (request %s)",
			request->method, request->url, pxs_error_text(&err, stream->r),
			request->id);
	MHD_resume_connection(request->connection); /* neither is ours any more */
}

/* Let the connection sleep until the bytes at POS are there. What waits for others of its user is
 * not refused: its answer has begun. */
static void
fetch_later(struct stream *stream, uint64_t pos)
{
	struct request *request = stream->request;
	int r;

	stream->at = pos;
	stream->n = 0;
	stream->work = (struct work_item){ .user = answer_share(request),
					   .due_ns = 1,
					   .run = fetch };
	MHD_suspend_connection(request->connection);
	r = work_submit(request->rest->readers, &stream->work); /* not ours any more, if it is 0 */
	if (r < 0) {
		stream->r = r;
		MHD_resume_connection(request->connection);
	}
}

static ssize_t
on_more(void *context, uint64_t pos, char *bytes, size_t max)
{
	struct stream *stream = context;
	size_t n = 0;

	if (stream->r < 0 || atomic_load(&stream->request->rest->closing))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (pos - stream->at >= stream->n) {
		fetch_later(stream, pos);
		return 0;
	}
	n = MIN(max, stream->n - (size_t)(pos - stream->at));
	memcpy(bytes, stream->part + (pos - stream->at), n);
	return (ssize_t)n;
}

static void
stream_free(void *context)
{
	struct stream *stream = context;

	sync_content_close(stream->content);
	free(stream);
}

struct MHD_Response *
stream_new(struct sync_content *content, uint64_t start, uint64_t len, struct request *request)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	struct MHD_Response *response;

	if (!stream) {
		sync_content_close(content);
		return NULL;
	}
	stream->content = content;
	stream->request = request;
	stream->start = start;
	stream->len = len;
	response = MHD_create_response_from_callback(len, BLOCK_BYTES, on_more, stream,
						     stream_free);
	if (!response)
		stream_free(stream);
	return response;
}
