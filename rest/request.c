#include "rest/request.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "index/index.h"
#include "rest/server.h"

/* Over TCP, whoever ended his sending half gets an answer that takes no longer. */
#define HALF_CLOSED_MS 20
/* Between two looks at the connection: a search asks far more often. */
#define LOOK_MS 5

int
request_new(struct rest *rest, const char *url, struct request **ret_request)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->rest = rest;
	reply_init(&request->reply);
	request->url_len = strlen(url);
	*ret_request = request;
	return 0;
}

void
request_free(struct request *request)
{
	if (!request)
		return;
	reply_cleanup(&request->reply);
	pxs_buf_done(&request->allowed);
	index_view_put(request->view);
	pxs_buf_done(&request->tail);
	if (request->body.data) /* it may have held a password */
		explicit_bzero(request->body.data, request->body.len);
	pxs_buf_done(&request->body);
	free(request);
}

static bool
is_good_id(const char *id)
{
	size_t len = strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz._-");

	return len > 0 && len < REQUEST_ID_SIZE && !id[len];
}

/* Ours need only differ from each other: a number that counts on, told apart by the start. */
void
request_identify(struct request *request)
{
	const char *given = request_header(request, "X-Request-Id");
	struct rest *rest = request->rest;

	if (given && is_good_id(given))
		(void)snprintf(request->id, sizeof(request->id), "%s", given);
	else
		(void)snprintf(request->id, sizeof(request->id), "%" PRIx64 "-%" PRIx64,
			       (uint64_t)rest->started_ns,
			       (uint64_t)atomic_fetch_add(&rest->requests, 1) + 1);
}

void
request_add_body(struct request *request, const char *bytes, size_t len)
{
	if (len > REQUEST_BODY_MAX - request->body.len)
		request->body_too_long = true;
	if (!request->body_too_long)
		pxs_buf_add(&request->body, bytes, len);
}

struct check {
	struct request *request;
	struct pxs_error *err;
	size_t count;
	int result;
};

static enum MHD_Result
check_param(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
	    const char *value, size_t value_len)
{
	struct check *check = context;
	size_t valid;

	(void)kind;
	(void)name_len;
	if (++check->count > REQUEST_PARAMS_MAX) {
		check->result = pxs_error_set(check->err, -EINVAL, -1, "more than %d parameters",
					      REQUEST_PARAMS_MAX);
		return MHD_NO;
	}
	if (!value)
		return MHD_YES;
	valid = strnlen(value, value_len);
	if (strcmp(name, "mountpoint") != 0) /* a path, of any bytes */
		valid = pxs_utf8_valid_prefix(value, valid);
	if (valid == value_len)
		return MHD_YES;

	check->request->faulty = name;
	check->result = pxs_error_set(check->err, -EINVAL, (long)valid,
				      "the parameter %s is not text: it must be UTF-8 without NUL",
				      name);
	return MHD_NO;
}

/* RFC 9110 section 5.6.2: a name that is none ("Content-Length ") may be one to others. */
static bool
is_token(const char *name, size_t len)
{
	static const char OTHERS[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');

		if (!alnum && (c == '\0' || !strchr(OTHERS, c)))
			return false;
	}
	return len > 0;
}

struct header_check {
	size_t bytes;
	bool odd_name;
	unsigned int lengths; /* Content-Length */
	unsigned int codings; /* Transfer-Encoding */
	bool foreign_coding;
	bool has_body;
	bool expects; /* to be told that the body may come */
};

static enum MHD_Result
check_line(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
	   const char *value, size_t value_len)
{
	struct header_check *check = context;

	(void)kind;
	check->bytes += name_len + value_len + strlen(": \r\n");
	check->odd_name |= !is_token(name, name_len);
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		check->lengths++;
		check->has_body = value && strspn(value, "0") != value_len;
	}
	if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0)
		check->expects = true;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		check->codings++;
		check->foreign_coding = !value || strcasecmp(value, "chunked") != 0;
		check->has_body = true;
	}
	return MHD_YES;
}

/* Where a request ends must be clear: a proxy before us that reads it otherwise would take what
 * follows for the next one's (RFC 9112 section 6.3). */
