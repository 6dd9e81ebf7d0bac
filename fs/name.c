#include "fs/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uninorm.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macros.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "query/query.h"

#define ID_DIGITS 13		   /* of 5 bits each, for 64 */
#define SUFFIX_LEN (1 + ID_DIGITS) /* "~" before them */
#define EXTENSION_MAX 32	   /* bytes, with the dot; longer ones are no extensions */
#define ESCAPE_LEN 3		   /* "%XX" */

/* RFC 4648 section 6, in small letters: no digit reads as a letter, and case does not matter. */
static const char DIGITS[] = "abcdefghijklmnopqrstuvwxyz234567";

/* --- Escapes --- */

static void
put_escape(char *out, unsigned char c)
{
	static const char HEX[] = "0123456789ABCDEF";

	out[0] = '%';
	out[1] = HEX[c >> 4];
	out[2] = HEX[c & 15];
}

/* Most characters of most names: they are copied as they are, without a further look, because each
 * listing does this for every name. */
static bool
is_simple(unsigned char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10 ||
	       c == '-' || c == '_';
}

/* A dot or blank at the very end does not survive SMB. */
static bool
escapes_at(const char *text, size_t i, size_t end)
{
	unsigned char c = (unsigned char)text[i];

	return query_name_escapes(c) || (i + 1 == end && (c == '.' || c == ' '));
}

/* Writes as many characters of TEXT as go into MAX bytes, never a part of one. END is where the
 * name ends in TEXT. How many bytes of TEXT were taken; *RET_LEN were written. */
static size_t
escape(const char *text, size_t len, size_t end, char *out, size_t max, size_t *ret_len)
{
	size_t used = 0;
	size_t i = 0;
	size_t n;

	while (i < len) {
		if (is_simple((unsigned char)text[i]) && used < max) {
			out[used++] = text[i++];
			continue;
		}
		if (escapes_at(text, i, end)) {
			if (used + ESCAPE_LEN > max)
				break;
			put_escape(out + used, (unsigned char)text[i]);
			used += ESCAPE_LEN;
			i++;
			continue;
		}
		n = MAX(pxs_utf8_char(text + i, len - i), (size_t)1);
		if (used + n > max)
			break;
		memcpy(out + used, text + i, n);
		used += n;
		i += n;
	}
	*ret_len = used;
	return i;
}

/* What the folders of the mount mean by NAME, if they mean anything. */
static bool
is_reserved(const char *name, const struct query_schema *schema)
{
	return strcmp(name, ".pxs") == 0 || query_name_classify(name, schema) != QUERY_NAME_OTHER;
}

/* The new length, or 0 if the first character (ASCII in every reserved name) would have to be
 * escaped and MAX forbids. */
static size_t
escape_reserved(char *name, size_t len, const struct query_schema *schema, size_t max)
{
	unsigned char first = (unsigned char)name[0];

	if (!is_reserved(name, schema))
		return len;
	if (len + ESCAPE_LEN - 1 > max)
		return 0;
	memmove(name + ESCAPE_LEN, name + 1, len);
	put_escape(name, first);
	return len + ESCAPE_LEN - 1;
}

size_t
fs_name_plain(const char *filename, const struct query_schema *schema, size_t max,
	      char name[FS_NAME_SIZE])
{
	size_t len = strlen(filename);
	const char *at = NULL;
	size_t used;
	int64_t id;

	if (len > max || escape(filename, len, len, name, max, &used) < len || !used)
		return 0;
	name[used] = '\0';
	if (fs_name_next_suffix(name, &at, &id))
		return 0;
	return escape_reserved(name, used, schema, max);
}

/* --- Suffixes --- */

static char *
put_suffix(char *out, int64_t id)
{
	*out++ = '~';
	for (int shift = (ID_DIGITS - 1) * 5; shift >= 0; shift -= 5)
		*out++ = DIGITS[((uint64_t)id >> shift) & 31];
	return out;
}

/* Where the extension of a name starts: its last dot, unless that is its first or last character or
 * too much follows. */
static size_t
extension_at(const char *filename, size_t len)
{
	const char *dot = strrchr(filename, '.');

	if (!dot || dot == filename || !dot[1] || len - (size_t)(dot - filename) > EXTENSION_MAX)
		return len;
	return (size_t)(dot - filename);
}

size_t
fs_name_suffixed(const char *filename, int64_t id, const struct query_schema *schema, size_t max,
		 char name[FS_NAME_SIZE])
{
	char extension[EXTENSION_MAX * ESCAPE_LEN];
	size_t len = strlen(filename);
	size_t dot = extension_at(filename, len);
	size_t extension_len;
	size_t used;
	char *end;

	(void)escape(filename + dot, len - dot, len - dot, extension, sizeof(extension),
		     &extension_len);
	if (extension_len > EXTENSION_MAX) { /* one that is mostly escapes leaves no room */
		extension_len = 0;
		dot = len;
	}

	/* Room is left for escaping the first character. */
	(void)escape(filename, dot, SIZE_MAX, name,
		     max - SUFFIX_LEN - extension_len - (ESCAPE_LEN - 1), &used);
	end = put_suffix(name + used, id);
	end = mempcpy(end, extension, extension_len);
	*end = '\0';
	return escape_reserved(name, (size_t)(end - name), schema, max);
}

/* "~", ID_DIGITS digits, and then the end or an extension. */
static bool
parse_suffix(const char *text, int64_t *ret_id)
{
	uint64_t id = 0;
	const char *digit;

	for (int i = 1; i <= ID_DIGITS; i++) {
		digit = text[i] ? strchr(DIGITS, text[i]) : NULL;
		if (!digit)
			return false;
		id = id << 5 | (uint64_t)(digit - DIGITS);
	}
	if ((text[SUFFIX_LEN] != '\0' && text[SUFFIX_LEN] != '.') || id - 1 >= INT64_MAX)
		return false;
	*ret_id = (int64_t)id;
	return true;
}

bool
fs_name_next_suffix(const char *name, const char **at, int64_t *ret_id)
{
	const char *end = *at ? *at : name + strlen(name);

	while ((end = memrchr(name, '~', (size_t)(end - name)))) {
		*at = end;
		if (parse_suffix(end, ret_id))
			return true;
	}
	return false;
}

/* --- Back to file names --- */

static int
add_nfc(const char *text, size_t len, struct pxs_buf *buf)
{
	CLEANUP(free) uint8_t *nfc = NULL;
	size_t nfc_len;

	if (!len || memchr(text, '\0', len) || !pxs_utf8_valid(text, len))
		return -ENOENT;
	nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)text, len, NULL, &nfc_len);
	if (!nfc)
		return -ENOMEM;
	pxs_buf_add(buf, nfc, nfc_len);
	return buf->error;
}

int
fs_name_normalize(const char *name, struct pxs_buf *buf)
{
	return add_nfc(name, strlen(name), buf);
}

int
fs_name_decode(const char *name, struct pxs_buf *filename)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	pxs_percent_decode(&text, name, strlen(name));
	return text.error ? text.error : add_nfc(text.data, text.len, filename);
}

void
fs_name_add_component(struct pxs_buf *buf, const char *component, size_t len)
{
	pxs_percent_encode(buf, component, len, query_name_escapes);
}
