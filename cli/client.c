#include "cli/client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/url.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/secret.h"

/* No answer of ours is longer: a page of 1,000 items with everything is some 5 MB. */
#define ANSWER_MAX ((size_t)256 * 1024 * 1024)
#define CONNECT_TIMEOUT_S 10L
#define IMPATIENT_TIMEOUT_S 10L

struct client {
	CURL *curl;
	char *socket; /* or the server's URL */
	char *token;  /* NULL: it is a socket */
	const char *cacert;
	char faulty[32];
	const char *match; /* etag for the next request; NULL: none */
	struct pxs_buf next;
	uint64_t hits;
	bool is_impatient;
	const struct cli_local *local;
	void *engine; /* NULL: a daemon's */
};

static const struct {
	long status;
	int error;
} ERRORS[] = {
	{ 400, EINVAL },     { 401, EACCES },	{ 403, EACCES },    { 404, ENOENT },
	{ 405, EOPNOTSUPP }, { 409, EBUSY },	{ 410, ESTALE },    { 412, EAGAIN },
	{ 422, EINVAL },     { 413, EMSGSIZE }, { 414, EMSGSIZE },  { 416, ERANGE },
	{ 501, EOPNOTSUPP }, { 429, EBUSY },	{ 503, ETIMEDOUT }, { 507, ENOSPC },
};

/* --- One request --- */

static size_t
take(char *bytes, size_t size, size_t n, void *context)
{
	struct pxs_buf *buf = context;

	if (buf->len + size * n > ANSWER_MAX)
		return 0;
	pxs_buf_add(buf, bytes, size * n);
	return buf->error ? 0 : size * n;
}

/* VALUE of the header NAME if LINE is that, else NULL. */
static const char *
header_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " ");
}

/* One line of the header; it is no string. */
static size_t
take_header(char *bytes, size_t size, size_t n, void *context)
{
	struct client *client = context;
	CLEANUP(free) char *line = strndup(bytes, size * n);
	const char *link = line ? header_value(line, "Link") : NULL;
	const char *hits = line ? header_value(line, "Pxs-Hits") : NULL;

	if (!line)
		return 0;
	if (link && link[0] == '<' && strstr(link, "rel=\"next\""))
		pxs_buf_add(&client->next, link + 1, strcspn(link + 1, ">"));
	if (hits)
		client->hits = strtoull(hits, NULL, 10);
	return client->next.error ? 0 : size * n;
}

static int
on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t send_total, curl_off_t sent)
{
	(void)context;
	(void)total;
	(void)now;
	(void)send_total;
	(void)sent;
	return interrupt_came();
}

static bool
is_reserved(unsigned char c)
{
	bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

	return !alnum && (c == '\0' || !strchr("-._~", c));
}

void
client_add_part(struct pxs_buf *href, const char *part)
{
	pxs_percent_encode(href, part, strlen(part), is_reserved);
}

void
client_add_param(struct pxs_buf *href, const char *name, const char *value)
{
	if (!value)
		return;
	pxs_buf_addf(href, "%c%s=", strchr(pxs_buf_text(href), '?') ? '&' : '?', name);
	pxs_percent_encode(href, value, strlen(value), is_reserved);
}

static int
curl_errno(CURLcode code, const struct client *client, struct pxs_error *err)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_ABORTED_BY_CALLBACK:
		return pxs_error_set(err, -EINTR, -1, "interrupted");
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_PEER_FAILED_VERIFICATION:
		return pxs_error_set(err, -EACCES, -1,
				     "%s shows a certificate that is not trusted; --cacert names "
				     "one to trust",
				     client->socket);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return pxs_error_set(err, -ECONNREFUSED, -1, "no daemon answers at %s",
				     client->socket);
	case CURLE_OPERATION_TIMEDOUT:
		return pxs_error_set(err, -ECONNRESET, -1, "the daemon at %s does not answer",
				     client->socket);
	default:
		return pxs_error_set(err, -ECONNRESET, -1,
				     "the daemon at %s broke off its answer: %s", client->socket,
				     curl_easy_strerror(code));
	}
}

static struct curl_slist *
headers_of(const char *accept, bool sends, const char *match)
{
	CLEANUP(pxs_buf) struct pxs_buf line = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf condition = PXS_BUF_INIT;
	struct curl_slist *headers;

	pxs_buf_addf(&line, "Accept: %s", accept ? accept : "application/vnd.collection+json");
	headers = curl_slist_append(NULL, pxs_buf_text(&line));
	if (headers && sends)
		(void)curl_slist_append(headers, "Content-Type: application/json");
	if (match)
		pxs_buf_addf(&condition, "If-Match: \"%s\"", match);
	if (headers && match)
		(void)curl_slist_append(headers, pxs_buf_text(&condition));
	return headers;
}