int
request_check_header(struct request *request, struct pxs_error *err)
{
	struct header_check check = { 0 };

	(void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, check_line, &check);
	if (check.bytes > REQUEST_HEADER_MAX)
		return pxs_error_set(err, -EOVERFLOW, -1,
				     "the header has %zu bytes, more than the %d that are read",
				     check.bytes, REQUEST_HEADER_MAX);
	if (check.lengths + check.codings > 1 || check.foreign_coding || check.odd_name)
		return pxs_error_set(err, -EINVAL, -1,
				     "the length of the body is ambiguous: it needs one "
				     "Content-Length, or Transfer-Encoding: chunked");
	/* RFC 9110 section 10.1.1 forbids it, and libmicrohttpd asks for the answer before it
	 * would take one if more bytes follow. */
	if (check.expects && !check.has_body)
		return pxs_error_set(err, -EINVAL, -1,
				     "there is the header Expect, but no body to wait for");
	return 0;
}

int
request_check(struct request *request, struct pxs_error *err)
{
	struct check check = { .request = request, .err = err };

	if (request->url_len > REQUEST_URL_MAX)
		return pxs_error_set(err, -E2BIG, -1,
				     "the URL has %zu bytes, more than the %d that are read",
				     request->url_len, REQUEST_URL_MAX);
	if (request->body_too_long)
		return pxs_error_set(err, -EMSGSIZE, -1,
				     "the body has more than the %d bytes that are read",
				     REQUEST_BODY_MAX);
	if (request->body.error)
		return request->body.error;
	(void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, check_param,
					  &check);
	return check.result;
}

const char *
request_param(const struct request *request, const char *name)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
					  strlen(name), &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : "";
}

struct each_param {
	const char *prefix;
	void (*each)(void *context, const char *rest);
	void *context;
};

static enum MHD_Result
pass_param(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const struct each_param *wanted = context;
	size_t len = strlen(wanted->prefix);

	(void)kind;
	(void)value;
	if (strncmp(name, wanted->prefix, len) == 0)
		wanted->each(wanted->context, name + len);
	return MHD_YES;
}

void
request_each_param(const struct request *request, const char *prefix,
		   void (*each)(void *context, const char *rest), void *context)
{
	struct each_param wanted = { prefix, each, context };

	(void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, pass_param,
					&wanted);
}

uint64_t
request_count(const char *text, uint64_t default_count, uint64_t max)
{
	char *end;
	double number;

	if (!text || !*text)
		return default_count;
	number = strtod(text, &end);
	if (*end || !isfinite(number) || number < 1)
		return default_count;
	return number >= (double)max ? max : (uint64_t)number;
}

uint64_t
request_param_count(const struct request *request, const char *name, uint64_t default_count,
		    uint64_t max)
{
	return request_count(request_param(request, name), default_count, max);
}

static int
enters(void *context, const char *const *directories, size_t n, uint8_t *entries)
{
	return auth_enters(context, directories, n, entries);
}

bool
request_sees_at_once(struct request *request)
{
	if (request->who.rights & AUTH_BYPASS)
		return true;
	if (!request->view)
		request->view = index_view_kept(request->rest->index,
						auth_caller_key(&request->who.caller));
	return request->view != NULL;
}

int
request_view(const struct request *request, struct index_view **ret_view)
{
	const struct auth_caller *caller = &request->who.caller;
	const struct index_viewer viewer = { .key = auth_caller_key(caller),
					     .enters = enters,
					     .context = (void *)caller };

	if (request->view) {
		*ret_view = index_view_ref(request->view);
		return 0;
	}
	if (!(request->who.rights & AUTH_BYPASS))
		return index_view_for(request->rest->index, &viewer, ret_view);
	*ret_view = index_view_get(request->rest->index);
	return *ret_view ? 0 : -ENOMEM;
}

int
request_count_documents(const struct request *request, uint64_t *ret_count)
{
	CLEANUP(index_view) struct index_view *view = NULL;
	int r = request_view(request, &view);

	if (r == 0)
		*ret_count = index_view_count(view);
	return r;
}

