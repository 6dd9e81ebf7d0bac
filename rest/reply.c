#include "rest/reply.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "rest/request.h"
#include "rest/stream.h"

#define INDENT_PRETTY 4
#define RETRY_AFTER_S "2"

/* The one place where an errno becomes a status. What is not here is 500. */
static const struct {
	int error;
	unsigned int status;
} STATUSES[] = {
	{ EINVAL, MHD_HTTP_BAD_REQUEST },
	{ ENAMETOOLONG, MHD_HTTP_BAD_REQUEST },
	{ EILSEQ, MHD_HTTP_BAD_REQUEST },
	{ ENOTDIR, MHD_HTTP_BAD_REQUEST },
	{ ENOTEMPTY, MHD_HTTP_BAD_REQUEST },
	{ EEXIST, MHD_HTTP_BAD_REQUEST },
	{ EACCES, MHD_HTTP_FORBIDDEN },
	{ EPERM, MHD_HTTP_FORBIDDEN },
	{ EROFS, MHD_HTTP_FORBIDDEN },
	{ ENOENT, MHD_HTTP_NOT_FOUND },
	{ EBUSY, MHD_HTTP_CONFLICT },
	{ ESTALE, MHD_HTTP_GONE },
	{ EMSGSIZE, MHD_HTTP_CONTENT_TOO_LARGE },
	{ E2BIG, MHD_HTTP_URI_TOO_LONG },
	{ EOVERFLOW, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE },
	{ ERANGE, MHD_HTTP_RANGE_NOT_SATISFIABLE },
	{ EOPNOTSUPP, MHD_HTTP_NOT_IMPLEMENTED },
	{ ETIMEDOUT, MHD_HTTP_SERVICE_UNAVAILABLE },
	{ EHOSTUNREACH, MHD_HTTP_BAD_GATEWAY },
	{ EREMOTEIO, MHD_HTTP_BAD_GATEWAY },
	{ EPROTO, MHD_HTTP_BAD_GATEWAY },
	{ ECANCELED, MHD_HTTP_SERVICE_UNAVAILABLE },
	{ EAGAIN, MHD_HTTP_SERVICE_UNAVAILABLE },
	{ ENOSPC, MHD_HTTP_INSUFFICIENT_STORAGE },
};

const char *
reply_reason(unsigned int status)
{
	return MHD_get_reason_phrase_for(status);
}

unsigned int
reply_status_of(int r)
{
	for (size_t i = 0; i < ARRAY_SIZE(STATUSES); i++)
		if (STATUSES[i].error == -r)
			return STATUSES[i].status;
	return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void
reply_begin(struct reply *reply, const struct request *request, const char *type,
	    struct pxs_json *ret_json)
{
	bool plain = strcmp(type, REPLY_COLLECTION) == 0 && request_prefers(request, REPLY_JSON);

	reply->type = plain ? REPLY_JSON : type;
	pxs_json_init(ret_json, &reply->body, request_param(request, "pretty") ? INDENT_PRETTY : 0);
}

/* spec/pixstor.md 1.3: title, code and message are documented; `parameter` and `at` (the byte in
 * it where parsing stopped) and `request` (its id in the log) are ours. */
static void
write_error(struct pxs_json *json, const struct request *request, unsigned int status,
	    const char *message, const struct pxs_error *err)
{
	char code[16];

	(void)snprintf(code, sizeof(code), "%u", status);
	pxs_json_key(json, "error");
	pxs_json_begin_object(json);
	pxs_json_pair(json, "title", "Error");
	pxs_json_pair(json, "code", code);
	pxs_json_pair(json, "message", message);
	pxs_json_pair(json, "request", request->id);
	if (err->code && err->at >= 0 && request->faulty) {
		pxs_json_pair(json, "parameter", request->faulty);
		pxs_json_key(json, "at");
		pxs_json_int(json, err->at);
	}
	pxs_json_end_object(json);
}

void
reply_fail(struct reply *reply, const struct request *request, const char *url, unsigned int status,
	   int r, const struct pxs_error *err)
{
	struct pxs_json json;

	reply->status = status ? status : reply_status_of(r);
	reply->etag[0] = '\0';
	reply->location[0] = '\0';
	reply->modified_ns = 0;
	close_cleanup(&reply->fd);
	reply->fd = -1;
	sync_content_close(STEAL(reply->there));
	pxs_buf_clear(&reply->body);
	reply_begin(reply, request, REPLY_COLLECTION, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "collection");
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "version", "1.0");
	pxs_json_pair(&json, "href", url);
	write_error(&json, request, reply->status,
		    reply->message.len ? pxs_buf_text(&reply->message) : pxs_error_text(err, r),
		    err);
	pxs_json_end_object(&json);
	pxs_json_end_object(&json);
}

