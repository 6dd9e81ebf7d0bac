/* reader.h - from what a core answers to properties and documents of the index. */
#ifndef PXS_INDEX_SYNC_READER_H
#define PXS_INDEX_SYNC_READER_H

#include <stdatomic.h>
#include <stdint.h>

#include <jansson.h>

#include "index/index.h"

struct pxs_error;

/* Start it as { .index = INDEX }, then declare its origin. */
struct reader {
	struct index *index;
	struct index_origin origin;
	atomic_uint_fast64_t faults; /* values that were left out */
};

/* Declare the properties of SCHEMA, as GET /schema/files answers it. -EPROTO, -EEXIST (one is of
 * another type here), ...; ERR has the sentence. */
int reader_schema(struct reader *reader, const json_t *schema, struct pxs_error *err);

/* The array of items of a whole answer, lent; -EPROTO. */
int reader_items(const json_t *answer, const json_t **ret_items, struct pxs_error *err);
/* The same of a page of a listing, which has MAX items at most; *RET_HITS: documents that are said
 * to match, on all pages. */
int reader_page(const json_t *answer, size_t max, const json_t **ret_items, int64_t *ret_hits,
		struct pxs_error *err);
/* The number called NAME among the answer's properties; -ENOENT. */
int reader_number(const json_t *answer, const char *name, int64_t *ret_number);
/* The text called NAME there, or NULL; lent. */
const char *reader_text(const json_t *answer, const char *name);
/* The href of the link with this rel, or NULL; lent. */
const char *reader_link(const json_t *answer, const char *rel);

/* The value called NAME in an item's data, or NULL; lent. */
const json_t *reader_value(const json_t *item, const char *name);
/* The time called NAME there, in ns since 1970; 0: it has none. */
int64_t reader_time(const json_t *item, const char *name);
/* Who ITEM is. -EPROTO: it has no _id or no _etag that can be kept. */
int reader_identity(const json_t *item, int64_t *ret_id, const char **ret_etag,
		    struct pxs_error *err);

/* Make DOCUMENT (cleared) what ITEM says, and seal it. Properties that nobody declared are declared
 * as their prompts and values look. */
int reader_document(struct reader *reader, const json_t *item, struct index_document *document,
		    struct pxs_error *err);

#endif
