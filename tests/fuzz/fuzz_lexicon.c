/* libFuzzer: fts.db-terms. The first byte's two lowest bits say what the rest is: the whole file;
 * what stands behind a head that fits it; or what a block is unpacked to, behind heads that fit it.
 * The others say of how many terms. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>
#include <zstd.h>

#include "index/lexicon.h"

#define SEQ 7

/* As lexicon_file.c writes it. */
struct head {
	uint64_t magic, seq, hash, n;
};

struct block {
	uint32_t n, counts, text, packed;
};

struct file {
	int fd;
	char path[32];
};

static void
file_open(struct file *file)
{
	file->fd = memfd_create("terms", MFD_CLOEXEC);
	FUZZ_REQUIRE(file->fd >= 0);
	(void)snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

static void
file_write(const struct file *file, const void *bytes, size_t len)
{
	FUZZ_REQUIRE(write(file->fd, bytes, len) == (ssize_t)len);
}

/* The magic number that this version writes. */
static uint64_t
read_magic(void)
{
	char path[] = "/tmp/pxs-fuzz-lexicon-XXXXXX";
	CLEANUP(close) int fd = mkstemp(path);
	CLEANUP(close) int again = -1;
	CLEANUP(lexicon) struct lexicon *lexicon = NULL;
	struct head head;

	FUZZ_REQUIRE(fd >= 0 && lexicon_new(&lexicon) == 0);
	FUZZ_REQUIRE(lexicon_save(lexicon, path, SEQ) == 0);
	again = open(path, O_RDONLY | O_CLOEXEC);
	FUZZ_REQUIRE(again >= 0 && read(again, &head, sizeof(head)) == sizeof(head));
	FUZZ_REQUIRE(unlink(path) == 0);
	return head.magic;
}

/* BODY behind a head that fits it. */
static void
write_body(const struct file *file, const void *body, size_t size, size_t n)
{
	static uint64_t magic;
	struct head head = { .seq = SEQ, .n = n };

	if (!magic)
		magic = read_magic();
	head.magic = magic;
	head.hash = XXH3_64bits(body, size);
	file_write(file, &head, sizeof(head));
	file_write(file, body, size);
}

/* UNPACKED as the only block, of N terms, as far as its first N * 2 bytes may be counts. */
static void
write_block(const struct file *file, const uint8_t *unpacked, size_t size, size_t n)
{
	struct block block = { (uint32_t)n, (uint32_t)(n * 2), (uint32_t)(size - n * 2), 0 };
	size_t bound = ZSTD_compressBound(size);
	CLEANUP(free) uint8_t *body = malloc(sizeof(block) + bound);

	FUZZ_REQUIRE(body);
	block.packed = (uint32_t)ZSTD_compress(body + sizeof(block), bound, unpacked, size, 1);
	memcpy(body, &block, sizeof(block));
	write_body(file, body, sizeof(block) + block.packed, n);
}

static int
count_term(void *context, uint32_t number, const char *term, size_t len)
{
	FUZZ_REQUIRE(number > 0 && strlen(term) == len && len <= LEXICON_TERM_MAX);
	++*(size_t *)context;
	return 0;
}

/* What was taken can be looked through and found; of a term that a forged file has twice, one. */
static void
check_lexicon(const struct lexicon *lexicon)
{
	const struct lexicon_filter all = LEXICON_FILTER_ALL;
	size_t n = 0;

	FUZZ_REQUIRE(lexicon_scan(lexicon, &all, NULL, count_term, &n) == 0);
	FUZZ_REQUIRE(n <= lexicon_size(lexicon));
	for (uint32_t number = 1; number <= lexicon_size(lexicon); number++) {
		const char *term = lexicon_term(lexicon, number);
		uint32_t found = lexicon_find(lexicon, term, strlen(term));

		FUZZ_REQUIRE(found && strcmp(lexicon_term(lexicon, found), term) == 0);
	}
}

static void
check_refusal(const struct lexicon *lexicon, int r)
{
	FUZZ_REQUIRE(r == -EBADMSG || r == -ENOENT || r == -E2BIG);
	for (uint32_t number = 1; number <= lexicon_size(lexicon); number++)
		FUZZ_REQUIRE(lexicon_documents(lexicon, number, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lexicon) struct lexicon *lexicon = NULL;
	struct file file;
	int r;

	if (!size)
		return 0;
	file_open(&file);
	if (data[0] & 1)
		write_block(&file, data + 1, size - 1, data[0] >> 2);
	else if (data[0] & 2)
		write_body(&file, data + 1, size - 1, data[0] >> 2);
	else
		file_write(&file, data + 1, size - 1);
	FUZZ_REQUIRE(lexicon_new(&lexicon) == 0);
	r = lexicon_load(lexicon, file.path, SEQ);
	if (r == 0)
		check_lexicon(lexicon);
	else
		check_refusal(lexicon, r);
	(void)close(file.fd);
	return 0;
}
