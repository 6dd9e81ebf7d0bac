/* The bytes of Roaring's portable format (github.com/RoaringBitmap/RoaringFormatSpec), without
 * runs:
 *
 *     cookie, n      uint32_t
 *     n times        uint16_t segment, uint16_t documents - 1
 *     n times        uint32_t where its container begins
 *     containers     uint16_t places, ascending, of at most 4,096; else a bit for each place
 */
#include "index/segment_bits.h"

#include <endian.h>
#include <errno.h>

#include "base/macros.h"

#define COOKIE 12346

/* A container of more is bits. */
#define ARRAY_MAX 4096

struct head {
	uint16_t segment, last; /* documents - 1 */
};

void
segment_bits_done(struct segment_bits *bits)
{
	pxs_buf_done(&bits->heads);
	pxs_buf_done(&bits->containers);
}

static void
add_places(struct pxs_buf *buf, const uint64_t words[SEGMENT_WORDS])
{
	uint16_t places[ARRAY_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		for (uint64_t word = words[i]; word; word &= word - 1)
			places[n++] = htole16((uint16_t)(i * 64 + (uint32_t)__builtin_ctzll(word)));
	pxs_buf_add(buf, places, n * sizeof(*places));
}

static void
add_words(struct pxs_buf *buf, const uint64_t words[SEGMENT_WORDS])
{
	uint64_t stored[SEGMENT_WORDS];

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		stored[i] = htole64(words[i]);
	pxs_buf_add(buf, stored, sizeof(stored));
}

void
segment_bits_add(struct segment_bits *bits, uint32_t segment, const uint64_t words[SEGMENT_WORDS])
{
	struct head head = { .segment = htole16((uint16_t)segment) };
	uint32_t n = 0;

	for (uint32_t i = 0; i < SEGMENT_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(words[i]);
	if (n == 0)
		return;
	head.last = htole16((uint16_t)(n - 1));
	pxs_buf_add(&bits->heads, &head, sizeof(head));
	if (n <= ARRAY_MAX)
		add_places(&bits->containers, words);
	else
		add_words(&bits->containers, words);
	bits->n++;
}

static void
add_number(struct pxs_buf *buf, size_t number)
{
	uint32_t stored = htole32((uint32_t)number);

	pxs_buf_add(buf, &stored, sizeof(stored));
}

static void
add_offsets(const struct segment_bits *bits, size_t first, struct pxs_buf *buf)
{
	const struct head *heads = (const struct head *)(const void *)bits->heads.data;
	size_t at = first;

	for (uint32_t i = 0; i < bits->n; i++) {
		uint32_t n = le16toh(heads[i].last) + UINT32_C(1);

		add_number(buf, at);
		at += n <= ARRAY_MAX ? n * sizeof(uint16_t) : SEGMENT_WORDS * sizeof(uint64_t);
	}
}

int
segment_bits_end(struct segment_bits *bits, roaring_bitmap_t **ret_documents)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	size_t before = (2 + (size_t)bits->n) * sizeof(uint32_t) + bits->heads.len;

	if (bits->heads.error || bits->containers.error)
		return -ENOMEM;
	add_number(&buf, COOKIE);
	add_number(&buf, bits->n);
	pxs_buf_add(&buf, bits->heads.data, bits->heads.len);
	add_offsets(bits, before, &buf);
	pxs_buf_add(&buf, bits->containers.data, bits->containers.len);
	if (buf.error)
		return -ENOMEM;
	*ret_documents = roaring_bitmap_portable_deserialize_safe(buf.data, buf.len);
	return *ret_documents ? 0 : -ENOMEM;
}
