#include "rest/form.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/percent.h"
#include "base/utf8.h"

void
form_done(struct form *form)
{
	if (form->bytes.data)
		explicit_bzero(form->bytes.data, form->bytes.cap);
	pxs_buf_done(&form->bytes);
}

/* Adds TEXT decoded, and a NUL. */
static int
add_decoded(struct pxs_buf *bytes, const char *text, size_t len)
{
	size_t start = bytes->len;

	for (size_t i = 0; i < len; i++) {
		int high = 0;
		int low = 0;

		if (text[i] == '+') {
			pxs_buf_add_char(bytes, ' ');
			continue;
		}
		if (text[i] != '%') {
			pxs_buf_add_char(bytes, text[i]);
			continue;
		}
		if (i + 2 < len) {
			high = pxs_hex_digit(text[i + 1]);
			low = pxs_hex_digit(text[i + 2]);
		}
		if (i + 2 >= len || high < 0 || low < 0)
			return -EINVAL;
		pxs_buf_add_char(bytes, (char)(high * 16 + low));
		i += 2;
	}
	if (bytes->error)
		return bytes->error;
	len = bytes->len - start;
	if (len &&
	    (memchr(bytes->data + start, '\0', len) || !pxs_utf8_valid(bytes->data + start, len)))
		return -EINVAL;
	pxs_buf_add(bytes, "", 1);
	return bytes->error;
}

/* NAME=VALUE or NAME. */
static int
add_field(struct form *form, const char *pair, size_t len)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals ? (size_t)(equals - pair) : len;
	size_t name = form->bytes.len;
	size_t value;
	int r = add_decoded(&form->bytes, pair, name_len);

	value = form->bytes.len;
	if (r == 0 && equals)
		r = add_decoded(&form->bytes, equals + 1, len - name_len - 1);
	if (r < 0 || !equals || equals + 1 == pair + len)
		return r;
	if (form_value(form, form->bytes.data + name))
		return -ENOTUNIQ;
	if (form->n == FORM_FIELDS_MAX)
		return -EMSGSIZE;
	form->fields[form->n].name = name;
	form->fields[form->n].value = value;
	form->n++;
	return 0;
}

int
form_parse(struct form *form, const char *body, size_t len)
{
	const char *end = body + len;
	int r = len > FORM_BYTES_MAX ? -EMSGSIZE : 0;

	/* In one piece, so that no copy of a password stays behind where it grew. */
	if (r == 0 && !pxs_buf_reserve(&form->bytes, 2 * len + 2))
		r = -ENOMEM;
	while (body < end && r == 0) {
		const char *ampersand = memchr(body, '&', (size_t)(end - body));
		const char *pair_end = ampersand ? ampersand : end;

		if (pair_end > body)
			r = add_field(form, body, (size_t)(pair_end - body));
		body = pair_end + 1;
	}
	return r;
}

const char *
form_value(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->bytes.data + form->fields[i].name, name) == 0)
			return form->bytes.data + form->fields[i].value;
	return NULL;
}
