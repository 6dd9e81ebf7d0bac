/* dict.h - the distinct strings of one property, numbered. */
#ifndef PXS_INDEX_DICT_H
#define PXS_INDEX_DICT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct epoch;
struct pxs_buf;

/* Append-only: a string keeps its code until dict_free(). Its bytes are lent as long as the view
 * in which its code was found (they move when they are written down). One thread adds; any number
 * read meanwhile. */
struct dict;

int dict_new(struct dict **ret_dict);
void dict_free(struct dict *dict);
DEFINE_CLEANUP(dict, struct dict *, dict_free)

/* The code of TEXT, which is added if it is new. Codes count from 1. */
int dict_add(struct dict *dict, const char *text, size_t len, uint32_t *ret_code);

/* The code of TEXT, 0 if it is not there. */
uint32_t dict_find(const struct dict *dict, const char *text, size_t len);

/* The string of CODE (1 .. dict_count()), NUL-terminated. */
const char *dict_text(const struct dict *dict, uint32_t code);

/* Asks for the memory that tells where the string of CODE is, and does not wait for it. */
void dict_prefetch(const struct dict *dict, uint32_t code);

uint32_t dict_count(const struct dict *dict);
uint64_t dict_bytes(const struct dict *dict); /* of memory, mapped files included */

/* --- In order --- */

/* The order of the texts (bytewise) of codes 1 .. n; those above came later. Lent as a text. */
struct dict_order {
	uint32_t n;
	const uint32_t *ranks; /* of code, at [code - 1]; from 0 */
	const uint32_t *codes; /* by rank */
};

void dict_order(const struct dict *dict, struct dict_order *ret_order);

/* As strcmp() of both texts. */
int dict_compare(const struct dict *dict, uint32_t a, uint32_t b);

/* --- Written down: bytes for the files of segments.h --- */

/* Texts of consecutive codes. Where each begins in `text` is told in rows of DICT_ROW of them:
 * where the row begins, and how far each is from there. Rows of long texts are too long for that;
 * then it is told of each as it is, as if all rows began at 0. */
#define DICT_ROW_SHIFT 6
#define DICT_ROW (1u << DICT_ROW_SHIFT)
struct dict_part {
	uint32_t first, n;
	const uint32_t *rows; /* [(n >> DICT_ROW_SHIFT) + 1]; NULL: far */
	const uint16_t *near; /* [n + 1] */
	const uint32_t *far;  /* [n + 1] */
	const char *text;     /* each ends with a NUL */
	size_t bytes;
};

/* Where the I-th of PART begins; the N-th, where the last ends. */
static inline uint32_t
dict_part_offset(const struct dict_part *part, uint32_t i)
{
	if (part->rows)
		return part->rows[i >> DICT_ROW_SHIFT] + part->near[i];
	assert(part->far);
	return part->far[i];
}

/* Adds codes from FIRST on to BUF, at most to LAST and as many as fit; how many. */
uint32_t dict_part_encode(const struct dict *dict, uint32_t first, uint32_t last,
			  struct pxs_buf *buf);
/* -EBADMSG. */
int dict_part_decode(const void *data, size_t len, struct dict_part *ret_part);

/* What finds texts and orders them, for codes 1 .. n. */
struct dict_lexicon {
	struct dict_order order;
	uint32_t n_slots;
	const uint32_t *slots; /* codes, 0: free */
	size_t bytes;
};

/* Adds the lexicon of codes 1 .. N to BUF. -ENOMEM. */
int dict_lexicon_encode(const struct dict *dict, uint32_t n, struct pxs_buf *buf);
/* -EBADMSG. */
int dict_lexicon_decode(const void *data, size_t len, struct dict_lexicon *ret_lexicon);

/* With nobody adding: from now on read the codes of PARTS, which begin where those before ended,
 * from there; what they lie in outlives the dict. What is no longer needed goes to EPOCH. -ENOMEM.
 */
int dict_map(struct dict *dict, const struct dict_part *parts, size_t n, struct epoch *epoch);
/* The same with the lexicon, of codes that there are; one of none clears it. */
int dict_map_lexicon(struct dict *dict, const struct dict_lexicon *lexicon, struct epoch *epoch);

uint32_t dict_mapped(const struct dict *dict);	 /* codes that were written down: 1 .. that */
uint32_t dict_in_order(const struct dict *dict); /* codes of the lexicon: 1 .. that */

#endif
