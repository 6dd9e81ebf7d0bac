/* libFuzzer: what strangers send before they are known: the header with a token, the form with a
 * password, and whether a token has the form of ours. */
#include <errno.h>
#include <string.h>

#include "auth/secret.h"
#include "rest/credentials.h"
#include "rest/form.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_header(const char *header)
{
	CLEANUP(pxs_buf) struct pxs_buf token = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf again = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf bearer = PXS_BUF_INIT;
	int r = credentials_read(header, NULL, &token);

	FUZZ_REQUIRE(r == 0 || r == -EINVAL);
	if (r < 0)
		return;
	FUZZ_REQUIRE(token.len > 0 && token.len <= CREDENTIALS_TOKEN_MAX);
	FUZZ_REQUIRE(strlen(token.data) == token.len && !strpbrk(token.data, " \t\r\n\"\\,;:"));
	(void)secret_token_is_formed(token.data);

	/* What was found is the same token when it is sent plainly. */
	pxs_buf_addf(&bearer, "Bearer %s", token.data);
	FUZZ_REQUIRE(credentials_read(NULL, pxs_buf_text(&bearer), &again) == 0);
	FUZZ_REQUIRE(strcmp(token.data, again.data) == 0);
}

static void
fuzz_form(const char *body, size_t len)
{
	CLEANUP(form) struct form form = { 0 };
	int r = form_parse(&form, body, len);

	FUZZ_REQUIRE(r == 0 || r == -EINVAL || r == -ENOTUNIQ || r == -EMSGSIZE);
	for (size_t i = 0; r == 0 && i < form.n; i++) {
		const char *name = form.bytes.data + form.fields[i].name;
		const char *value = form_value(&form, name);

		FUZZ_REQUIRE(value == form.bytes.data + form.fields[i].value && *value);
		FUZZ_REQUIRE((size_t)(value - form.bytes.data) + strlen(value) < form.bytes.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	fuzz_form((const char *)data, size);
	fuzz_text(&text, data, size);
	fuzz_header(pxs_buf_text(&text));
	return 0;
}
