/* cursor.h - a place in a query's order as text, for listings that go on later, elsewhere.
 *
 * It holds what the last document told was sorted by, and its id; nothing is kept here for it. It
 * outlives restarts and changes: documents that keep their values are neither told twice nor left
 * out, wherever others come and go. */
#ifndef PXS_INDEX_CURSOR_H
#define PXS_INDEX_CURSOR_H

#include <stdint.h>

struct pxs_buf;
struct sort_place;
struct sorter;

/* Both want SORTER prepared. Letters, digits and '-' only. -ENOMEM. */
int cursor_print(const struct sorter *sorter, uint32_t doc, struct pxs_buf *buf);

/* -EINVAL: not one of ours, or one of another order; -ENOMEM. */
int cursor_parse(const struct sorter *sorter, const char *text, struct sort_place *ret_place);

#endif
