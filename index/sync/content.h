/* content.h - reads the content of files that lie at the upstream, in parts.
 *
 * Each file is read in pieces of one version of it, which the upstream's etag tells: where it is
 * another one now, reading ends, so nobody gets a mixture. Pieces are kept for whoever reads again
 * (pieces.h), and the upstream says whether they are still true when the file is opened. */
#ifndef PXS_INDEX_SYNC_CONTENT_H
#define PXS_INDEX_SYNC_CONTENT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

struct index_budget;
struct pace;
struct pieces;
struct pxs_error;
struct sync_content;
struct sync_options;
struct upstream;

/* Connections of readers. */
#define CONTENT_CONNECTIONS 4

struct contents {
	const struct sync_options *options; /* these, stop and pace are lent */
	const atomic_bool *stop;
	struct pace *pace;
	struct pieces *pieces;
	sem_t free; /* connections that nobody uses */
	pthread_mutex_t lock;
	struct upstream *connections[CONTENT_CONNECTIONS]; /* those; NULL: not opened yet */
	unsigned int n;					   /* that are in use */
};

/* Start it as { .options, .stop, .pace }. */
int contents_init(struct contents *contents);
/* When nobody reads any more. */
void contents_done(struct contents *contents);

/* sync_content_open(), which see. */
int contents_open(struct contents *contents, int64_t id, const struct index_budget *budget,
		  struct sync_content **ret_content, struct pxs_error *err);

#endif
