/* unread.h - the places that a scan could not look into. Their documents stay, whatever is in them
 * now, and those that are somebody's fault are told with the reason. Thread-safe to add. */
#ifndef PXS_INDEX_INGEST_UNREAD_H
#define PXS_INDEX_INGEST_UNREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct index_failure;
struct unread;

/* More are counted, but not remembered: then nothing of the scan can be said to be gone. */
#define UNREAD_MAX 100000

int unread_new(struct unread **ret_unread);
void unread_free(struct unread *unread);
DEFINE_CLEANUP(unread, struct unread *, unread_free)

/* PATH (bytes) and what is below it are unknown; REASON is a sentence, NULL if it is no failure. */
int unread_add(struct unread *unread, const char *path, const char *reason);

/* --- After the last addition --- */

/* Whether PATH (absolute) is, or lies below, such a place. */
bool unread_covers(struct unread *unread, const char *path);
/* Those with a reason, by path: lent as long as UNREAD. Their number. */
size_t unread_failures(struct unread *unread, const struct index_failure **ret_failures);

#endif
