/* pathname.h - paths are bytes on disk and text in documents.
 *
 *     on disk             text (core.pathname)   exact (_index.path)
 *     "/a/cafe" U+0301    "/a/caf" U+00E9        "/a/cafe%CC%81"
 *     "/a/50%" FF         "/a/50%25%FF"          "/a/50%25%FF"
 *     "/a/50%"            the same bytes         not kept
 *
 * Text is UTF-8 in NFC. A name that is not UTF-8 has %XX for each invalid byte and for '%'. Where
 * text and bytes differ, the exact form tells which bytes they were. */
#ifndef PXS_INDEX_INGEST_PATHNAME_H
#define PXS_INDEX_INGEST_PATHNAME_H

#include <stdbool.h>
#include <stddef.h>

struct pxs_buf;

/* Add the text of the LEN bytes PATH, name by name: a bad one changes nothing for its neighbours.
 * Whether the text is the same bytes. */
bool pathname_add_text(struct pxs_buf *buf, const char *path, size_t len);

/* Add PATH with '%' and all that is not printable ASCII as %XX; pxs_percent_decode() undoes it. */
void pathname_add_exact(struct pxs_buf *buf, const char *path, size_t len);

/* Whether PATH is FOLDER or lies below it; both absolute, without a slash at the end ("/" is). */
bool pathname_within(const char *path, const char *folder);

#endif
