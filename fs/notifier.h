/* notifier.h - tells the kernel what changed: which attributes it remembers are no longer true, so
 * that it can remember them for long, and what those who watch folders are to hear (herald.h). */
#ifndef PXS_FS_NOTIFIER_H
#define PXS_FS_NOTIFIER_H

#include "base/cleanup.h"

struct fs;
struct fs_notifier;

/* Begin, in a thread of its own, once FS serves. -ENOMEM, -EAGAIN. */
int fs_notifier_new(struct fs *fs, struct fs_notifier **ret_notifier);
/* End it, while FS still serves. */
void fs_notifier_free(struct fs_notifier *notifier);
DEFINE_CLEANUP(fs_notifier, struct fs_notifier *, fs_notifier_free)

#endif