const char *
request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool
request_accept_prefers(const char *accept, const char *mime)
{
	return accept && strcasestr(accept, mime) && !strstr(accept, "*/*") &&
	       !strcasestr(accept, "application/vnd.collection+json");
}

bool
request_prefers(const struct request *request, const char *mime)
{
	return request_accept_prefers(request_header(request, MHD_HTTP_HEADER_ACCEPT), mime);
}

/* The parser recurses once a level, so depth is bounded before it starts. */
static bool
is_too_deep(const char *json)
{
	bool in_string = false;
	int depth = 0;

	for (const char *c = json; *c && depth <= REQUEST_JSON_DEPTH_MAX; c++) {
		if (*c == '"')
			in_string = !in_string;
		else if (in_string)
			c += *c == '\\' && c[1];
		else if (*c == '[' || *c == '{')
			depth++;
		else if (*c == ']' || *c == '}')
			depth--;
	}
	return depth > REQUEST_JSON_DEPTH_MAX;
}

int
request_json(const struct request *request, json_t **ret_object, struct pxs_error *err)
{
	json_error_t fault;
	json_t *object;

	if (is_too_deep(pxs_buf_text(&request->body)))
		return pxs_error_set(err, -EINVAL, -1, "the body is nested deeper than %d levels",
				     REQUEST_JSON_DEPTH_MAX);
	object = json_loadb(pxs_buf_text(&request->body), request->body.len, 0, &fault);
	if (!object)
		return pxs_error_set(err, -EINVAL, fault.position, "the body is not JSON: %s",
				     fault.text);
	if (!json_is_object(object)) {
		json_decref(object);
		return pxs_error_set(err, -EINVAL, -1, "the body must be a JSON object");
	}
	*ret_object = object;
	return 0;
}

int
request_json_path(const json_t *object, const char *key, struct pxs_buf *buf, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf escaped_key = PXS_BUF_INIT;
	const char *text = json_string_value(json_object_get(object, key));
	const char *escaped;

	pxs_buf_addf(&escaped_key, "%s_escaped", key);
	escaped = json_string_value(json_object_get(object, pxs_buf_text(&escaped_key)));
	if (escaped)
		pxs_percent_decode(buf, escaped, strlen(escaped));
	else if (text)
		pxs_buf_add_str(buf, text);
	else
		return pxs_error_set(err, -EINVAL, -1,
				     "\"%s\" must be the absolute path of a folder", key);
	if (buf->len != strlen(pxs_buf_text(buf)))
		return pxs_error_set(err, -EINVAL, -1, "\"%s\" holds a NUL byte", key);
	return escaped_key.error ? escaped_key.error : buf->error;
}

/* A Unix socket tells that its peer is gone from that he only ended his sending half, and then
 * still listens. TCP does not: the end of what he sends is all that ever comes, until something is
 * sent to him. So that is a hang-up too, but not for an answer that is there at once. With TLS it
 * is the same, as the end of the TCP connection counts and not what was said within it. */
static bool
hung_up(void *context)
{
	struct request *request = context;
	int64_t now_ns = pxs_clock_steady_ns();
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd fd;

	if (atomic_load(&request->rest->closing))
		return true;
	if (!info || now_ns - atomic_load(&request->looked_ns) < LOOK_MS * PXS_NS_PER_MS)
		return false;
	atomic_store(&request->looked_ns, now_ns);
	fd = (struct pollfd){
		.fd = info->connect_fd,
		.events = request->server->local ? 0 : POLLRDHUP,
	};
	if (poll(&fd, 1, 0) <= 0)
		return false;
	return (fd.revents & (POLLHUP | POLLERR)) ||
	       now_ns - request->begun_ns > HALF_CLOSED_MS * PXS_NS_PER_MS;
}

void
request_budget(const struct request *request, struct index_budget *ret_budget)
{
	*ret_budget = (struct index_budget){
		.deadline_ns = pxs_clock_steady_ns() + REQUEST_TIME_MAX_S * PXS_NS_PER_S,
		.cancelled = hung_up,
		.context = (void *)request,
	};
}
