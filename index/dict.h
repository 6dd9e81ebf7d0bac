/* dict.h - the distinct strings of one property, numbered. */
#ifndef PXS_INDEX_DICT_H
#define PXS_INDEX_DICT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Append-only: a string keeps its code, and its bytes stay where they are, until dict_free(). One
 * thread adds; any number read meanwhile. */
struct dict;

int dict_new(struct dict **ret_dict);
void dict_free(struct dict *dict);
DEFINE_CLEANUP(dict, struct dict *, dict_free)

/* The code of TEXT, which is added if it is new. Codes count from 1. */
int dict_add(struct dict *dict, const char *text, size_t len, uint32_t *ret_code);

/* The code of TEXT, 0 if it is not there. */
uint32_t dict_find(const struct dict *dict, const char *text, size_t len);

/* The string of CODE (1 .. dict_count()), NUL-terminated; lent as long as the dict. */
const char *dict_text(const struct dict *dict, uint32_t code);

uint32_t dict_count(const struct dict *dict);
uint64_t dict_bytes(const struct dict *dict); /* of memory */

#endif
