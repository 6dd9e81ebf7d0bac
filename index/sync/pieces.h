/* pieces.h - parts of files' content that were read lately: bounded, the last used stay. */
#ifndef PXS_INDEX_SYNC_PIECES_H
#define PXS_INDEX_SYNC_PIECES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pieces;

/* Bytes of all that are kept. */
#define PIECES_MAX ((size_t)64 << 20)

/* Of what tells one version of a content from all others, with its NUL. */
#define PIECE_VERSION_SIZE 80

/* Immutable, counted references. */
struct piece {
	atomic_uint references;
	int64_t id; /* of the document */
	char version[PIECE_VERSION_SIZE];
	int64_t modified_ns; /* the content, as the upstream says; 0: it does not */
	uint64_t total;	     /* bytes of the whole content */
	uint64_t offset;     /* in it */
	size_t len;
	char *data;
	struct piece *newer, *older; /* in the order of use */
};

int pieces_new(struct pieces **ret_pieces);
void pieces_free(struct pieces *pieces);

/* Takes DATA. NULL: out of memory. */
struct piece *piece_new(char *data, size_t len);
void piece_put(struct piece *piece);
DEFINE_CLEANUP(piece, struct piece *, piece_put)

/* Keep PIECE; what was unused for longest goes. */
void pieces_add(struct pieces *pieces, struct piece *piece);

/* The piece of document ID in which the byte at OFFSET lies, in VERSION (NULL: any; the newest).
 * The caller's to put; NULL: there is none. */
struct piece *pieces_find(struct pieces *pieces, int64_t id, const char *version, uint64_t offset);

#endif
