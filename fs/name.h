/* name.h - what results are called.
 *
 * A result bears its file's name, with %XX for what a name in the mount cannot hold (query.h), for
 * a dot or blank at the end, and for a first character that would make it read as a segment, a
 * facet folder or .pxs. Where several results share a name, all but the one with the lowest row
 * have a suffix made of their _id, before the extension; so has a name that would be too long, or
 * that reads as if it had a suffix. The suffixed name of every result resolves, shown or not.
 *
 *     core.filename     name
 *     cat.jpg           cat.jpg                  cat~aaaaaaaaaaae4.jpg
 *     50% off?          50%25 off%3F             50%25 off%3F~aaaaaaaaaaae4
 *     core.size=5       %63ore.size=5            core~aaaaaaaaaaae4.size=5 */
#ifndef PXS_FS_NAME_H
#define PXS_FS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pxs_buf;
struct query_schema;

/* Bytes of the longest name that we show, and with its NUL. */
#define FS_NAME_MAX 255
#define FS_NAME_SIZE (FS_NAME_MAX + 1)

/* FILENAME's name of at most MAX bytes (64 to FS_NAME_MAX) in NAME; its length, or 0 if it cannot
 * be shown without a suffix. */
size_t fs_name_plain(const char *filename, const struct query_schema *schema, size_t max,
		     char name[FS_NAME_SIZE]);

/* The same with the suffix of document ID (positive); always possible. */
size_t fs_name_suffixed(const char *filename, int64_t id, const struct query_schema *schema,
			size_t max, char name[FS_NAME_SIZE]);

/* Finds what reads as a suffix in NAME, from the end on: *AT is NULL at first and tells the place.
 * A name may hold several, of which only one is ours. */
bool fs_name_next_suffix(const char *name, const char **at, int64_t *ret_id);

/* Adds NAME in NFC (some clients send NFD). -ENOENT: it is not UTF-8 or empty; -ENOMEM. */
int fs_name_normalize(const char *name, struct pxs_buf *buf);

/* Adds the file name that NAME stands for, in NFC: every %XX is undone, needed or not. -ENOENT: it
 * cannot be the name of a result; -ENOMEM. */
int fs_name_decode(const char *name, struct pxs_buf *filename);

/* Adds one component of a path as a name, for folders (no suffix, no limit). */
void fs_name_add_component(struct pxs_buf *buf, const char *component, size_t len);

#endif
