#include "index/sync/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/url.h"
#include "index/sync/exchange.h"

#define REDIRECTS_MAX 5

/* --- Where to --- */

/* Whether URL lies at the core: credentials go nowhere else. */
static bool
is_at_core(const struct upstream *upstream, const char *url)
{
	return strncmp(url, upstream->base, upstream->origin_len) == 0 &&
	       (url[upstream->origin_len] == '\0' || strchr("/?#", url[upstream->origin_len]));
}

/* HREF is below the base, or begins with its path, or is whole (spec/pixstor.md 1.0). */
static int
resolve(const struct upstream *upstream, const char *href, struct pxs_buf *url,
	struct pxs_error *err)
{
	const char *path = upstream->base + upstream->origin_len;
	size_t len = strlen(path);

	if (href[0] == '/' && href[1] != '/') {
		bool has_path = len && strncmp(href, path, len) == 0 &&
				(href[len] == '\0' || strchr("/?", href[len]));

		pxs_buf_add(url, upstream->base,
			    has_path ? upstream->origin_len : strlen(upstream->base));
	} else if (!is_at_core(upstream, href)) {
		return pxs_error_set(err, -EPROTO, -1, "%s has a link to elsewhere, %.200s",
				     upstream->base, href);
	}
	pxs_url_add_link(url, href);
	return url->error;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Where the answer sends us, in place of what is in URL. */
static int
redirect(const struct upstream *upstream, struct pxs_buf *url, struct pxs_error *err)
{
	const char *to = NULL;

	(void)curl_easy_getinfo(upstream->curl, CURLINFO_REDIRECT_URL, &to);
	if (!to)
		return pxs_error_set(err, -EPROTO, -1, "%s sends us away, but not where",
				     upstream->base);
	if (!is_at_core(upstream, to))
		return pxs_error_set(err, -EPROTO, -1,
				     "%s sends us to %.200s; if that is right, name it as the "
				     "upstream",
				     upstream->base, to);
	pxs_buf_clear(url);
	pxs_buf_add_str(url, to);
	return url->error;
}

/* What changes something is sent to one place only. */
static int
send_request(struct upstream *upstream, const struct upstream_request *request,
	     struct answer *answer, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;
	bool reads = strcmp(request->method, "GET") == 0;
	int r = resolve(upstream, request->href, &url, err);

	for (int i = 0; r == 0 && i <= REDIRECTS_MAX; i++) {
		pxs_buf_clear(&answer->body);
		answer->status = 0;
		r = exchange(upstream, pxs_buf_text(&url), request, NULL, answer, err);
		if (r < 0 || !reads || !is_redirect(answer->status))
			return r;
		r = redirect(upstream, &url, err);
	}
	return r < 0 ? r
		     : pxs_error_set(err, -EPROTO, -1, "%s sends us round in a circle",
				     upstream->base);
}

/* --- Asking --- */

/* What the core itself says is wrong. */
static int
refuse(const struct upstream *upstream, const struct upstream_request *request, int r,
       const struct answer *answer, struct pxs_error *err)
{
	CLEANUP(json_decref)
	json_t *json = json_loadb(pxs_buf_text(&answer->body), answer->body.len, 0, NULL);
	const char *message = json_string_value(json_object_get(
		json_object_get(json_object_get(json, "collection"), "error"), "message"));

	if (message && r == -EINVAL)
		return pxs_error_set(err, r, -1, "%s", message);
	return pxs_error_set(err, r, -1, "%s answers %s %.200s with HTTP status %ld",
			     upstream->base, request->method, request->href, answer->status);
}

static int
check_status(const struct upstream *upstream, const struct upstream_request *request,
	     const struct answer *answer, struct pxs_error *err)
{
	static const struct {
		long status;
		int code;
	} CODES[] = {
		{ 400, -EINVAL }, { 404, -ENOENT }, { 409, -EEXIST }, { 410, -ESTALE },
		{ 412, -EBUSY },  { 422, -EINVAL }, { 428, -EINVAL }, { 429, -EAGAIN },
	};

	if (answer->status == 200 || answer->status == 204)
		return 0;
	if (answer->status == 401 || answer->status == 403)
		return pxs_error_set(err, -EACCES, -1, "not authorised at %s: %s may not %s there",
				     upstream->base,
				     upstream->options->user ? upstream->options->user
							     : "who has no token",
				     strcmp(request->method, "GET") == 0 ? "read" : "do that");
	for (size_t i = 0; i < ARRAY_SIZE(CODES); i++)
		if (CODES[i].status == answer->status)
			return refuse(upstream, request, CODES[i].code, answer, err);
	return refuse(upstream, request, answer->status >= 500 ? -EAGAIN : -EPROTO, answer, err);
}

/* With a token that may have ended, once more with a fresh one. */
int
upstream_send(struct upstream *upstream, const struct upstream_request *request,
	      struct answer *answer, struct pxs_error *err)
{
	bool fresh = !upstream->token;
	int r = fresh && upstream->options->user ? log_in(upstream, err) : 0;

