#include "base/json.h"

#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

void
pxs_json_init(struct pxs_json *json, struct pxs_buf *buf, int indent)
{
	*json = (struct pxs_json){ .buf = buf, .indent = indent, .first = true };
}

static void
new_line(struct pxs_json *json)
{
	char *spaces;
	size_t n = (size_t)json->indent * (size_t)json->depth;

	if (!json->indent)
		return;
	pxs_buf_add_char(json->buf, '\n');
	spaces = pxs_buf_reserve(json->buf, n);
	if (!spaces)
		return;
	memset(spaces, ' ', n);
	json->buf->len += n;
	json->buf->data[json->buf->len] = '\0';
}

/* What stands before a value or a key. */
static void
separate(struct pxs_json *json)
{
	if (json->after_key) {
		json->after_key = false;
		return;
	}
	if (!json->first)
		pxs_buf_add_char(json->buf, ',');
	if (json->depth)
		new_line(json);
	json->first = false;
}

static void
begin(struct pxs_json *json, char bracket)
{
	separate(json);
	pxs_buf_add_char(json->buf, bracket);
	json->depth++;
	json->first = true;
}

static void
end(struct pxs_json *json, char bracket)
{
	json->depth--;
	if (!json->first)
		new_line(json);
	pxs_buf_add_char(json->buf, bracket);
	json->first = false;
}

void
pxs_json_begin_object(struct pxs_json *json)
{
	begin(json, '{');
}

void
pxs_json_end_object(struct pxs_json *json)
{
	end(json, '}');
}

void
pxs_json_begin_array(struct pxs_json *json)
{
	begin(json, '[');
}

void
pxs_json_end_array(struct pxs_json *json)
{
	end(json, ']');
}

/* RFC 8259 section 7: these and no others must be escaped. */
static void
add_escaped(struct pxs_buf *buf, unsigned char c)
{
	static const char SHORT[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *s = SHORT; *s; s += 2)
		if ((unsigned char)*s == c) {
			pxs_buf_add(buf, (char[]){ '\\', s[1] }, 2);
			return;
		}
	pxs_buf_addf(buf, "\\u%04x", c);
}

static void
add_quoted(struct pxs_buf *buf, const char *text, size_t len)
{
	size_t plain = 0; /* bytes from the current position that need no change */
	size_t size;

	pxs_buf_add_char(buf, '"');
	for (size_t at = 0; at < len;) {
		unsigned char c = (unsigned char)text[at];

		size = c >= 0x80 ? pxs_utf8_char(text + at, len - at) : 1;
		if (size && c >= ' ' && c != '"' && c != '\\') {
			plain += size;
			at += size;
			continue;
		}
		pxs_buf_add(buf, text + at - plain, plain);
		plain = 0;
		if (size)
			add_escaped(buf, c);
		else
			pxs_buf_add_str(buf, "\xef\xbf\xbd");
		at++;
	}
	pxs_buf_add(buf, text + len - plain, plain);
	pxs_buf_add_char(buf, '"');
}

void
pxs_json_key(struct pxs_json *json, const char *key)
{
	separate(json);
	add_quoted(json->buf, key, strlen(key));
	pxs_buf_add_str(json->buf, json->indent ? ": " : ":");
	json->after_key = true;
}

void
pxs_json_stringn(struct pxs_json *json, const char *text, size_t len)
{
	separate(json);
	add_quoted(json->buf, text, len);
}

void
pxs_json_string(struct pxs_json *json, const char *text)
{
	pxs_json_stringn(json, text, strlen(text));
}

/* Printf's machinery would take most of the time of a reply full of numbers. */
void
pxs_json_pair(struct pxs_json *json, const char *key, const char *text)
{
	pxs_json_key(json, key);
	pxs_json_string(json, text);
}

void
pxs_json_int(struct pxs_json *json, int64_t value)
{
	char text[24];
	char *at = text + sizeof(text);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--at = '-';
	separate(json);
	pxs_buf_add(json->buf, at, (size_t)(text + sizeof(text) - at));
}

void
pxs_json_begun_object(struct pxs_json *json, const char *text, size_t len)
{
	separate(json);
	pxs_buf_add(json->buf, text, len);
	json->after_key = true;
}

void
pxs_json_end_begun(struct pxs_json *json)
{
	pxs_buf_add_char(json->buf, '}');
	json->first = false;
}

void
pxs_double_print(double value, char text[32])
{
	/* 17 significant digits always read back; fewer often do. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, 32, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

void
pxs_json_double(struct pxs_json *json, double value)
{
	char text[32];

	if (!isfinite(value)) {
		pxs_json_null(json);
		return;
	}
	pxs_double_print(value, text);
	pxs_json_raw(json, text);
}

void
pxs_json_bool(struct pxs_json *json, bool value)
{
	pxs_json_raw(json, value ? "true" : "false");
}

void
pxs_json_null(struct pxs_json *json)
{
	pxs_json_raw(json, "null");
}

void
pxs_json_raw(struct pxs_json *json, const char *text)
{
	separate(json);
	pxs_buf_add_str(json->buf, text);
}
