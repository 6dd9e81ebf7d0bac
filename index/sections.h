/* sections.h - files of checked sections: written whole, then mapped and never changed.
 *
 *     header      magic, version, what the file is, its length, where the directory is, a checksum
 *     sections    each begins at a multiple of 64
 *     directory   kind, number, place, length and checksum of each section
 *
 * All of it is checked when the file is opened, so what is mapped is what was written. Files are in
 * the byte order of their machine; on another one they count as damaged. */
#ifndef PXS_INDEX_SECTIONS_H
#define PXS_INDEX_SECTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/epoch.h"

/* Raise when the layout of any file changes: they are then made anew. */
#define SECTIONS_VERSION 3

/* A file says what it is, so that none can stand for another. */
struct sections_name {
	uint32_t kind;	     /* enum segments_file */
	uint32_t number;     /* of the segment */
	uint64_t generation; /* never used twice for the same kind and number */
	uint64_t salt;	     /* of the index */
};

/* --- Writing --- */

struct sections_writer;

/* FILE is made in the folder DIR_FD, or replaced. */
int sections_create(int dir_fd, const char *file, const struct sections_name *name,
		    struct sections_writer **ret_writer);
int sections_add(struct sections_writer *writer, uint32_t kind, uint32_t number, const void *data,
		 size_t len);
/* On disk when it returns 0, but for the folder's own entry. WRITER is gone either way. */
int sections_finish(struct sections_writer *writer);
void sections_abort(struct sections_writer *writer);
DEFINE_CLEANUP(sections_writer, struct sections_writer *, sections_abort)

/* --- Reading --- */

struct section {
	uint32_t kind;
	uint32_t number;
	const void *data; /* at a multiple of 64 */
	size_t len;
};

struct sections {
	struct retired retired; /* so that a mapping can outlive its use by the newest view */
	const void *map;
	size_t len;
	size_t n;
	struct section sections[];
};

/* -ENOENT; -EBADMSG: not what was written there, or not NAME; from the system. */
int sections_open(int dir_fd, const char *file, const struct sections_name *name,
		  struct sections **ret_sections);
void sections_close(struct sections *sections);
DEFINE_CLEANUP(sections, struct sections *, sections_close)

/* The same of bytes in memory, at a multiple of 64, that outlive it. */
int sections_read(const void *bytes, size_t len, const struct sections_name *name,
		  struct sections **ret_sections);

/* The first of KIND with NUMBER; NULL: none. */
const struct section *sections_find(const struct sections *sections, uint32_t kind,
				    uint32_t number);

#endif
