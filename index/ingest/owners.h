/* owners.h - names of users and groups by number, remembered. For one thread. */
#ifndef PXS_INDEX_INGEST_OWNERS_H
#define PXS_INDEX_INGEST_OWNERS_H

#include <stdint.h>

#include "base/cleanup.h"

struct owners;

int owners_new(struct owners **ret_owners);
void owners_free(struct owners *owners);
DEFINE_CLEANUP(owners, struct owners *, owners_free)

/* NULL if the system knows no (printable) name for it. Lent until the next call. */
const char *owners_user(struct owners *owners, uint32_t uid);
const char *owners_group(struct owners *owners, uint32_t gid);

#endif
