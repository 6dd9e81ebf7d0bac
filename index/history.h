/* history.h - reads the log of changes and of removals in docs.db, beside the one who writes. */
#ifndef PXS_INDEX_HISTORY_H
#define PXS_INDEX_HISTORY_H

#include "base/cleanup.h"

struct history;

/* PATH is docs.db, which is there and of our format. A connection of its own; any thread. */
int history_open(const char *path, struct history **ret_history);
void history_close(struct history *history);
DEFINE_CLEANUP(history, struct history *, history_close)

#endif
