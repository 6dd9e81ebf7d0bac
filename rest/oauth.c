/* The authorisation server: a name and a password for a token (RFC 6749 section 4.3, with the error
 * table of spec/pixstor.md 5), facts about a token, its revocation (RFC 7009), and where all this
 * is (RFC 8414). The password grant is what this API documents; it is for first parties only. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "auth/auth.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "rest/credentials.h"
#include "rest/form.h"
#include "rest/handlers.h"
#include "rest/peer.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

#define OAUTH_JSON "application/json;charset=UTF-8"
#define FORM_TYPE "application/x-www-form-urlencoded"

/* What these parameters say must never stand in an URL, which everybody on the way logs. */
static const char *const SECRETS[] = { "username", "password", "token", "client_secret" };

static void
begin(struct reply *reply, const struct request *request, struct pxs_json *ret_json)
{
	reply->secret = true;
	reply_begin(reply, request, OAUTH_JSON, ret_json);
	pxs_json_begin_object(ret_json);
}

/* RFC 6749 section 5.2. */
static int
refuse(const struct request *request, struct reply *reply, const char *error, const char *why)
{
	struct pxs_json json;

	reply->status = MHD_HTTP_BAD_REQUEST;
	begin(reply, request, &json);
	pxs_json_pair(&json, "error", error);
	pxs_json_pair(&json, "error_description", why);
	pxs_json_end_object(&json);
	return reply->body.error;
}

/* --- What came --- */

/* "type" or "type;parameters". */
static bool
is_form(const char *content_type)
{
	size_t len = strlen(FORM_TYPE);

	return content_type && strncasecmp(content_type, FORM_TYPE, len) == 0 &&
	       (!content_type[len] || strchr("; \t", content_type[len]));
}

static const char *
fault_of_form(int r)
{
	if (r == -ENOTUNIQ)
		return "a parameter came more than once";
	if (r == -EMSGSIZE)
		return "the form is too long";
	return "the body is no form, or not UTF-8";
}

/* Reads the body; else refuses, and *RET_REFUSED. */
static int
read_form(const struct request *request, struct reply *reply, struct form *form, bool *ret_refused)
{
	const char *why = NULL;
	int r;

	*ret_refused = true;
	if (!request->server->secure)
		why = "passwords and tokens come over TLS only; this door is plain HTTP";
	for (size_t i = 0; i < ARRAY_SIZE(SECRETS) && !why; i++)
		if (request_param(request, SECRETS[i]))
			why = "parameters belong into the body, never into the URL";
	if (!why && !is_form(request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE)))
		why = "the Content-Type must be " FORM_TYPE;
	if (why)
		return refuse(request, reply, "invalid_request", why);
	r = form_parse(form, pxs_buf_text(&request->body), request->body.len);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(request, reply, "invalid_request", fault_of_form(r));
	*ret_refused = false;
	return 0;
}

/* --- A token for a password --- */

struct grant {
	const char *user;
	const char *password;
	const char *scope; /* NULL: whatever he may */
	unsigned int rights;
};

/* Clients have no secrets here, so one that shows any is a mistake that must be told. */
static bool
refuses_client(const struct request *request, struct reply *reply, const struct form *form,
	       int *ret_r)
{
	bool by_header = request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);

	if (!by_header && !form_value(form, "client_secret"))
		return false;
	*ret_r = refuse(request, reply, "invalid_client",
			"clients are public here and have no secret");
	if (by_header) {
		reply->status = MHD_HTTP_UNAUTHORIZED;
		reply->challenge = "Basic realm=\"pxs\"";
	}
	return true;
}

/* The first thing that is wrong, as RFC 6749 names it; NULL: nothing. */
static const char *
read_grant(const struct form *form, struct grant *grant, const char **ret_why)
{
	const char *type = form_value(form, "grant_type");

	*grant = (struct grant){
		.user = form_value(form, "username"),
		.password = form_value(form, "password"),
		.scope = form_value(form, "scope"),
		.rights = AUTH_EVERYTHING,
	};
	*ret_why = "grant_type is missing";
	if (!type)
		return "invalid_request";
	*ret_why = "the only grant_type is password";
	if (strcmp(type, "password") != 0)
		return "unsupported_grant_type";
	*ret_why = "username and password are both needed";
	if (!grant->user || !grant->password)
		return "invalid_request";
	*ret_why = "the scope names a right that does not exist";
	if (grant->scope && auth_rights_parse(grant->scope, &grant->rights, NULL) < 0)
		return "invalid_scope";
	return NULL;
}

static void
write_scope(struct pxs_json *json, unsigned int rights)
{
	CLEANUP(pxs_buf) struct pxs_buf scope = PXS_BUF_INIT;

	auth_rights_print(rights, " ", &scope);
	pxs_json_pair(json, "scope", pxs_buf_text(&scope));
}

static int
give_token(const struct request *request, struct reply *reply, const struct grant *grant,
	   struct pxs_error *err)
{
	struct auth_token facts = { .rights = grant->rights };
	struct auth_principal who = { 0 };
	char text[AUTH_TOKEN_SIZE];
	struct pxs_json json;
	int r;

	(void)stpcpy(facts.user, grant->user); /* who logged in, so it is not too long */
	r = auth_token_create(request->rest->auth, &facts, 0, text, err);
	if (r == 0)
		r = auth_token_check(request->rest->auth, text, &who, NULL);
	if (r < 0)
		return r;
	begin(reply, request, &json);
	pxs_json_pair(&json, "access_token", text);
	pxs_json_pair(&json, "token_type", "Bearer");
	pxs_json_key(&json, "expires_in");
	pxs_json_int(&json, facts.expires_s - facts.created_s);
	if (grant->scope)
		write_scope(&json, who.rights);
	pxs_json_end_object(&json);
	explicit_bzero(text, sizeof(text));
	return reply->body.error;
}

