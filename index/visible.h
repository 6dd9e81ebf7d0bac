/* visible.h - what somebody sees to whom documents are not there whose files he could not stat. */
#ifndef PXS_INDEX_VISIBLE_H
#define PXS_INDEX_VISIBLE_H

#include <stdint.h>

#include "base/cleanup.h"

struct index_view;
struct visible;

int visible_new(struct visible **ret_visible);
void visible_free(struct visible *visible);
DEFINE_CLEANUP(visible, struct visible *, visible_free)

/* Let go of restricted views older than generation SEQ. */
void visible_purge(struct visible *visible, uint64_t seq);

#endif