int
reply_refuse(struct reply *reply, unsigned int status, int r, struct pxs_error *err,
	     const char *message)
{
	reply->refusal = status;
	return pxs_error_set(err, r, -1, "%s", message);
}

static bool
is_escaped(unsigned char c)
{
	return c <= ' ' || c >= 0x7f || c == '%';
}

void
reply_path(struct pxs_json *json, const char *key, const char *path)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	pxs_json_pair(json, key, path);
	if (pxs_utf8_valid(path, strlen(path)))
		return;
	pxs_buf_addf(&text, "%s_escaped", key);
	pxs_json_key(json, pxs_buf_text(&text));
	pxs_buf_clear(&text);
	pxs_percent_encode(&text, path, strlen(path), is_escaped);
	pxs_json_string(json, pxs_buf_text(&text));
	if (text.error)
		json->buf->error = text.error;
}

/* RFC 9110 section 5.6.7. */
void
reply_date_print(int64_t time_ns, char *text, size_t size)
{
	time_t seconds = (time_t)(time_ns / PXS_NS_PER_S);
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&seconds, &tm))
		(void)strftime(text, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

int
reply_date_parse(const char *text, int64_t *ret_time_ns)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	int64_t time_ns;

	if (!end || *end || __builtin_mul_overflow(timegm(&tm), PXS_NS_PER_S, &time_ns))
		return -EINVAL;
	*ret_time_ns = time_ns;
	return 0;
}

static bool
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	return !value || !*value || MHD_add_response_header(response, name, value) == MHD_YES;
}

/* A stranger's file must not run as a page of ours. */
static bool
add_file_headers(struct MHD_Response *response)
{
	return add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes") &&
	       add_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, "attachment") &&
	       add_header(response, "X-Content-Type-Options", "nosniff") &&
	       add_header(response, "Content-Security-Policy", "sandbox");
}

static bool
is_for_later(unsigned int status)
{
	return status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS;
}

static bool
add_headers(struct MHD_Response *response, const struct reply *reply)
{
	char date[40] = "";
	char etag[INDEX_ETAG_SIZE + 2] = "";
	char hits[24] = "";
	CLEANUP(pxs_buf) struct pxs_buf link = PXS_BUF_INIT;

	if (reply->etag[0])
		(void)snprintf(etag, sizeof(etag), "\"%s\"", reply->etag);
	if (reply->modified_ns)
		reply_date_print(reply->modified_ns, date, sizeof(date));
	if (reply->hits >= 0)
		(void)snprintf(hits, sizeof(hits), "%" PRId64, reply->hits);
	if (reply->next.len)
		pxs_buf_addf(&link, "<%s>; rel=\"next\"", pxs_buf_text(&reply->next));
	return !link.error && add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type) &&
	       add_header(response, MHD_HTTP_HEADER_LINK, pxs_buf_text(&link)) &&
	       add_header(response, "Pxs-Hits", hits) &&
	       add_header(response, MHD_HTTP_HEADER_ETAG, etag) &&
	       add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, reply->range) &&
	       add_header(response, MHD_HTTP_HEADER_VARY,
			  reply->type ? "Accept, Accept-Encoding" : NULL) &&
	       add_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date) &&
	       add_header(response, MHD_HTTP_HEADER_LOCATION, reply->location) &&
	       add_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow) &&
	       add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->challenge) &&
	       add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
			  reply->secret ? "no-store" : "private, no-cache") &&
	       add_header(response, MHD_HTTP_HEADER_CONNECTION, reply->last ? "close" : NULL) &&
	       add_header(response, MHD_HTTP_HEADER_PRAGMA, reply->secret ? "no-cache" : NULL) &&
	       add_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
			  is_for_later(reply->status) ? RETRY_AFTER_S : NULL);
}

