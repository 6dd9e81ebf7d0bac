#include "index/terms.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "query/query.h"

/* --- Terms: the first byte tells the kind; words begin with no byte below 0x20. --- */

#define TAGGED 0x01
#define GAP "\x02"

/* A property's number in 1 to 3 bytes, the fewer the lower it is. The first byte tells how many, so
 * none begins another; none is NUL, which FTS5 queries could not hold.
 *
 *     01..7f              0 .. 126
 *     80..bf d            127 + 64 * 255 numbers
 *     c0..ff d d          64 * 255 * 255 more      (d: a digit of base 255, as 1..255)
 *
 * So a number is at most 4,178,046. */
#define ONE_BYTE 127u
#define TWO_BYTES (64u * 255)
#define THREE_BYTES (64u * 255 * 255)

struct tag {
	char bytes[4];
	size_t len;
};

static void
tag_add(struct tag *tag, uint32_t byte)
{
	tag->bytes[tag->len++] = (char)byte;
}

static struct tag
tag_make(const struct query_property *property)
{
	struct tag tag = { { TAGGED }, 1 };
	uint32_t n = property->number;

	if (n < ONE_BYTE) {
		tag_add(&tag, n + 1);
		return tag;
	}
	n -= ONE_BYTE;
	if (n < TWO_BYTES) {
		tag_add(&tag, 0x80 + n / 255);
		tag_add(&tag, n % 255 + 1);
		return tag;
	}
	n -= TWO_BYTES;
	assert(n < THREE_BYTES);
	tag_add(&tag, 0xc0 + n / 255 / 255);
	tag_add(&tag, n / 255 % 255 + 1);
	tag_add(&tag, n % 255 + 1);
	return tag;
}

/* How far the digits before went, and the value of the two that may follow. */
static const char *
read_digits(const char *at, int n, uint32_t *value)
{
	for (; n > 0; n--, at++) {
		if (!*at)
			return NULL;
		*value = *value * 255 + (unsigned char)*at - 1;
	}
	return at;
}

const char *
terms_word(const char *term, uint32_t *ret_number)
{
	uint32_t first = (unsigned char)term[0];
	uint32_t base = 0;
	int digits = 0;

	if (first >= ' ') {
		*ret_number = TERMS_NO_PROPERTY;
		return term;
	}
	if (first != TAGGED || !term[1])
		return NULL;
	first = (unsigned char)term[1];
	*ret_number = first - 1;
	if (first >= 0xc0) {
		*ret_number = first - 0xc0;
		base = ONE_BYTE + TWO_BYTES;
		digits = 2;
	} else if (first >= 0x80) {
		*ret_number = first - 0x80;
		base = ONE_BYTE;
		digits = 1;
	}
	term = read_digits(term + 2, digits, ret_number);
	*ret_number += base;
	return term;
}

void
terms_number(struct pxs_buf *buf, const char *text, size_t len)
{
	pxs_buf_add(buf, text, len);
}

void
terms_tagged(struct pxs_buf *buf, const struct query_property *property, const char *word,
	     size_t len)
{
	struct tag tag = tag_make(property);

	pxs_buf_add(buf, tag.bytes, tag.len);
	pxs_buf_add(buf, word, len);
}

const char *
terms_gap(void)
{
	return GAP;
}

/* --- The stream: each term after two bytes, its length and SAME, the low byte first. --- */

#define HEAD_SIZE 2
#define SAME 0x8000u

static void
put_term(struct pxs_buf *stream, const struct tag *tag, const char *word, size_t len, bool same)
{
	size_t size = tag->len + len;
	size_t head = size | (same ? SAME : 0);
	char *to = pxs_buf_reserve(stream, HEAD_SIZE + size);

	if (!to)
		return;
	to[0] = (char)(head & 0xff);
	to[1] = (char)(head >> 8);
	memcpy(to + HEAD_SIZE, tag->bytes, tag->len);
	memcpy(to + HEAD_SIZE + tag->len, word, len);
	to[HEAD_SIZE + size] = '\0';
	stream->len += HEAD_SIZE + size;
}

bool
terms_stream_next(const char *stream, size_t len, size_t *at, const char **ret_term,
		  size_t *ret_len, bool *ret_same)
{
	size_t head;
	size_t size;

	if (*at > len || len - *at < HEAD_SIZE)
		return false;
	head = (unsigned char)stream[*at] | (size_t)(unsigned char)stream[*at + 1] << 8;
	size = head & ~(size_t)SAME;
	if (!size || size > len - *at - HEAD_SIZE)
		return false;
	*ret_term = stream + *at + HEAD_SIZE;
	*ret_len = size;
	*ret_same = head & SAME;
	*at += HEAD_SIZE + size;
	return true;
}

static bool
stream_holds(const struct pxs_buf *stream, const char *text, size_t len)
{
	const char *term;
	size_t at = 0;
	size_t size;
	bool same;

	while (terms_stream_next(stream->data, stream->len, &at, &term, &size, &same))
		if (size == len && !memcmp(term, text, len))
			return true;
	return false;
}

static const struct tag UNTAGGED;

/* Numbers share one position, so that no phrase runs over several; there each is needed once. */
int
terms_stream_add_number(struct pxs_buf *stream, const char *text, size_t len)
{
	if (stream->error)
		return stream->error;
	len = query_word_cut(text, len);
	if (len && !stream_holds(stream, text, len))
		put_term(stream, &UNTAGGED, text, len, stream->len > 0);
	return stream->error;
}

struct value {
	struct pxs_buf *stream;
	struct tag tag; /* of its words */
	bool parts;	/* of words with dots are terms, too */
};

static void
add_word(const struct value *value, const char *word, size_t len, bool same)
{
	put_term(value->stream, &value->tag, word, len, same);
}

/* Of foo.tar.gz its stem foo.tar, and foo, tar and gz. */
static void
add_parts(const struct value *value, const char *word, size_t len)
{
	const char *end = word + len;
	const char *dot = memrchr(word, '.', len);
	const char *part = word;

	if (!dot)
		return;
	if (memchr(word, '.', (size_t)(dot - word)))
		add_word(value, word, (size_t)(dot - word), true);
	for (; part < end; part = dot + 1) {
		dot = memchr(part, '.', (size_t)(end - part));
		if (!dot)
			dot = end;
		if (dot > part)
			add_word(value, part, (size_t)(dot - part), true);
	}
}

static int
on_word(void *context, const char *word, size_t len)
{
	const struct value *value = context;

	add_word(value, word, len, false);
	if (value->parts)
		add_parts(value, word, len);
	return value->stream->error;
}

int
terms_stream_add_string(struct pxs_buf *stream, const struct query_property *property,
			const char *text, size_t len)
{
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;
	struct value value = {
		.stream = stream,
		.tag = tag_make(property),
		.parts = !strcmp(property->name, "core.filename"),
	};
	int r;

	r = query_fold(text, len, &folded);
	if (r == 0)
		r = query_words_folded(pxs_buf_text(&folded), folded.len, on_word, &value);
	if (r == 0 && property->multi)
		put_term(stream, &UNTAGGED, GAP, strlen(GAP), false);
	return r < 0 ? r : stream->error;
}
