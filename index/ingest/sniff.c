#include "index/ingest/sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "index/ingest/beneath.h"
#include "index/ingest/mime.h"

/* What the magic database looks at for all common types. */
#define SNIFF_BYTES 4096

#define TYPE_UNKNOWN "application/octet-stream"
#define TYPE_TEXT "text/plain"
#define TYPE_EMPTY "inode/x-empty"

struct sniff {
	const struct mime *mime;
	magic_t cookie;
	char bytes[SNIFF_BYTES];
};

/* libmagic's own names that the shared-mime-info database does not know as aliases. */
static const struct {
	const char *magic;
	const char *type;
} RENAMED[] = {
	{ "application/x-empty", TYPE_EMPTY },
	{ "inode/x-empty", TYPE_EMPTY },
	{ "application/vnd.microsoft.portable-executable", "application/x-ms-dos-executable" },
	{ "application/x-dosexec", "application/x-ms-dos-executable" },
	{ "application/x-bytecode.python", "application/x-python-bytecode" },
	{ "application/x-terminfo2", "application/x-terminfo" },
	{ "text/x-c++", "text/x-c++src" },
	{ "text/x-script.python", "text/x-python" },
	{ "text/x-shellscript", "application/x-shellscript" },
};

/* What a system has thousands of, and libmagic finds only after 0.25 ms. */
static const struct {
	const char *start;
	size_t len;
	const char *type;
} COMMON[] = {
	{ "\xDE\x12\x04\x95", 4, "application/x-gettext-translation" },
	{ "\x1A\x01", 2, "application/x-terminfo" },
	{ "\x1E\x02", 2, "application/x-terminfo" },
};

/* How text begins whose type libmagic knows with certainty. */
static const char *const TELLING_STARTS[] = {
	"#!",	   "<",	     "\xEF\xBB\xBF<", "%!",	   "%PDF",   "{\\rtf",	  "-----BEGIN ",
	"BEGIN:",  "From ",  "Return-Path:",  "Received:", "diff ",  "--- ",	  "\\documentclass",
	"\\input", "/* XPM", "#EXTM3U",	      "solid ",	   "WEBVTT", "ISO-10303", "P1\n",
	"P2\n",	   "P3\n",   "!<arch>",
};

int
sniff_open(const struct mime *mime, struct sniff **ret_sniff, struct pxs_error *err)
{
	CLEANUP(sniff) struct sniff *sniff = calloc(1, sizeof(*sniff));

	if (!sniff)
		return -ENOMEM;
	sniff->mime = mime;
	/* Without the parts that tell details of archives, or guess at program text. */
	sniff->cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
				   MAGIC_NO_CHECK_TOKENS);
	if (!sniff->cookie)
		return -ENOMEM;
	if (magic_load(sniff->cookie, NULL) < 0)
		return pxs_error_set(
			err, -EIO, -1,
			"cannot load libmagic's database: %s; it comes with the package "
			"libmagic-mgc",
			magic_error(sniff->cookie));
	*ret_sniff = STEAL(sniff);
	return 0;
}

void
sniff_close(struct sniff *sniff)
{
	if (!sniff)
		return;
	if (sniff->cookie)
		magic_close(sniff->cookie);
	free(sniff);
}

static bool
is_control(unsigned char c)
{
	return c < ' ' && !strchr("\t\n\r\f\b\033", c);
}

/* UTF-8 without control characters but those of text; a character may be cut off at the end. */
static bool
is_text(const char *bytes, size_t len)
{
	size_t valid = pxs_utf8_valid_prefix(bytes, len);

	if (len - valid > (len == SNIFF_BYTES ? 3 : 0))
		return false;
	for (size_t i = 0; i < valid; i++)
		if (bytes[i] == '\0' || is_control((unsigned char)bytes[i]))
			return false;
	return true;
}

static bool
has_telling_start(const char *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(TELLING_STARTS); i++) {
		size_t start = strlen(TELLING_STARTS[i]);

		if (len >= start && !memcmp(bytes, TELLING_STARTS[i], start))
			return true;
	}
	return false;
}

/* NULL if it is none of those. */
static const char *
common_type(const char *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(COMMON); i++)
		if (len >= COMMON[i].len && !memcmp(bytes, COMMON[i].start, COMMON[i].len))
			return COMMON[i].type;
	return NULL;
}

static const char *
ask_magic(struct sniff *sniff, const char *bytes, size_t len)
{
	const char *type = magic_buffer(sniff->cookie, bytes, len);

	if (!type || !strchr(type, '/'))
		return TYPE_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(RENAMED); i++)
		if (!strcmp(type, RENAMED[i].magic))
			return RENAMED[i].type;
	return mime_canonical(sniff->mime, type);
}

/* Text is not worth libmagic's time unless it begins like something: libmagic runs its regular
 * expressions over it, 2 ms for 4 KiB as against 0.25 ms for binary data, to guess "C source" for
 * many a plain text and "plain text" for nearly all the others. */
const char *
sniff_bytes(struct sniff *sniff, const char *bytes, size_t len)
{
	const char *type = common_type(bytes, len);

	if (len == 0)
		return TYPE_EMPTY;
	if (type)
		return type;
	if (is_text(bytes, len) && !has_telling_start(bytes, len))
		return TYPE_TEXT;
	return ask_magic(sniff, bytes, len);
}

/* The number of bytes read from the start of FD, or -errno. */
static ssize_t
read_start(int fd, char *bytes, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, bytes + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int
sniff_file(struct sniff *sniff, int folder, const char *name, const char **ret_type)
{
	CLEANUP(close) int fd = -1;
	ssize_t len;
	int r;

	/* O_NONBLOCK: should NAME have become a fifo by now, nobody waits for its writer. */
	r = beneath_open(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
	if (r < 0)
		return r;
	len = read_start(fd, sniff->bytes, sizeof(sniff->bytes));
	if (len < 0)
		return (int)len;

	*ret_type = sniff_bytes(sniff, sniff->bytes, (size_t)len);
	return 0;
}
