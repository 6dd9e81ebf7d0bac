/* The file, in this machine's byte order, of use to it alone:
 *
 *     struct head     what it belongs to, and a hash of what follows
 *     blocks          each a struct block and, packed by zstd:
 *         counts          of each term: how many documents have it; if it is one, how far that is
 *                         from the one of the term before that has one
 *         terms           each with its NUL
 *
 * Most terms are of one document, and terms are numbered as documents come, so most counts take two
 * bytes. Packed, all of it takes two fifths. A block is small enough to be unpacked where it is
 * still in the processor's cache when its terms are added.
 *
 * It is a shortcut and nothing more: whatever is wrong with it, fts.db has the same. */
#include "index/lexicon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/varint.h"
#include "index/terms.h"

/* "pxslex". The layout is that of the file; raise it when that changes. */
#define LAYOUT_VERSION 1
#define MAGIC (UINT64_C(0x7078736c65780000) + LAYOUT_VERSION * 256 + TERMS_VERSION)

/* A block's text ends with the term that reaches this, so it is at most a term longer. */
#define BLOCK_TEXT (256u << 10)
#define BLOCK_TEXT_MAX (BLOCK_TEXT + LEXICON_TERM_MAX + 1)

/* The quickest level packs terms as well as those that take three times as long. */
#define ZSTD_LEVEL 1

struct head {
	uint64_t magic;
	uint64_t seq;
	uint64_t hash; /* of all that follows the head */
	uint64_t n;    /* terms of all blocks */
};

struct block {
	uint32_t n;	 /* terms */
	uint32_t counts; /* bytes of counts, and */
	uint32_t text;	 /* of text, when they are unpacked */
	uint32_t packed; /* bytes that follow */
};

/* Of a term: documents, and the one or 0. */
struct counts {
	uint32_t documents;
	uint32_t doc;
};

/* --- Reading --- */

static int
read_all(int fd, char *to, size_t len)
{
	ssize_t n = 0;

	for (; len > 0; to += n, len -= (size_t)n) {
		n = read(fd, to, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		n = n < 0 ? 0 : n;
	}
	return 0;
}

/* LAST: the document of the term before that has one; becomes that of this. */
static int
read_counts(const unsigned char **at, const unsigned char *end, uint32_t *last, struct counts *ret)
{
	uint64_t documents, step;
	int r;

	r = pxs_varint_read(at, end, &documents);
	if (r < 0 || documents == 0 || documents > UINT32_MAX)
		return -EBADMSG;
	*ret = (struct counts){ .documents = (uint32_t)documents };
	if (documents > 1)
		return 0;
	r = pxs_varint_read(at, end, &step);
	if (r < 0)
		return r;
	*last += (uint32_t)step;
	ret->doc = *last;
	return 0;
}

static int
set_counts(struct lexicon *lexicon, uint32_t first, const struct block *block, const char *counts)
{
	const unsigned char *at = (const unsigned char *)counts;
	const unsigned char *end = at + block->counts;
	struct counts one;
	uint32_t last = 0;
	int r;

	for (uint32_t i = 0; i < block->n; i++) {
		r = read_counts(&at, end, &last, &one);
		if (r < 0)
			return r;
		lexicon_set(lexicon, first + i, one.documents, one.doc);
	}
	return at == end ? 0 : -EBADMSG;
}

/* Before memory is taken for what it says: a count is two numbers, a term at least its NUL. */
static bool
is_sound(const struct block *block, size_t left)
{
	return block->packed <= left && block->text <= BLOCK_TEXT_MAX && block->n > 0 &&
	       block->n <= block->text && block->counts <= block->n * 2 * PXS_VARINT_MAX;
}

/* Terms differ: the hash says that this is what was written. A file that was made to deceive could
 * tell a term twice, as it could tell wrong counts; either way nothing is found that is not there.
 */
static int
add_block(struct lexicon *lexicon, const struct block *block, const char *packed,
	  struct pxs_buf *buf)
{
	size_t len = (size_t)block->counts + block->text;
	uint32_t first = lexicon_size(lexicon) + 1;
	char *bytes;
	int r;

	pxs_buf_clear(buf);
	bytes = pxs_buf_reserve(buf, len);
	if (!bytes)
		return -ENOMEM;
	if (ZSTD_decompress(bytes, len, packed, block->packed) != len)
		return -EBADMSG;
	r = lexicon_add_all(lexicon, bytes + block->counts, block->text, block->n);
	return r < 0 ? r : set_counts(lexicon, first, block, bytes);
}

static int
add_blocks(struct lexicon *lexicon, const struct head *head, const char *body, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct block block;
	/* A term takes more than a byte, also packed; if not, room is made on the way. */
	int r = lexicon_reserve(lexicon, (uint32_t)MIN(head->n, (uint64_t)size));

	while (r == 0 && size > 0) {
		if (size < sizeof(block))
			return -EBADMSG;
		memcpy(&block, body, sizeof(block));
		body += sizeof(block);
		size -= sizeof(block);
		if (!is_sound(&block, size))
			return -EBADMSG;
		r = add_block(lexicon, &block, body, &buf);
		body += block.packed;
		size -= block.packed;
	}
	return r == 0 && lexicon_size(lexicon) != head->n ? -EBADMSG : r;
}

static int
load(struct lexicon *lexicon, int fd, uint64_t seq)
{
	CLEANUP(free) char *body = NULL;
	struct head head;
	struct stat st;
	size_t size;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size < sizeof(head))
		return -EBADMSG;
	r = read_all(fd, (char *)&head, sizeof(head));
	if (r < 0)
		return r;
	if (head.magic != MAGIC || head.seq != seq)
		return -ENOENT;
	size = (size_t)st.st_size - sizeof(head);
	body = malloc(size + 1);
	if (!body)
		return -ENOMEM;
	r = read_all(fd, body, size);
	if (r < 0)
		return r;
	if (head.hash != XXH3_64bits(body, size))
		return -EBADMSG;
	return add_blocks(lexicon, &head, body, size);
}

