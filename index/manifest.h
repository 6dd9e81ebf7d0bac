/* manifest.h - which files of INDEX/segments count, and up to where.
 *
 *     manifest         this: replaced as a whole, by rename; what it does not name is rubbish
 *     00012.G.segment  values of documents 12 * 65,536 .. 13 * 65,536 - 1, and new texts
 *     00000.G.lexicon  order and slots of dictionaries
 *
 * G is the file's generation. */
#ifndef PXS_INDEX_MANIFEST_H
#define PXS_INDEX_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/column_slice.h"
#include "index/sections.h"

/* Permanent. */
enum segments_file { FILE_MANIFEST = 1, FILE_SEGMENT = 2, FILE_LEXICON = 3 };

#define MANIFEST_NAME_MAX 64
#define MANIFEST_LIVE_WORDS (COLUMN_SEGMENT_DOCS / 64)

/* Stored as they are here. */
struct manifest_state {
	uint64_t seq; /* of the change after which `live` was taken */
	/* The same change's id and time, since another history may have a change with that number;
	 * 0 while there was none. */
	int64_t change_id;
	int64_t change_time_ns;
	/* Living documents of the segments have at most this seq, all others a higher one. */
	uint64_t sealed_seq;
	uint64_t lexicon; /* its generation; 0: none */
	uint64_t next_generation;
	uint32_t n_segments; /* 0 .. that - 1 are written down */
	uint32_t n_texts;    /* entries of `texts` */
};

struct manifest_texts {
	uint32_t property;
	uint32_t n; /* codes 1 .. n are written down */
};

struct manifest {
	struct manifest_state state;
	uint64_t *generations; /* [n_segments] */
	uint64_t *live;	       /* [n_segments * MANIFEST_LIVE_WORDS]: a bit for each document */
	struct manifest_texts *texts;
};

void manifest_done(struct manifest *manifest);
static inline void
manifest_cleanup(struct manifest *manifest)
{
	manifest_done(manifest);
}

/* Into an empty MANIFEST. -ENOENT, -EBADMSG, or from the system. */
int manifest_read(int dir_fd, uint64_t salt, struct manifest *manifest);
/* On disk, and in the place of the one before, when it returns 0. */
int manifest_write(int dir_fd, uint64_t salt, const struct manifest *manifest);

/* How many texts of PROPERTY are written down. */
uint32_t manifest_texts_of(const struct manifest *manifest, uint32_t property);

void manifest_file_name(enum segments_file kind, uint32_t number, uint64_t generation,
			char name[MANIFEST_NAME_MAX]);

/* Remove every file of ours that MANIFEST (NULL: none) does not name. */
void manifest_sweep(int dir_fd, const struct manifest *manifest);

#endif
