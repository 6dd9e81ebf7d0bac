/* Users of pxs's own, tokens and the certificate: for operators, who come through the Unix socket
 * or with a token that has this right. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "auth/auth.h"
#include "base/error.h"
#include "base/json.h"
#include "rest/certificate.h"
#include "rest/handlers.h"
#include "rest/item.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

static int
need_auth(const struct request *request, struct auth **ret_auth, struct pxs_error *err)
{
	*ret_auth = request->rest->auth;
	if (*ret_auth)
		return 0;
	return pxs_error_set(err, -EOPNOTSUPP, -1, "this engine keeps no users and tokens");
}

/* OBJECT's member KEY; *RET_TEXT stays as it is where there is none. -EINVAL: it is no text. */
static int
text_member(const json_t *object, const char *key, const char **ret_text, struct pxs_error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	*ret_text = json_string_value(value);
	if (*ret_text && strlen(*ret_text) == json_string_length(value))
		return 0;
	return pxs_error_set(err, -EINVAL, -1, "\"%s\" must be text", key);
}

static void
write_rights(struct pxs_json *json, unsigned int rights)
{
	pxs_json_key(json, "rights");
	pxs_json_begin_array(json);
	for (unsigned int right = 1; right <= AUTH_OPERATE; right <<= 1)
		if (rights & right)
			pxs_json_string(json, auth_right_name(right));
	pxs_json_end_array(json);
}

static void
write_number(struct pxs_json *json, const char *key, int64_t number)
{
	pxs_json_key(json, key);
	pxs_json_int(json, number);
}

/* {"KEY":[ up to end_list(), which takes the result of what was written between. */
static int
begin_list(struct request *request, struct reply *reply, const char *key, struct pxs_json *json,
	   struct auth **ret_auth, struct pxs_error *err)
{
	int r = need_auth(request, ret_auth, err);

	if (r < 0)
		return r;
	reply_begin(reply, request, REPLY_JSON, json);
	pxs_json_begin_object(json);
	pxs_json_key(json, key);
	pxs_json_begin_array(json);
	return 0;
}

static int
end_list(const struct reply *reply, struct pxs_json *json, int r)
{
	pxs_json_end_array(json);
	pxs_json_end_object(json);
	return r < 0 ? r : reply->body.error;
}

/* --- Users --- */

static int
write_user(void *context, const struct auth_user *user)
{
	struct pxs_json *json = context;

	pxs_json_begin_object(json);
	pxs_json_pair(json, "name", user->name);
	write_rights(json, user->rights);
	write_number(json, "created", user->created_s);
	pxs_json_end_object(json);
	return 0;
}

int
handle_users(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct auth *auth;
	struct pxs_json json;
	int r = begin_list(request, reply, "users", &json, &auth, err);

	return r < 0 ? r : end_list(reply, &json, auth_user_list(auth, write_user, &json));
}

/* What an operator sends of a user. */
struct wish {
	const char *name;
	const char *password;
	const char *rights_text;
	unsigned int rights;
};

static int
read_wish(const json_t *body, struct wish *wish, struct pxs_error *err)
{
	int r = text_member(body, "name", &wish->name, err);

	if (r == 0)
		r = text_member(body, "password", &wish->password, err);
	if (r == 0)
		r = text_member(body, "rights", &wish->rights_text, err);
	if (r == 0 && wish->rights_text)
		r = auth_rights_parse(wish->rights_text, &wish->rights, err);
	return r;
}

int
handle_user_add(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	struct wish wish = { .rights = AUTH_READ };
	struct auth *auth;
	int r = need_auth(request, &auth, err);

	if (r == 0)
		r = request_json(request, &body, err);
	if (r == 0)
		r = read_wish(body, &wish, err);
	if (r == 0 && (!wish.name || !wish.password))
		return pxs_error_set(err, -EINVAL, -1, "a user needs a name and a password");
	if (r == 0)
		r = auth_user_add(auth, wish.name, wish.password, wish.rights, err);
	if (r < 0)
		return r;
	reply->status = 201;
	reply->type = REPLY_JSON;
	pxs_buf_add_str(&reply->body, "{}");
	return reply->body.error;
}

int
handle_user_change(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	struct wish wish = { 0 };
	struct auth *auth;
	int r = need_auth(request, &auth, err);

	if (r == 0)
		r = request_json(request, &body, err);
	if (r == 0)
		r = read_wish(body, &wish, err);
	if (r == 0 && !wish.password && !wish.rights_text)
		return pxs_error_set(err, -EINVAL, -1,
				     "what of him is to change: password, rights?");
	if (r == 0)
		r = auth_user_change(auth, pxs_buf_text(&request->tail), wish.password,
				     wish.rights_text ? &wish.rights : NULL, err);
	reply->status = 204;
	return r;
}

int
handle_user_remove(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct auth *auth;
	int r = need_auth(request, &auth, err);

	if (r == 0)
		r = auth_user_remove(auth, pxs_buf_text(&request->tail), err);
	reply->status = 204;
	return r;
}

/* --- Tokens --- */