	if (r == 0)
		r = send_request(upstream, request, answer, err);
	if (r < 0 || (answer->status != 401 && answer->status != 403))
		return r;
	if (fresh || !upstream->options->user)
		return 0;
	r = log_in(upstream, err);
	return r < 0 ? r : send_request(upstream, request, answer, err);
}

int
upstream_ask(struct upstream *upstream, const struct upstream_request *request, json_t **ret_json,
	     struct pxs_error *err)
{
	CLEANUP(answer) struct answer answer = { 0 };
	json_error_t fault;
	int r = upstream_send(upstream, request, &answer, err);

	*ret_json = NULL;
	if (r == 0)
		r = check_status(upstream, request, &answer, err);
	if (r == -EACCES)
		upstream_forget_token(upstream);
	if (r < 0 || answer.body.len == 0)
		return r;
	*ret_json = json_loadb(pxs_buf_text(&answer.body), answer.body.len, 0, &fault);
	if (*ret_json)
		return 0;
	return pxs_error_set(err, -EPROTO, -1, "%s answers %.200s with what is no JSON: %s",
			     upstream->base, request->href, fault.text);
}

int
upstream_get(struct upstream *upstream, const char *href, json_t **ret_json, struct pxs_error *err)
{
	const struct upstream_request request = { .method = "GET", .href = href };

	return upstream_ask(upstream, &request, ret_json, err);
}

/* --- Opening --- */

void
upstream_forget_token(struct upstream *upstream)
{
	if (upstream->token)
		explicit_bzero(upstream->token, strlen(upstream->token));
	free(STEAL(upstream->token));
}

static char *
without_slash(const char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return strndup(url, len);
}

/* .../oauth2/token below URL. */
static char *
token_url_at(const char *url)
{
	CLEANUP(pxs_buf) struct pxs_buf whole = PXS_BUF_INIT;
	CLEANUP(free) char *base = without_slash(url);

	if (!base)
		return NULL;
	pxs_buf_addf(&whole, "%s/oauth2/token", base);
	return pxs_buf_steal(&whole);
}

static int
set_urls(struct upstream *upstream)
{
	const struct sync_options *options = upstream->options;
	const char *path;

	upstream->base = without_slash(options->url);
	upstream->token_url = token_url_at(options->auth_url ? options->auth_url : options->url);
	if (!upstream->base || !upstream->token_url)
		return -ENOMEM;
	path = strchr(strstr(upstream->base, "://") + 3, '/');
	upstream->origin_len = path ? (size_t)(path - upstream->base) : strlen(upstream->base);
	return 0;
}

int
upstream_open(const struct sync_options *options, const atomic_bool *stop, struct pace *pace,
	      struct upstream **ret_upstream, struct pxs_error *err)
{
	CLEANUP(upstream) struct upstream *upstream = calloc(1, sizeof(*upstream));
	int r;

	if (!upstream)
		return -ENOMEM;
	upstream->options = options;
	upstream->stop = stop;
	upstream->pace = pace;
	upstream->curl = curl_easy_init();
	r = upstream->curl ? set_urls(upstream)
			   : pxs_error_set(err, -ENOMEM, -1, "cannot start libcurl");
	if (r == 0)
		*ret_upstream = STEAL(upstream);
	return r;
}

void
upstream_close(struct upstream *upstream)
{
	if (!upstream)
		return;
	curl_easy_cleanup(upstream->curl);
	upstream_forget_token(upstream);
	free(upstream->token_url);
	free(upstream->base);
	free(upstream);
}
