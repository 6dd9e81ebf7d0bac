#include "index/sync/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/url.h"

/* A page of 1,000 documents is some 5 MB. */
#define ANSWER_MAX ((size_t)64 << 20)
#define CONNECT_TIMEOUT_S 10L
/* The core waits up to 25 s before it answers what changed. */
#define SILENCE_MAX_S 60L
#define REQUEST_MAX_S 300L
#define REDIRECTS_MAX 5
#define TOKEN_MAX 8192
#define PASSWORD_MAX 4096

struct upstream {
	const struct sync_options *options;
	const atomic_bool *stop;
	CURL *curl;
	char *base;	   /* without a slash at its end */
	size_t origin_len; /* of scheme, host and port in it */
	char *token_url;
	char *token; /* NULL: not logged in */
};

/* What comes of one request. */
struct answer {
	struct pxs_buf body;
	long status;
	bool too_long;
};

static inline void
answer_cleanup(struct answer *answer)
{
	if (answer->body.data)
		explicit_bzero(answer->body.data, answer->body.len); /* it may be a token */
	pxs_buf_done(&answer->body);
}

static void
forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

/* --- One request --- */

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
	return atomic_load(upstream->stop);
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

/* FORM NULL: GET with the token; else POST it, without. */
static CURLcode
perform(struct upstream *upstream, const char *url, const char *form, struct answer *answer)
{
	CURL *curl = upstream->curl;
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: "
							     "application/vnd.collection+json, "
							     "application/json;q=0.9");
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
	if (form) {
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
	} else if (upstream->token) {
		(void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		(void)curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, upstream->token);
	}
	code = headers ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
	curl_slist_free_all(headers);
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	return code;
}

static int
curl_errno(const struct upstream *upstream, CURLcode code, const struct answer *answer,
	   struct pxs_error *err)
{
	const char *url = upstream->base;

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
	return pxs_error_set(err, -EHOSTUNREACH, -1, "no whole answer from %s: %s", url,
			     curl_easy_strerror(code));
}

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

static int
get(struct upstream *upstream, const char *href, struct answer *answer, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;
	int r = resolve(upstream, href, &url, err);

	for (int i = 0; r == 0 && i <= REDIRECTS_MAX; i++) {
		pxs_buf_clear(&answer->body);
		answer->status = 0;
		r = curl_errno(upstream, perform(upstream, pxs_buf_text(&url), NULL, answer),
			       answer, err);
		if (r < 0 || !is_redirect(answer->status))
			return r;
		r = redirect(upstream, &url, err);
	}
	return r < 0 ? r
		     : pxs_error_set(err, -EPROTO, -1, "%s sends us round in a circle",
				     upstream->base);
}

/* --- Logging in --- */

static int
read_password(const struct upstream *upstream, char password[PASSWORD_MAX], struct pxs_error *err)
{
	const char *path = upstream->options->password_file;
	CLEANUP(fclose) FILE *file = fopen(path, "re");

	if (!file)
		return pxs_error_set(err, -EACCES, -1, "cannot read the password in %s: %m", path);
	(void)setvbuf(file, NULL, _IONBF, 0); /* no copy stays in a buffer */
	if (!fgets(password, PASSWORD_MAX, file))
		password[0] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	if (!*password)
		return pxs_error_set(err, -EACCES, -1, "the first line of %s must be the password",
				     path);
	return 0;
}

static bool
is_reserved(unsigned char c)
{
	bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

	return !alnum && (c == '\0' || !strchr("-._~", c));
}

static int
print_form(const struct upstream *upstream, struct pxs_buf *form, struct pxs_error *err)
{
	const char *user = upstream->options->user;
	char password[PASSWORD_MAX];
	int r = read_password(upstream, password, err);

	/* At once what it may become, so that no half is left where it grew out of. */
	if (r == 0 && pxs_buf_reserve(form, 3 * (strlen(user) + strlen(password)) + 64)) {
		pxs_buf_add_str(form, "grant_type=password&username=");
		pxs_percent_encode(form, user, strlen(user), is_reserved);
		pxs_buf_add_str(form, "&password=");
		pxs_percent_encode(form, password, strlen(password), is_reserved);
	}
	explicit_bzero(password, sizeof(password));
	return r < 0 ? r : form->error;
}

