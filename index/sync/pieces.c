#include "index/sync/pieces.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A few hundred at most, as each is a quarter of a megabyte or more, or a whole small file: of
 * these there are not so many either, as each counts as this at least. */
#define COST_MIN ((size_t)64 << 10)

struct pieces {
	pthread_mutex_t lock;
	struct piece *newest, *oldest;
	size_t cost;
};

int
pieces_new(struct pieces **ret_pieces)
{
	struct pieces *pieces = calloc(1, sizeof(*pieces));

	if (!pieces)
		return -ENOMEM;
	(void)pthread_mutex_init(&pieces->lock, NULL);
	*ret_pieces = pieces;
	return 0;
}

struct piece *
piece_new(char *data, size_t len)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	if (!piece) {
		free(data);
		return NULL;
	}
	atomic_init(&piece->references, 1);
	piece->data = data;
	piece->len = len;
	return piece;
}

static struct piece *
ref(struct piece *piece)
{
	(void)atomic_fetch_add(&piece->references, 1);
	return piece;
}

void
piece_put(struct piece *piece)
{
	if (!piece || atomic_fetch_sub(&piece->references, 1) > 1)
		return;
	free(piece->data);
	free(piece);
}

static size_t
cost_of(const struct piece *piece)
{
	return piece->len > COST_MIN ? piece->len : COST_MIN;
}

static void
unlink_piece(struct pieces *pieces, struct piece *piece)
{
	*(piece->newer ? &piece->newer->older : &pieces->newest) = piece->older;
	*(piece->older ? &piece->older->newer : &pieces->oldest) = piece->newer;
	piece->newer = piece->older = NULL;
	pieces->cost -= cost_of(piece);
}

static void
link_newest(struct pieces *pieces, struct piece *piece)
{
	piece->older = pieces->newest;
	*(pieces->newest ? &pieces->newest->newer : &pieces->oldest) = piece;
	pieces->newest = piece;
	pieces->cost += cost_of(piece);
}

void
pieces_free(struct pieces *pieces)
{
	if (!pieces)
		return;
	while (pieces->oldest) {
		struct piece *piece = pieces->oldest;

		unlink_piece(pieces, piece);
		piece_put(piece);
	}
	(void)pthread_mutex_destroy(&pieces->lock);
	free(pieces);
}

void
pieces_add(struct pieces *pieces, struct piece *piece)
{
	(void)pthread_mutex_lock(&pieces->lock);
	link_newest(pieces, ref(piece));
	while (pieces->cost > PIECES_MAX && pieces->oldest != piece) {
		struct piece *oldest = pieces->oldest;

		unlink_piece(pieces, oldest);
		piece_put(oldest);
	}
	(void)pthread_mutex_unlock(&pieces->lock);
}

static bool
holds(const struct piece *piece, int64_t id, const char *version, uint64_t offset)
{
	return piece->id == id && offset >= piece->offset && offset - piece->offset < piece->len &&
	       (!version || !strcmp(piece->version, version));
}

struct piece *
pieces_find(struct pieces *pieces, int64_t id, const char *version, uint64_t offset)
{
	struct piece *piece;

	(void)pthread_mutex_lock(&pieces->lock);
	piece = pieces->newest;
	while (piece && !holds(piece, id, version, offset))
		piece = piece->older;
	if (piece) {
		unlink_piece(pieces, piece);
		link_newest(pieces, ref(piece));
	}
	(void)pthread_mutex_unlock(&pieces->lock);
	return piece;
}