int
handle_token(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(form) struct form form = { 0 };
	char from[PEER_SIZE];
	struct grant grant;
	const char *error;
	const char *why;
	bool refused;
	int r = read_form(request, reply, &form, &refused);

	if (r < 0 || refused || refuses_client(request, reply, &form, &r))
		return r;
	error = read_grant(&form, &grant, &why);
	if (error)
		return refuse(request, reply, error, why);
	peer_address(request, from);
	r = -EACCES;
	if (request->rest->auth)
		r = auth_login(request->rest->auth, grant.user, grant.password, from,
			       &request->hold_until_ns);
	if (r == 0)
		return give_token(request, reply, &grant, err);
	return r == -EACCES ? refuse(request, reply, "invalid_grant",
				     "this name with this password may not log in")
			    : r;
}

/* --- Facts about a token --- */

static void
write_token(struct pxs_json *json, const struct auth_principal *who, const struct auth_token *token)
{
	pxs_json_pair(json, "username", who->user);
	pxs_json_pair(json, "token_type", "Bearer");
	pxs_json_key(json, "iat");
	pxs_json_int(json, token->created_s);
	pxs_json_key(json, "exp");
	pxs_json_int(json, token->expires_s);
	pxs_json_key(json, "rights");
	pxs_json_begin_array(json);
	for (unsigned int right = 1; right <= AUTH_OPERATE; right <<= 1)
		if (who->rights & right)
			pxs_json_string(json, auth_right_name(right));
	pxs_json_end_array(json);
}

/* In the header, or as the parameter access_token, which is how the products beside PixStor ask. */
int
handle_token_info(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf token = PXS_BUF_INIT;
	struct auth *auth = request->rest->auth;
	const char *param = request_param(request, "access_token");
	struct auth_principal who;
	struct auth_token facts;
	struct pxs_json json;
	int r = credentials_read(request_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
				 request_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE), &token);

	(void)err;
	if (!request->server->secure)
		return refuse(request, reply, "invalid_request",
			      "tokens come over TLS only; this door is plain HTTP");
	if (r < 0 && !param)
		return refuse(request, reply, "invalid_request", "no token came");
	r = auth ? auth_token_check(auth, r < 0 ? param : pxs_buf_text(&token), &who, &facts)
		 : -EACCES;
	begin(reply, request, &json);
	pxs_json_key(&json, "active");
	pxs_json_bool(&json, r == 0);
	if (r == 0)
		write_token(&json, &who, &facts);
	pxs_json_end_object(&json);
	return reply->body.error;
}

/* RFC 7009: whoever has a token may end it; that an unknown one is no more is no error. */
int
handle_token_revoke(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(form) struct form form = { 0 };
	const char *token;
	bool refused;
	int r = read_form(request, reply, &form, &refused);

	if (r < 0 || refused || refuses_client(request, reply, &form, &r))
		return r;
	token = form_value(&form, "token");
	if (!token)
		return refuse(request, reply, "invalid_request", "token is missing");
	r = request->rest->auth ? auth_token_revoke(request->rest->auth, token) : 0;
	if (r < 0 && r != -ENOENT)
		return pxs_error_set(err, r, -1, "cannot end the token: %s", strerror(-r));
	reply->secret = true;
	reply->type = OAUTH_JSON;
	pxs_buf_add_str(&reply->body, "{}");
	return reply->body.error;
}

/* --- Where all this is --- */

static void
write_list(struct pxs_json *json, const char *key, const char *const *words)
{
	pxs_json_key(json, key);
	pxs_json_begin_array(json);
	for (size_t i = 0; words[i]; i++)
		pxs_json_string(json, words[i]);
	pxs_json_end_array(json);
}

/* RFC 3986 section 3.2, as far as hosts have ports: the client's own words, which come back to
 * nobody but him. */
static bool
is_host(const char *host)
{
	return host && *host &&
	       host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 ".-_[]:")] == '\0';
}

static void
write_url(struct pxs_json *json, const char *key, const char *issuer, const char *path)
{
	CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;

	pxs_buf_addf(&url, "%s%s", issuer, path);
	pxs_json_pair(json, key, pxs_buf_text(&url));
}

int
handle_oauth_metadata(struct request *request, struct reply *reply, struct pxs_error *err)
{
	static const char *const GRANTS[] = { "password", NULL };
	static const char *const NONE[] = { "none", NULL };
	static const char *const SCOPES[] = { "read", "update_search_metadata",
					      "delete_search_metadata",
					      "bypass_file_access_security", NULL };
	CLEANUP(pxs_buf) struct pxs_buf issuer = PXS_BUF_INIT;
	const char *host = request_header(request, MHD_HTTP_HEADER_HOST);
	struct pxs_json json;

	if (!is_host(host))
		return pxs_error_set(err, -EINVAL, -1, "the header Host is missing or wrong");
	pxs_buf_addf(&issuer, "%s://%s", request->server->tls ? "https" : "http", host);
	reply_begin(reply, request, OAUTH_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "issuer", pxs_buf_text(&issuer));
	write_url(&json, "token_endpoint", pxs_buf_text(&issuer), "/oauth2/token");
	write_url(&json, "revocation_endpoint", pxs_buf_text(&issuer), "/oauth2/revoke");
	write_list(&json, "response_types_supported", &GRANTS[1]); /* there is no such endpoint */
	write_list(&json, "grant_types_supported", GRANTS);
	write_list(&json, "token_endpoint_auth_methods_supported", NONE);
	write_list(&json, "revocation_endpoint_auth_methods_supported", NONE);
	write_list(&json, "scopes_supported", SCOPES);
	pxs_json_end_object(&json);
	return reply->body.error;
}
