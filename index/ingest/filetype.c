#include "index/ingest/filetype.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "index/ingest/mime.h"
#include "index/ingest/sniff.h"

/* Files of more than this without a block on disk are sparse, or were moved to tape, from where
 * reading would fetch them. Smaller ones may live in the inode. */
#define BLOCKLESS_MAX 4096

static const struct {
	uint16_t format;
	const char *name;
	const char *mime; /* shared-mime-info, "inode/..."; NULL: the file's own */
} FORMATS[] = {
	{ S_IFREG, "file", NULL },
	{ S_IFDIR, "directory", "inode/directory" },
	{ S_IFLNK, "symlink", "inode/symlink" },
	{ S_IFIFO, "other", "inode/fifo" },
	{ S_IFSOCK, "other", "inode/socket" },
	{ S_IFCHR, "other", "inode/chardevice" },
	{ S_IFBLK, "other", "inode/blockdevice" },
};

const char *
filetype_name(uint16_t mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(FORMATS); i++)
		if (FORMATS[i].format == (mode & S_IFMT))
			return FORMATS[i].name;
	return "other";
}

/* The first of the N TYPES, which is the name's word, unless the content says it is another. */
static const char *
choose(const char *const *types, size_t n, const char *content)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(types[i], content))
			return types[i];
	return n > 0 ? types[0] : content;
}

static int
sniff_entry(struct sniff *sniff, int folder, const char *name, const struct statx *stat,
	    const char **ret_type)
{
	if (stat->stx_size == 0) {
		*ret_type = sniff_bytes(sniff, "", 0);
		return 0;
	}
	if (stat->stx_blocks == 0 && stat->stx_size > BLOCKLESS_MAX) {
		*ret_type = "application/octet-stream";
		return 0;
	}
	return sniff_file(sniff, folder, name, ret_type);
}

static int
mime_of_file(const struct mime *mime, struct sniff *sniff, int folder, const char *name,
	     const struct statx *stat, const char **ret_type)
{
	const char *types[MIME_TYPES_MAX];
	size_t n = mime_by_name(mime, name, types);
	const char *content;
	int r;

	if (n == 1) {
		*ret_type = types[0];
		return 0;
	}
	r = sniff_entry(sniff, folder, name, stat, &content);
	if (r >= 0)
		*ret_type = choose(types, n, content);
	else if (n > 0)
		*ret_type = types[0];
	else
		return r;
	return 0;
}

int
filetype_mime(const struct mime *mime, struct sniff *sniff, int folder, const char *name,
	      const struct statx *stat, const char **ret_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(FORMATS); i++) {
		if (FORMATS[i].format == (stat->stx_mode & S_IFMT) && FORMATS[i].mime) {
			*ret_type = FORMATS[i].mime;
			return 0;
		}
	}
	return mime_of_file(mime, sniff, folder, name, stat, ret_type);
}