static int
take_token(struct upstream *upstream, const struct answer *answer, struct pxs_error *err)
{
	CLEANUP(json_decref)
	json_t *json = json_loadb(pxs_buf_text(&answer->body), answer->body.len, 0, NULL);
	const char *token = json_string_value(json_object_get(json, "access_token"));

	if (answer->status == 400 || answer->status == 401 || answer->status == 403)
		return pxs_error_set(err, -EACCES, -1, "%s does not let %s in with this password",
				     upstream->token_url, upstream->options->user);
	if (answer->status == 429 || answer->status >= 500)
		return pxs_error_set(err, -EAGAIN, -1, "%s answers with HTTP status %ld",
				     upstream->token_url, answer->status);
	if (answer->status != 200 || !token || !*token || strlen(token) > TOKEN_MAX ||
	    strpbrk(token, "\r\n"))
		return pxs_error_set(err, -EPROTO, -1,
				     "%s gives no token (HTTP status %ld); is it the "
				     "authorisation server?",
				     upstream->token_url, answer->status);
	upstream->token = strdup(token);
	return upstream->token ? 0 : -ENOMEM;
}

static int
log_in(struct upstream *upstream, struct pxs_error *err)
{
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf form = PXS_BUF_INIT;
	int r = print_form(upstream, &form, err);

	forget(&upstream->token);
	if (r == 0)
		r = curl_errno(upstream,
			       perform(upstream, upstream->token_url, pxs_buf_text(&form), &answer),
			       &answer, err);
	if (form.data)
		explicit_bzero(form.data, form.cap);
	return r < 0 ? r : take_token(upstream, &answer, err);
}

/* --- Asking --- */

static int
status_errno(const struct upstream *upstream, const char *href, long status, struct pxs_error *err)
{
	int r = -EPROTO;

	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return pxs_error_set(err, -EACCES, -1,
				     "not authorised at %s: %s may not read there", upstream->base,
				     upstream->options->user ? upstream->options->user
							     : "who has no token");
	if (status == 404)
		r = -ENOENT;
	else if (status == 410)
		r = -ESTALE;
	else if (status == 429 || status >= 500)
		r = -EAGAIN;
	return pxs_error_set(err, r, -1, "%s answers %.200s with HTTP status %ld", upstream->base,
			     href, status);
}

/* With a token that may have ended, once more with a fresh one. */
static int
get_authorised(struct upstream *upstream, const char *href, struct answer *answer,
	       struct pxs_error *err)
{
	bool fresh = !upstream->token;
	int r = fresh && upstream->options->user ? log_in(upstream, err) : 0;

	if (r == 0)
		r = get(upstream, href, answer, err);
	if (r < 0 || (answer->status != 401 && answer->status != 403))
		return r;
	if (fresh || !upstream->options->user)
		return 0;
	r = log_in(upstream, err);
	return r < 0 ? r : get(upstream, href, answer, err);
}

int
upstream_get(struct upstream *upstream, const char *href, json_t **ret_json, struct pxs_error *err)
{
	CLEANUP(answer) struct answer answer = { 0 };
	json_error_t fault;
	int r = get_authorised(upstream, href, &answer, err);

	if (r == 0)
		r = status_errno(upstream, href, answer.status, err);
	if (r == -EACCES)
		forget(&upstream->token);
	if (r < 0)
		return r;
	*ret_json = json_loadb(pxs_buf_text(&answer.body), answer.body.len, 0, &fault);
	if (*ret_json)
		return 0;
	return pxs_error_set(err, -EPROTO, -1, "%s answers %.200s with what is no JSON: %s",
			     upstream->base, href, fault.text);
}

/* --- Opening --- */

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
upstream_open(const struct sync_options *options, const atomic_bool *stop,
	      struct upstream **ret_upstream, struct pxs_error *err)
{
	CLEANUP(upstream) struct upstream *upstream = calloc(1, sizeof(*upstream));
	int r;

	if (!upstream)
		return -ENOMEM;
	upstream->options = options;
	upstream->stop = stop;
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
	forget(&upstream->token);
	free(upstream->token_url);
	free(upstream->base);
	free(upstream);
}
