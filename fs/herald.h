/* herald.h - finds what came, went and changed in the folders that may be watched, and announces
 * it.
 *
 * What a folder showed when it was told last is compared with what it shows now, so nothing is told
 * that was not so, whatever happened between. */
#ifndef PXS_FS_HERALD_H
#define PXS_FS_HERALD_H

#include "base/cleanup.h"

struct fs;
struct fs_herald;
struct index_budget;

/* Where more than so many results of a folder changed at once, watchers hear that the folder did.
 */
#define FS_HERALD_CHANGES_MAX 500

/* HELPER as for fs_announcer_new(), which see; the announcer is FS's. */
int fs_herald_new(struct fs *fs, struct fs_herald **ret_herald);
void fs_herald_free(struct fs_herald *herald);
DEFINE_CLEANUP(fs_herald, struct fs_herald *, fs_herald_free)

/* Go through all folders once. Ends early as BUDGET says. In the notifier's thread. */
void fs_herald_round(struct fs_herald *herald, const struct index_budget *budget);

#endif
