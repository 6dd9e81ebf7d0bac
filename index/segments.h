/* segments.h - columns, dictionaries and documents as files, for a quick start and little memory.
 *
 * A segment of 65,536 documents is written down when its last number was given: it never changes
 * again. With it go the texts that are new since the last one, so no file is ever written twice.
 * What is not yet in a file is filled from docs.db at start. The files are derived: if any of them
 * is missing or is not what was written, all are dropped, columns are filled from docs.db, and the
 * files are written anew. */
#ifndef PXS_INDEX_SEGMENTS_H
#define PXS_INDEX_SEGMENTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "base/cleanup.h"
#include "index/manifest.h"

struct index;
struct segments;
struct store;
struct view_schema;

/* What a section is; its number is that of the property, or of the field. Permanent. */
enum segments_section { SECTION_COLUMN = 1, SECTION_DOCS = 2, SECTION_PART = 3, SECTION_WORDS = 4 };

struct segments {
	int dir_fd;
	struct manifest manifest; /* as it stands on disk */
	struct sections **files;  /* mapped, by segment */
	uint32_t n_files;
	struct sections *lexicon;
	atomic_ullong bytes;  /* of files */
	atomic_uint n_mapped; /* segments that are read from files */
	bool broken;	      /* memory ran out in the middle: write nothing until the next start */
};

/* The folder INDEX/segments, made if it is not there. */
int segments_open(const char *index_dir, struct segments **ret_segments);
void segments_close(struct segments *segments);
DEFINE_CLEANUP(segments, struct segments *, segments_close)

/* At start, into empty docs and columns: map what is written down. LIVE gets the documents in it
 * that lived after the manifest's change.
 *
 * -ENOENT: there is nothing; -EBADMSG: nothing that can be trusted. Columns, dictionaries and docs
 * must then be made anew, since parts may have been mapped. -ENOMEM, -EIO, ... */
int segments_load(struct index *index, const struct view_schema *schema, roaring_bitmap_t *live);

/* With the turn to write: changes after this one must be remembered for the next start. */
uint64_t segments_need(const struct segments *segments);

/* Forget the files and remove them. */
void segments_drop(struct segments *segments);

/* With the turn to write: read the files once more, from number *AT on, which is left after the
 * next that is -EBADMSG, whose name is in NAME; 0: no more. */
int segments_check(struct index *index, uint32_t *at, char name[MANIFEST_NAME_MAX]);

/* --- For seal.c --- */

int segments_create(const struct segments *segments, enum segments_file kind, uint32_t number,
		    uint64_t generation, uint64_t salt, struct sections_writer **ret_writer);
int segments_open_file(const struct segments *segments, enum segments_file kind, uint32_t number,
		       uint64_t generation, uint64_t salt, struct sections **ret_file);

/* With the turn to write: from now on read from FILE, or all dictionaries from the lexicon; what is
 * no longer needed goes to the index's epoch. -ENOMEM in the middle. */
int segments_map_file(struct index *index, const struct view_schema *schema, uint32_t segment,
		      const struct sections *file);
int segments_map_lexicon(struct index *index, const struct view_schema *schema);

#endif
