/* name.c - what a name in a query folder can be, and how text is written in one. */
#include "query/name.h"

#include <string.h>

#include <unictype.h>
#include <unistr.h>

#include "base/buf.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "query/query.h"

bool
query_name_escapes(unsigned char c)
{
	/* A table, as each byte of each name of a listing is asked about. */
	static const bool ESCAPED[0x80] = {
		['"'] = true,  ['%'] = true, ['*'] = true,  ['/'] = true,
		[':'] = true,  ['<'] = true, ['>'] = true,  ['?'] = true,
		['\\'] = true, ['|'] = true, [0x7f] = true,
	};

	return c < ' ' || (c < sizeof(ESCAPED) && ESCAPED[c]);
}

bool
query_segment_escapes(unsigned char c)
{
	return c == '%' || c == '/' || c < ' ' || c == 0x7f;
}

static bool
every_byte(unsigned char c)
{
	(void)c;
	return true;
}

/* SMB drops a dot or a space at the end of a name. */
static bool
text_escapes(const char *text, size_t i)
{
	return query_name_escapes((unsigned char)text[i]) ||
	       (text[i + 1] == '\0' && strchr(". ", text[i]));
}

static bool
value_escapes(const char *text, size_t i)
{
	if (text[i] == '.' && (text[i + 1] == '.' || (i && text[i - 1] == '.')))
		return true;
	return text[i] == ',' || (text[i] == '!' && i == 0) || text_escapes(text, i);
}

/* Bytes of the combining mark at TEXT, 0 if there is none. */
static size_t
mark_size(const char *text)
{
	size_t size = pxs_utf8_char(text, strlen(text));
	ucs4_t c;

	if ((unsigned char)*text < 0x80 || !size)
		return 0;
	(void)u8_mbtouc(&c, (const uint8_t *)text, size);
	return uc_combining_class(c) ? size : 0;
}

/* A mark right behind our '=' or an escape (the A of "%3A") would merge with it where names are
 * brought to NFC, so it is escaped as well. */
static void
add(struct pxs_buf *buf, const char *text, bool (*escapes)(const char *text, size_t i))
{
	bool exposed = true;
	size_t size;

	for (size_t i = 0; text[i]; i += size) {
		size = exposed ? mark_size(text + i) : 0;
		exposed = size || escapes(text, i);
		size = size ? size : 1;
		if (exposed)
			pxs_percent_encode(buf, text + i, size, every_byte);
		else
			pxs_buf_add_char(buf, text[i]);
	}
}

void
query_name_add_text(struct pxs_buf *buf, const char *text)
{
	add(buf, text, text_escapes);
}

void
query_name_add_value(struct pxs_buf *buf, const char *text)
{
	add(buf, text, value_escapes);
}

static bool
starts_identifier(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Bytes of one character of an identifier, 0 if it is none. A ':' may be written %3A, as it is in
 * the names that we emit. */
static size_t
identifier_char(const char *at)
{
	if (starts_identifier(*at) || (*at >= '0' && *at <= '9') || *at == ':' || *at == '-')
		return 1;
	return *at == '%' && strncasecmp(at, "%3a", 3) == 0 ? 3 : 0;
}

/* Bytes of identifier *( "." identifier ) at the start of NAME, 0 if there is none. */
static size_t
identifiers(const char *name)
{
	size_t at = 0;

	for (;; at++) {
		if (!starts_identifier(name[at]))
			return 0;
		for (size_t n = 1; n; at += n)
			n = identifier_char(name + at);
		if (name[at] != '.')
			return at;
	}
}

enum query_name
query_name_classify(const char *name, const struct query_schema *schema)
{
	size_t len = identifiers(name);

	if (len && name[len] && strchr("=!<>", name[len]))
		return QUERY_NAME_SEGMENT;
	return query_schema_find(schema, name) ? QUERY_NAME_FACET : QUERY_NAME_OTHER;
}
