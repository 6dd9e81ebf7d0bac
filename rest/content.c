/* GET /files/{id}/content: the bytes of the file behind a document, opened with the rights of
 * whoever asks, if it still is the file that was indexed. */
#include "rest/content.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <microhttpd.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "index/index.h"
#include "index/sync/sync.h"
#include "rest/handlers.h"
#include "rest/item.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

/* --- Ranges --- */

/* Digits only; what does not fit is as good as the largest. False: there are none. */
static bool
read_number(const char **at, uint64_t *ret)
{
	const char *text = *at;
	uint64_t number = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(**at - '0'), &number))
			number = UINT64_MAX;
	*ret = number;
	return *at != text;
}

enum content_range
content_range_parse(const char *header, uint64_t size, uint64_t *ret_start, uint64_t *ret_len)
{
	static const char UNIT[] = "bytes=";
	const char *at = header + sizeof(UNIT) - 1;
	uint64_t first = 0;
	uint64_t last = UINT64_MAX;
	bool has_first, has_last;

	if (strncasecmp(header, UNIT, sizeof(UNIT) - 1) != 0)
		return CONTENT_WHOLE;
	has_first = read_number(&at, &first);
	if (*at++ != '-')
		return CONTENT_WHOLE;
	has_last = read_number(&at, &last);
	if (*at || (!has_first && !has_last) || (has_first && has_last && last < first))
		return CONTENT_WHOLE;
	if (!has_first) { /* the last so many */
		first = size - MIN(size, last);
		has_last = false;
	}
	if (first >= size)
		return CONTENT_UNSATISFIABLE;
	*ret_start = first;
	*ret_len = (has_last ? MIN(last, size - 1) : size - 1) - first + 1;
	return CONTENT_PART;
}

/* A range is of one version of the file: If-Range must name it, by etag or date. */
static bool
range_holds(const struct request *request, const struct reply *reply)
{
	const char *value = request_header(request, MHD_HTTP_HEADER_IF_RANGE);
	int64_t time_ns;

	if (!value)
		return true;
	if (strchr(value, '"'))
		return strncmp(value, "W/", 2) != 0 && item_etag_matches(value, reply->etag);
	return reply_date_parse(value, &time_ns) == 0 &&
	       time_ns / PXS_NS_PER_S == reply->modified_ns / PXS_NS_PER_S;
}

static int
take_range(const struct request *request, struct reply *reply, uint64_t size, struct pxs_error *err)
{
	const char *header = request_header(request, MHD_HTTP_HEADER_RANGE);

	reply->file_len = size;
	if (!header || !range_holds(request, reply))
		return 0;
	switch (content_range_parse(header, size, &reply->file_start, &reply->file_len)) {
	case CONTENT_WHOLE:
		return 0;
	case CONTENT_PART:
		reply->status = MHD_HTTP_PARTIAL_CONTENT;
		(void)snprintf(reply->range, sizeof(reply->range),
			       "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, reply->file_start,
			       reply->file_start + reply->file_len - 1, size);
		return 0;
	case CONTENT_UNSATISFIABLE:
		break;
	}
	(void)snprintf(reply->range, sizeof(reply->range), "bytes */%" PRIu64, size);
	return pxs_error_set(err, -ERANGE, -1, "the file has only %" PRIu64 " bytes", size);
}

/* --- The file, here --- */

/* What lies at its path is not it. */
static bool
is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENXIO || r == -ESTALE;
}

static int
explain(int r, struct pxs_error *err)
{
	if (is_missing(r))
		return pxs_error_set(err, -ENOENT, -1,
				     "the file was removed, renamed or replaced since it was "
				     "indexed");
	if (r == -EACCES || r == -EPERM)
		return pxs_error_set(err, -EACCES, -1, "you may not read this file");
	return pxs_error_set(err, r, -1, "the file cannot be opened: %s", strerror(-r));
}

static int
open_here(const struct request *request, const struct index_view *view, uint32_t doc,
	  const char *path, struct reply *reply)
{
	CLEANUP(close) int fd = auth_open_as(&request->who.caller, path, O_RDONLY | O_NONBLOCK);
	struct stat st = { 0 };

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!index_doc_is_file(view, doc, fd, &st))
		return -ESTALE;
	reply->file_len = (uint64_t)st.st_size;
	reply->modified_ns = st.st_mtim.tv_sec * PXS_NS_PER_S + st.st_mtim.tv_nsec;
	(void)snprintf(reply->etag, sizeof(reply->etag), "%" PRIx64 "-%" PRIx64,
		       (uint64_t)reply->modified_ns, (uint64_t)st.st_size);
	reply->fd = STEAL_FD(fd);
	return 0;
}

/* --- The file, at the upstream --- */

/* It may take longer than a search. */
#define THERE_TIME_MAX_S 30

void
content_budget(const struct request *request, struct index_budget *ret_budget)
{
	request_budget(request, ret_budget);
	ret_budget->deadline_ns = pxs_clock_steady_ns() + THERE_TIME_MAX_S * PXS_NS_PER_S;
}

/* There we are who --user names, with his rights: for those who may do here what root may. */
static int
open_there(const struct request *request, const struct index_view *view, uint32_t doc,
	   struct reply *reply, struct pxs_error *err)
{
	struct index_budget budget;
	struct pxs_error why = { 0 };
	int r;

	if (!(request->who.rights & AUTH_OPERATE))
		return pxs_error_set(err, -EACCES, -1,
				     "the file does not lie here, and what the upstream has only "
				     "those may read who have the right operate");
	content_budget(request, &budget);
	r = sync_content_open(request->rest->sync, index_doc_id(view, doc), &budget, &reply->there,
			      &why);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		return pxs_error_set(err, r == -ETIMEDOUT ? -EAGAIN : r, -1,
				     "the file does not lie here, and %.150s",
				     pxs_error_text(&why, r));
	reply->file_len = sync_content_size(reply->there);
	reply->modified_ns = sync_content_modified_ns(reply->there);
	(void)snprintf(reply->etag, sizeof(reply->etag), "%s", sync_content_etag(reply->there));
	return 0;
}

/* --- Both --- */

static int
open_file(const struct request *request, const struct index_view *view, uint32_t doc,
	  struct reply *reply, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	int r;

	if (!index_doc_path(view, doc, &path))
		return pxs_error_set(err, -ENOENT, -1, "this document has no file here");
	if (path.error)
		return path.error;
	r = open_here(request, view, doc, pxs_buf_text(&path), reply);
	if (is_missing(r) && request->rest->sync)
		return open_there(request, view, doc, reply, err);
	return r < 0 ? explain(r, err) : 0;
}

static const char *
type_of(const struct index_view *view, uint32_t doc)
{
	const struct query_property *type = query_schema_find(index_view_schema(view),
							      "core.mimetype");
	struct query_value value;

	return type && index_doc_value(view, doc, type, &value) ? value.string
								: "application/octet-stream";
}

int
handle_content(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	uint32_t doc = 0;
	int r = request_view(request, &view);

	if (r == 0)
		r = item_find(request, view, &doc, err);
	if (r == 0)
		r = open_file(request, view, doc, reply, err);
	if (r < 0)
		return r;
	if (!request->view)
		request->view = index_view_ref(view); /* which lends the type */
	reply->type = type_of(view, doc);
	if (item_is_known(request, reply)) {
		reply->status = MHD_HTTP_NOT_MODIFIED;
		reply->file_len = 0;
		return 0;
	}
	return take_range(request, reply, reply->file_len, err);
}
