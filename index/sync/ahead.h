/* ahead.h - pages of a listing, got and made into documents by a thread while others are written.
 *
 * Getting and writing take about the same time, so each has a core for itself. Where the disk is
 * slow more pages wait, and what waits is written at once. */
#ifndef PXS_INDEX_SYNC_AHEAD_H
#define PXS_INDEX_SYNC_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/sync/intake.h"

struct ahead;
struct follower;
struct pxs_error;

/* Pages that wait: of 1,000 documents each it is some 8 MB. */
#define AHEAD_PAGES 4

struct ahead_page {
	struct intake intake;	 /* of the documents that were not here in this version */
	int64_t ids[INTAKE_MAX]; /* of all that it tells */
	size_t n;
	int64_t hits;	 /* documents that are said to match, on all pages */
	char *next;	 /* NULL: this is the last one */
	uint64_t urgent; /* turn_count_urgent() before it was read */
};

/* Get HREF and the pages after it. Until ahead_close() the follower asks for nothing itself: it has
 * one connection. */
int ahead_open(struct follower *follower, const char *href, struct ahead **ret_ahead);
void ahead_close(struct ahead *ahead);
DEFINE_CLEANUP(ahead, struct ahead *, ahead_close)

/* Wait for a page; *RET_N are there. Errors as follow_get(), when all before it were taken. */
int ahead_wait(struct ahead *ahead, size_t *ret_n, struct pxs_error *err);
/* The one after I others, I < *RET_N. */
struct ahead_page *ahead_page(struct ahead *ahead, size_t i);
/* The first N were taken. */
void ahead_taken(struct ahead *ahead, size_t n);

#endif
