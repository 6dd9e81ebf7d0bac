#include "index/sync/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/sync/pace.h"
#include "index/sync/upstream.h"

/* A page of 1,000 documents is some 5 MB. */
#define ANSWER_MAX ((size_t)32 << 20)
#define CONNECT_TIMEOUT_S 10L
/* The core waits up to 25 s before it answers what changed. */
#define SILENCE_MAX_S 60L
#define REQUEST_MAX_S 300L
/* Somebody waits for it. */
#define CHANGE_MAX_S 20L
/* A core that wants us to wait longer is asked again all the same. */
#define RETRY_AFTER_MAX_S 300

static size_t
take(char *bytes, size_t size, size_t n, void *context)
{
	struct answer *answer = context;

	answer->too_long = answer->body.len + size * n > ANSWER_MAX;
	if (answer->too_long)
		return 0;
	pxs_buf_add(&answer->body, bytes, size * n);
	return answer->body.error ? 0 : size * n;
}

static int
on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t send_total, curl_off_t sent)
{
	const struct upstream *upstream = context;

	(void)total;
	(void)now;
	(void)send_total;
	(void)sent;
	return atomic_load(upstream->stop) || budget_check(upstream->budget) < 0;
}

static void
set_trust(const struct upstream *upstream)
{
	const struct sync_options *options = upstream->options;
	CURL *curl = upstream->curl;

	if (options->cacert)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, options->cacert);
	if (options->fingerprint)
		(void)curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, options->fingerprint);
	if (options->fingerprint || options->insecure) {
		(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* Takes LIST; NULL: out of memory. */
static struct curl_slist *
append_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (!longer)
		curl_slist_free_all(list);
	return longer;
}

/* "NAME: VALUE" after LIST, which it takes. VALUE NULL: nothing. NULL: out of memory. */
static struct curl_slist *
append_value(struct curl_slist *list, const char *name, const char *value)
{
	char line[128];

	if (!list || !value)
		return list;
	(void)snprintf(line, sizeof(line), "%s: %.100s", name, value);
	return append_header(list, line);
}

/* NULL: out of memory. */
static struct curl_slist *
make_headers(const struct upstream_request *request)
{
	struct curl_slist *headers = curl_slist_append(
		NULL, request->range ? "Accept: */*"
				     : "Accept: application/vnd.collection+json, "
				       "application/json;q=0.9");

	headers = append_value(headers, "Content-Type",
			       request->body ? "application/vnd.collection+json" : NULL);
	headers = append_value(headers, "If-Match", request->etag);
	headers = append_value(headers, "If-None-Match", request->known);
	return append_value(headers, "Range", request->range);
}

static void
set_request(const struct upstream *upstream, const struct upstream_request *request)
{
	CURL *curl = upstream->curl;

	if (strcmp(request->method, "GET") != 0) {
		(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
		/* On a connection that was used before, libcurl would send it twice. */
		(void)curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, CHANGE_MAX_S);
	}
	if (request->body)
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	if (upstream->token) {
		(void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		(void)curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, upstream->token);
	}
}

static CURLcode
perform(struct upstream *upstream, const char *url, const struct upstream_request *request,
	const char *form, struct answer *answer)
{
	CURL *curl = upstream->curl;
	struct curl_slist *headers = make_headers(request);
	CURLcode code;

	curl_easy_reset(curl); /* the connection stays */
	set_trust(upstream);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, REQUEST_MAX_S);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_S);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, upstream);
	if (form)
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
	else
		set_request(upstream, request);
	code = headers ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
	curl_slist_free_all(headers);
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	return code;
}

/* "Retry-After", as seconds or a date. */
static void
note_pause(const struct upstream *upstream, const struct answer *answer)
{
	curl_off_t seconds = 0;

	if (answer->status != 429 && answer->status != 503)
		return;
	(void)curl_easy_getinfo(upstream->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > 0)
		pace_defer(upstream->pace, MIN((int64_t)seconds, (int64_t)RETRY_AFTER_MAX_S));
}

static int
curl_errno(const struct upstream *upstream, CURLcode code, const struct answer *answer,
	   struct pxs_error *err)
{
	const char *url = upstream->base;
	long sent = 0; /* bytes */

	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return -ECANCELED;
	if (code == CURLE_OUT_OF_MEMORY || answer->body.error)
		return -ENOMEM;
	if (answer->too_long)
		return pxs_error_set(err, -EPROTO, -1, "%s answers more than %zu MB at once", url,
				     ANSWER_MAX >> 20);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return pxs_error_set(err, -EHOSTUNREACH, -1,
				     "%s shows a certificate that is not trusted; name one with "
				     "--cacert, or its key with --fingerprint",
				     url);
	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return pxs_error_set(err, -EHOSTUNREACH, -1,
				     "the key of %s is not the one that --fingerprint names", url);
	(void)curl_easy_getinfo(upstream->curl, CURLINFO_REQUEST_SIZE, &sent);
	return pxs_error_set(err, sent > 0 ? -ETIMEDOUT : -EHOSTUNREACH, -1,
			     "no %sanswer from %s: %s", sent > 0 ? "whole " : "", url,
			     curl_easy_strerror(code));
}

int
exchange(struct upstream *upstream, const char *url, const struct upstream_request *request,
	 const char *form, struct answer *answer, struct pxs_error *err)
{
	CURLcode code = perform(upstream, url, request, form, answer);

	if (code == CURLE_OK)
		note_pause(upstream, answer);
	return curl_errno(upstream, code, answer, err);
}
