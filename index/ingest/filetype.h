/* filetype.h - what kind of thing an entry is: core.type and core.mimetype. */
#ifndef PXS_INDEX_INGEST_FILETYPE_H
#define PXS_INDEX_INGEST_FILETYPE_H

#include <stdint.h>

struct mime;
struct sniff;
struct statx;

/* "file", "directory", "symlink" or "other". */
const char *filetype_name(uint16_t mode);

/* The MIME type of the entry NAME of the folder FOLDER: by its name, and only where that does not
 * tell by its content. -errno: it would take the content, which cannot be read. Lent until the
 * next call with SNIFF. */
int filetype_mime(const struct mime *mime, struct sniff *sniff, int folder, const char *name,
		  const struct statx *stat, const char **ret_type);

#endif
