/* seen.h - what was shown to whom, so that nobody changes a version, or deletes a document, that he
 * has not seen.
 *
 * The kernel sends no link between what somebody read and what he writes but who he is. So of the
 * documents whose properties were read lately it is noted which version each process read, and each
 * user, as a shell reads and writes in processes of their own. And what is unlinked comes as a
 * name, which may mean another document by now than the one that the kernel was told.
 *
 * Documents are told apart by their ids: rows change where a replica's document goes and comes
 * back. */
#ifndef PXS_FS_SEEN_H
#define PXS_FS_SEEN_H

#include <stdbool.h>
#include <stdint.h>

struct fs_seen;
struct fuse_ctx;

/* About so many are remembered, of each kind. */
#define FS_SEEN_VERSIONS 16384
#define FS_SEEN_NAMES 65536
/* For so long what one process of a user read counts for another. */
#define FS_SEEN_S 600

int fs_seen_new(struct fs_seen **ret_seen);
void fs_seen_free(struct fs_seen *seen);

/* WHO was shown properties of the document called ID, in the version of change SEQ
 * (index_doc_seq()), or made that version; 0: one that is not here any more. */
void fs_seen_note(struct fs_seen *seen, const struct fuse_ctx *who, int64_t id, uint64_t seq);

/* Whether he may take SEQ for what he knows. Whose process was shown nothing, and whose user
 * neither, or so long ago that it is forgotten, means whatever there is: *RET_BLIND. */
bool fs_seen_fits(struct fs_seen *seen, const struct fuse_ctx *who, int64_t id, uint64_t seq,
		  bool *ret_blind);

/* The kernel was told that NAME in node PARENT is document ID, in version SEQ. */
void fs_seen_note_name(struct fs_seen *seen, uint64_t parent, const char *name, int64_t id,
		       uint64_t seq);

/* Whether that is what it was told last, SEQ 0 being any version; false where that is forgotten. */
bool fs_seen_name_fits(struct fs_seen *seen, uint64_t parent, const char *name, int64_t id,
		       uint64_t seq);

#endif
