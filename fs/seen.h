/* seen.h - which version of a document its reader knows, so that he overwrites no other. */
#ifndef PXS_FS_SEEN_H
#define PXS_FS_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fs_seen;

int fs_seen_new(struct fs_seen **ret_seen);
void fs_seen_free(struct fs_seen *seen);

/* UID was shown properties of document ROW in the version called ETAG. */
void fs_seen_note(struct fs_seen *seen, uint64_t row, uid_t uid, const char *etag);

/* Whether he may take ETAG for what he knows. Who was shown nothing, or so long ago that it is
 * forgotten, means whatever there is: *RET_BLIND. */
bool fs_seen_fits(struct fs_seen *seen, uint64_t row, uid_t uid, const char *etag, bool *ret_blind);

#endif
