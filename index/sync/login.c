/* The password grant: a name and a password for a token. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/percent.h"
#include "index/sync/exchange.h"
#include "index/sync/upstream.h"

#define TOKEN_MAX 8192
#define PASSWORD_MAX 4096

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

int
log_in(struct upstream *upstream, struct pxs_error *err)
{
	static const struct upstream_request PLAIN = { .method = "POST" };
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf form = PXS_BUF_INIT;
	int r = print_form(upstream, &form, err);

	upstream_forget_token(upstream);
	if (r == 0)
		r = exchange(upstream, upstream->token_url, &PLAIN, pxs_buf_text(&form), &answer,
			     err);
	if (form.data)
		explicit_bzero(form.data, form.cap);
	return r < 0 ? r : take_token(upstream, &answer, err);
}
