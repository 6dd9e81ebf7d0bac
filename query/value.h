/* value.h - text of values, for the parsers and printers of this folder. */
#ifndef PXS_QUERY_VALUE_H
#define PXS_QUERY_VALUE_H

#include <stddef.h>

struct pxs_arena;
struct pxs_buf;
struct query_value;

/* TEXT (valid UTF-8) in NFC, in ARENA; NULL: out of memory. */
const char *query_text_nfc(struct pxs_arena *arena, const char *text, size_t len);

/* As query_value_print(), but an instant is named to the nanosecond, so that it reads back as one.
 */
void query_value_print_exact(const struct query_value *value, struct pxs_buf *buf);

#endif