/* Below this, compressing costs more than sending. */
#define GZIP_MIN 1024
#define GZIP_WINDOW (15 + 16) /* of the largest window, with the header of gzip (zlib.h) */

/* Whether VALUE, that of Accept-Encoding, takes gzip: named, and not with q=0. */
bool
reply_accepts_gzip(const char *value)
{
	const char *name = value ? strcasestr(value, "gzip") : NULL;
	const char *q;

	if (!name)
		return false;
	q = name + strlen("gzip");
	q += strspn(q, " \t;");
	return strncasecmp(q, "q=0", 3) != 0 || strspn(q + 3, ".0") != strcspn(q + 3, ", \t");
}

/* The body in gzip, if it is worth it; fastest level, as texts with so many repetitions shrink to a
 * tenth by it. */
static bool
compress_body(struct reply *reply, const struct request *request)
{
	const char *accepted = request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	struct pxs_buf packed = PXS_BUF_INIT;
	z_stream stream = { 0 };
	uLong bound;

	if (reply->body.len < GZIP_MIN || reply->body.len > UINT_MAX ||
	    !reply_accepts_gzip(accepted) ||
	    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
		    Z_OK)
		return false;
	bound = deflateBound(&stream, reply->body.len);
	stream.next_out = (Bytef *)pxs_buf_reserve(&packed, bound);
	stream.avail_out = (uInt)bound;
	stream.next_in = (Bytef *)reply->body.data;
	stream.avail_in = (uInt)reply->body.len;
	if (!stream.next_out || deflate(&stream, Z_FINISH) != Z_STREAM_END) {
		(void)deflateEnd(&stream);
		pxs_buf_done(&packed);
		return false;
	}
	packed.len = stream.total_out;
	(void)deflateEnd(&stream);
	pxs_buf_done(&reply->body);
	reply->body = packed;
	return true;
}

static struct MHD_Response *
make_response(struct reply *reply, struct request *request)
{
	struct MHD_Response *response;
	bool packed = false;
	size_t len;
	char *body;

	if (reply->fd >= 0)
		return MHD_create_response_from_fd_at_offset64(reply->file_len, STEAL_FD(reply->fd),
							       reply->file_start);
	if (reply->there)
		return stream_new(STEAL(reply->there), reply->file_start, reply->file_len, request);
	packed = compress_body(reply, request);
	len = reply->body.len;
	body = pxs_buf_steal(&reply->body);
	if (!body)
		return NULL;
	response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(body);
		return NULL;
	}
	if (packed && !add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip")) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

int
reply_send(struct reply *reply, struct request *request)
{
	bool is_file = reply->fd >= 0 || reply->there;
	struct MHD_Response *response = make_response(reply, request);
	enum MHD_Result sent = MHD_NO;

	if (!response)
		return -ENOMEM;
	if (add_headers(response, reply) && add_header(response, "X-Request-Id", request->id) &&
	    (!is_file || add_file_headers(response)))
		sent = MHD_queue_response(request->connection, reply->status, response);
	MHD_destroy_response(response);
	return sent == MHD_YES ? 0 : -EIO;
}
