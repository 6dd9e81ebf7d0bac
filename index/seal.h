/* seal.h - full segments become files (segments.h), in the background. */
#ifndef PXS_INDEX_SEAL_H
#define PXS_INDEX_SEAL_H

#include <stdbool.h>

#include "base/cleanup.h"

struct index;
struct keeper;

/* Write a few of the full segments down, if there are any, and in any case which documents live.
 * MORE: there are more. On failure (-ENOSPC, -EIO, -ENOMEM) everything stays in memory. One thread
 * at a time, without the turn to write. */
int seal_segments(struct index *index, bool *ret_more);

/* keeper.c - the thread that does it, and compaction. It begins when it is first asked. */
int keeper_new(struct index *index, struct keeper **ret_keeper);
/* Waits until it has ended. */
void keeper_free(struct keeper *keeper);
DEFINE_CLEANUP(keeper, struct keeper *, keeper_free)

/* The index has a new view; see what is due now. Quick, for who has the turn to write. */
void keeper_ask(struct keeper *keeper);
/* No segment is written down any more. */
void keeper_start_over(struct keeper *keeper);

#endif
