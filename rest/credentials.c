#include "rest/credentials.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"

/* RFC 6750 section 2.1, "b64token": what a token is made of. */
static bool
is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~+/=", c));
}

static int
take_token(const char *text, size_t len, struct pxs_buf *token)
{
	if (len == 0 || len > CREDENTIALS_TOKEN_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!is_token_byte(text[i]))
			return -EINVAL;
	pxs_buf_add(token, text, len);
	return token->error;
}

static int
base64_digit(char c)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(DIGITS, c) : NULL;

	return at ? (int)(at - DIGITS) : -1;
}

/* RFC 4648 section 4; padding may be missing. */
static int
decode_base64(const char *text, size_t len, struct pxs_buf *out)
{
	unsigned int bits = 0;
	int n_bits = 0;

	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0)
			return -EINVAL;
		bits = (bits << 6 | (unsigned int)digit) & 0xffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			pxs_buf_add_char(out, (char)(bits >> n_bits));
		}
	}
	return out->error;
}

/* RFC 7617: the user's name is the token, whatever the password is. */
static int
take_basic(const char *text, size_t len, struct pxs_buf *token)
{
	CLEANUP(pxs_buf) struct pxs_buf pair = PXS_BUF_INIT;
	const char *colon;
	int r;

	if (len > CREDENTIALS_TOKEN_MAX * 2)
		return -EINVAL;
	r = decode_base64(text, len, &pair);
	if (r < 0)
		return r;
	colon = pair.len ? memchr(pair.data, ':', pair.len) : NULL;
	if (!colon)
		return -EINVAL;
	return take_token(pair.data, (size_t)(colon - pair.data), token);
}

static int
read_header(const char *value, struct pxs_buf *token)
{
	static const struct {
		const char *name;
		bool basic;
	} SCHEMES[] = { { "Bearer", false }, { "Basic", true }, { "Token", false } };
	const char *end;
	size_t len;

	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	len = strcspn(value, " \t");
	if (value + len >= end)
		return take_token(value, (size_t)(end - value), token);
	for (size_t i = 0; i < ARRAY_SIZE(SCHEMES); i++) {
		const char *rest = value + len + strspn(value + len, " \t");

		if (strlen(SCHEMES[i].name) != len || strncasecmp(SCHEMES[i].name, value, len) != 0)
			continue;
		if (!SCHEMES[i].basic)
			return take_token(rest, (size_t)(end - rest), token);
		return take_basic(rest, (size_t)(end - rest), token);
	}
	return -EINVAL;
}

int
credentials_read(const char *authorization, const char *www_authenticate, struct pxs_buf *token)
{
	if (authorization)
		return read_header(authorization, token);
	if (www_authenticate)
		return read_header(www_authenticate, token);
	return -ENODATA;
}