static int
write_token(void *context, const struct auth_token *token)
{
	struct pxs_json *json = context;

	pxs_json_begin_object(json);
	write_number(json, "id", token->id);
	pxs_json_pair(json, "user", token->user);
	pxs_json_pair(json, "begins", token->hint);
	pxs_json_pair(json, "label", token->label);
	pxs_json_key(json, "granted");
	pxs_json_bool(json, token->granted);
	write_rights(json, token->rights);
	write_number(json, "created", token->created_s);
	write_number(json, "expires", token->expires_s);
	pxs_json_key(json, "used");
	if (token->used_s)
		pxs_json_int(json, token->used_s);
	else
		pxs_json_null(json);
	pxs_json_end_object(json);
	return 0;
}

int
handle_tokens(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct auth *auth;
	struct pxs_json json;
	int r = begin_list(request, reply, "tokens", &json, &auth, err);

	return r < 0 ? r : end_list(reply, &json, auth_token_list(auth, write_token, &json));
}

/* Without rights named, those that the user has now (whoever asks for himself, as he is); but
 * operating only where it is named. */
static int
choose_rights(const struct request *request, const char *user, const char *text,
	      unsigned int *ret_rights, struct pxs_error *err)
{
	struct auth_principal who = request->who;
	int r = 0;

	if (text)
		return auth_rights_parse(text, ret_rights, err);
	if (strcmp(user, request->who.user) != 0)
		r = auth_principal_of(request->rest->auth, user, &who);
	if (r == 0)
		*ret_rights = who.rights & ~AUTH_OPERATE;
	return r == -ENOENT ? 0 : r; /* auth_token_create() will say so */
}

static int
read_token(const struct request *request, const json_t *body, struct auth_token *facts,
	   int64_t *ret_life_s, struct pxs_error *err)
{
	const json_t *life = json_object_get(body, "expires_in");
	const char *user = request->who.user;
	const char *rights = NULL;
	const char *label = "";
	int r = text_member(body, "user", &user, err);

	if (r == 0)
		r = text_member(body, "rights", &rights, err);
	if (r == 0)
		r = text_member(body, "label", &label, err);
	if (r < 0)
		return r;
	if (strlen(user) > AUTH_USER_MAX || strlen(label) > AUTH_LABEL_MAX)
		return pxs_error_set(err, -EINVAL, -1,
				     "a user's name has at most %d bytes, a label %d",
				     AUTH_USER_MAX, AUTH_LABEL_MAX);
	if (life && (!json_is_integer(life) || json_integer_value(life) <= 0))
		return pxs_error_set(err, -EINVAL, -1,
				     "\"expires_in\" must be a number of seconds");
	*ret_life_s = life ? json_integer_value(life) : 0;
	facts->granted = true;
	(void)stpcpy(facts->user, user);
	(void)stpcpy(facts->label, label);
	return choose_rights(request, user, rights, &facts->rights, err);
}

int
handle_token_create(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *body = NULL;
	struct auth_token facts = { 0 };
	char text[AUTH_TOKEN_SIZE];
	struct auth *auth;
	struct pxs_json json;
	int64_t life_s = 0;
	int r = need_auth(request, &auth, err);

	if (r == 0)
		r = request_json(request, &body, err);
	if (r == 0)
		r = read_token(request, body, &facts, &life_s, err);
	if (r == 0)
		r = auth_token_create(auth, &facts, life_s, text, err);
	if (r < 0)
		return r;
	reply->status = 201;
	reply->secret = true;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "token", text);
	write_number(&json, "id", facts.id);
	pxs_json_pair(&json, "user", facts.user);
	write_rights(&json, facts.rights);
	write_number(&json, "expires", facts.expires_s);
	pxs_json_end_object(&json);
	explicit_bzero(text, sizeof(text));
	return reply->body.error;
}

int
handle_token_remove(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct auth *auth;
	int64_t id = 0;
	int r = need_auth(request, &auth, err);

	if (r == 0)
		r = item_id_parse(pxs_buf_text(&request->tail), &id);
	if (r == 0)
		r = auth_token_revoke_id(auth, id);
	reply->status = 204;
	if (r == -ENOENT || r == -EINVAL)
		return pxs_error_set(err, -ENOENT, -1, "there is no token with the number %s",
				     pxs_buf_text(&request->tail));
	return r;
}

/* --- The certificate --- */

int
handle_certificate(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf pem = PXS_BUF_INIT;
	struct certificate_facts facts;
	struct pxs_json json;
	int r;

	if (!request->rest->certificate)
		return pxs_error_set(err, -ENOENT, -1,
				     "no door has TLS, so there is no certificate; see --auth");
	certificate_facts(request->rest->certificate, &facts);
	r = certificate_names(request->rest->certificate, &names);
	if (r == 0)
		r = certificate_pem(request->rest->certificate, &pem);
	if (r < 0)
		return r;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_pair(&json, "fingerprint", facts.fingerprint);
	pxs_json_pair(&json, "pin", facts.pin);
	pxs_json_pair(&json, "subject", facts.subject);
	pxs_json_pair(&json, "names", pxs_buf_text(&names));
	write_number(&json, "not_before", facts.not_before_s);
	write_number(&json, "not_after", facts.not_after_s);
	pxs_json_key(&json, "self_signed");
	pxs_json_bool(&json, facts.own);
	reply_path(&json, "path", facts.path);
	pxs_json_pair(&json, "pem", pxs_buf_text(&pem));
	pxs_json_end_object(&json);
	return reply->body.error;
}
