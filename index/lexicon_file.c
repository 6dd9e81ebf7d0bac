/* The file, in this machine's byte order, of use to it alone:
 *
 *     struct head     what it belongs to, and a hash of what follows
 *     counts          of each term: how many documents have it; if it is one, how far that is
 *                     from the one of the term before that has one
 *     terms           each with its NUL
 *
 * Most terms are of one document, and terms are numbered as documents come, so most counts take two
 * bytes.
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

#include "base/buf.h"
#include "base/varint.h"
#include "index/terms.h"

/* "pxslex" */
#define MAGIC (UINT64_C(0x7078736c65780000) + TERMS_VERSION)

struct head {
	uint64_t magic;
	uint64_t seq;
	uint64_t hash; /* of all that follows the head */
	uint64_t text_bytes;
	uint64_t n;
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

/* Whether BODY of SIZE bytes is what HEAD says, so that it can be trusted. */
static bool
is_sound(const struct head *head, const char *body, size_t size)
{
	if (head->text_bytes > size)
		return false;
	return head->hash == XXH3_64bits(body, size) && (size == 0 || body[size - 1] == '\0');
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

/* They differ: the hash says that this is what was written. A file that was made to deceive could
 * tell a term twice, as it could tell wrong counts; either way nothing is found that is not there.
 */
static int
add_terms(struct lexicon *lexicon, const struct head *head, const char *body, size_t size)
{
	const unsigned char *at = (const unsigned char *)body;
	const unsigned char *counts_end = at + size - head->text_bytes;
	const char *term = (const char *)counts_end;
	const char *end = body + size;
	struct counts counts;
	uint32_t last = 0;
	uint32_t number;
	size_t len;
	int r = head->n > head->text_bytes ? -EBADMSG : lexicon_reserve(lexicon, (uint32_t)head->n);

	if (r < 0)
		return r;
	for (uint64_t i = 0; i < head->n; i++, term += len + 1) {
		if (term >= end)
			return -EBADMSG;
		len = strlen(term);
		r = read_counts(&at, counts_end, &last, &counts);
		if (r == 0)
			r = lexicon_add_new(lexicon, term, len, &number);
		if (r < 0)
			return r;
		lexicon_set(lexicon, number, counts.documents, counts.doc);
	}
	return at == counts_end && term == end ? 0 : -EBADMSG;
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
	return is_sound(&head, body, size) ? add_terms(lexicon, &head, body, size) : -EBADMSG;
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

static void
add_counts(const struct lexicon *lexicon, struct head *head, struct pxs_buf *body)
{
	uint32_t last = 0;

	for (uint32_t number = 1; number <= lexicon_size(lexicon); number++) {
		struct counts counts = { 0 };

		counts.documents = lexicon_documents(lexicon, number, &counts.doc);
		if (!counts.documents)
			continue;
		pxs_varint_add(body, counts.documents);
		if (counts.documents == 1) {
			pxs_varint_add(body, (uint32_t)(counts.doc - last));
			last = counts.doc;
		}
		head->n++;
	}
}

static void
add_text(const struct lexicon *lexicon, struct head *head, struct pxs_buf *body)
{
	size_t before = body->len;

	for (uint32_t number = 1; number <= lexicon_size(lexicon); number++) {
		const char *term = lexicon_term(lexicon, number);

		if (lexicon_documents(lexicon, number, NULL))
			pxs_buf_add(body, term, strlen(term) + 1);
	}
	head->text_bytes = body->len - before;
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
	struct head head = { .magic = MAGIC, .seq = seq };
	CLEANUP(pxs_buf) struct pxs_buf body = PXS_BUF_INIT;
	char made[PATH_MAX];
	int r;

	if (snprintf(made, sizeof(made), "%s.new", path) >= (int)sizeof(made))
		return -ENAMETOOLONG;
	add_counts(lexicon, &head, &body);
	add_text(lexicon, &head, &body);
	if (body.error)
		return body.error;
	head.hash = XXH3_64bits(pxs_buf_text(&body), body.len);
	r = write_file(made, &head, &body);
	if (r == 0 && rename(made, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(made);
	return r;
}