static void
choose_way(const struct client *client)
{
	if (!client->token) {
		(void)curl_easy_setopt(client->curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
		return;
	}
	(void)curl_easy_setopt(client->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
	(void)curl_easy_setopt(client->curl, CURLOPT_XOAUTH2_BEARER, client->token);
	(void)curl_easy_setopt(client->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (client->cacert)
		(void)curl_easy_setopt(client->curl, CURLOPT_CAINFO, client->cacert);
}

static CURLcode
perform(struct client *client, const char *method, const char *url, const char *sent,
	struct curl_slist *headers, struct pxs_buf *buf)
{
	CURL *curl = client->curl;

	curl_easy_reset(curl); /* the connection stays */
	choose_way(client);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, buf);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	if (client->is_impatient)
		(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, IMPATIENT_TIMEOUT_S);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	if (sent)
		(void)curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, sent);
	return curl_easy_perform(curl);
}

/* The documented error object, and our members of it. */
static int
answered_error(struct client *client, long status, const char *body, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *json = json_loads(body, 0, NULL);
	const json_t *error = json_object_get(json_object_get(json, "collection"), "error");
	const char *text = json_string_value(json_object_get(error, "message"));
	const char *faulty = json_string_value(json_object_get(error, "parameter"));
	const json_t *at = json_object_get(error, "at");
	int r = -EIO;

	for (size_t i = 0; i < ARRAY_SIZE(ERRORS); i++)
		if (ERRORS[i].status == status)
			r = -ERRORS[i].error;
	if (faulty)
		(void)snprintf(client->faulty, sizeof(client->faulty), "%s", faulty);
	if (text)
		return pxs_error_set(err, r, at ? (long)json_integer_value(at) : -1, "%s", text);
	return pxs_error_set(err, r, -1, "the daemon at %s answered with HTTP status %ld",
			     client->socket, status);
}

int
client_ask(struct client *client, const char *method, const char *href, const json_t *sent,
	   const char *accept, struct pxs_buf *buf, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf body = PXS_BUF_INIT;
	CLEANUP(free) char *text = sent ? json_dumps(sent, JSON_COMPACT) : NULL;
	struct curl_slist *headers = headers_of(accept, sent != NULL, STEAL(client->match));
	long status = 0;
	int r;

	client->faulty[0] = '\0';
	client->hits = 0;
	pxs_buf_clear(&client->next);
	pxs_buf_add_str(&url, client->token ? client->socket : "http://pxs");
	pxs_url_add_link(&url, href);
	if (!headers || url.error || (sent && !text))
		r = -ENOMEM;
	else
		r = curl_errno(perform(client, method, pxs_buf_text(&url), text, headers, &body),
			       client, err);
	curl_slist_free_all(headers);
	if (r < 0)
		return r;
	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299)
		return answered_error(client, status, pxs_buf_text(&body), err);
	pxs_buf_add(buf, pxs_buf_text(&body), body.len);
	return buf->error;
}

int
client_get(struct client *client, const char *href, json_t **ret_json, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf body = PXS_BUF_INIT;
	json_error_t fault;
	int r = client_ask(client, "GET", href, NULL, NULL, &body, err);

	if (r < 0)
		return r;
	*ret_json = json_loadb(pxs_buf_text(&body), body.len, 0, &fault);
	if (*ret_json)
		return 0;
	return pxs_error_set(err, -EPROTO, -1, "the daemon at %s answered no JSON: %s",
			     client->socket, fault.text);
}

/* --- Finding an engine --- */

/* Two names of one folder. */
static bool
is_same_folder(const char *a, const char *b)
{
	struct stat a_stat;
	struct stat b_stat;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &a_stat) == 0 && stat(b, &b_stat) == 0 && a_stat.st_dev == b_stat.st_dev &&
	       a_stat.st_ino == b_stat.st_ino;
}

/* Ask who answers at PATH, and use it unless INDEX is another one than his. */
static int
try_socket(struct client *client, const char *path, const char *index, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *version = NULL;
	CLEANUP(pxs_buf) struct pxs_buf served = PXS_BUF_INIT;
	int r;

	free(client->socket);
	client->socket = strdup(path);
	if (!client->socket)
		return -ENOMEM;
	if (access(path, R_OK | W_OK) < 0 && errno == EACCES)
		return pxs_error_set(err, -EACCES, -1,
				     "the daemon at %s admits only its own user and root", path);
	r = client_get(client, "/version", &version, err);
	if (r == 0)
		r = answer_path(version, "index", &served);
	if (r < 0)
		return r;
	if (index && !is_same_folder(pxs_buf_text(&served), index))
		return pxs_error_set(err, -ECONNREFUSED, -1,
				     "the daemon at %s serves another index, %s", path,
				     pxs_buf_text(&served));
	return 0;
}

