/* mime.h - what a file's name tells about its type, by the shared-mime-info database
 * (https://specifications.freedesktop.org/shared-mime-info-spec, "Recommended checking order"). */
#ifndef PXS_INDEX_INGEST_MIME_H
#define PXS_INDEX_INGEST_MIME_H

#include <stddef.h>

#include "base/cleanup.h"

struct pxs_error;
struct mime;

#define MIME_DIR "/usr/share/mime"

/* No name has more equally good types than this; *.ogg has 6. */
#define MIME_TYPES_MAX 16

/* Read DIR/globs2 and DIR/aliases. -ENOENT, -EACCES, -EIO: ERR has the sentence; -ENOMEM. */
int mime_open(const char *dir, struct mime **ret_mime, struct pxs_error *err);
void mime_close(struct mime *mime);
DEFINE_CLEANUP(mime, struct mime *, mime_close)

/* The types that NAME (without its folder) tells equally well, in TYPES: their number. 0: the name
 * tells nothing, 1: it tells, more: the content must decide. Lent as long as MIME. */
size_t mime_by_name(const struct mime *mime, const char *name, const char *types[MIME_TYPES_MAX]);

/* The name under which the database knows TYPE, if that is an alias; else TYPE itself. */
const char *mime_canonical(const struct mime *mime, const char *type);

#endif