int
lexicon_load(struct lexicon *lexicon, const char *path, uint64_t seq)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = load(lexicon, fd, seq);
	if (r < 0)
		lexicon_forget(lexicon);
	return r;
}

/* --- Writing --- */

/* What is collected for the next block. */
struct packer {
	const struct lexicon *lexicon;
	struct head head;
	struct pxs_buf counts, text, body;
	uint32_t n;
	uint32_t last; /* as in read_counts() */
};

static inline void
packer_cleanup(struct packer *packer)
{
	pxs_buf_done(&packer->counts);
	pxs_buf_done(&packer->text);
	pxs_buf_done(&packer->body);
}

static int
end_block(struct packer *packer)
{
	struct block block = { packer->n, (uint32_t)packer->counts.len, (uint32_t)packer->text.len,
			       0 };
	size_t bound, packed;
	char *at;

	pxs_buf_add(&packer->counts, pxs_buf_text(&packer->text), packer->text.len);
	bound = ZSTD_compressBound(packer->counts.len);
	at = pxs_buf_reserve(&packer->body, sizeof(block) + bound);
	if (!at || packer->counts.error || packer->text.error)
		return -ENOMEM;
	packed = ZSTD_compress(at + sizeof(block), bound, pxs_buf_text(&packer->counts),
			       packer->counts.len, ZSTD_LEVEL);
	if (ZSTD_isError(packed))
		return -ENOMEM; /* nothing else can fail in it */
	block.packed = (uint32_t)packed;
	memcpy(at, &block, sizeof(block));
	packer->body.len += sizeof(block) + packed;
	packer->head.n += packer->n;
	packer->n = packer->last = 0;
	pxs_buf_clear(&packer->counts);
	pxs_buf_clear(&packer->text);
	return 0;
}

static int
add_term(void *context, uint32_t number, const char *term, size_t len)
{
	struct packer *packer = context;
	uint32_t doc;
	uint32_t documents = lexicon_documents(packer->lexicon, number, &doc);

	pxs_varint_add(&packer->counts, documents);
	if (documents == 1) {
		pxs_varint_add(&packer->counts, (uint32_t)(doc - packer->last));
		packer->last = doc;
	}
	pxs_buf_add(&packer->text, term, len + 1);
	packer->n++;
	return packer->text.len < BLOCK_TEXT ? 0 : end_block(packer);
}

static int
pack(struct packer *packer)
{
	static const struct lexicon_filter ALL = LEXICON_FILTER_ALL;
	int r = lexicon_scan(packer->lexicon, &ALL, NULL, add_term, packer);

	return r == 0 && packer->n ? end_block(packer) : r;
}

static int
write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t n;

	for (; len > 0; at += n, len -= (size_t)n) {
		n = write(fd, at, len);
		if (n < 0 && errno != EINTR)
			return -errno;
		n = n < 0 ? 0 : n;
	}
	return 0;
}

static int
write_file(const char *path, const struct head *head, const struct pxs_buf *body)
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, head, sizeof(*head));
	if (r == 0)
		r = write_all(fd, body->data, body->len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int
lexicon_save(const struct lexicon *lexicon, const char *path, uint64_t seq)
{
	CLEANUP(packer)
	struct packer packer = { .lexicon = lexicon,
				 .head = { .magic = MAGIC, .seq = seq },
				 .counts = PXS_BUF_INIT,
				 .text = PXS_BUF_INIT,
				 .body = PXS_BUF_INIT };
	char made[PATH_MAX];
	int r;

	if (snprintf(made, sizeof(made), "%s.new", path) >= (int)sizeof(made))
		return -ENAMETOOLONG;
	r = pack(&packer);
	if (r < 0)
		return r;
	packer.head.hash = XXH3_64bits(pxs_buf_text(&packer.body), packer.body.len);
	r = write_file(made, &packer.head, &packer.body);
	if (r == 0 && rename(made, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(made);
	return r;
}