/* 0, or why none of SOCKETS would do: the last one's reason, or that of one that refused us. */
static int
find_daemon(struct client *client, const struct place_sockets *sockets, const char *index,
	    struct pxs_error *err)
{
	struct pxs_error first = { 0 };
	int result = -ECONNREFUSED;

	for (int i = 0; i < sockets->n; i++) {
		struct pxs_error why = { 0 };
		int r = try_socket(client, sockets->paths[i], index, &why);

		if (r == 0 || r == -EINTR || r == -ENOMEM)
			return r;
		if (first.code == 0 || r == -EACCES) {
			first = why;
			result = r;
		}
	}
	return pxs_error_set(err, result, -1, "%s", first.text);
}

static int
start_engine(struct client *client, const char *index, bool create, struct pxs_error *err)
{
	int r;

	free(client->socket);
	client->socket = NULL;
	interrupt_hold();
	r = client->local->start(index, create, &client->socket, &client->engine, err);
	interrupt_release();
	return r;
}

/* REFUSED: what became of the search for a daemon. */
static int
open_local(struct client *client, const char *index, unsigned int flags,
	   const struct pxs_error *refused, struct pxs_error *err)
{
	struct pxs_error why = { 0 };
	int r = start_engine(client, index, flags & CLIENT_CREATE, &why);

	if (r == -ENOENT && refused->code == EACCES)
		return pxs_error_set(err, -EACCES, -1, "%s (and there is no index at %s)",
				     refused->text, index);
	if (r == -ENOENT)
		return pxs_error_set(err, -ENOMEDIUM, -1,
				     "no index at %s; run `pxs ingest DIR` first, or name another "
				     "with --index",
				     index);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
	return 0;
}

/* A daemon elsewhere. */
static int
open_server(struct client *client, const char *url, const struct options *options,
	    struct pxs_error *err)
{
	const char *file = options->token_file ? options->token_file : getenv("PXS_TOKEN_FILE");
	CLEANUP(pxs_buf) struct pxs_buf base = PXS_BUF_INIT;
	size_t len = strlen(url);

	if (!pxs_url_is_safe(url))
		return pxs_error_set(err, -EINVAL, -1,
				     "%s is no https:// URL; http:// is for this machine only",
				     url);
	if (!file || !*file)
		return pxs_error_set(err, -EINVAL, -1,
				     "%s wants a token; name its file with --token-file", url);
	while (len > 0 && url[len - 1] == '/')
		len--;
	pxs_buf_add(&base, url, len);
	client->socket = pxs_buf_steal(&base);
	client->cacert = options->cacert;
	return client->socket ? secret_read(file, &client->token, err) : -ENOMEM;
}

int
client_open(const struct options *options, unsigned int flags, const struct cli_program *program,
	    struct client **ret_client, struct pxs_error *err)
{
	CLEANUP(client) struct client *client = calloc(1, sizeof(*client));
	CLEANUP(place_sockets) struct place_sockets sockets = { 0 };
	CLEANUP(free) char *index = NULL;
	const char *server = options->server ? options->server : getenv("PXS_SERVER");
	struct pxs_error refused = { 0 };
	bool named = false;
	int r;

	if (!client)
		return -ENOMEM;
	client->local = program->local;
	client->is_impatient = flags & CLIENT_IMPATIENT;
	client->curl = curl_easy_init();
	if (server && *server && !options->socket && !options->index) {
		r = client->curl ? open_server(client, server, options, err) : -ENOMEM;
		interrupt_install();
		if (r == 0)
			*ret_client = STEAL(client);
		return r;
	}
	r = client->curl ? place_sockets(options->socket, &sockets) : -ENOMEM;
	if (r == 0)
		r = place_index(options->index, &index, &named);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot tell where the index is; use --index");

	interrupt_install();
	r = find_daemon(client, &sockets, named ? index : NULL, &refused);
	if (r < 0 && r != -EINTR && r != -ENOMEM && !(flags & CLIENT_DAEMON) &&
	    !(options->socket && !options->index))
		r = open_local(client, index, flags, &refused, err);
	else if (r < 0)
		(void)pxs_error_set(err, r, -1, "%s", pxs_error_text(&refused, r));
	if (r < 0)
		return r;
	*ret_client = STEAL(client);
	return 0;
}

void
client_close(struct client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	if (client->engine)
		client->local->stop(client->engine);
	pxs_buf_done(&client->next);
	free(client->socket);
	secret_free(client->token);
	free(client);
}

bool
client_is_local(const struct client *client)
{
	return client->engine != NULL;
}

void
client_match(struct client *client, const char *etag)
{
	client->match = etag;
}

const char *
client_next(const struct client *client)
{
	return pxs_buf_text(&client->next);
}

uint64_t
client_hits(const struct client *client)
{
	return client->hits;
}

const char *
client_faulty(const struct client *client)
{
	return client->faulty;
}
